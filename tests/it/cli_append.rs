//! `append` and `tail`, end to end: what is recorded, what is said about it, and when.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli_support::{Place, WEEK, note, note_saying, notes};

#[test]
fn a_file_is_recorded_once_however_often_it_is_appended() {
    let place = Place::new();
    let first = place.json(["append", WEEK]);
    assert_eq!(first["appended"], 587);
    assert_eq!((&first["first_seq"], &first["last_seq"]), (&json!(1), &json!(587)));
    assert_eq!(first["head"].as_str().unwrap().len(), 64);
    let again = place.json(["append", WEEK]);
    assert_eq!((&again["appended"], &again["duplicates"]), (&json!(0), &json!(587)));
    assert_eq!(again["head"], first["head"]);
    let said = place.run(["append", WEEK]).ok().out;
    assert!(said.starts_with("appended 0, duplicates 587, positions 1..587\n"), "{said}");
}

#[test]
fn nothing_in_is_nothing_recorded() {
    let place = Place::new();
    let answer: Value = serde_json::from_str(&place.feed("\n\n", ["append", "--json"]).ok().out).unwrap();
    assert_eq!((&answer["appended"], &answer["first_seq"]), (&json!(0), &Value::Null));
    assert_eq!(place.feed("", ["append", "-", "--acks"]).ok().out, "");
}

#[test]
fn what_editors_leave_behind_is_tolerated() {
    let place = Place::new();
    let input = format!("\u{feff}{}\r\n\r\n   \n{}", note(1), note(2));
    place.feed(input, ["append"]).ok();
    assert_eq!(place.json(["status"])["events"], 2);
}

#[test]
fn an_error_names_line_and_field_and_what_was_recorded_before() {
    let place = Place::new();
    let bad = r#"{"type":"NoteAdded","occurred_at":"2026-03-02T14:31:07Z","data":{"txt":"x"}}"#;
    let file = place.write("events.jsonl", format!("{}\n{bad}\n{}", notes(1..=5), notes(6..=9)));
    place
        .run(["append", &file, "--batch", "2"])
        .fails(2, &["events.jsonl:7: data.txt: unknown field; did you mean `text`?", "positions 1..4", "4 appended"]);
    // The fifth was in the bad line's batch.
    assert_eq!(place.json(["status"])["events"], 4);
    let failed = place.run(["append", &file, "--json"]).fails(2, &[]);
    let error: Value = serde_json::from_str(&failed.err).unwrap();
    assert!(error["error"].as_str().unwrap().contains("events.jsonl:7"));
    assert_eq!((&error["line"], &error["field"]), (&json!(7), &json!("data.txt")));
    assert_eq!(error["recorded"]["appended"], 0);
    assert_eq!(failed.out, "");
}

#[test]
fn a_conflict_and_a_moved_stream_stop_the_input_at_their_line() {
    let place = Place::new();
    place.feed(notes(1..=3), ["append"]).ok();
    let other = format!("{}\n{}\n{}", note(4), note_saying(2, "another text"), note(5));
    place.feed(other, ["append", "--batch", "1"]).fails(2, &["<stdin>:2: data.text:", "position 2", "positions 4..4"]);
    // What came after the line was not recorded, though it was read ahead.
    assert_eq!(place.json(["status"])["events"], 4);
    let stale = note(6).replace("\"data\"", "\"expected_version\":1,\"data\"");
    place
        .feed(stale, ["append"])
        .fails(2, &["<stdin>:1: expected_version:", "account/default", "nothing was recorded"]);
}

#[test]
fn a_line_too_long_and_one_that_is_no_text_are_refused() {
    let place = Place::new();
    let long = note_saying(1, &"x".repeat(1 << 20));
    place.feed(&long, ["append"]).fails(2, &["<stdin>:1: ", "1048576 bytes"]);
    let endless = vec![b'x'; 8 << 20];
    place.feed(&endless, ["append"]).fails(2, &["<stdin>:1: ", "1048576 bytes"]);
    place.feed(b"{}\n\xff\xfe\n", ["append"]).fails(2, &["<stdin>:1: "]);
    place.feed(b"\xff\xfe{}\n", ["append"]).fails(2, &["<stdin>:1: expected UTF-8"]);
    place.run(["append", "missing.jsonl"]).fails(2, &["missing.jsonl"]);
    place.run(["append", "."]).fails(2, &["folder"]);
}

