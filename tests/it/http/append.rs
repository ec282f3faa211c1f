//! Events in: what is recorded, what each answer says of it, and that a batch is all or nothing.

use serde_json::{Value, json};

use super::support::Served;
use crate::cli_support::{note, note_saying, notes};

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

fn list(numbers: std::ops::RangeInclusive<u32>) -> String {
    format!("[{}]", numbers.map(note).collect::<Vec<_>>().join(","))
}

fn head(served: &Served) -> u64 {
    served.journal().status().unwrap().head.seq
}

#[test]
fn one_event_a_list_and_lines_are_recorded_and_again_they_are_duplicates() {
    let served = Served::new();
    for (kind, body, seqs) in [(JSON, note(1), 1..=1), (JSON, list(2..=4), 2..=4), (LINES, notes(5..=6), 5..=6)] {
        let first = served.post(kind, &body);
        assert_eq!(first.status, 201, "{}", first.body);
        let expected: Vec<Value> = seqs.clone().map(|seq| json!({ "seq": seq, "outcome": "appended" })).collect();
        assert_eq!(first.json()["events"], json!(expected));
        assert_eq!(first.json()["head"]["seq"], json!(seqs.end()));
        let again = served.post(kind, &body).ok().json();
        let expected: Vec<Value> = seqs.clone().map(|seq| json!({ "seq": seq, "outcome": "duplicate" })).collect();
        assert_eq!((&again["events"], &again["appended"]), (&json!(expected), &json!(0)));
        assert_eq!((&again["first_seq"], &again["last_seq"]), (&json!(seqs.start()), &json!(seqs.end())));
    }
    // Some new, some not: something was recorded.
    let mixed = served.post(JSON, &list(6..=7));
    assert_eq!((mixed.status, &mixed.json()["duplicates"]), (201, &json!(1)));
    assert_eq!(head(&served), 7);
}

#[test]
fn what_is_malformed_is_named_event_by_event_and_nothing_is_recorded() {
    let served = Served::new();
    let bad = r#"{"type":"NoteAdded","occurred_at":"2026-03-02T14:31:07Z","data":{"txt":"x"}}"#;
    let body = format!("[{},{bad},{},{{}}]", note(1), note(2));
    let problem = served.post(JSON, &body).fails(422, "refused", &["2 of 4 events"]);
    assert_eq!(problem["outcome"], "nothing recorded");
    let errors = problem["errors"].as_array().unwrap();
    assert_eq!((&errors[0]["index"], &errors[0]["field"]), (&json!(1), &json!("data.txt")));
    assert!(errors[0]["message"].as_str().unwrap().contains("did you mean `text`?"));
    assert_eq!(errors[1]["index"], 3);
    served.post(LINES, &format!("{}\n{{nonsense\n", note(1))).fails(422, "refused", &["1 of 2"]);
    served.post(JSON, "").fails(422, "refused", &[]);
    assert_eq!(head(&served), 0);
    // No events are no mistake.
    assert_eq!(served.post(JSON, "[]").ok().json()["appended"], 0);
}

#[test]
fn a_conflict_and_a_moved_stream_refuse_the_whole_batch() {
    let served = Served::new();
    served.post(LINES, &notes(1..=3));
    let body = format!("[{},{}]", note(4), note_saying(2, "another text"));
    let problem = served.post(JSON, &body).fails(409, "conflict", &["position 2", "data.text"]);
    assert_eq!((&problem["index"], &problem["seq"], &problem["field"]), (&json!(1), &json!(2), &json!("data.text")));
    let stale = note(5).replace("\"data\"", "\"expected_version\":1,\"data\"");
    let problem = served.post(JSON, &stale).fails(409, "version-mismatch", &["account/default"]);
    assert_eq!((&problem["expected"], &problem["actual"]), (&json!(1), &json!(3)));
    assert_eq!(head(&served), 3);
    let good = note(5).replace("\"data\"", "\"expected_version\":3,\"data\"");
    assert_eq!(served.post(JSON, &good).status, 201);
}

#[test]
fn other_forms_are_refused_before_anything_is_read() {
    let served = Served::new();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
        served.post(kind, &note(1)).fails(415, "media-type", &["application/json"]);
    }
    let headers = [("content-type", JSON), ("content-encoding", "gzip")];
    served.post_with(Some(&served.token), &headers, "x").fails(415, "media-type", &["Content-Encoding"]);
    assert_eq!(served.post("application/json; charset=utf-8", &note(1)).status, 201);
}

#[test]
fn ones_own_writes_can_be_waited_for() {
    let served = Served::new();
    let seq = served.post(JSON, &list(1..=50)).json()["last_seq"].to_string();
    let read = served.get_with("/api/v1/notes?limit=1000", &[("x-wait-for", &seq)]).ok().json();
    assert_eq!(read["rows"].as_array().unwrap().len(), 50);
    assert_eq!(read["position"], 50);
    assert_eq!(served.json("/api/v1/notes?wait_for=50")["position"], 50);
    served.get("/api/v1/notes?wait_for=soon").fails(400, "bad-request", &["wait_for", "soon"]);
}

#[test]
fn a_position_that_nobody_has_recorded_is_not_waited_for() {
    let served = Served::with(&[&note(1)], tradefold::http::Limits::default(), |_| {});
    served.get("/api/v1/notes?wait_for=1").ok();
    served.get("/api/v1/notes?wait_for=2").fails(400, "bad-request", &["wait_for 2", "ends at position 1"]);
}

#[test]
fn what_comes_together_is_recorded_once_and_in_one_order() {
    let served = Served::new();
    std::thread::scope(|scope| {
        for part in 0..8_u32 {
            let served = &served;
            // Each sends what is its own, and what all send.
            scope.spawn(move || {
                for number in 0..20 {
                    let own = 1_000 * (part + 1) + number;
                    let answer = served.post(LINES, &format!("{}\n{}\n", note(own), note(number)));
                    assert!(answer.status == 201, "{}", answer.body);
                }
            });
        }
    });
    assert_eq!(head(&served), 8 * 20 + 20);
}
