//! A log that lost events the tables have seen: its chain verifies, so only the cursors tell.

use std::fs;

use tradefold::journal::{Journal, JournalError, Status};
use tradefold::log::{LOG_FILE, Writer, WriterOptions};
use tradefold::projector::{self, ProjectError};
use tradefold::rebuild::{RebuildError, rebuild, verify_tables};

use super::events::Trading;
use super::kill::{spawn, wait_for};
use super::support::{Place, dump, open};

/// Nobody goes on, rebuilds or reads over it, and the tables are left as they are.
#[track_caller]
fn assert_found(place: &Place) {
    let before = dump(&place.dir);
    let lost = |error: &ProjectError| {
        assert!(error.is_damage());
        matches!(error, ProjectError::LostTail { .. })
    };
    match open(&place.dir) {
        Err(JournalError::Project(error)) => assert!(lost(&error), "{error}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(Journal::read(&place.dir), Err(JournalError::Project(error)) if lost(&error)));
    assert!(matches!(Status::read(&place.dir), Err(JournalError::Project(error)) if lost(&error)));
    assert!(matches!(projector::catch_up(&place.dir), Err(error) if lost(&error)));
    let nobody = &mut |_, _| {};
    assert!(matches!(rebuild(&place.dir, None, None, None, nobody), Err(RebuildError::Project(e)) if lost(&e)));
    assert!(matches!(verify_tables(&place.dir, nobody), Err(RebuildError::Project(error)) if lost(&error)));
    assert_eq!(dump(&place.dir), before);
}

#[test]
fn a_deleted_write_ahead_log() {
    let place = Place::new();
    let mut child = spawn("child_that_records", &place, 1);
    wait_for(&mut child, "at work");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(fs::metadata(place.dir.join("events.db-wal")).unwrap().len() > 0);
    fs::remove_file(place.dir.join("events.db-wal")).unwrap();
    fs::remove_file(place.dir.join("events.db-shm")).unwrap();
    assert_found(&place);
}

#[test]
fn an_old_copy_put_back() {
    let (place, mut trading) = (Place::new(), Trading::new(5));
    place.record(&mut trading, 50);
    let copy = place.dir.join("copy");
    fs::copy(place.dir.join(LOG_FILE), &copy).unwrap();
    place.record(&mut trading, 50);
    fs::copy(&copy, place.dir.join(LOG_FILE)).unwrap();
    assert_found(&place);
    // Recorded over by something that doesn't look at the tables: now the head is far enough.
    let writer = Writer::open(&place.dir, WriterOptions::default()).unwrap();
    writer.append(Trading::new(6).drafts(80)).unwrap();
    drop(writer);
    assert_found(&place);
    // Giving the events up is a decision, made by deleting the tables.
    place.delete_tables();
    assert!(projector::catch_up(&place.dir).unwrap().is_complete());
}
