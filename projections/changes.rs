//! Owns what a fold hands to the world: rows to write and keys to delete, by table, the last change of a
//! key winning.

use std::collections::BTreeMap;

use crate::cell::{Cell, Row, Table};

/// Tables in memory, rows by key: for tests, and replays that leave nothing behind.
pub type MemoryTables = BTreeMap<&'static str, BTreeMap<Vec<Cell>, Row>>;

/// A change of one row: its key and, unless it was deleted, the row.
type Change = (Vec<Cell>, Option<Row>);

/// The changes of one flush.
#[derive(Debug, Default)]
pub struct Rows {
    /// In the order they were made; sorted once, when they are asked for.
    tables: BTreeMap<&'static str, Vec<Change>>,
}

impl Rows {
    /// Writes a row over the one with the same key.
    pub fn put(&mut self, table: &'static Table, row: Row) {
        debug_assert_eq!(row.len(), table.columns.len() + 2, "{} has another number of columns", table.name);
        let key = table.key.iter().filter_map(|column| table.position(column)).map(|at| row[at].clone()).collect();
        self.tables.entry(table.name).or_default().push((key, Some(row)));
    }

    /// Deletes the row with this key, if there is one.
    pub fn delete(&mut self, table: &'static Table, key: Vec<Cell>) {
        self.tables.entry(table.name).or_default().push((key, None));
    }

    /// Carries the changes out in memory.
    pub fn apply_to(self, tables: &mut MemoryTables) {
        for (table, changes) in self.into_tables() {
            let kept = tables.entry(table).or_default();
            for (key, row) in changes {
                match row {
                    Some(row) => kept.insert(key, row),
                    None => kept.remove(&key),
                };
            }
        }
    }

    /// The changes by table, each with its key and, unless it was deleted, its row.
    #[must_use]
    pub fn into_tables(self) -> BTreeMap<&'static str, BTreeMap<Vec<Cell>, Option<Row>>> {
        // Of equal keys a map collects the last.
        self.tables.into_iter().map(|(table, changes)| (table, changes.into_iter().collect())).collect()
    }
}
