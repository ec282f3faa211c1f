//! A stranger verifies a log from the documentation alone: the Python in docs/EVENTS.md, as it stands
//! there, is the second implementation that ours is held against. The plain sqlite3 shell reads the log too.

use std::path::Path;
use std::process::Command;

use projections::draft::Draft;

use super::support::{Journal, draft, nth};

fn verifier() -> String {
    let docs = include_str!("../../../docs/EVENTS.md");
    let (_, rest) = docs.split_once("```python\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// What the verifier says; `None` where there is no Python.
fn run(dir: &Path) -> Option<(bool, String)> {
    let output = Command::new("python3").arg("-c").arg(verifier()).arg(dir.join("events.db")).output();
    let output = output.map_err(|error| eprintln!("skipped: python3: {error}")).ok()?;
    let said = if output.status.success() { output.stdout } else { output.stderr };
    Some((output.status.success(), String::from_utf8(said).unwrap().trim().to_owned()))
}

#[test]
fn the_verifier_is_short() {
    assert!(verifier().lines().count() <= 30);
}

#[test]
fn the_verifier_agrees_on_a_sound_log_also_while_it_is_written() {
    let journal = Journal::new();
    let writer = journal.writer();
    let odd = [
        draft("NoteAdded", "account/Ä €", r#"{"text":"Ölpreis fällt \u0000 \" 'x'"}"#),
        Draft { meta: Some(String::new()), ..draft("NoteAdded", "system", "") },
        Draft { meta: Some("{}".to_owned()), occurred_at: projections::moment::Moment::MIN, ..nth(3) },
    ];
    writer.append(odd.to_vec()).unwrap();
    writer.append((10..60).map(nth).collect()).unwrap();
    let head = journal.reader().head().unwrap();
    let expected = format!("ok: 53 events, head {}", tradefold::log::hex(&head.hash));
    let Some(said) = run(&journal.dir) else { return };
    assert_eq!(said, (true, expected.clone()));
    drop(writer);
    assert_eq!(run(&journal.dir), Some((true, expected)));
}

#[test]
fn the_verifier_finds_what_we_find() {
    for (edit, expected) in [
        ("UPDATE events SET data = '{}' WHERE seq = 17", "event 17 is not what was recorded"),
        ("UPDATE events SET meta = '' WHERE seq = 1", "event 1 is not what was recorded"),
        ("UPDATE events SET recorded_at = 0 WHERE seq = 50", "event 50 is not what was recorded"),
        ("DELETE FROM events WHERE seq = 17", "event 17 is missing"),
        ("UPDATE events SET seq = 51 WHERE seq = 1", "event 1 is missing"),
        ("UPDATE streams SET name = 'account/9' WHERE name = 'account/2'", "event 2 is not what was recorded"),
        ("UPDATE journal SET uuid = zeroblob(16)", "event 1 is not what was recorded"),
    ] {
        let journal = Journal::with_events(50);
        let raw = journal.raw();
        raw.execute_batch(
            "DROP TRIGGER events_no_update; DROP TRIGGER events_no_delete; DROP TRIGGER journal_no_update; \
            DROP TRIGGER streams_no_update",
        )
        .unwrap();
        raw.execute_batch(edit).unwrap();
        drop(raw);
        let Some(said) = run(&journal.dir) else { return };
        assert_eq!(said, (false, expected.to_owned()), "{edit}");
        let ours = journal.verify();
        assert!(expected.starts_with(&format!("event {} ", ours.findings.first().unwrap().seq)), "{edit}");
    }
}

#[test]
fn the_sqlite_shell_reads_history() {
    let journal = Journal::with_events(5);
    let query = "SELECT seq, stream, occurred_at FROM history WHERE stream = 'account/2'";
    let output = Command::new("sqlite3").arg("-readonly").arg(journal.dir.join("events.db")).arg(query).output();
    let Ok(output) = output else { return eprintln!("skipped: no sqlite3 shell") };
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "2|account/2|2026-03-02T14:31:07.250002Z\n5|account/2|2026-03-02T14:31:07.250005Z\n"
    );
}
