//! Several processes and one set of tables: one projects, the others follow it and take over.

use std::fs::File;
use std::time::Duration;

use tradefold::journal::Status;
use tradefold::projector::{self, LOCK_FILE, Lag, Pace, Role, WaitError};

use super::events::Trading;
use super::support::{LONG, Place};

/// Holds the projector's lock as another process would: `flock` tells handles apart, not processes.
fn someone_else(place: &Place) -> File {
    let file = File::options().create(true).append(true).open(place.dir.join(LOCK_FILE)).unwrap();
    file.try_lock().unwrap();
    file
}

#[test]
fn who_reads_waits_for_who_projects() {
    let place = Place::new();
    let journal = place.open();
    let mut trading = Trading::new(3);
    for _ in 0..20 {
        journal.append(trading.drafts(20)).unwrap();
        let caught_up = projector::catch_up(&place.dir).unwrap();
        assert!(caught_up.is_complete() && caught_up.lag.is_none());
    }
    // Each who read may have projected for a moment, before the journal's own projectors got their turn.
    while journal.status().unwrap().role != Some(Role::Projecting) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = Status::read(&place.dir).unwrap();
    let pid = Some(std::process::id());
    assert_eq!((status.writer.unwrap().pid, status.projector.unwrap().pid), (pid, pid));
    assert_eq!(status.head.seq, 400);
}

#[test]
fn who_waits_in_vain_is_told_and_takes_over_when_the_lock_is_free() {
    let place = Place::new();
    let other = someone_else(&place);
    let journal = place.open();
    let seq = journal.append(Trading::new(3).drafts(100)).unwrap().head.seq;
    let error = journal.wait_until(seq, Duration::from_millis(60)).unwrap_err();
    assert!(matches!(error, WaitError::Timeout { position: 0, trouble: Some(_), .. }), "{error}");
    assert!(matches!(journal.status().unwrap().role, Some(Role::Following(None))));
    let caught_up = projector::catch_up_within(&place.dir, Duration::from_millis(60), Pace::default()).unwrap();
    assert!(!caught_up.is_complete());
    assert_eq!(caught_up.lag, Some(Lag::Held(None)));
    drop(other);
    journal.wait_until(seq, LONG).unwrap();
    assert_eq!(journal.status().unwrap().role, Some(Role::Projecting));
}
