//! Tables out: the same rows as an export has, page by page in any order, filtered, as of then, and as CSV.

use serde_json::{Value, json};
use tradefold::export::{Selection, Style, write};
use tradefold::http::Limits;
use tradefold::tables::Tables;

use super::support::Served;
use crate::cli_support::{note, note_saying};

fn rows(answer: &Value) -> Vec<Value> {
    answer["rows"].as_array().unwrap().clone()
}

/// Every page of a question, one after the other.
fn all(served: &Served, path: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let answer = served.json(&format!("{path}{after}"));
        found.extend(rows(&answer));
        match answer["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}

#[test]
fn every_table_in_pages_of_any_size_has_the_rows_of_its_export() {
    let served = Served::week();
    let conn = Tables::read_only(&served.dir()).unwrap();
    for table in projections::TABLES {
        let mut csv = Vec::new();
        write(&conn, &Selection::of(table), Style::default(), &mut csv).unwrap();
        let mut reader = csv::Reader::from_reader(&csv[..]);
        let exported: Vec<_> = reader.records().map(Result::unwrap).collect();
        for limit in [7, 10_000] {
            let found = all(&served, &format!("/api/v1/{}?limit={limit}", table.name));
            assert_eq!(found.len(), exported.len(), "{}", table.name);
            for (row, record) in found.iter().zip(&exported) {
                let cells: Vec<String> = table.all_columns().map(|column| shown(&row[column.name])).collect();
                assert!(cells.iter().zip(record).all(|(one, other)| is_same(one, other)), "{row} {record:?}");
            }
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one == other || one.parse::<f64>().is_ok_and(|one| other.parse::<f64>() == Ok(one))
}

#[test]
fn pages_in_any_order_neither_skip_nor_repeat_absent_values_among_them() {
    let served = Served::week();
    for (table, sort) in [
        ("trades", "result_r"),
        ("trades", "-result_r"),
        ("trades", "mental_state_pre_trade,-symbol"),
        ("trades", "-mental_state_pre_trade,-exit_reason,result_r"),
        ("anomalies", "-fill_id"),
        ("performance_breakdown", "profit_factor"),
        ("performance_metrics", "-profit_factor,window_trades"),
        ("fills", "-timestamp"),
        ("daily_pnl", "account_id,-date"),
    ] {
        let whole = all(&served, &format!("/api/v1/{table}?limit=10000&sort={sort}"));
        let parts = all(&served, &format!("/api/v1/{table}?limit=3&sort={sort}"));
        assert_eq!(whole, parts, "{table} by {sort}");
        let first = sort.split(',').next().unwrap();
        let (name, descending) = first.strip_prefix('-').map_or((first, false), |name| (name, true));
        let absent: Vec<bool> = whole.iter().map(|row| row[name].is_null()).collect();
        assert!(absent.is_sorted_by_key(|absent| *absent == descending), "{table} by {sort}");
    }
}

#[test]
fn rows_that_come_between_two_pages_move_nothing() {
    let first: Vec<String> = (1..=4).map(note).collect();
    let served = Served::with(&first.iter().map(String::as_str).collect::<Vec<_>>(), Limits::default(), |_| {});
    let page = served.json("/api/v1/notes?limit=2&sort=-note_id&columns=note_id");
    assert_eq!(page["rows"], json!([{ "note_id": 4 }, { "note_id": 3 }]));
    served.post("application/json", &note(5));
    let next = page["next"].as_str().unwrap();
    let path = format!("/api/v1/notes?limit=2&sort=-note_id&columns=note_id&after={next}&wait_for=5");
    let page = served.json(&path);
    assert_eq!((&page["rows"], &page["next"]), (&json!([{ "note_id": 2 }, { "note_id": 1 }]), &Value::Null));
}

#[test]
fn filters_are_exact_and_values_are_never_sql() {
    let served = Served::week();
    let count = |filter: &str| all(&served, &format!("/api/v1/trades?limit=1000&{filter}")).len();
    let every = count("");
    assert_eq!(
        count("win_loss=Win") + count("win_loss=Loss") + count("win_loss=Breakeven") + count("win_loss="),
        every
    );
    assert_eq!(count("win_loss.ne=Win") + count("win_loss=Win"), every);
    assert_eq!(count("result_r.gte=0") + count("result_r.lt=0") + count("result_r="), every);
    assert_eq!(count("result_r.gt=0") + count("result_r.lte=0"), count("result_r.ne="));
    assert_eq!(count("symbol=MESH6&symbol=ZNM6"), 0);
    // The first two trades of the next Monday were entered on Sunday evening.
    assert_eq!(count("from=2026-03-02&to=2026-03-06"), every - 2);
    assert_eq!(count("from=2026-03-03&to=2026-03-03") + count("to=2026-03-02") + count("from=2026-03-04"), every);
    for value in ["%27%20OR%201=1%20--", "%22", "%27", ";DROP%20TABLE%20trades", "%00"] {
        assert_eq!(count(&format!("symbol={value}")), 0, "{value}");
    }
    for name in
        ["%22", "symbol%22%20OR%201=1%20--", "sym%20bol", "rowid", "trade_id)%20OR%20(1", "%27;--", "sqlite_schema"]
    {
        served.get(&format!("/api/v1/trades?{name}=x")).fails(400, "bad-request", &[]);
        served.get(&format!("/api/v1/trades?{name}.gt=x")).fails(400, "bad-request", &[]);
        served.get(&format!("/api/v1/trades?sort={name}")).fails(400, "bad-request", &[]);
        served.get(&format!("/api/v1/trades?columns={name}")).fails(400, "bad-request", &[]);
        served.get(&format!("/api/v1/{name}")).fails(404, "not-found", &["there is no table"]);
    }
    assert_eq!(count(""), every);
}

#[test]
fn mistakes_are_named_with_what_was_meant() {
    let served = Served::week();
    served.get("/api/v1/trade").fails(404, "not-found", &["did you mean trades?"]);
    served.get("/api/v1/trades?symbl=ES").fails(400, "bad-request", &["did you mean `symbol`?"]);
    served.get("/api/v1/trades?limt=5").fails(400, "bad-request", &["did you mean `limit`?"]);
    served.get("/api/v1/trades?limit=0").fails(400, "bad-request", &["limit"]);
    served.get("/api/v1/trades?result_r=much").fails(400, "bad-request", &["holds numbers"]);
    served.get("/api/v1/trades?result_r.near=1").fails(400, "bad-request", &["no comparison `near`", "gte"]);
    served.get("/api/v1/trades?as_of=588").fails(400, "bad-request", &["ends at position 587"]);
    served.get("/api/v1/trades?from=2026-03-03&to=2026-03-02").fails(400, "bad-request", &["later"]);
    served.get("/api/v1/fills?search=x").fails(400, "bad-request", &["cannot be searched"]);
    for nothing in ["", "%20", "%00", "%00%0a"] {
        served.get(&format!("/api/v1/notes?search={nothing}")).fails(400, "bad-request", &["search: expected a word"]);
    }
    served.get("/api/v1/notes?search=%00a%00%22").ok();
    let next = served.json("/api/v1/trades?limit=1")["next"].as_str().unwrap().to_owned();
    for wrong in [format!("sort=symbol&after={next}"), "after=x".to_owned(), "after=W10".to_owned()] {
        served.get(&format!("/api/v1/trades?{wrong}")).fails(400, "bad-request", &["after"]);
    }
    served.get(&format!("/api/v1/fills?after={next}")).fails(400, "bad-request", &["after"]);
}

#[test]
fn notes_are_found_by_their_words_whatever_those_look_like() {
    let told =
        [note_saying(1, "patience paid"), note_saying(2, "no patience: \"revenge\" AND tilt"), note_saying(3, "x")];
    let served = Served::with(&told.iter().map(String::as_str).collect::<Vec<_>>(), Limits::default(), |_| {});
    let found = |words: &str| rows(&served.json(&format!("/api/v1/notes?search={words}"))).len();
    assert_eq!((found("patience"), found("patience%20tilt"), found("Revenge"), found("absent")), (2, 1, 1, 0));
    // What would be an operator, or a mistake, is a word like any other.
    assert_eq!(
        (found("AND"), found("patience%20OR%20x"), found("%22revenge%22"), found("text:patience")),
        (1, 0, 1, 0)
    );
    for words in ["%22", "*", "NEAR(", "-x", "%27", "a%22b", "^x"] {
        let _ = found(words);
    }
    assert_eq!(rows(&Served::week().json("/api/v1/trades?search=revenge&limit=1000")).len(), 1);
}

#[test]
fn the_past_has_the_rows_that_it_had() {
    let served = Served::week();
    let net = |as_of: &str| {
        let path = format!("/api/v1/trades?trade_id=eval-0302-05&columns=pl_amount_net{as_of}");
        served.json(&path)["rows"][0]["pl_amount_net"].as_f64()
    };
    assert_eq!((net("&as_of=173"), net("&as_of=174"), net("")), (Some(-107.96), Some(-117.96), Some(-117.96)));
    let past = served.json("/api/v1/trades?as_of=173&limit=1");
    assert_eq!(past["position"], 173);
    assert_eq!(served.json("/api/v1/trades?as_of=2026-03-02T00:00:00Z")["rows"], json!([]));
    // Whatever was asked before, and whatever is recorded meanwhile.
    let status = |as_of: &str| {
        let path = format!("/api/v1/trades?trade_id=eval-0302-05&columns=status&{as_of}");
        served.json(&path)["rows"][0]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status("as_of=587"), "closed");
    let voided = r#"{"type":"TradeVoided","occurred_at":"2026-03-09T14:00:00Z","data":{"trade_id":"eval-0302-05","reason":"never was"}}"#;
    let seq = served.post("application/json", voided).json()["last_seq"].as_u64().unwrap();
    assert_eq!((seq, status("wait_for=588")), (588, "voided".to_owned()));
    assert_eq!(["587", "588", "587"].map(|at| status(&format!("as_of={at}"))), ["closed", "voided", "closed"]);
}

#[test]
fn csv_is_the_export_and_may_be_cut_and_sorted() {
    let served = Served::week();
    let conn = Tables::read_only(&served.dir()).unwrap();
    let csv = |path: &str| served.get_with(path, &[("accept", "text/csv")]).ok();
    for table in projections::TABLES {
        let mut exported = Vec::new();
        write(&conn, &Selection::of(table), Style::default(), &mut exported).unwrap();
        let answer = csv(&format!("/api/v1/{}", table.name));
        assert_eq!(answer.body.as_bytes(), exported, "{}", table.name);
        assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    }
    let best = csv("/api/v1/trades?sort=-result_r&limit=2&columns=trade_id,result_r&win_loss=Win").body;
    assert_eq!(best.lines().count(), 3, "{best}");
    assert!(best.starts_with("trade_id,result_r\r\neval-0302-04,2.142\r\n"), "{best}");
    let then = csv("/api/v1/trades?as_of=173&trade_id=eval-0302-05&columns=pl_amount_net").body;
    assert_eq!(then, "pl_amount_net\r\n-107.96\r\n");
    let wrong = served.get_with("/api/v1/trades?as_of=1000", &[("accept", "text/csv")]);
    wrong.fails(400, "bad-request", &["ends at position 587"]);
}
