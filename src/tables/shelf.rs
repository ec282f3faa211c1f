//! Owns the folds' view of `fold_state`: a [`Shelf`] over one projection's part of it. Reads only; what the
//! folds change comes back from their flush and is written together with the rows.

use std::cell::RefCell;

use projections::drawer::{Entries, Shelf};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::TablesError;

const GET: &str = "SELECT value FROM fold_state WHERE projection = ?1 AND drawer = ?2 AND key = ?3";
const SCAN: &str = "SELECT key, value FROM fold_state WHERE projection = ?1 AND drawer = ?2 AND key >= ?3 AND key < ?4 \
     ORDER BY key";
const SCAN_BACK: &str = "SELECT key, value FROM fold_state WHERE projection = ?1 AND drawer = ?2 AND key >= ?3 \
     AND key < ?4 ORDER BY key DESC";

/// What one projection remembers, as committed.
pub(crate) struct SqlShelf<'c> {
    conn: &'c Connection,
    projection: &'static str,
    /// The first thing that went wrong: folds cannot fail, so whoever commits must look.
    failure: RefCell<Option<TablesError>>,
}

impl<'c> SqlShelf<'c> {
    pub(crate) fn new(conn: &'c Connection, projection: &'static str) -> Self {
        Self { conn, projection, failure: RefCell::new(None) }
    }

    /// Asks what a projection remembers, in tables that nobody is folding into.
    pub(crate) fn ask<T>(
        conn: &'c Connection,
        projection: &'static str,
        question: impl FnOnce(&Self) -> T,
    ) -> Result<T, TablesError> {
        let shelf = Self::new(conn, projection);
        let answer = question(&shelf);
        shelf.finish()?;
        Ok(answer)
    }

    /// Whether something could not be answered.
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.borrow().is_some()
    }

    /// Whether everything that was asked could be answered. What was folded after a failure is wrong.
    pub(crate) fn finish(self) -> Result<(), TablesError> {
        self.failure.into_inner().map_or(Ok(()), Err)
    }

    fn keep(&self, failure: TablesError) {
        self.failure.borrow_mut().get_or_insert(failure);
    }

    fn find(&self, drawer: &str, key: &[u8]) -> rusqlite::Result<Option<Vec<u8>>> {
        let mut statement = self.conn.prepare_cached(GET)?;
        statement.query_row(params![self.projection, drawer, key], |row| row.get(0)).optional()
    }

    fn range(&self, sql: &str, drawer: &str, from: &[u8], to: &[u8], limit: usize) -> rusqlite::Result<Entries> {
        let mut statement = self.conn.prepare_cached(sql)?;
        // Not by LIMIT: its planner looks at the number, and prepares the statement anew for every other one.
        let rows =
            statement.query_map(params![self.projection, drawer, from, to], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.take(limit).collect()
    }
}

impl Shelf for SqlShelf<'_> {
    fn get(&self, drawer: &'static str, key: &[u8]) -> Option<Vec<u8>> {
        self.find(drawer, key).unwrap_or_else(|error| {
            self.keep(error.into());
            None
        })
    }

    fn scan(&self, drawer: &'static str, from: &[u8], to: &[u8], limit: usize, descending: bool) -> Entries {
        let sql = if descending { SCAN_BACK } else { SCAN };
        self.range(sql, drawer, from, to, limit).unwrap_or_else(|error| {
            self.keep(error.into());
            Entries::new()
        })
    }

    fn damaged(&self, drawer: &'static str, _key: &[u8]) {
        self.keep(TablesError::State { projection: self.projection, drawer });
    }
}
