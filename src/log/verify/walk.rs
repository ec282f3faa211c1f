//! Owns the walk along the chain: position after position, each hash computed anew. Each event is held
//! against the stored hash of the one before, so that one altered event is one finding, not a thousand.

use rusqlite::Connection;
use uuid::Uuid;

use super::super::chain::{Chain, GENESIS, Hash};
use super::super::error::ReadError;
use super::super::row::{self, COLUMNS};
use super::super::unsigned;
use super::finding::{Fault, Findings, is_damage};

/// How many rows are read before the snapshot is let go and progress is told.
const PAGE: i64 = 1_024;

pub(super) struct Walk<'c> {
    conn: &'c Connection,
    chain: Chain,
    findings: Findings,
    /// The last position read.
    last: i64,
    /// The stored hash there; `None` where it can't be read, and the next event's hash can't be checked.
    previous: Option<Hash>,
    checked: u64,
}

impl<'c> Walk<'c> {
    pub(super) fn new(conn: &'c Connection, journal: Uuid, findings: Findings) -> Self {
        Self { conn, chain: Chain::new(journal), findings, last: 0, previous: Some(GENESIS), checked: 0 }
    }

    pub(super) fn checked(&self) -> u64 {
        self.checked
    }

    pub(super) fn into_findings(self) -> Findings {
        self.findings
    }

    /// Walks the positions after one and through another. From `i64::MIN`, it sees those that shouldn't be too.
    pub(super) fn run(
        &mut self,
        after: i64,
        through: i64,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), ReadError> {
        let total = unsigned(through.saturating_sub(after.max(0)));
        let mut after = after;
        if after >= through {
            return Ok(());
        }
        if after > 0 {
            self.start_at(after)?;
        }
        let mut stride = 1;
        while after < through {
            match self.page(after, through) {
                Ok(true) => (after, stride) = (self.last, 1),
                Ok(false) => break,
                Err(error) if is_damage(&error) => {
                    // Somewhere behind the damage the file can perhaps be read again.
                    if stride == 1 {
                        self.findings.add(self.last + 1, Fault::Pages { detail: error.to_string() });
                    }
                    self.previous = None;
                    self.last = after.max(self.last).max(0).saturating_add(stride);
                    (after, stride) = (self.last, stride * 2);
                }
                Err(error) => return Err(error.into()),
            }
            progress(self.checked.min(total), total);
        }
        if self.last < through.min(i64::MAX - 1) && self.previous.is_some() {
            self.findings.add(self.last + 1, Fault::Missing { through: unsigned(through) });
        }
        progress(total, total);
        Ok(())
    }

    /// Takes the position before a range for granted.
    fn start_at(&mut self, after: i64) -> Result<(), ReadError> {
        let mut statement = self.conn.prepare_cached("SELECT hash FROM events WHERE seq = ?1")?;
        let mut rows = statement.query([after])?;
        self.previous = match rows.next()? {
            Some(found) => row::hash(found, 0),
            None => None,
        };
        self.last = after;
        if self.previous.is_none() {
            self.findings.add(after, Fault::Column { name: "hash" });
        }
        Ok(())
    }

    /// Reads a page; false when there was nothing in it.
    fn page(&mut self, after: i64, through: i64) -> rusqlite::Result<bool> {
        let sql = format!("SELECT {COLUMNS} WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT {PAGE}");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query([after, through])?;
        let mut any = false;
        while let Some(found) = rows.next()? {
            any = true;
            self.event(found);
        }
        Ok(any)
    }

    fn event(&mut self, found: &rusqlite::Row<'_>) {
        self.checked += 1;
        let seq = found.get(0).unwrap_or(self.last + 1);
        if seq < 1 {
            self.findings.add(seq, Fault::Position { found: seq });
            // The first real event still follows nothing.
            self.last = seq.min(0);
            return;
        }
        let before = self.last.max(0);
        if seq > before + 1 && self.previous.is_some() {
            self.findings.add(before + 1, Fault::Missing { through: unsigned(seq - 1) });
        }
        let stored = row::hash(found, 10);
        match row::fields(found) {
            Err(name) => self.findings.add(seq, Fault::Column { name }),
            Ok(fields) => {
                let expected = self.previous.map(|previous| self.chain.hash(&previous, &fields));
                if stored.is_none() || expected.is_some_and(|expected| stored != Some(expected)) {
                    self.findings.add(seq, Fault::Hash);
                }
            }
        }
        self.previous = stored;
        self.last = seq;
    }
}
