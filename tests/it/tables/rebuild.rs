//! Replaying: into the live tables' place, into a folder, and to find out what differs.

use std::fs;

use projections::cell::Cell;
use tradefold::projector;
use tradefold::rebuild::{RebuildError, Swap, rebuild, rebuild_comparing, roll_back, verify_tables};
use tradefold::tables::{Differences, Problem, Tables};

use super::events::Trading;
use super::support::{LONG, Place, assert_same, dump};

fn verified(place: &Place) -> Differences {
    verify_tables(&place.dir, &mut |_, _| {}).unwrap().differences
}

fn edited() -> Place {
    let place = Place::traded(8, 300);
    place.edit("UPDATE trades SET pl_amount_net = 1e6 WHERE trade_id = 't3'");
    place.edit("DELETE FROM fills WHERE fill_id = 'f2'");
    place.edit("INSERT INTO rule_breaks (rule_break_id, first_seq, last_seq) VALUES (4242, 1, 1)");
    place
}

#[test]
fn hand_edits_are_named_and_replayed_away() {
    let clean = dump(&Place::traded(8, 300).dir);
    let place = edited();
    let found = verified(&place);
    assert_eq!(found.total, 3);
    let told: Vec<_> = found.kept.iter().map(|finding| (finding.table, &finding.key[..], &finding.problem)).collect();
    let (table, key, problem) = told[0];
    assert_eq!((table, key), ("trades", &[("trade_id", Cell::from("t3"))][..]));
    assert!(matches!(
        problem,
        Problem::Differs { column: "pl_amount_net", live: Cell::Real(1e6), replayed: Cell::Real(_) }
    ));
    assert_eq!(told[1], ("fills", &[("fill_id", Cell::from("f2"))][..], &Problem::Missing));
    assert_eq!(told[2], ("rule_breaks", &[("rule_break_id", Cell::Int(4242))][..], &Problem::Extra));
    let compare = |swap| rebuild_comparing(&place.dir, Some(&["fills"]), swap, &mut |_, _| {}).unwrap();
    for swap in [Swap::Never, Swap::IfEqual] {
        let left = compare(swap);
        assert_eq!((left.differences.unwrap().kept, left.generation), (found.kept.clone(), None));
        assert_eq!(verified(&place).total, 3);
    }
    let replaced = compare(Swap::Always);
    assert_eq!((replaced.differences.unwrap().kept, replaced.generation), (found.kept, Some(2)));
    assert!(verified(&place).is_empty());
    assert_same(&dump(&place.dir), &clean, "rebuilt");
}

#[test]
fn a_rebuilt_table_is_its_projections_and_no_others() {
    let place = edited();
    rebuild(&place.dir, Some(&["market_data"]), None, None, &mut |_, _| {}).unwrap();
    assert_eq!(verified(&place).total, 3);
    let unknown = rebuild(&place.dir, Some(&["trade"]), None, None, &mut |_, _| {});
    assert!(matches!(unknown, Err(RebuildError::UnknownTable { name }) if name == "trade"));
}

#[test]
fn search_and_folding_go_on_after_a_rebuild() {
    let place = Place::traded(8, 300);
    let found = |place: &Place| -> (i64, i64) {
        let conn = Tables::read_only(&place.dir).unwrap();
        let count = |sql: &str| conn.query_row(sql, (), |row| row.get(0)).unwrap();
        (
            count("SELECT count(*) FROM trades_search WHERE trades_search MATCH 'plan'"),
            count("SELECT count(*) FROM notes_search WHERE notes_search MATCH 'note'"),
        )
    };
    let before = found(&place);
    assert!(before.0 > 0 && before.1 > 0);
    rebuild(&place.dir, None, None, None, &mut |_, _| {}).unwrap();
    assert_eq!(found(&place), before);
    let indexes = |place: &Place| -> i64 {
        place
            .raw()
            .query_row("SELECT count(*) FROM sqlite_schema WHERE type IN ('index', 'trigger')", (), |row| row.get(0))
            .unwrap()
    };
    let with_indexes = indexes(&place);
    place.record(&mut Trading::new(9), 300);
    assert!(verified(&place).is_empty());
    let live = (dump(&place.dir), found(&place));
    assert_same(&live.0, &place.replayed(), "rebuilt, gone on, replayed");
    assert_eq!((live.1, with_indexes), (found(&place), indexes(&place)));
}