#[test]
fn a_second_writer_hears_who_writes() {
    let place = Place::new();
    let mut first =
        place.command().args(["append", "--acks"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = first.stdin.take().unwrap();
    writeln!(input, "{}", note(1)).unwrap();
    let mut ack = String::new();
    BufReader::new(first.stdout.as_mut().unwrap()).read_line(&mut ack).unwrap();
    let pid = first.id().to_string();
    place.feed(note(2), ["append"]).fails(3, &["being written by process", &pid]);
    drop(input);
    assert!(first.wait().unwrap().success());
}

#[test]
fn acks_come_as_soon_as_a_batch_is_safe() {
    let place = Place::new();
    let mut child =
        place.command().args(["append", "--acks"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut acks = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ack = || -> Value { serde_json::from_str(&acks.next().unwrap().unwrap()).unwrap() };
    for number in 1..=3 {
        write!(input, "{}\n{}\n", note(2 * number - 1), note(2 * number)).unwrap();
        input.flush().unwrap();
        let waited = Instant::now();
        let mut seen = ack();
        // The pipe may hand the two lines over with a pause between them.
        while seen["last_seq"] != json!(2 * number) {
            seen = ack();
        }
        assert!(waited.elapsed() < Duration::from_secs(5));
        assert_eq!(place.json(["tail", "--after", &(2 * number - 1).to_string()])["seq"], 2 * number);
    }
    // The tables follow while it runs.
    let started = Instant::now();
    while place.json(["sql", "SELECT count(*) AS n FROM notes"])[0]["n"] != json!(6) {
        assert!(started.elapsed() < Duration::from_secs(10));
    }
    write!(input, "{}", note(7)).unwrap();
    drop(input);
    let last = ack();
    assert_eq!((&last["appended"], &last["last_seq"]), (&json!(1), &json!(7)));
    assert!(child.wait().unwrap().success());
}

#[test]
fn acks_are_one_a_batch() {
    let place = Place::new();
    let out = place.feed(notes(1..=10), ["append", "--acks", "--batch", "4"]).ok().out;
    let lasts: Vec<Value> =
        out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["last_seq"].clone()).collect();
    assert_eq!(lasts, [4, 8, 10].map(|last| json!(last)));
}

#[test]
fn a_tail_appended_elsewhere_gives_the_same_tables() {
    let place = Place::with_week();
    let lines = place.run(["tail"]).ok().out;
    assert_eq!(lines.lines().count(), 587);
    place.feed(&lines, ["append", "--journal", "copy", "--batch", "7"]).ok();
    place.run(["export", "all", "--out", "one/"]).ok();
    place.run(["export", "all", "--out", "two/", "--journal", "copy"]).ok();
    for name in place.names("one").iter().filter(|name| name.ends_with(".csv")) {
        assert_eq!(place.text(&format!("one/{name}")), place.text(&format!("two/{name}")), "{name}");
    }
}

#[test]
fn a_tail_is_cut_by_position_type_and_stream() {
    let place = Place::with_week();
    let lines = |arguments: &[&str]| -> Vec<Value> {
        let out = place.run([&["tail"], arguments].concat()).ok().out;
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(lines(&["--after", "580"]).len(), 7);
    assert_eq!(lines(&["--after", "587"]).len(), 0);
    let breaks = lines(&["--type", "RuleBroken"]);
    assert!(!breaks.is_empty() && breaks.iter().all(|event| event["type"] == "RuleBroken"));
    let trade = lines(&["--stream", "trade/eval-0302-05"]);
    assert!(trade.iter().all(|event| event["stream"] == "trade/eval-0302-05"));
    let after = trade[0]["seq"].as_u64().unwrap().to_string();
    assert_eq!(lines(&["--stream", "trade/eval-0302-05", "--after", &after]), trade[1..]);
    place.run(["tail", "--type", "RuleBroke"]).fails(2, &["did you mean RuleBroken?"]);
}

#[test]
fn a_followed_tail_shows_events_as_they_come() {
    let place = Place::new();
    place.run(["init"]).ok();
    let mut tail = place.command().args(["tail", "--follow"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    for number in 1..=3 {
        place.feed(note(number), ["append"]).ok();
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(line["seq"], number);
    }
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::with_week();
    let mut tail = place.command().args(["tail"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(tail.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = tail.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
