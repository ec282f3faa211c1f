//! Where pages end, and whether the fold is a new one after it, changes no row. Folded in memory, so that each
//! cut is where the test puts it, and not where the threads happened to be.

use std::collections::BTreeMap;

use projections::cell::{Cell, Row};
use projections::draft::{Draft, Stored};
use projections::drawer::MemoryShelf;
use projections::event::Event;
use projections::moment::Moment;
use projections::projection::{About, PROJECTIONS};
use projections::upcast;

use super::converge::seeds;
use super::events::{Dice, Trading};

/// What happens after an event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    None,
    /// A page ends.
    Flush,
    /// A page ends, and so does the process.
    Restart,
}

type Tables = BTreeMap<(&'static str, Vec<Cell>), Row>;

fn event(draft: Draft, seq: u64) -> Event {
    let stored = Stored {
        seq,
        id: draft.id.unwrap(),
        stream: String::new(),
        stream_version: seq,
        kind: draft.kind,
        schema_version: draft.schema_version,
        occurred_at: draft.occurred_at,
        recorded_at: Moment(0),
        data: draft.data,
        meta: None,
        hash: [0; 32],
    };
    upcast::decode(&stored).unwrap()
}

fn fold(about: &About, events: &[Event], mut cut: impl FnMut() -> Cut) -> Tables {
    let (mut projection, mut shelf, mut tables) = ((about.new)(), MemoryShelf::default(), Tables::new());
    for (index, event) in events.iter().enumerate() {
        projection.apply(&shelf, event);
        let cut = cut();
        if cut == Cut::None && index + 1 < events.len() {
            continue;
        }
        let (rows, state) = projection.flush(&shelf);
        shelf.keep(state);
        for (table, changes) in rows.into_tables() {
            for (key, row) in changes {
                match row {
                    Some(row) => tables.insert((table, key), row),
                    None => tables.remove(&(table, key)),
                };
            }
        }
        if cut == Cut::Restart {
            projection = (about.new)();
        }
    }
    tables
}

#[track_caller]
fn assert_same(got: &Tables, cold: &Tables, what: &str) {
    for (key, row) in cold {
        assert_eq!(got.get(key), Some(row), "{what}: {key:?}");
    }
    assert_eq!(got.len(), cold.len(), "{what}: rows");
}

#[test]
fn pages_and_restarts_change_no_row() {
    for seed in seeds() {
        let mut trading = Trading::new(seed);
        let events: Vec<Event> = (1..=400).map(|seq| event(trading.draft(), seq)).collect();
        for about in PROJECTIONS {
            let cold = fold(about, &events, || Cut::None);
            assert_same(&fold(about, &events, || Cut::Flush), &cold, &format!("seed {seed}, a page an event"));
            assert_same(&fold(about, &events, || Cut::Restart), &cold, &format!("seed {seed}, a restart an event"));
            let mut dice = Dice::new(seed);
            let random = || [Cut::Flush, Cut::Restart, Cut::None, Cut::None, Cut::None][dice.below(5) as usize];
            assert_same(&fold(about, &events, random), &cold, &format!("seed {seed}, random cuts"));
        }
    }
}
