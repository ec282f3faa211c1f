//! Owns the folds' view of `fold_state`: a [`Shelf`] over one projection's part of it, with what the last flush
//! changed laid over it where that may not be written yet. Reads only; what the folds change comes back from their
//! flush and is written together with the rows.

use std::cell::RefCell;

use projections::drawer::{Entries, Shelf};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::TablesError;
use super::known::Known;
use super::pending::{self, Pending};
use super::turns::Turns;

const GET: &str = "SELECT value FROM fold_state WHERE projection = ?1 AND drawer = ?2 AND key = ?3";
const SCAN: &str = "SELECT key, value FROM fold_state WHERE projection = ?1 AND drawer = ?2 AND key >= ?3 AND key < ?4 \
     ORDER BY key";
const SCAN_BACK: &str = "SELECT key, value FROM fold_state WHERE projection = ?1 AND drawer = ?2 AND key >= ?3 \
     AND key < ?4 ORDER BY key DESC";

/// What one projection remembers.
pub(crate) struct SqlShelf<'c> {
    source: Source<'c>,
    projection: &'static str,
    /// What the last flush changed.
    pending: &'c Pending,
    /// Which keys were ever written, where that is known.
    known: Option<&'c Known>,
    /// The first thing that went wrong: folds cannot fail, so whoever commits must look.
    failure: RefCell<Option<TablesError>>,
}

/// The connection that is asked.
enum Source<'c> {
    Own(&'c Connection),
    Shared(&'c Turns<Connection>),
}

static NOTHING_PENDING: Pending = Pending::nothing();

impl<'c> SqlShelf<'c> {
    /// Of tables that others use as well.
    pub(super) fn shared(
        conn: &'c Turns<Connection>,
        projection: &'static str,
        pending: Option<&'c Pending>,
        known: Option<&'c Known>,
    ) -> Self {
        let (source, pending) = (Source::Shared(conn), pending.unwrap_or(&NOTHING_PENDING));
        Self { source, projection, pending, known, failure: RefCell::new(None) }
    }

    /// Asks what a projection remembers, in tables that nobody is folding into.
    pub(crate) fn ask<T>(
        conn: &'c Connection,
        projection: &'static str,
        question: impl FnOnce(&Self) -> T,
    ) -> Result<T, TablesError> {
        let (source, pending, failure) = (Source::Own(conn), &NOTHING_PENDING, RefCell::new(None));
        let shelf = Self { source, projection, pending, known: None, failure };
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

    fn look<T>(&self, look: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        match self.source {
            Source::Own(conn) => look(conn),
            Source::Shared(conn) => look(&conn.enter()),
        }
    }

    fn find(&self, drawer: &str, key: &[u8]) -> rusqlite::Result<Option<Vec<u8>>> {
        if let Some(value) = self.pending.get(drawer, key) {
            return Ok(value.map(<[u8]>::to_vec));
        }
        if self.known.is_some_and(|known| !known.may_have(self.projection, drawer, key)) {
            return Ok(None);
        }
        self.look(|conn| {
            let mut statement = conn.prepare_cached(GET)?;
            statement.query_row(params![self.projection, drawer, key], |row| row.get(0)).optional()
        })
    }

    fn range(&self, sql: &str, drawer: &str, from: &[u8], to: &[u8], limit: usize) -> rusqlite::Result<Entries> {
        self.look(|conn| {
            let mut statement = conn.prepare_cached(sql)?;
            // Not by LIMIT: its planner looks at the number, and prepares the statement anew for every other one.
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            statement.query_map(params![self.projection, drawer, from, to], read)?.take(limit).collect()
        })
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
        let changes = self.pending.range(drawer, from, to);
        // Each change can hide one entry of the stored.
        let stored = self.range(sql, drawer, from, to, limit.saturating_add(changes.len()));
        stored.map(|stored| pending::merge(stored, changes, limit, descending)).unwrap_or_else(|error| {
            self.keep(error.into());
            Entries::new()
        })
    }

    fn damaged(&self, drawer: &'static str, _key: &[u8]) {
        self.keep(TablesError::State { projection: self.projection, drawer });
    }
}
