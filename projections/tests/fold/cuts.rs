//! Live, restarted and cold: the same tables to the last byte, first_seq and last_seq included.

use std::collections::BTreeMap;

use projections::cell::Cell;

use crate::fixtures;
use crate::runner::{Tables, fold, fold_watching};

/// A small generator of cuts, so that each run of the test cuts at the same places.
fn cut(seed: u64, seq: u64) -> bool {
    let mixed = (seq ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xD134_2543_DE82_EF95);
    (mixed >> 61) == 0
}

#[test]
fn cuts_and_restarts_change_nothing() {
    for (name, events) in fixtures::streams() {
        let cold = fold(&events, |_| false);
        assert_eq!(fold(&events, |_| true), cold, "{name}: a restart after every event");
        for seed in 0..8 {
            assert_eq!(fold(&events, |seq| cut(seed, seq)), cold, "{name}: restarts of seed {seed}");
        }
    }
}

#[test]
fn whatever_changes_a_row_moves_its_last_seq() {
    for (name, events) in fixtures::streams() {
        let mut before = Tables::new();
        fold_watching(&events, |seq, tables| {
            for (table, rows) in tables {
                let known = before.entry(table).or_default();
                for (key, row) in rows {
                    let stamp = row.last().and_then(Cell::as_seq);
                    assert!(
                        known.get(key) == Some(row) || stamp == Some(seq),
                        "{name}: event {seq} changed {table} {key:?} to {row:?}"
                    );
                }
                known.clone_from(rows);
            }
        });
    }
}

#[test]
fn gross_sums_agree_and_closed_fees_tie() {
    for (name, events) in fixtures::streams() {
        let tables = fold(&events, |_| false);
        let sum = |table: &str, column: &str, keep: &dyn Fn(&[Cell]) -> bool| -> f64 {
            let about = projections::projection::table(table).expect(table);
            let at = about.position(column).expect(column);
            let rows = tables.get(table).into_iter().flat_map(BTreeMap::values).filter(|row| keep(row));
            rows.map(|row| if let Cell::Real(value) = row[at] { value } else { 0.0 }).sum()
        };
        let status = projections::trades::TABLE.position("status").expect("a column");
        let counted = |row: &[Cell]| row[status] != Cell::from("voided");
        let gross = sum("trades", "pl_amount_gross", &counted);
        assert!((sum("round_trips", "pl_gross", &|_| true) - gross).abs() < 1e-6, "{name}: round trips");
        assert!((sum("daily_pnl", "pl_gross", &|_| true) - gross).abs() < 1e-6, "{name}: days");
        let fees = sum("trades", "fees_paid", &counted);
        assert!((sum("daily_pnl", "fees", &|_| true) - fees).abs() < 1e-6, "{name}: fees of days");
    }
}
