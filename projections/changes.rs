//! Owns what a fold hands to the world: rows to write and keys to delete, by table, the last change of a
//! key winning.

use std::collections::BTreeMap;

use crate::cell::{Cell, Row, Table};

/// Tables in memory, rows by key: for tests, and replays that leave nothing behind.
pub type MemoryTables = BTreeMap<&'static str, BTreeMap<Vec<Cell>, Row>>;

/// A change of one row: its key and, unless it was deleted, the row.
pub type Change = (Vec<Cell>, Option<Row>);

/// The changes of one flush.
#[derive(Debug, Default)]
pub struct Rows {
    tables: Vec<Changes>,
}

/// Those of one table.
#[derive(Debug)]
struct Changes {
    table: &'static Table,
    /// Where a row has its key.
    key: Vec<usize>,
    /// In the order they were made; sorted once, when they are asked for.
    made: Vec<Change>,
}

impl Changes {
    fn of(table: &'static Table) -> Self {
        let key = table.key.iter().filter_map(|column| table.position(column)).collect();
        Self { table, key, made: Vec::new() }
    }

    /// Of changes of the same key the last, in the order of keys.
    fn last(self) -> Vec<Change> {
        let mut changes = self.made;
        // Stable, and quick where they come in order, as those of history tables do.
        changes.sort_by(|(one, _), (other, _)| one.cmp(other));
        changes.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        changes
    }
}

impl Rows {
    /// Writes a row over the one with the same key.
    pub fn put(&mut self, table: &'static Table, row: Row) {
        debug_assert_eq!(row.len(), table.columns.len() + 2, "{} has another number of columns", table.name);
        let changes = self.of(table);
        let key = changes.key.iter().map(|at| row[*at].clone()).collect();
        changes.made.push((key, Some(row)));
    }

    /// Deletes the row with this key, if there is one.
    pub fn delete(&mut self, table: &'static Table, key: Vec<Cell>) {
        self.of(table).made.push((key, None));
    }

    fn of(&mut self, table: &'static Table) -> &mut Changes {
        let known = self.tables.iter().position(|changes| std::ptr::eq(changes.table, table));
        let at = known.unwrap_or_else(|| {
            self.tables.push(Changes::of(table));
            self.tables.len() - 1
        });
        &mut self.tables[at]
    }

    /// The keys of all rows that are written or deleted, by table, in the order of keys.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static Table, Vec<Vec<Cell>>)> {
        let keys = |changes: &Changes| {
            let mut keys: Vec<Vec<Cell>> = changes.made.iter().map(|(key, _)| key.clone()).collect();
            keys.sort();
            keys.dedup();
            keys
        };
        self.tables.iter().map(|changes| (changes.table, keys(changes))).collect()
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

    /// The changes by table, each with its key and, unless it was deleted, its row; in the order of keys.
    #[must_use]
    pub fn into_tables(self) -> BTreeMap<&'static str, Vec<Change>> {
        self.tables.into_iter().map(|changes| (changes.table.name, changes.last())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes;

    #[test]
    fn of_changes_of_a_key_the_last_counts_and_keys_are_in_order() {
        let mut rows = Rows::default();
        let note = |id: i64, text: &str| {
            let mut row = vec![Cell::Null; notes::TABLE.columns.len() + 2];
            (row[0], row[1]) = (Cell::Int(id), text.into());
            row
        };
        rows.put(&notes::TABLE, note(3, "a"));
        rows.put(&notes::TABLE, note(2, "b"));
        rows.delete(&notes::TABLE, vec![Cell::Int(3)]);
        rows.put(&notes::TABLE, note(1, "c"));
        rows.put(&notes::TABLE, note(2, "d"));
        let expected = [(1, Some(note(1, "c"))), (2, Some(note(2, "d"))), (3, None)];
        let expected: Vec<Change> = expected.into_iter().map(|(id, row)| (vec![Cell::Int(id)], row)).collect();
        assert_eq!(rows.into_tables(), BTreeMap::from([(notes::TABLE.name, expected)]));
    }
}
