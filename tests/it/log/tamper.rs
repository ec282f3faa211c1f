//! Whoever may write the file may drop the triggers and change anything; verify finds it and says where.

use tradefold::log::verify::{self, Fault, Finding};

use super::support::{Journal, assert_sound};

const DROP: &str = "DROP TRIGGER events_only_append; DROP TRIGGER events_no_update; DROP TRIGGER events_no_delete; \
    DROP TRIGGER streams_no_update; DROP TRIGGER streams_no_delete; DROP TRIGGER journal_no_update; \
    DROP TRIGGER streams_only_append; PRAGMA foreign_keys = OFF;";

/// Puts the triggers back, as somebody with care would.
fn restore(conn: &rusqlite::Connection) {
    let sql = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/0001_log.sql")).unwrap();
    for trigger in sql.split("CREATE TRIGGER ").skip(1) {
        let (body, _) = trigger.split_once("\nEND;").unwrap();
        let _ = conn.execute_batch(&format!("CREATE TRIGGER {body}\nEND;"));
    }
}

/// The findings after an edit by a careful hand, in a log of 50.
fn findings_of(edit: &str) -> Vec<Finding> {
    let journal = Journal::with_events(50);
    let raw = journal.raw();
    raw.execute_batch(&format!("{DROP} {edit}")).expect(edit);
    restore(&raw);
    drop(raw);
    journal.verify().findings.kept().to_vec()
}

fn check(edit: &str, expected: &[(u64, Fault)]) {
    let expected: Vec<_> = expected.iter().map(|(seq, fault)| Finding { seq: *seq, fault: fault.clone() }).collect();
    assert_eq!(findings_of(edit), expected, "{edit}");
}

#[test]
fn an_untouched_log_has_no_findings() {
    check("", &[]);
}

#[test]
fn each_changed_field_is_found_at_its_position() {
    for set in [
        "id = randomblob(16)",
        "stream_version = 1000",
        "type = 'TradeVoided'",
        "schema_version = 2",
        "occurred_at = occurred_at - 1",
        "recorded_at = recorded_at + 1",
        "data = replace(data, 'note', 'Note')",
        "meta = ''",
        "meta = '{}'",
        "hash = randomblob(32)",
        "stream_id = 1 + stream_id % 3, stream_version = 1000",
    ] {
        for seq in [1, 25, 50] {
            let found = findings_of(&format!("UPDATE OR IGNORE events SET {set} WHERE seq = {seq}"));
            assert_eq!(found.iter().map(|finding| finding.seq).min(), Some(seq), "{set}: {found:?}");
        }
    }
}

#[test]
fn every_deleted_event_is_missed() {
    check(
        "DELETE FROM events WHERE seq = 25",
        &[
            (25, Fault::Missing { through: 25 }),
            (26, Fault::Hash),
            (28, Fault::StreamVersion { expected: 9, found: 10 }),
        ],
    );
    let first = findings_of("DELETE FROM events WHERE seq <= 3");
    assert_eq!(first[0], Finding { seq: 1, fault: Fault::Missing { through: 3 } });
    // The chain cannot know of a tail that is gone: that shows against a head kept elsewhere.
    check("DELETE FROM events WHERE seq > 40", &[]);
}

#[test]
fn a_deleted_event_with_the_rest_moved_up_is_found() {
    let found = findings_of("DELETE FROM events WHERE seq = 25; UPDATE events SET seq = seq - 1 WHERE seq > 25;");
    assert_eq!(found[0], Finding { seq: 25, fault: Fault::Hash });
}

#[test]
fn swapped_and_reordered_events_are_found() {
    let swap = "UPDATE events SET seq = -1 WHERE seq = 10; UPDATE events SET seq = 10 WHERE seq = 11; \
        UPDATE events SET seq = 11 WHERE seq = -1;";
    assert_eq!(findings_of(swap)[0], Finding { seq: 10, fault: Fault::Hash });
    let reverse = "UPDATE events SET seq = -seq; UPDATE events SET seq = 51 + seq;";
    assert_eq!(findings_of(reverse)[0], Finding { seq: 1, fault: Fault::Hash });
}

#[test]
fn inserted_events_are_found() {
    let values = "randomblob(16), 1, 1000, 'NoteAdded', 1, 0, 0, '{}', NULL, randomblob(32)";
    let found = findings_of(&format!("INSERT INTO events VALUES (51, {values})"));
    assert_eq!(found[0], Finding { seq: 51, fault: Fault::Hash });
    let found = findings_of(&format!("INSERT INTO events VALUES (-7, {values})"));
    assert!(found.contains(&Finding { seq: 0, fault: Fault::Position { found: -7 } }), "{found:?}");
    assert!(!found.iter().any(|finding| finding.fault == Fault::Hash), "{found:?}");
}

#[test]
fn streams_and_identity_are_part_of_the_chain() {
    let renamed = findings_of("UPDATE streams SET name = 'account/x' WHERE name = 'account/1'");
    assert_eq!((renamed.len(), renamed[0].seq), (17, 1), "each event of the stream");
    let deleted = findings_of("DELETE FROM streams WHERE name = 'account/2'");
    assert_eq!(deleted[0], Finding { seq: 2, fault: Fault::Column { name: "stream" } });
    let foreign = findings_of("UPDATE journal SET uuid = randomblob(16)");
    assert_eq!((foreign.len(), foreign[0].seq), (50, 1));
}

