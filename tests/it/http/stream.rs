//! Streams: nothing missed and nothing twice, whatever ends them and wherever they are resumed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tradefold::http::Limits;
use tradefold::http::tokens::{self, Scope};
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Error, Message, WebSocket};

use super::support::Served;
use crate::cli_support::{WEEK, note, notes};

/// A socket's client.
struct Client(WebSocket<TcpStream>);

impl Client {
    fn open(served: &Served) -> Self {
        let stream = served.raw();
        let request = format!("ws://{}/api/v1/stream", served.at).into_client_request().unwrap();
        Self(tungstenite::client(request, stream).unwrap().0)
    }

    /// One that has said who it is.
    fn known(served: &Served) -> Self {
        let mut client = Self::open(served);
        client.say(&json!({ "auth": served.token }));
        assert!(client.hear()["ready"]["head"].is_u64());
        client
    }

    fn subscribed(served: &Served, wish: &Value) -> Self {
        let mut client = Self::known(served);
        client.say(wish);
        assert!(client.hear()["subscribed"].is_string());
        client
    }

    fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    fn hear(&mut self) -> Value {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return serde_json::from_str(text.as_str()).unwrap(),
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
    }

    /// What it is closed with, and what came before.
    fn closed(&mut self) -> (u16, String, Vec<Value>) {
        let mut heard = Vec::new();
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => heard.push(serde_json::from_str(text.as_str()).unwrap()),
                Ok(Message::Close(Some(frame))) => return (frame.code.into(), frame.reason.to_string(), heard),
                Ok(_) => {}
                Err(Error::ConnectionClosed) => panic!("closed without a code"),
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The positions of events, until one of them comes.
    fn seqs_to(&mut self, last: u64) -> Vec<u64> {
        let mut seqs = Vec::new();
        while seqs.last() != Some(&last) {
            seqs.extend(self.hear()["event"]["seq"].as_u64());
        }
        seqs
    }

    /// Rows and deletions until a position is told, laid over what is known.
    fn follow_to(&mut self, position: u64, tables: &mut Known) {
        loop {
            let message = self.hear();
            lay(&message, tables);
            if message["subscription"] == "tables" && message["position"] == json!(position) {
                return;
            }
        }
    }
}

/// Tables as a subscriber knows them: rows by table and key.
type Known = BTreeMap<(String, String), Value>;

fn lay(message: &Value, tables: &mut Known) {
    let Some(name) = message["table"].as_str() else { return };
    let table = projections::projection::table(name).unwrap();
    let key = |row: &Value| table.key.iter().map(|column| row[column].to_string()).collect::<Vec<_>>().join("/");
    for row in message["rows"].as_array().unwrap() {
        tables.insert((name.to_owned(), key(row)), row.clone());
    }
    for row in message["deleted"].as_array().unwrap() {
        tables.remove(&(name.to_owned(), key(row)));
    }
}

/// Tables as they are.
fn read(served: &Served) -> Known {
    let mut tables = Known::new();
    for table in projections::TABLES {
        let rows = served.json(&format!("/api/v1/{}?limit=10000", table.name))["rows"].clone();
        lay(&json!({ "table": table.name, "rows": rows, "deleted": [] }), &mut tables);
    }
    tables
}

fn append(served: &Served, lines: &str) -> u64 {
    let answer = served.post("application/x-ndjson", lines);
    assert!(answer.status < 300, "{}", answer.body);
    let last = answer.json()["last_seq"].as_u64().unwrap();
    served.get(&format!("/api/v1/notes?limit=1&wait_for={last}")).ok();
    last
}

#[test]
fn events_come_as_they_are_recorded_and_from_any_position_without_gap_or_repeat() {
    let served = Served::new();
    append(&served, &notes(1..=1500));
    let mut from_start = Client::subscribed(&served, &json!({ "subscribe": "events", "after": 0 }));
    let mut from_middle = Client::subscribed(&served, &json!({ "subscribe": "events", "after": 700 }));
    let mut from_now = Client::subscribed(&served, &json!({ "subscribe": "events" }));
    std::thread::scope(|scope| {
        scope.spawn(|| (1501..1600).for_each(|number| assert!(append(&served, &notes(number..=number)) > 1500)));
        assert_eq!(from_start.seqs_to(1599), (1..=1599).collect::<Vec<_>>());
        assert_eq!(from_middle.seqs_to(1599), (701..=1599).collect::<Vec<_>>());
        assert_eq!(from_now.seqs_to(1599), (1501..=1599).collect::<Vec<_>>());
    });
    drop(from_middle);
    let mut resumed = Client::subscribed(&served, &json!({ "subscribe": "events", "after": 1599 }));
    append(&served, &notes(1600..=1600));
    let event = resumed.hear()["event"].clone();
    assert_eq!(
        (&event["seq"], &event["type"], &event["data"]["text"]),
        (&json!(1600), &json!("NoteAdded"), &json!("note 1600"))
    );
    assert!(event["hash"].is_string() && event["stream"] == "account/default");
}

#[test]
fn events_can_be_told_apart_by_type_and_account() {
    let served = Served::week();
    let events: Vec<Value> =
        std::fs::read_to_string(WEEK).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seqs = |is_wanted: &dyn Fn(&Value) -> bool| -> Vec<u64> {
        (1..).zip(&events).filter(|(_, event)| is_wanted(event)).map(|(seq, _)| seq).collect()
    };
    let corrections = seqs(&|event| event["type"] == "FillCorrected" || event["type"] == "TradeVoided");
    let wish = json!({ "subscribe": "events", "after": 0, "types": ["FillCorrected", "TradeVoided"] });
    assert_eq!(Client::subscribed(&served, &wish).seqs_to(*corrections.last().unwrap()), corrections);
    // Trades of the week are named after their accounts: a stop that was moved says only whose trade it is, and a bust, whose
    // fill.
    let names_live = |data: &Value| {
        let trade = data["trade_id"].as_str().unwrap_or_default();
        data["account_id"] == "live-main" || (data["account_id"].is_null() && trade.starts_with("live-"))
    };
    let fills = events.iter().filter(|event| event["type"] == "FillRecorded" && names_live(&event["data"]));
    let fills: Vec<&Value> = fills.map(|event| &event["data"]["fill_id"]).collect();
    let of_live = seqs(&|event| {
        let data = &event["data"];
        names_live(data) || (event["type"] != "FillRecorded" && fills.contains(&&data["fill_id"]))
    });
    let moved = events.iter().any(|event| event["type"] == "StopMoved" && event["data"]["account_id"].is_null());
    assert!(moved && of_live.len() > 20, "{of_live:?}");
    let wish = json!({ "subscribe": "events", "after": 0, "account": "live-main" });
    let heard = Client::subscribed(&served, &wish).seqs_to(*of_live.last().unwrap());
    assert_eq!(heard, of_live);
}

/// The week's events one after the other, with corrections and a void among them: whoever follows ends with the tables.
#[test]
fn who_follows_tables_ends_with_the_tables_wherever_it_was_cut() {
    let served = Served::new();
    let text = std::fs::read_to_string(WEEK).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    append(&served, &lines[..100].join("\n"));
    let mut whole = Known::new();
    let mut first = Client::subscribed(&served, &json!({ "subscribe": "tables", "after": 0 }));
    first.follow_to(100, &mut whole);
    assert_eq!(whole, read(&served));
    let mut cut = whole.clone();
    let mut told = 100;
    for part in lines[100..].chunks(61) {
        let last = append(&served, &part.join("\n"));
        first.follow_to(last, &mut whole);
        // Another one each time, from where the last one was.
        let mut next = Client::subscribed(&served, &json!({ "subscribe": "tables", "after": told }));
        next.follow_to(last, &mut cut);
        told = last;
    }
    let tables = read(&served);
    assert!(tables.keys().any(|(table, _)| table == "trades"));
    assert_eq!(whole, tables);
    assert_eq!(cut, tables);
}

/// What makes a row go: two fills that made a trade of their own are given to another.
const BEFORE: [&str; 5] = [
    r#"{"type":"FillRecorded","occurred_at":"2026-03-02T10:00:00Z","data":{"fill_id":"f1","symbol":"X","side":"buy","quantity":"1","price":"100"}}"#,
    r#"{"type":"FillRecorded","occurred_at":"2026-03-02T10:01:00Z","data":{"fill_id":"f2","symbol":"X","side":"sell","quantity":"1","price":"101"}}"#,
    r#"{"type":"TradeOpened","occurred_at":"2026-03-02T10:02:00Z","data":{"trade_id":"t","symbol":"X","side":"long","strategy":"s"}}"#,
    r#"{"type":"FillRecorded","occurred_at":"2026-03-02T10:02:00Z","data":{"fill_id":"f3","trade_id":"t","symbol":"X","side":"buy","quantity":"1","price":"100"}}"#,
    r#"{"type":"FillRecorded","occurred_at":"2026-03-02T10:03:00Z","data":{"fill_id":"f4","trade_id":"t","symbol":"X","side":"sell","quantity":"1","price":"102"}}"#,
];
const TAKEN: &str = r#"{"type":"FillsReassigned","occurred_at":"2026-03-02T11:00:00Z","data":{"fill_ids":["f1","f2"],"trade_id":"t","reason":"one trade"}}"#;

#[test]
fn a_row_that_goes_is_told_live_and_to_who_resumes_after_a_restart() {
    let served = Served::with(&BEFORE, Limits::default(), |_| {});
    let (mut live, before) = (read(&served), read(&served));
    let mut client = Client::subscribed(&served, &json!({ "subscribe": "tables" }));
    append(&served, TAKEN);
    client.follow_to(6, &mut live);
    let tables = read(&served);
    let trades = |known: &Known| known.keys().filter(|(table, _)| table == "trades").count();
    assert_eq!((trades(&before), trades(&tables)), (2, 1));
    assert_eq!(live, tables);
    // Another process, as it were: nothing is remembered of what was changed.
    let folder = served.stop();
    let again = Served::over(folder);
    let mut resumed = before;
    Client::subscribed(&again, &json!({ "subscribe": "tables", "after": 5 })).follow_to(6, &mut resumed);
    assert_eq!(resumed, tables);
    let (mut nothing, wish) = (Known::new(), json!({ "subscribe": "tables", "after": 0 }));
    Client::subscribed(&again, &wish).follow_to(6, &mut nothing);
    assert_eq!(nothing, tables);
}

#[test]
fn rows_can_be_told_apart_by_table_and_account() {
    let served = Served::new();
    let wish = json!({ "subscribe": "tables", "after": 0, "tables": ["trades", "fills"], "account": "live-main" });
    let mut client = Client::subscribed(&served, &wish);
    let last = append(&served, &std::fs::read_to_string(WEEK).unwrap());
    let mut known = Known::new();
    client.follow_to(last, &mut known);
    let mut expected = read(&served);
    expected.retain(|(table, _), row| (table == "trades" || table == "fills") && row["account_id"] == "live-main");
    assert!(!expected.is_empty());
    assert_eq!(known, expected);
}

#[test]
fn what_is_asked_wrongly_closes_with_what_would_be_right() {
    let served = Served::week();
    for (wish, said) in [
        (json!({ "subscribe": "orders" }), "expected events or tables"),
        (json!({ "subscribe": "events", "types": ["FillRecorde"] }), "did you mean FillRecorded?"),
        (json!({ "subscribe": "tables", "tables": ["trade"] }), "did you mean trades?"),
        (json!({ "subscribe": "tables", "tables": ["anomalies"], "account": "live-main" }), "no account"),
        (json!({ "subscribe": "events", "after": 588 }), "ends at position 587"),
        (json!({ "subscribe": "events", "since": 5 }), "unknown field"),
        (json!("x"), "expected"),
    ] {
        let mut client = Client::known(&served);
        client.say(&wish);
        let (code, reason, _) = client.closed();
        assert_eq!(code, 4400, "{wish}: {reason}");
        assert!(reason.contains(said), "{wish}: {reason}");
    }
    let mut client = Client::known(&served);
    // More than a message may have: it is cut off without being read.
    let _ = client.0.send(Message::text("x".repeat(200_000)));
    assert!((0..10).any(|_| client.0.read().is_err()));
}

#[test]
fn a_socket_says_who_it_is_first_and_in_time() {
    let limits = Limits { login_time: Duration::from_millis(200), ..Limits::default() };
    let served = Served::with(&[], limits, |_| {});
    let (append_only, _) = tokens::add(&served.dir(), "x", &[Scope::Append], None).unwrap();
    assert_eq!(Client::open(&served).closed().0, 4401, "in time");
    for first in
        [json!({ "auth": "tf_0_0" }), json!({ "auth": append_only }), json!({ "subscribe": "events" }), json!({})]
    {
        let mut client = Client::open(&served);
        client.say(&first);
        let (code, _, heard) = client.closed();
        assert_eq!((code, heard.len()), (4401, 0), "{first}");
    }
    let stream = served.raw();
    let mut request = format!("ws://{}/api/v1/stream", served.at).into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", served.token).parse().unwrap());
    let mut client = Client(tungstenite::client(request, stream).unwrap().0);
    assert_eq!(client.hear()["ready"]["head"], 0);
}

#[test]
fn no_other_sites_page_opens_a_socket() {
    let served = Served::new();
    let own = format!("http://{}", served.at);
    let status = |origin: &str| {
        let mut request = format!("ws://{}/api/v1/stream", served.at).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        match tungstenite::client(request, served.raw()) {
            Ok((_, response)) => response.status().as_u16(),
            Err(tungstenite::HandshakeError::Failure(Error::Http(response))) => response.status().as_u16(),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(status(&own), 101);
    let port = served.at.port();
    for foreign in [
        "https://evil.example",
        "null",
        &format!("{own}.evil.example"),
        &format!("https://127.0.0.1:{port}"),
        &format!("http://evil.example:{port}"),
        "http://127.0.0.1",
        "file://",
    ] {
        assert_eq!(status(foreign), 403, "{foreign}");
    }
}

#[test]
fn who_takes_nothing_is_told_where_to_resume_and_resumes_there() {
    let limits = Limits { slow_time: Duration::from_millis(500), ..Limits::default() };
    let served = Served::with(&[], limits, |_| {});
    let text = "x".repeat(60_000);
    let mut client = Client::subscribed(&served, &json!({ "subscribe": "events" }));
    // More than the system's buffers take.
    for from in (0..200).step_by(50) {
        let lines: String = (from..from + 50).map(|n| crate::cli_support::note_saying(n, &text) + "\n").collect();
        append(&served, &lines);
    }
    std::thread::sleep(Duration::from_millis(1_000));
    let (code, reason, heard) = client.closed();
    assert_eq!(code, 4429, "{reason}");
    let from: u64 = reason.rsplit(' ').next().unwrap().parse().unwrap();
    let seqs: Vec<u64> = heard.iter().filter_map(|message| message["event"]["seq"].as_u64()).collect();
    assert_eq!(seqs, (1..=from).collect::<Vec<_>>(), "{reason}");
    assert!(from < 200, "it was not slow at all");
    let mut again = Client::subscribed(&served, &json!({ "subscribe": "events", "after": from }));
    assert_eq!(again.seqs_to(200), (from + 1..=200).collect::<Vec<_>>());
}

#[test]
fn a_revoked_token_ends_what_it_began() {
    let limits = Limits { ping_time: Duration::from_millis(50), ..Limits::default() };
    let served = Served::with(&[], limits, |_| {});
    let (token, entry) = tokens::add(&served.dir(), "x", &[Scope::Read], None).unwrap();
    let mut client = Client::open(&served);
    client.say(&json!({ "auth": token }));
    client.hear();
    tokens::revoke(&served.dir(), &entry.id).unwrap();
    let (code, reason, _) = client.closed();
    assert_eq!((code, reason.as_str()), (4401, "the token is not good any more"));
}

#[test]
fn a_side_that_does_not_answer_is_let_go() {
    let limits = Limits { ping_time: Duration::from_millis(50), ..Limits::default() };
    let served = Served::with(&[], limits, |_| {});
    let mut client = Client::known(&served);
    // Who answers pings by reading stays.
    client.0.get_ref().set_read_timeout(Some(Duration::from_millis(400))).unwrap();
    assert!(matches!(client.0.read(), Ok(Message::Ping(_))));
    client.0.flush().unwrap();
    // Who reads the bytes, and answers none, goes.
    client.0.get_ref().set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut bytes = Vec::new();
    client.0.get_mut().read_to_end(&mut bytes).unwrap();
    assert!(bytes.len() >= 2);
}

#[test]
fn the_end_of_the_service_is_told() {
    let served = Served::new();
    let mut socket = Client::subscribed(&served, &json!({ "subscribe": "events" }));
    let mut events = Events::open(&served, "", &[]);
    events.next();
    let _folder = served.stop();
    let (code, reason, _) = socket.closed();
    assert_eq!((CloseCode::from(code), reason.as_str()), (CloseCode::Away, "the service is stopping"));
    let last = events.next();
    assert_eq!((last.kind.as_str(), &last.data["reason"]), ("close", &json!("the service is stopping")));
}

/// A stream of server-sent events.
struct Events(BufReader<TcpStream>);

struct Event {
    id: Option<u64>,
    kind: String,
    data: Value,
}

impl Events {
    fn open(served: &Served, query: &str, headers: &[(&str, &str)]) -> Self {
        let mut stream = served.raw();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "GET /api/v1/stream?{query} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nAccept: text/event-stream\r\n{headers}\r\n",
            served.at, served.token
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
        while line != "\r\n" {
            line.clear();
            lines.read_line(&mut line).unwrap();
        }
        Self(lines)
    }

    fn next(&mut self) -> Event {
        let mut event = Event { id: None, kind: String::new(), data: Value::Null };
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            match line.trim_end().split_once(": ") {
                Some(("id", id)) => event.id = Some(id.parse().unwrap()),
                Some(("event", kind)) => event.kind = kind.to_owned(),
                Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
                // Between events there are the lengths of chunks.
                _ if event.data.is_null() => {}
                _ => return event,
            }
        }
    }
}

#[test]
fn server_sent_events_carry_positions_and_resume_after_them() {
    let served = Served::new();
    append(&served, &notes(1..=5));
    let mut events = Events::open(&served, "after=2", &[]);
    let first = events.next();
    assert_eq!((first.kind.as_str(), first.id), ("position", Some(2)));
    let heard: Vec<(Option<u64>, Value)> =
        (3..=5).map(|_| events.next()).map(|event| (event.id, event.data["event"]["seq"].clone())).collect();
    assert_eq!(heard, [3, 4, 5].map(|seq| (Some(seq), json!(seq))));
    append(&served, &note(6));
    assert_eq!(events.next().id, Some(6));
    let mut resumed = Events::open(&served, "after=2", &[("Last-Event-ID", "5")]);
    assert_eq!((resumed.next().id, resumed.next().data["event"]["seq"].clone()), (Some(5), json!(6)));
    let mut rows = Events::open(&served, "subscribe=tables&table=notes&after=5", &[]);
    rows.next();
    let changed = rows.next();
    assert_eq!((changed.kind.as_str(), changed.id), ("rows", None));
    assert_eq!(changed.data["rows"][0]["text"], "note 6");
    let end = rows.next();
    assert_eq!((end.kind.as_str(), end.id), ("position", Some(6)));
    served.get_as(None, "/api/v1/stream", &[]).fails(401, "unauthorized", &[]);
    served.get("/api/v1/stream?table=x&subscribe=tables").fails(400, "bad-request", &["no table `x`"]);
    served.get("/api/v1/stream?afetr=1").fails(400, "bad-request", &["did you mean `after`?"]);
}
