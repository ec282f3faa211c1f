//! Tables that a hand or a disk changed: what is said of each kind of damage, and by whom.

use projections::cell::Cell;
use tradefold::as_of::tables_as_of;
use tradefold::log::Reader;
use tradefold::projector::{self, ProjectError};
use tradefold::rebuild::{RebuildError, rebuild, verify_tables};
use tradefold::tables::{Differences, Problem, TablesError};

use super::events::Trading;
use super::past::close;
use super::support::{LONG, Place, assert_same, dump, dump_of, open_at};

fn verified(place: &Place) -> Differences {
    verify_tables(&place.dir, &mut |_, _| {}).unwrap().differences
}

/// What is found after an edit: table, key and problem of each finding.
fn found_after(edit: &str) -> Vec<(&'static str, Vec<Cell>, Problem)> {
    let place = Place::traded(8, 200);
    assert!(verified(&place).is_empty());
    place.edit(edit);
    let found = verified(&place);
    assert_eq!(found.total, found.kept.len() as u64);
    let key = |key: Vec<(_, Cell)>| key.into_iter().map(|(_, cell)| cell).collect();
    found.kept.into_iter().map(|finding| (finding.table, key(finding.key), finding.problem)).collect()
}

#[test]
fn each_kind_of_edit_is_told_from_the_others() {
    let cell = found_after("UPDATE fills SET fees = 0.125 WHERE fill_id = 'f2'");
    let differs = Problem::Differs { column: "fees", live: Cell::Real(0.125), replayed: Cell::Real(2.25) };
    assert_eq!(cell, [("fills", vec!["f2".into()], differs)]);
    let deleted = found_after("DELETE FROM fills WHERE fill_id = 'f2'");
    assert_eq!(deleted, [("fills", vec!["f2".into()], Problem::Missing)]);
    let added = found_after("INSERT INTO rule_breaks (rule_break_id, first_seq, last_seq) VALUES (4242, 1, 1)");
    assert_eq!(added, [("rule_breaks", vec![4242.into()], Problem::Extra)]);
    for edit in ["SET digest = zeroblob(32)", "SET rows = rows + 1"] {
        let digest = found_after(&format!("UPDATE table_digests {edit} WHERE name = 'notes'"));
        assert_eq!(digest, [("notes", vec![], Problem::Digest)]);
    }
    // Where the fold goes on from is no table's: no row is wrong yet.
    assert_eq!(found_after("UPDATE fold_state SET value = x'ff' WHERE drawer = 'accounts'"), []);
}

/// 300 events, with snapshots that keep much of the past.
fn with_past() -> Place {
    let place = Place::new();
    let journal = open_at(&place.dir, close(16, 40, 64)).unwrap();
    let seq = journal.append(Trading::new(8).drafts(300)).unwrap().head.seq;
    journal.wait_until(seq, LONG).unwrap();
    drop(journal);
    place
}

fn rebuilt_until(place: &Place, position: u64) -> Result<(), RebuildError> {
    rebuild(&place.dir, None, Some(position), Some(&place.dir.join("then")), &mut |_, _| {}).map(drop)
}

#[track_caller]
fn assert_refused(place: &Place, table: &str) {
    match rebuilt_until(place, 90) {
        Err(RebuildError::Project(ProjectError::Tables(TablesError::Damaged { detail, .. }))) => {
            assert_eq!(detail, format!("the rows of {table} are not those that were folded"));
        }
        other => panic!("{other:?}"),
    }
    assert!(!place.dir.join("then/projections.db").exists());
    // The present is what it was, and the present alone is compared.
    rebuild(&place.dir, None, None, None, &mut |_, _| {}).unwrap();
    rebuilt_until(place, 90).unwrap();
}

#[test]
fn an_edited_past_is_never_copied_out_as_if_it_were_right() {
    let place = with_past();
    rebuilt_until(&place, 90).unwrap();
    std::fs::remove_dir_all(place.dir.join("then")).unwrap();
    // Another row's value under the same key, so that it can be read: fills that a correction changed later.
    place.edit(
        "UPDATE past_rows SET value = (SELECT other.value FROM past_rows AS other \
         WHERE other.name = 'trades' AND other.key <> past_rows.key ORDER BY other.key LIMIT 1) WHERE name = 'trades'",
    );
    assert!(verified(&place).is_empty());
    assert_refused(&place, "trades");
}

#[test]
fn an_edited_row_that_still_stands_is_not_copied_out_either() {
    let place = with_past();
    place.edit("UPDATE fills SET fees = 0.125 WHERE last_seq < 40");
    assert_refused(&place, "fills");
}

#[test]
fn a_value_of_the_past_that_cannot_be_read_is_an_error() {
    let place = with_past();
    place.edit("UPDATE past_rows SET value = x'ff'");
    let reader = Reader::open(&place.dir).unwrap();
    let error = tables_as_of(&reader, 90, &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("the fold state of ledger is damaged in `past_rows`"), "{error}");
    // What needs nothing of it is read.
    assert_same(&dump_of(&tables_as_of(&reader, 300, &mut |_, _| {}).unwrap()), &dump(&place.dir), "the head");
}

#[test]
fn a_value_of_fold_state_that_cannot_be_read_stops_who_needs_it_until_it_is_folded_again() {
    let place = with_past();
    place.edit("UPDATE fold_state SET value = x'ff' WHERE drawer = 'accounts'");
    let journal = open_at(&place.dir, close(16, 40, 64)).unwrap();
    journal.append(Trading::new(9).drafts(60)).unwrap();
    drop(journal);
    let error = projector::catch_up(&place.dir).unwrap_err();
    let is_told =
        matches!(&error, ProjectError::Tables(TablesError::State { projection: "ledger", drawer: "accounts" }));
    assert!(is_told, "{error}");
    rebuild(&place.dir, Some(&["trades"]), None, None, &mut |_, _| {}).unwrap();
    assert!(projector::catch_up(&place.dir).unwrap().is_complete());
    assert!(verified(&place).is_empty());
}
