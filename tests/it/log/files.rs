//! The folder: private whatever the umask, refused clearly where it isn't ours, readable while written.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tradefold::log::{self, OpenError, Reader, Writer, WriterOptions};

use super::support::{Journal, LOCK_WAIT, as_child, assert_sound, child, nth};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Every mode in a journal's folder, and its own.
fn modes(dir: &Path) -> Vec<(String, u32)> {
    let mut modes: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), mode(&path)))
        .collect();
    modes.push((".".to_owned(), mode(dir)));
    modes.sort();
    modes
}

fn quick() -> WriterOptions {
    WriterOptions { lock_wait: LOCK_WAIT, ..WriterOptions::default() }
}

#[test]
fn files_are_private_under_any_umask() {
    // The umask belongs to the whole process, so it is set for a child.
    for umask in ["000", "022", "077"] {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("a/b/journal");
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let child = child("log::files::in_a_child_with_an_umask", &dir);
        let status = Command::new("sh")
            .args(["-c", &script])
            .arg(child.get_program())
            .args(child.get_args())
            .envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .status()
            .unwrap();
        assert!(status.success(), "umask {umask}");
    }
}

#[test]
fn in_a_child_with_an_umask() {
    let Some(dir) = as_child() else { return };
    log::create(&dir, LOCK_WAIT).unwrap();
    let writer = Writer::open(&dir, quick()).unwrap();
    writer.append(vec![nth(1)]).unwrap();
    let expected = [
        (".", 0o700),
        ("events.db", 0o600),
        ("events.db-shm", 0o600),
        ("events.db-wal", 0o600),
        ("writer.lock", 0o600),
    ];
    assert_eq!(modes(&dir), expected.map(|(name, mode)| (name.to_owned(), mode)));
}

#[test]
fn files_that_were_opened_up_are_closed_again() {
    let journal = Journal::with_events(1);
    for name in ["events.db", "writer.lock"] {
        fs::set_permissions(journal.dir.join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    drop(journal.writer());
    assert_eq!(modes(&journal.dir).iter().map(|(_, mode)| *mode).collect::<Vec<_>>(), [0o700, 0o600, 0o600]);
}

#[test]
fn an_empty_folder_becomes_private_and_a_used_one_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (empty, used) = (folder.path().join("empty"), folder.path().join("used"));
    for dir in [&empty, &used] {
        fs::create_dir(dir).unwrap();
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(used.join("notes.txt"), "mine").unwrap();
    for dir in [&empty, &used] {
        log::create(dir, LOCK_WAIT).unwrap();
        assert_eq!(mode(&dir.join("events.db")), 0o600);
    }
    assert_eq!((mode(&empty), mode(&used)), (0o700, 0o755));
}

#[test]
fn a_folder_without_a_journal_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nowhere");
    for dir in [folder.path(), &missing] {
        let expected = format!("no journal at {}; make one with tradefold init", dir.display());
        assert_eq!(Writer::open(dir, quick()).unwrap_err().to_string(), expected);
        assert_eq!(Reader::open(dir).unwrap_err().to_string(), expected);
        assert!(!log::exists(dir));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "asking makes nothing");
}

#[test]
fn a_journal_is_not_made_twice() {
    let journal = Journal::with_events(1);
    let error = log::create(&journal.dir, LOCK_WAIT).unwrap_err();
    assert!(matches!(error, OpenError::Exists { .. }), "{error}");
    let _writer = journal.writer();
    let error = log::create(&journal.dir, Duration::from_secs(60)).unwrap_err();
    assert!(matches!(error, OpenError::Exists { .. }), "not even while it is written: {error}");
}

#[test]
fn a_journal_half_made_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    fs::write(dir.join("events.db"), "").unwrap();
    assert!(matches!(Writer::open(dir, quick()), Err(OpenError::NoJournal { .. })));
    log::create(dir, LOCK_WAIT).unwrap();
    // Or it got as far as the header.
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let raw = rusqlite::Connection::open(dir.join("events.db")).unwrap();
    raw.pragma_update(None, "journal_mode", "wal").unwrap();
    drop(raw);
    assert!(matches!(Reader::open(dir), Err(OpenError::NoJournal { .. })));
    log::create(dir, LOCK_WAIT).unwrap();
    Writer::open(dir, quick()).unwrap().append(vec![nth(1)]).unwrap();
    assert_eq!(assert_sound(dir), 1);
}

#[test]
fn what_is_left_of_a_lost_log_is_not_built_over() {
    let journal = Journal::with_events(3);
    fs::remove_file(journal.dir.join("events.db")).unwrap();
    fs::write(journal.dir.join("projections.db"), "tables").unwrap();
    for error in [
        log::create(&journal.dir, LOCK_WAIT).unwrap_err(),
        Writer::open(&journal.dir, quick()).unwrap_err(),
        Reader::open(&journal.dir).unwrap_err(),
    ] {
        assert!(matches!(error, OpenError::LogMissing { .. }), "{error}");
    }
    // A truncated log beside a write-ahead log: SQLite would throw the latter away.
    let journal = Journal::with_events(3);
    fs::write(journal.dir.join("events.db"), "").unwrap();
    fs::write(journal.dir.join("events.db-wal"), "frames").unwrap();
    assert!(matches!(Writer::open(&journal.dir, quick()), Err(OpenError::LogMissing { .. })));
    assert_eq!(fs::read(journal.dir.join("events.db-wal")).unwrap(), b"frames");
}

