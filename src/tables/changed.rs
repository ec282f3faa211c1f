//! Owns which rows changed, for who follows tables: the keys of what the latest commits of this process wrote or deleted,
//! as many as fit in a bounded memory; and, beyond those, how the present differs from tables as of then. Only keys:
//! what became of a row is read where it stands. No index on `last_seq` is kept for this, which every row written would
//! pay for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use projections::cell::{Cell, Table};
use projections::projection::About;
use rusqlite::{Connection, params};

use super::as_of::LIVE;
use super::error::TablesError;
use super::rows::cell;
use crate::log::{signed, unsigned};

/// How many keys are kept of each projection.
const KEYS_MAX: usize = 50_000;

/// A row's key.
pub type Key = Vec<Cell>;

/// Tables, each with keys of rows in it.
type Keys = Vec<(&'static Table, Vec<Key>)>;

/// The keys of what was changed lately.
#[derive(Debug, Default)]
pub struct Changed {
    is_wanted: AtomicBool,
    of: Mutex<BTreeMap<&'static str, Ring>>,
}

/// One projection's latest commits, oldest first, without a gap.
#[derive(Debug, Default)]
struct Ring {
    /// All that was changed after this position is here.
    since: u64,
    /// Up to this one.
    through: u64,
    commits: VecDeque<Commit>,
    keys: usize,
}

#[derive(Debug)]
struct Commit {
    from: u64,
    to: u64,
    tables: Keys,
    keys: usize,
}

impl Changed {
    /// Begins to keep keys.
    pub(crate) fn begin(&self) {
        self.is_wanted.store(true, Ordering::Relaxed);
    }

    fn rings(&self) -> MutexGuard<'_, BTreeMap<&'static str, Ring>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a commit that is about to be made. If it is not made after all, a few keys too many are kept.
    pub(super) fn note(&self, about: &About, from: u64, to: u64, tables: impl FnOnce() -> Keys) {
        if !self.is_wanted.load(Ordering::Relaxed) {
            return;
        }
        let tables = tables();
        let keys = tables.iter().map(|(_, keys)| keys.len()).sum();
        self.rings().entry(about.name).or_default().push(Commit { from, to, tables, keys });
    }

    /// How far a step of at most some `keys_max` keys goes from a position towards another; `None` where it isn't known any
    /// more, or not yet, what was changed after the first one.
    #[must_use]
    pub fn reach(&self, about: &About, after: u64, through: u64, keys_max: usize) -> Option<u64> {
        let rings = self.rings();
        let ring = rings.get(about.name).filter(|ring| ring.since <= after && through <= ring.through)?;
        let mut keys = 0;
        for commit in ring.commits.iter().filter(|commit| commit.to > after) {
            keys += commit.keys;
            if keys >= keys_max {
                return Some(commit.to.min(through));
            }
        }
        Some(through)
    }

    /// The keys of rows that were changed after one position and up to another, and perhaps of others.
    #[must_use]
    pub fn keys(&self, about: &About, after: u64, through: u64, wanted: &[&'static Table]) -> Keys {
        let mut found: BTreeMap<&'static str, (&'static Table, Vec<Key>)> = BTreeMap::new();
        if let Some(ring) = self.rings().get(about.name) {
            // A commit that reaches beyond has some of its rows before.
            let within = ring.commits.iter().filter(|commit| commit.to > after && commit.from < through);
            for (table, keys) in within.flat_map(|commit| &commit.tables) {
                if wanted.iter().any(|wanted| wanted.name == table.name) {
                    found.entry(table.name).or_insert((table, Vec::new())).1.extend(keys.iter().cloned());
                }
            }
        }
        let once = |(table, mut keys): (&'static Table, Vec<Key>)| {
            keys.sort();
            keys.dedup();
            (table, keys)
        };
        found.into_values().map(once).collect()
    }
}

impl Ring {
    fn push(&mut self, commit: Commit) {
        // Of what another process did meanwhile, or of a new generation, nothing is known here.
        if commit.from != self.through {
            *self = Self { since: commit.from, ..Self::default() };
        }
        self.through = commit.to;
        self.keys += commit.keys;
        self.commits.push_back(commit);
        while self.keys > KEYS_MAX
            && let Some(oldest) = self.commits.pop_front()
        {
            self.keys -= oldest.keys;
            self.since = oldest.to;
        }
    }
}

/// Where tables differ from what they were.
#[derive(Debug)]
pub struct Differing {
    /// Where the tables of each projection are now.
    pub positions: BTreeMap<String, u64>,
    /// Rows that were changed, made or deleted since.
    pub tables: Keys,
}

/// How the live tables differ from those as of a position, by a connection to the latter; `None` where in more than
/// `keys_max` rows, or where they were not made from the live ones.
///
/// # Errors
/// [`TablesError`].
pub fn differing(
    past: &Connection,
    after: u64,
    tables: &[&'static Table],
    keys_max: usize,
) -> Result<Option<Differing>, TablesError> {
    let attached = "SELECT count(*) FROM pragma_database_list WHERE name = ?1";
    if past.query_row(attached, [LIVE], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(None);
    }
    let mut statement = past.prepare(&format!("SELECT name, position FROM {LIVE}.projections"))?;
    let positions = statement.query_map((), |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?;
    let positions = positions.collect::<rusqlite::Result<_>>()?;
    let (mut found, mut left) = (Vec::new(), keys_max);
    for table in tables {
        let Some(keys) = differing_in(past, after, table, left)? else { return Ok(None) };
        left -= keys.len();
        found.push((*table, keys));
    }
    Ok(Some(Differing { positions, tables: found }))
}

fn differing_in(past: &Connection, after: u64, table: &Table, most: usize) -> Result<Option<Vec<Key>>, TablesError> {
    let (name, key) = (table.name, table.key);
    let list = |of: &str| key.iter().map(|column| format!("{of}.\"{column}\"")).collect::<Vec<_>>().join(", ");
    let same =
        key.iter().map(|column| format!("now.\"{column}\" IS was.\"{column}\"")).collect::<Vec<_>>().join(" AND ");
    let sql = format!(
        "SELECT {} FROM {LIVE}.{name} AS now WHERE last_seq > ?1 \
         UNION ALL SELECT {} FROM {name} AS was WHERE NOT EXISTS (SELECT 1 FROM {LIVE}.{name} AS now WHERE {same}) \
         LIMIT ?2",
        list("now"),
        list("was")
    );
    let mut statement = past.prepare(&sql)?;
    let read = |row: &rusqlite::Row<'_>| (0..key.len()).map(|at| Ok(cell(row.get_ref(at)?))).collect();
    let keys = statement.query_map(params![signed(after), signed(most as u64 + 1)], read)?;
    let keys = keys.collect::<rusqlite::Result<Vec<Key>>>()?;
    Ok((keys.len() <= most).then_some(keys))
}

#[cfg(test)]
mod tests {
    use projections::{market_data, notes};

    use super::*;

    fn changed(commits: &[(u64, u64, usize)]) -> Changed {
        let changed = Changed::default();
        changed.begin();
        for (from, to, keys) in commits {
            let keys = (0..*keys).map(|key| vec![Cell::Int(*to as i64 * 1_000_000 + key as i64)]).collect();
            changed.note(&market_data::ABOUT, *from, *to, || vec![(&notes::TABLE, keys)]);
        }
        changed
    }

    fn counted(changed: &Changed, after: u64, through: u64) -> usize {
        let keys = changed.keys(&market_data::ABOUT, after, through, &[&notes::TABLE]);
        keys.iter().map(|(_, keys)| keys.len()).sum()
    }

    #[test]
    fn steps_go_from_commit_to_commit_and_a_cut_commit_is_told_on_both_sides() {
        let changed = changed(&[(0, 10, 3), (10, 30, 3), (30, 31, 3)]);
        let reach = |after, through, most| changed.reach(&market_data::ABOUT, after, through, most);
        assert_eq!((reach(0, 31, 100), reach(0, 31, 1), reach(0, 31, 4)), (Some(31), Some(10), Some(30)));
        assert_eq!((reach(10, 20, 1), reach(0, 32, 100), reach(31, 31, 1)), (Some(20), None, Some(31)));
        assert_eq!((counted(&changed, 0, 10), counted(&changed, 10, 20), counted(&changed, 20, 30)), (3, 3, 3));
        assert_eq!((counted(&changed, 0, 31), counted(&changed, 31, 31)), (9, 0));
    }

    #[test]
    fn what_is_forgotten_or_was_done_elsewhere_is_not_known() {
        let reach = |changed: &Changed, after, through| changed.reach(&market_data::ABOUT, after, through, usize::MAX);
        let full = changed(&[(0, 10, KEYS_MAX), (10, 20, 1)]);
        assert_eq!((reach(&full, 0, 20), reach(&full, 10, 20)), (None, Some(20)));
        let gap = changed(&[(0, 10, 1), (15, 20, 1)]);
        assert_eq!((reach(&gap, 0, 20), reach(&gap, 10, 20), reach(&gap, 15, 20)), (None, None, Some(20)));
    }
}
