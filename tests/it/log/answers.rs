//! What the log answers: appended, duplicate, conflict, version mismatch; and that a batch is all or nothing.

use projections::draft::{Draft, Stream};
use projections::moment::Moment;
use tradefold::log::{Answer, AppendError, Head};
use uuid::Uuid;

use super::support::{Journal, assert_sound, draft, nth};

fn seqs(answers: &[Answer]) -> Vec<(char, u64)> {
    let brief = |answer: &Answer| match *answer {
        Answer::Appended { seq } => ('+', seq),
        Answer::Duplicate { seq } => ('=', seq),
    };
    answers.iter().map(brief).collect()
}

#[test]
fn what_is_read_is_what_was_given() {
    let journal = Journal::new();
    let writer = journal.writer();
    let given = Draft { meta: Some(r#"{"source":"test"}"#.to_owned()), ..nth(7) };
    let before = tradefold::log::now();
    let receipt = writer.append(vec![given.clone(), draft("StateChanged", "system", r#"{"state":"on"}"#)]).unwrap();
    assert_eq!(seqs(&receipt.answers), [('+', 1), ('+', 2)]);
    assert_eq!(
        (receipt.first_seq, receipt.last_seq, receipt.appended(), receipt.duplicates()),
        (Some(1), Some(2), 2, 0)
    );
    let events = journal.events();
    assert_eq!(receipt.head, Head { seq: 2, hash: events[1].hash });
    let event = &events[0];
    assert_eq!(Some(event.id), given.id);
    assert_eq!((event.seq, event.stream.as_str(), event.stream_version), (1, "account/1", 1));
    assert_eq!((event.kind.as_str(), event.schema_version, event.occurred_at), ("NoteAdded", 1, given.occurred_at));
    assert_eq!((&event.data, &event.meta), (&given.data, &given.meta));
    assert!(event.recorded_at >= before && event.recorded_at <= tradefold::log::now());
    assert_eq!(events[1].id.get_version_num(), 7);
    assert_sound(&journal.dir);
}

#[test]
fn a_retry_is_a_duplicate_and_gives_the_first_position() {
    let journal = Journal::new();
    let writer = journal.writer();
    let batch: Vec<_> = (1..=3).map(nth).collect();
    let first = writer.append(batch.clone()).unwrap();
    let again = writer.append(batch).unwrap();
    assert_eq!(seqs(&again.answers), [('=', 1), ('=', 2), ('=', 3)]);
    assert_eq!((again.first_seq, again.last_seq, again.head), (Some(1), Some(3), first.head));
}

#[test]
fn batches_that_overlap_add_what_is_new() {
    let journal = Journal::new();
    let writer = journal.writer();
    writer.append([1, 3, 7].map(nth).to_vec()).unwrap();
    let second = writer.append([2, 7, 14].map(nth).to_vec()).unwrap();
    assert_eq!(seqs(&second.answers), [('+', 4), ('=', 3), ('+', 5)]);
    assert_eq!((second.first_seq, second.last_seq, second.head.seq), (Some(3), Some(5), 5));
    assert_sound(&journal.dir);
}

#[test]
fn the_same_id_twice_in_one_batch_is_one_event() {
    let journal = Journal::new();
    let receipt = journal.writer().append([1, 2, 1].map(nth).to_vec()).unwrap();
    assert_eq!(seqs(&receipt.answers), [('+', 1), ('+', 2), ('=', 1)]);
}

#[test]
fn ids_in_any_order_are_known_again() {
    let journal = Journal::new();
    let writer = journal.writer();
    // Falling and rising, and a repeat far behind in the same batch.
    let order = || (0..60).map(|step| if step % 2 == 0 { 100 - step } else { 100 + step });
    let batch: Vec<_> = order().chain([100, 159]).map(nth).collect();
    let receipt = writer.append(batch.clone()).unwrap();
    assert_eq!((receipt.appended(), receipt.duplicates()), (60, 2));
    // What a refused batch would have added is not there, however great its ids.
    let refused = vec![nth(500), nth(300), draft("", "system", "{}")];
    assert!(matches!(writer.append(refused).unwrap_err(), AppendError::Refused { index: 2, .. }));
    let receipt = writer.append([400, 300, 500].map(nth).to_vec()).unwrap();
    assert_eq!(seqs(&receipt.answers), [('+', 61), ('+', 62), ('+', 63)]);
    drop(writer);
    let again = journal.writer().append(batch.into_iter().chain([300, 500, 450].map(nth)).collect()).unwrap();
    assert_eq!((again.appended(), again.duplicates()), (1, 64));
    assert_sound(&journal.dir);
}

#[test]
fn a_repeat_behind_a_correction_in_one_batch_is_a_duplicate() {
    // A correction asks the log for its fill's stream, so the events before it are written in the middle of
    // the batch: a repeat of one of them must still be known.
    let journal = Journal::new();
    let correction = Draft {
        stream: Stream::OfFill("F1".to_owned()),
        id: Some(Uuid::from_u128(5)),
        ..draft("FillBusted", "", r#"{"fill_id":"F1"}"#)
    };
    let receipt = journal.writer().append(vec![nth(1), correction.clone(), nth(1), correction]).unwrap();
    assert_eq!(seqs(&receipt.answers), [('+', 1), ('+', 2), ('=', 1), ('=', 2)]);
    assert_sound(&journal.dir);
}

#[test]
fn an_empty_batch_is_answered() {
    let journal = Journal::new();
    let receipt = journal.writer().append(Vec::new()).unwrap();
    assert_eq!((receipt.first_seq, receipt.last_seq, receipt.head), (None, None, Head::EMPTY));
}

#[test]
fn a_conflict_names_the_field_and_records_nothing() {
    let journal = Journal::new();
    let writer = journal.writer();
    let first = Draft { meta: Some(r#"{"source":"a"}"#.to_owned()), ..nth(1) };
    writer.append(vec![first.clone()]).unwrap();
    let changed = [
        (Draft { kind: "RuleBroken".to_owned(), ..first.clone() }, "type"),
        (Draft { schema_version: 2, ..first.clone() }, "schema_version"),
        (Draft { occurred_at: Moment(1), ..first.clone() }, "occurred_at"),
        (Draft { data: r#"{"text":"another"}"#.to_owned(), ..first.clone() }, "data.text"),
        (Draft { data: r#"{"text":"note 1","date":"2026-03-02"}"#.to_owned(), ..first.clone() }, "data.date"),
        (Draft { meta: None, ..first.clone() }, "meta"),
        (Draft { meta: Some(r#"{"source":"b"}"#.to_owned()), ..first.clone() }, "meta"),
    ];
    for (other, expected) in changed {
        let error = writer.append(vec![nth(2), other, nth(3)]).unwrap_err();
        let AppendError::Conflict { index, id, seq, field } = error else { panic!("{error}") };
        assert_eq!((index, Some(id), seq, field.as_str()), (1, first.id, 1, expected));
    }
    assert_eq!(journal.events().len(), 1);
    let same = Draft { data: r#"{ "text": "note 1" }"#.to_owned(), ..first };
    assert_eq!(seqs(&writer.append(vec![same]).unwrap().answers), [('=', 1)], "the same JSON in another spelling");
}

#[test]
fn the_same_id_twice_in_one_batch_with_other_content_is_a_conflict() {
    let journal = Journal::new();
    let writer = journal.writer();
    let other = Draft { id: nth(1).id, ..nth(2) };
    let error = writer.append(vec![nth(1), other]).unwrap_err();
    assert!(matches!(error, AppendError::Conflict { index: 1, seq: 1, .. }), "{error}");
    assert_eq!(journal.reader().head().unwrap(), Head::EMPTY);
    assert_eq!(seqs(&writer.append(vec![nth(5)]).unwrap().answers), [('+', 1)], "the position is given again");
    assert_sound(&journal.dir);
}

#[test]
fn an_expected_version_is_held_against_the_stream() {
    let journal = Journal::new();
    let writer = journal.writer();
    let expecting = |number, version| Draft {
        stream: Stream::Named("system".to_owned()),
        expected_version: Some(version),
        ..nth(number)
    };
    // As before the batch, or with the batch's own events counted.
    writer.append(vec![expecting(1, 0), expecting(2, 0), expecting(3, 2)]).unwrap();
    writer.append(vec![expecting(4, 3), expecting(5, 4), expecting(6, 3)]).unwrap();
    for wrong in [0, 5, 7, u64::MAX] {
        let error = writer.append(vec![nth(99), expecting(7, wrong)]).unwrap_err();
        let AppendError::VersionMismatch { index, stream, expected, actual } = error else { panic!("{error}") };
        assert_eq!((index, stream.as_str(), expected, actual), (1, "system", wrong, 6));
    }
    let error = writer.append(vec![expecting(7, 6), expecting(8, 8)]).unwrap_err();
    assert!(matches!(error, AppendError::VersionMismatch { index: 1, actual: 6, .. }), "{error}");
    let retry = writer.append(vec![expecting(1, 0), expecting(6, 3), expecting(9, 6)]).unwrap();
    assert_eq!(seqs(&retry.answers), [('=', 1), ('=', 6), ('+', 7)], "a duplicate is not checked");
    assert_sound(&journal.dir);
}

#[test]
fn a_correction_joins_the_stream_of_its_fill() {
    let journal = Journal::new();
    let writer = journal.writer();
    let fill = |fill_id: &str, stream: &str| draft("FillRecorded", stream, &format!(r#"{{"fill_id":"{fill_id}"}}"#));
    let correct = |fill_id: &str| Draft {
        stream: Stream::OfFill(fill_id.to_owned()),
        ..draft("FillBusted", "", &format!(r#"{{"fill_id":"{fill_id}"}}"#))
    };
    let exit = Draft { id: Some(Uuid::from_u128(0xabc)), ..draft("TradeExited", "trade/T9", r#"{"trade_id":"T9"}"#) };
    // The fill of the same batch counts, the first fill of an id wins, an exit's own fill is found by its id.
    writer.append(vec![fill("F1", "trade/T1"), correct("F1"), fill("F1", "trade/T2"), exit]).unwrap();
    let exit_id = Uuid::from_u128(0xabc).to_string();
    writer.append(vec![correct("F1"), correct(&exit_id), correct("F2"), correct(&Uuid::nil().to_string())]).unwrap();
    writer.append(vec![nth(1), correct("note 1")]).unwrap();
    let streams: Vec<_> = journal.events().into_iter().map(|event| event.stream).collect();
    assert_eq!(
        streams,
        [
            "trade/T1",
            "trade/T1",
            "trade/T2",
            "trade/T9",
            "trade/T1",
            "trade/T9",
            "account/default",
            "account/default",
            "account/1",
            "account/default"
        ]
    );
    assert_sound(&journal.dir);
}

#[test]
fn what_cannot_be_stored_is_refused_whole() {
    let journal = Journal::new();
    let writer = journal.writer();
    for wrong in [
        draft("NoteAdded", "", "{}"),
        draft("", "system", "{}"),
        draft("FillRecorded", "trade/T1", "no json"),
        Draft { occurred_at: Moment(i64::MAX), ..nth(9) },
    ] {
        let error = writer.append(vec![nth(1), wrong]).unwrap_err();
        assert!(matches!(error, AppendError::Refused { index: 1, .. }), "{error}");
    }
    assert_eq!(journal.reader().counts().unwrap().events, 0);
    writer.append(vec![nth(1)]).unwrap();
    assert_sound(&journal.dir);
}

#[test]
fn a_clock_that_goes_back_changes_no_order() {
    use std::sync::atomic::{AtomicI64, Ordering};
    static CLOCK: AtomicI64 = AtomicI64::new(1_000);
    let journal = Journal::new();
    let clock = || Moment(CLOCK.fetch_sub(10, Ordering::Relaxed));
    let options = tradefold::log::WriterOptions { clock, ..Default::default() };
    let writer = tradefold::log::Writer::open(&journal.dir, options).unwrap();
    for number in 1..=5 {
        writer.append(vec![nth(number)]).unwrap();
    }
    let recorded: Vec<_> = journal.events().iter().map(|event| (event.seq, event.recorded_at.0)).collect();
    assert_eq!(recorded, [(1, 1_000), (2, 990), (3, 980), (4, 970), (5, 960)]);
    let reader = journal.reader();
    let by = |micros| reader.last_recorded_by(Moment(micros)).unwrap();
    assert_eq!((by(2_000), by(985), by(960), by(959)), (5, 5, 5, 0));
    assert_sound(&journal.dir);
}