#[test]
fn other_files_and_newer_files_are_refused() {
    let journal = Journal::with_events(3);
    journal.raw().pragma_update(None, "user_version", 2).unwrap();
    let expected = format!(
        "{} has format version 2; this program knows up to 1: use a newer tradefold",
        journal.dir.join("events.db").display()
    );
    assert_eq!(Writer::open(&journal.dir, quick()).unwrap_err().to_string(), expected);
    assert_eq!(Reader::open(&journal.dir).unwrap_err().to_string(), expected);
    assert!(matches!(log::create(&journal.dir, LOCK_WAIT), Err(OpenError::Exists { .. })));
    journal.raw().pragma_update(None, "user_version", 1).unwrap();
    journal.raw().pragma_update(None, "application_id", 7).unwrap();
    assert!(matches!(Writer::open(&journal.dir, quick()), Err(OpenError::NotALog { .. })));
    fs::write(journal.dir.join("events.db"), "this is no database, but long enough to be read as one").unwrap();
    assert!(matches!(Writer::open(&journal.dir, quick()), Err(OpenError::NotALog { .. })));
    assert!(matches!(Reader::open(&journal.dir), Err(OpenError::NotALog { .. })));
}

#[test]
fn a_second_writer_waits_and_then_is_told_who_writes() {
    let journal = Journal::new();
    let first = journal.writer();
    let started = Instant::now();
    let options = WriterOptions { lock_wait: Duration::from_millis(150), ..WriterOptions::default() };
    let error = Writer::open(&journal.dir, options).unwrap_err();
    assert!(started.elapsed() >= options.lock_wait);
    let OpenError::Busy { pid, waited, .. } = &error else { panic!("{error}") };
    assert_eq!(*pid, Some(std::process::id()));
    assert!(*waited >= options.lock_wait && error.to_string().contains(&format!("process {}", std::process::id())));
    let waiting = {
        let dir = journal.dir;
        std::thread::spawn(move || Writer::open(&dir, WriterOptions::default()).map(drop))
    };
    std::thread::sleep(Duration::from_millis(50));
    drop(first);
    waiting.join().unwrap().unwrap();
}

#[test]
fn a_writer_in_another_process_is_named_and_its_death_frees_the_journal() {
    let journal = Journal::new();
    let mut holder = child("log::files::in_a_child_that_holds_the_lock", &journal.dir);
    let mut holder = holder.stdout(std::process::Stdio::piped()).spawn().unwrap();
    super::support::read_until(holder.stdout.as_mut().unwrap(), "HOLDS");
    let error = Writer::open(&journal.dir, quick()).unwrap_err();
    assert!(matches!(error, OpenError::Busy { pid: Some(pid), .. } if pid == holder.id()), "{error}");
    assert_eq!(journal.reader().head().unwrap().seq, 1, "readers are never blocked");
    holder.kill().unwrap();
    holder.wait().unwrap();
    journal.writer().append(vec![nth(2)]).unwrap();
    assert_eq!(assert_sound(&journal.dir), 2);
}

#[test]
fn in_a_child_that_holds_the_lock() {
    let Some(dir) = as_child() else { return };
    let writer = Writer::open(&dir, quick()).unwrap();
    writer.append(vec![nth(1)]).unwrap();
    println!("HOLDS");
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn the_databases_own_lock_is_waited_for_and_then_nothing_is_recorded() {
    let journal = Journal::with_events(1);
    let writer = journal.writer();
    let raw = journal.raw();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = writer.append(vec![nth(2)]).unwrap_err();
    assert!(matches!(error, log::AppendError::Busy), "{error}");
    raw.execute_batch("ROLLBACK").unwrap();
    writer.append(vec![nth(2)]).unwrap();
    assert_eq!(assert_sound(&journal.dir), 2);
}

#[test]
fn a_read_only_folder_can_be_read() {
    let journal = Journal::with_events(30);
    let folder = tempfile::tempdir().unwrap();
    let mount =
        |args: &[&str]| Command::new("mount").args(args).arg(folder.path()).output().is_ok_and(|o| o.status.success());
    let source = journal.dir.to_str().unwrap();
    if !mount(&["--bind", source]) || !mount(&["-o", "remount,bind,ro"]) {
        eprintln!("skipped: a read-only mount needs root and mount(8)");
        let _ = Command::new("umount").arg(folder.path()).output();
        return;
    }
    let read = Reader::open(folder.path()).map(|reader| reader.read_after(0, 99).unwrap().len());
    let write = Writer::open(folder.path(), quick()).map(drop);
    // Left behind by a crash: what is in the write-ahead log can't be read without writing.
    let copy = journal.dir.join("events.db-wal");
    fs::write(&copy, "not empty").unwrap();
    let with_wal = Reader::open(folder.path()).map(drop);
    assert!(Command::new("umount").arg(folder.path()).status().unwrap().success());
    assert_eq!(read.unwrap(), 30);
    assert!(matches!(write, Err(OpenError::File { .. })), "{write:?}");
    assert!(matches!(with_wal, Err(OpenError::NeedsRecovery { .. })), "{with_wal:?}");
}

#[test]
fn a_name_like_a_uri_is_only_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("file:x?mode=memory&a=%41#b");
    log::create(&dir, LOCK_WAIT).unwrap();
    Writer::open(&dir, quick()).unwrap().append(vec![nth(1)]).unwrap();
    assert_eq!(assert_sound(&dir), 1);
    assert!(dir.join("events.db").is_file());
}
