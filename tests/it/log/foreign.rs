//! Somebody writes to the log behind the writer's lock: the writer notices before it adds anything, looks at
//! what they did, and goes on only where the log is sound and still holds what was acknowledged.

use projections::draft::Draft;
use tradefold::log::{AppendError, OpenError, Writer, WriterOptions};

use super::support::{Journal, nth};

/// What the writer answers to two appends after `edit`; then what opening it anew says.
fn after(edit: &str) -> [String; 3] {
    let journal = Journal::with_events(20);
    let writer = journal.writer();
    writer.append(vec![nth(21)]).unwrap();
    let raw = journal.raw();
    raw.execute_batch(edit).expect(edit);
    drop(raw);
    let answer = |number| match writer.append(vec![nth(number)]) {
        Ok(receipt) => format!("appended at {}", receipt.head.seq),
        Err(AppendError::Damaged { .. }) => "damaged".to_owned(),
        Err(other) => other.to_string(),
    };
    let (first, second) = (answer(22), answer(23));
    drop(writer);
    let opened = match Writer::open(&journal.dir, WriterOptions::default()) {
        Ok(_) => "opened".to_owned(),
        Err(OpenError::Damaged { .. }) => "damaged".to_owned(),
        Err(other) => other.to_string(),
    };
    [first, second, opened]
}

#[test]
fn a_foreign_event_is_damage() {
    let insert = "INSERT INTO events SELECT 22, randomblob(16), stream_id, stream_version + 1, type, 1, 0, 0, '{}', \
         NULL, hash FROM events WHERE seq = 21";
    assert_eq!(after(insert), ["damaged", "damaged", "damaged"]);
}

#[test]
fn a_tail_that_is_gone_is_damage_to_the_writer_that_acknowledged_it() {
    let cut = "DROP TRIGGER events_no_delete; DELETE FROM events WHERE seq > 19";
    // The next one can't know: that takes a head kept elsewhere, such as a projection's cursor.
    assert_eq!(after(cut), ["damaged", "damaged", "opened"]);
}

#[test]
fn a_changed_tail_is_damage() {
    let change = "DROP TRIGGER events_no_update; UPDATE events SET data = '{}' WHERE seq = 21";
    let swap = format!("{change}; UPDATE events SET hash = randomblob(32) WHERE seq = 21");
    assert_eq!(after(&swap), ["damaged", "damaged", "damaged"]);
}

#[test]
fn other_programs_may_keep_tables_of_their_own() {
    assert_eq!(
        after("CREATE TABLE _litestream_seq (id INTEGER); INSERT INTO _litestream_seq VALUES (1)"),
        ["appended at 22", "appended at 23", "opened"]
    );
}

#[test]
fn a_refused_event_is_no_reason_to_stop() {
    let journal = Journal::with_events(40);
    let writer = journal.writer();
    // In a full chunk, so that the statement of many rows fails and the culprit is looked for.
    let mut batch: Vec<_> = (100..140).map(nth).collect();
    batch[20] = Draft { kind: "FillRecorded".to_owned(), data: "{".to_owned(), ..nth(120) };
    let error = writer.append(batch).unwrap_err();
    assert!(matches!(error, AppendError::Refused { index: 20, .. }), "{error}");
    assert_eq!(writer.append(vec![nth(41)]).unwrap().last_seq, Some(41));
    super::support::assert_sound(&journal.dir);
}
