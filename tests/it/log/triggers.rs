//! The file defends itself: no program, with whatever statement, changes what is recorded by accident.

use rusqlite::Connection;

use super::support::{Journal, assert_sound};

/// Copies of stored columns, so that a statement differs from a good one in a single thing.
const COPY: &str = "occurred_at, recorded_at, data, meta, hash FROM events WHERE seq = 5";

fn check(conn: &Connection, sql: &str, expected: &str) {
    let error = conn.execute_batch(sql).expect_err(sql).to_string();
    assert!(error.contains(expected), "{sql}\n{error}");
}

#[test]
fn every_way_to_change_the_log_is_refused() {
    let journal = Journal::with_events(9);
    let raw = journal.raw();
    check(&raw, "UPDATE events SET data = '{}' WHERE seq = 5", "events are never changed");
    check(&raw, "UPDATE OR REPLACE events SET seq = 4 WHERE seq = 5", "events are never changed");
    check(&raw, "DELETE FROM events WHERE seq = 9", "events are never deleted");
    check(&raw, "DELETE FROM events", "events are never deleted");
    check(&raw, "UPDATE streams SET name = 'x'", "streams are never changed");
    check(&raw, "DELETE FROM streams", "streams are never deleted");
    check(&raw, "UPDATE journal SET uuid = zeroblob(16)", "identity is never changed");
    check(&raw, "DELETE FROM journal", "identity is never deleted");
    check(&raw, "INSERT INTO journal VALUES (zeroblob(16), 0)", "belongs to one journal");
    check(&raw, "INSERT OR REPLACE INTO journal (rowid, uuid, created_at) VALUES (1, zeroblob(16), 0)", "one journal");
    for verb in ["INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE", "REPLACE", "INSERT OR FAIL"] {
        let insert = |seq: &str, id: &str, stream: &str| {
            format!("{verb} INTO events SELECT {seq}, {id}, {stream}, 'NoteAdded', 1, {COPY}")
        };
        for seq in ["1", "5", "9", "11", "0", "-1", "NULL"] {
            check(&raw, &insert(seq, "randomblob(16)", "stream_id, 4"), "not the next position");
        }
        check(&raw, &insert("10", "id", "stream_id, 4"), "the id is taken");
        for version in ["1", "3", "5", "0"] {
            check(&raw, &insert("10", "randomblob(16)", &format!("stream_id, {version}")), "not the next version");
        }
        check(&raw, &format!("{verb} INTO streams VALUES (2, 'new')"), "not the next stream");
        check(&raw, &format!("{verb} INTO streams VALUES (4, 'account/1')"), "the name is taken");
    }
    let upsert = format!(
        "INSERT INTO events SELECT 10, id, stream_id, 4, type, 1, {COPY} ON CONFLICT (id) DO UPDATE SET data = '{{}}'"
    );
    check(&raw, &upsert, "the id is taken");
    drop(raw);
    assert_eq!(assert_sound(&journal.dir), 9);
}

#[test]
fn types_and_lengths_are_held() {
    let journal = Journal::with_events(3);
    let raw = journal.raw();
    let insert = |id: &str, data: &str, hash: &str| {
        format!("INSERT INTO events VALUES (4, {id}, 1, 2, 'NoteAdded', 1, 0, 0, {data}, NULL, {hash})")
    };
    check(&raw, &insert("randomblob(15)", "'{}'", "randomblob(32)"), "CHECK constraint failed");
    check(&raw, &insert("randomblob(16)", "'{}'", "randomblob(31)"), "CHECK constraint failed");
    check(&raw, &insert("randomblob(16)", "x'7b7d'", "randomblob(32)"), "cannot store BLOB value in TEXT column");
    check(&raw, &insert("randomblob(16)", "NULL", "randomblob(32)"), "NOT NULL constraint failed");
    check(&raw, "INSERT INTO streams VALUES (4, '')", "CHECK constraint failed");
}

#[test]
fn history_shows_the_log_readably() {
    let journal = Journal::with_events(2);
    let event = &journal.events()[1];
    let row = journal.raw().query_row("SELECT * FROM history WHERE seq = 2", [], |row| {
        let names: Vec<_> = row.as_ref().column_names().map(str::to_owned).collect();
        let texts = [1, 2, 4, 6, 7, 8, 10].map(|index| row.get::<_, String>(index).unwrap());
        Ok((names, texts, row.get::<_, Option<String>>(9)?))
    });
    let (names, texts, meta) = row.unwrap();
    let columns = "seq id stream stream_version type schema_version occurred_at recorded_at data meta hash";
    assert_eq!(names.join(" "), columns);
    let hash = tradefold::log::hex(&event.hash);
    let expected = [
        &event.id.to_string(),
        "account/2",
        "NoteAdded",
        "2026-03-02T14:31:07.250002Z",
        &event.recorded_at.to_string(),
        r#"{"text":"note 2"}"#,
        &hash,
    ];
    assert_eq!(texts, expected);
    assert_eq!(meta, None);
}

#[test]
fn history_shows_times_before_1970_and_at_the_ends_of_the_calendar() {
    use projections::draft::Draft;
    use projections::moment::Moment;
    let journal = Journal::new();
    let moments = [Moment::MIN, Moment(-1), Moment(0), Moment(-1_000_000), Moment::MAX];
    let drafts = moments.map(|occurred_at| Draft { occurred_at, ..super::support::draft("A", "system", "{}") });
    journal.writer().append(drafts.to_vec()).unwrap();
    let raw = journal.raw();
    let mut statement = raw.prepare("SELECT occurred_at FROM history ORDER BY seq").unwrap();
    let shown: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(shown, moments.map(|moment| moment.to_string()));
}