#[test]
fn tables_as_of_a_position_go_into_a_folder() {
    let (place, mut trading) = (Place::new(), Trading::new(8));
    place.record(&mut trading, 200);
    let then = dump(&place.dir);
    place.record(&mut trading, 200);
    let into = place.dir.join("as/of/then");
    let mut told = Vec::new();
    let rebuilt =
        rebuild(&place.dir, None, Some(200), Some(&into), &mut |done, total| told.push((done, total))).unwrap();
    assert!(rebuilt.projections.iter().all(|state| state.cursor.position == 200));
    assert_eq!((told[0], told[told.len() - 1]), ((0, 200), (200, 200)));
    assert_same(&dump(&into), &then, "as of then");
    // Over what is there, leftovers included; one file is all there is.
    fs::write(into.join(".projections.db.rebuild"), "left behind").unwrap();
    rebuild(&place.dir, Some(&["market_data"]), None, Some(&into), &mut |_, _| {}).unwrap();
    let names: Vec<_> = fs::read_dir(&into).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["projections.db"]);
    assert!(Tables::read_only(&into).unwrap().prepare("SELECT * FROM trades").is_err());
    let refused = rebuild(&place.dir, None, None, Some(&place.dir), &mut |_, _| {});
    assert!(matches!(refused, Err(RebuildError::IntoJournal { .. })));
}

#[test]
fn tables_that_nobody_can_read_are_replaced() {
    let place = Place::traded(8, 300);
    let before = dump(&place.dir);
    place.delete_tables();
    fs::write(place.dir.join("projections.db"), vec![b'x'; 8192]).unwrap();
    rebuild(&place.dir, Some(&["trades"]), None, None, &mut |_, _| {}).unwrap();
    assert!(projector::catch_up(&place.dir).unwrap().is_complete());
    assert_same(&dump(&place.dir), &before, "replaced");
}

#[test]
fn whoever_keeps_the_tables_goes_on_in_the_next_generation() {
    let (place, mut trading) = (Place::traded(8, 300), Trading::new(9));
    let journal = place.open();
    let seq = journal.append(trading.drafts(50)).unwrap().head.seq;
    journal.wait_until(seq, LONG).unwrap();
    place.edit("UPDATE trades SET pl_amount_net = 1e6 WHERE trade_id = 't3'");
    let rebuilt = rebuild(&place.dir, None, None, None, &mut |_, _| {}).unwrap();
    assert_eq!((rebuilt.generation, rebuilt.projections[0].cursor.position), (Some(2), seq));
    let seq = journal.append(trading.drafts(50)).unwrap().head.seq;
    journal.wait_until(seq, LONG).unwrap();
    drop(journal);
    assert!(verified(&place).is_empty());
    let live = dump(&place.dir);
    assert_same(&live, &place.replayed(), "rebuilt beside who projects, and gone on");
}

#[test]
fn what_a_rebuild_replaced_comes_back_and_catches_up() {
    let (place, mut trading) = (Place::new(), Trading::new(8));
    assert!(matches!(roll_back(&place.dir, &mut |_, _| {}), Err(RebuildError::NothingKept { .. })));
    place.record(&mut trading, 200);
    place.edit("UPDATE trades SET notes = 'mine' WHERE trade_id = 't1'");
    rebuild(&place.dir, None, None, None, &mut |_, _| {}).unwrap();
    place.record(&mut trading, 100);
    let back = roll_back(&place.dir, &mut |_, _| {}).unwrap();
    assert_eq!((back.generation, back.projections[0].cursor.position), (Some(3), 300));
    // With what was wrong in them, as they were.
    assert_eq!(verified(&place).total, 1);
    place.record(&mut trading, 100);
    assert_eq!(verified(&place).total, 1);
    // And back again: a rollback keeps what it replaces.
    roll_back(&place.dir, &mut |_, _| {}).unwrap();
    assert!(verified(&place).is_empty());
    let live = dump(&place.dir);
    assert_same(&live, &place.replayed(), "rolled back twice");
}
