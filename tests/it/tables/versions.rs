//! Tables of another version, another program, or no tables at all: remade or refused, one projection at a time.

use projections::projection::PROJECTIONS;
use tradefold::journal::{Journal, JournalError};
use tradefold::projector::{self, ProjectError, Role};
use tradefold::rebuild::{RebuildError, verify_tables};
use tradefold::tables::{Tables, TablesError, hold_still};

use super::events::Trading;
use super::support::{LONG, Place, assert_same, dump, dump_of};

#[test]
fn a_changed_projection_is_refolded_alone() {
    let place = Place::traded(4, 300);
    let before = dump(&place.dir);
    place.edit("UPDATE market_data SET close_price = 1");
    place.edit("UPDATE trades SET notes = 'mine' WHERE trade_id = 't1'");
    place.edit("UPDATE projections SET fingerprint = 'of an older fold' WHERE name = 'market_data'");
    place.raw().execute_batch("CREATE TABLE market_data_of_old (a TEXT)").unwrap();
    let unready = verify_tables(&place.dir, &mut |_, _| {}).unwrap_err();
    assert!(matches!(unready, RebuildError::Project(ProjectError::Tables(TablesError::OtherVersion { .. }))));
    let caught_up = projector::catch_up(&place.dir).unwrap();
    assert!(caught_up.is_complete());
    let renewed: Vec<_> = caught_up.outdated.iter().map(|outdated| (outdated.about.name, &*outdated.reason)).collect();
    assert_eq!(renewed, [("market_data", "it was made by another version of tradefold")]);
    let after = dump(&place.dir);
    assert_eq!(after["market_data"], before["market_data"]);
    // Left alone, mistake and all.
    assert_ne!(after["trades"], before["trades"]);
    assert!(place.raw().prepare("SELECT * FROM market_data_of_old").is_err());
}

/// The fingerprint of a projection in the file, with one of its parts another.
fn edit_part(place: &Place, name: &str, part: usize, text: &str) {
    let sql = "SELECT fingerprint FROM projections WHERE name = ?1";
    let found: String = place.raw().query_row(sql, [name], |row| row.get(0)).unwrap();
    let mut parts: Vec<&str> = found.split('-').collect();
    assert_eq!(parts.len(), 3);
    parts[part] = text;
    place.edit(&format!("UPDATE projections SET fingerprint = '{}' WHERE name = '{name}'", parts.join("-")));
}

fn generations(place: &Place) -> Vec<u64> {
    place
        .raw()
        .prepare("SELECT generation FROM projections")
        .unwrap()
        .query_map((), |row| row.get::<_, i64>(0))
        .unwrap()
        .map(|found| found.unwrap().cast_unsigned())
        .collect()
}

#[test]
fn each_part_of_a_fingerprint_has_its_reason_and_rebuilds_its_projection_alone() {
    let version = |name: &str| PROJECTIONS.iter().find(|about| about.name == name).unwrap().version;
    let cases = [
        ("market_data", 0, "7", format!("its version went from 7 to {}", version("market_data"))),
        ("ledger", 0, "7", format!("its version went from 7 to {}", version("ledger"))),
        ("market_data", 1, "0123456789abcdef", "it reads other event types".to_owned()),
        ("ledger", 2, "0123456789abcdef", "the SQL of its tables changed".to_owned()),
    ];
    let place = Place::traded(4, 200);
    let right = dump(&place.dir);
    for ((name, part, text, reason), generation) in cases.into_iter().zip(2..) {
        let other = if name == "ledger" { "market_data" } else { "trades" };
        let own = if name == "ledger" { "trades" } else { "market_data" };
        place.edit(&format!("UPDATE {own} SET first_seq = 4242"));
        place.edit(&format!("UPDATE {other} SET first_seq = 4242"));
        edit_part(&place, name, part, text);
        let old = dump(&place.dir);
        let reader = Tables::read_only(&place.dir).unwrap();
        hold_still(&reader).unwrap();
        let caught_up = projector::catch_up(&place.dir).unwrap();
        assert!(caught_up.is_complete());
        let outdated: Vec<_> = caught_up.outdated.into_iter().map(|found| (found.about.name, found.reason)).collect();
        assert_eq!(outdated, [(name, reason.clone())]);
        assert_same(&dump_of(&reader), &old, &format!("{reason}: who reads on"));
        drop(reader);
        let now = dump(&place.dir);
        assert_eq!(now[own], right[own], "{reason}");
        assert_eq!(now[other], old[other], "{reason}: left alone");
        assert_eq!(generations(&place), [generation; 2]);
        let previous = rusqlite::Connection::open(place.dir.join("projections.previous.db")).unwrap();
        assert_same(&dump_of(&previous), &old, &format!("{reason}: kept"));
    }
}

#[test]
fn a_file_of_another_version_is_made_anew() {
    let place = Place::traded(4, 300);
    let before = dump(&place.dir);
    place.raw().execute_batch("DROP TABLE trades; PRAGMA user_version = 77").unwrap();
    let caught_up = projector::catch_up(&place.dir).unwrap();
    assert_eq!(caught_up.outdated.len(), 2);
    assert_same(&dump(&place.dir), &before, "of another version");
}

#[test]
fn a_file_that_holds_no_tables_keeps_nobody_from_recording() {
    let place = Place::traded(4, 10);
    place.delete_tables();
    std::fs::write(place.dir.join("projections.db"), "these are not tables, whatever the name says\n".repeat(100))
        .unwrap();
    let journal = place.open();
    let seq = journal.append(Trading::new(9).drafts(5)).unwrap().head.seq;
    assert!(journal.wait_until(seq, std::time::Duration::from_millis(100)).is_err());
    let status = journal.status().unwrap();
    assert!(matches!(status.role, Some(Role::Idle(why)) if why.contains("run tradefold rebuild")));
    drop(journal);
    let refused = Journal::read(&place.dir);
    assert!(matches!(refused, Err(JournalError::Project(ProjectError::Tables(TablesError::Damaged { .. })))));
}

#[test]
fn damaged_fold_state_is_told_and_commits_nothing() {
    let place = Place::traded(4, 300);
    let before = dump(&place.dir);
    place.edit("UPDATE fold_state SET value = x'ff' WHERE drawer = 'accounts'");
    let journal = place.open();
    let seq = journal.append(Trading::new(9).drafts(40)).unwrap().head.seq;
    let error = journal.wait_until(seq, std::time::Duration::from_millis(300)).unwrap_err();
    assert!(error.to_string().contains("fold state of ledger is damaged in `accounts`"), "{error}");
    drop(journal);
    let after = dump(&place.dir);
    assert_eq!(after["trades"], before["trades"]);
    assert_ne!(after["market_data"], before["market_data"]);
    tradefold::rebuild::rebuild(&place.dir, Some(&["trades"]), None, None, &mut |_, _| {}).unwrap();
    assert!(place.open().wait_until(seq, LONG).is_ok());
}

#[test]
fn the_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let journal = place.open();
    journal.wait_until(0, LONG).unwrap();
    for entry in std::fs::read_dir(&place.dir).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}