#[test]
fn a_rebuilt_table_hides_nothing() {
    let rebuild = "DROP VIEW history; CREATE TABLE copy AS SELECT * FROM events; DROP TABLE events; ALTER TABLE copy RENAME TO events; \
        UPDATE events SET id = (SELECT id FROM events WHERE seq = 3) WHERE seq = 30;";
    let found = findings_of(rebuild);
    assert!(found.contains(&Finding { seq: 30, fault: Fault::IdTwice { first: 3 } }), "{found:?}");
    assert!(found.contains(&Finding { seq: 0, fault: Fault::Schema { object: "events".to_owned() } }), "{found:?}");
}

#[test]
fn dropped_and_foreign_triggers_are_reported() {
    let journal = Journal::with_events(5);
    let raw = journal.raw();
    raw.execute_batch(
        "DROP TRIGGER events_no_update; CREATE TABLE _litestream_seq (id INTEGER); \
         CREATE TRIGGER quiet AFTER INSERT ON events BEGIN SELECT 1; END;",
    )
    .unwrap();
    let report = journal.verify();
    let objects: Vec<_> = report.findings.kept().iter().map(ToString::to_string).collect();
    assert_eq!(
        objects,
        ["events_no_update", "quiet"]
            .map(|name| { format!("the database object {name} is missing, altered or foreign") })
    );
}

#[test]
fn a_range_is_verified_by_itself() {
    let journal = Journal::with_events(50);
    let raw = journal.raw();
    raw.execute_batch(&format!("{DROP} UPDATE events SET data = '{{}}' WHERE seq IN (10, 30)")).unwrap();
    let faults = |from, through| {
        let report = verify::range(&journal.reader(), from, through, &mut |_, _| {}).unwrap();
        (report.checked, report.findings.kept().iter().map(|finding| finding.seq).collect::<Vec<_>>())
    };
    assert_eq!(faults(1, 50), (50, vec![10, 30]));
    assert_eq!(faults(11, 29), (19, vec![]));
    assert_eq!(faults(30, 30), (1, vec![30]));
    assert_eq!(faults(31, 9_999), (20, vec![]));
    assert_eq!(faults(60, 70), (0, vec![]));
}

#[test]
fn progress_is_told_and_reaches_the_end() {
    let journal = Journal::with_events(3_000);
    let mut told = Vec::new();
    verify::whole(&journal.reader(), &mut |done, total| told.push((done, total))).unwrap();
    assert!(told.len() >= 3 && told.is_sorted(), "{told:?}");
    assert_eq!(told.last(), Some(&(3_000, 3_000)));
    assert_sound(&journal.dir);
}

#[test]
fn a_long_log_is_judged_as_a_short_one() {
    // Long enough for its parts to be verified side by side.
    let journal = Journal::with_events(33_000);
    let mut told = Vec::new();
    let report = verify::whole(&journal.reader(), &mut |done, total| told.push((done, total))).unwrap();
    assert_eq!((report.checked, report.findings.total(), report.head.seq), (33_000, 0, 33_000));
    assert!(told.is_sorted() && told.last() == Some(&(33_000, 33_000)));
    assert_eq!(verify::range(&journal.reader(), 100, 33_000, &mut |_, _| {}).unwrap().checked, 32_901);
    let raw = journal.raw();
    let change =
        "UPDATE events SET data = '{}' WHERE seq IN (16384, 16385, 32769); DELETE FROM events WHERE seq = 20000;";
    raw.execute_batch(&format!("{DROP} {change}")).unwrap();
    restore(&raw);
    drop(raw);
    let report = journal.verify();
    let found: Vec<_> = report.findings.kept().iter().map(|finding| (finding.seq, &finding.fault)).collect();
    let (hash, missing) = (&Fault::Hash, &Fault::Missing { through: 20_000 });
    assert_eq!(found[..5], [(16_384, hash), (16_385, hash), (20_000, missing), (20_001, hash), (32_769, hash)]);
    assert_eq!(report.checked, 32_999);
}

#[test]
fn every_flipped_bit_that_changes_a_stored_field_is_found() {
    let journal = Journal::with_events(60);
    let path = journal.dir.join("events.db");
    let sound = std::fs::read(&path).unwrap();
    let good = journal.events();
    let (mut silent, mut found, mut changed) = (0, 0, 0);
    for place in (0..sound.len()).step_by(61) {
        let mut bytes = sound.clone();
        bytes[place] ^= 1 << (place % 8);
        std::fs::write(&path, &bytes).unwrap();
        let Ok(reader) = tradefold::log::Reader::open(&journal.dir) else {
            found += 1;
            continue;
        };
        let differs = !reader.read_after(0, usize::MAX).is_ok_and(|events| events == good);
        let sound = verify::whole(&reader, &mut |_, _| {}).is_ok_and(|report| report.is_sound());
        assert!(!(differs && sound), "byte {place}");
        changed += i32::from(differs);
        if sound { silent += 1 } else { found += 1 }
    }
    eprintln!("bit flips: {found} found, {changed} of them change what is read; {silent} change nothing");
    assert!(changed > 50);
}
