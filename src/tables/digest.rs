//! Owns the digest of a table: one number that two journals with the same log share, whatever pages, threads
//! and restarts made it. docs/TABLES.md has the formula. Kept up to date row by row, in the transaction that
//! changes the rows. Finds differences, not forgers: who can write `projections.db` can write its digests.

use projections::cell::{Cell, Row, Table};
use projections::projection::About;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::log::{Hash, signed, unsigned};

/// What the hash of a row, of a projection, and of all tables begin with: no other hash of tradefold's does.
const ROW_DOMAIN: &[u8] = b"tradefold row 1\0";
const PROJECTION_DOMAIN: &[u8] = b"tradefold projection 1\0";
const TABLES_DOMAIN: &[u8] = b"tradefold tables 1\0";

/// How many bytes one table's digest takes in a snapshot: the rows, and their sum.
const STORED_BYTES: usize = 8 + 32;

/// The number of rows of a table, and the sum of their hashes modulo 2^256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableDigest {
    /// How many rows there are.
    pub rows: u64,
    /// The sum, least significant word first.
    sum: [u64; 4],
}

impl TableDigest {
    /// Counts a row in.
    pub(super) fn add(&mut self, table: &Table, row: &Row) {
        self.rows += 1;
        let mut carry = false;
        for (word, other) in self.sum.iter_mut().zip(row_hash(table, row)) {
            (*word, carry) = word.carrying_add(other, carry);
        }
    }

    /// Takes a row out that was counted in.
    pub(super) fn take(&mut self, table: &Table, row: &Row) {
        self.rows = self.rows.wrapping_sub(1);
        let mut borrow = false;
        for (word, other) in self.sum.iter_mut().zip(row_hash(table, row)) {
            (*word, borrow) = word.borrowing_sub(other, borrow);
        }
    }

    /// The sum as 32 bytes, most significant first.
    #[must_use]
    pub fn sum(&self) -> Hash {
        let mut bytes = [0; 32];
        for (part, word) in bytes.chunks_exact_mut(8).zip(self.sum.iter().rev()) {
            part.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    fn of(rows: u64, sum: &Hash) -> Self {
        let mut words = [0; 4];
        for (word, part) in words.iter_mut().rev().zip(sum.chunks_exact(8)) {
            *word = part.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        Self { rows, sum: words }
    }
}

fn row_hash(table: &Table, row: &Row) -> [u64; 4] {
    let mut bytes = Vec::with_capacity(1024);
    bytes.extend_from_slice(ROW_DOMAIN);
    put_text(&mut bytes, table.name);
    for cell in row {
        match cell {
            Cell::Null => bytes.push(0),
            Cell::Int(value) => {
                bytes.push(1);
                bytes.extend_from_slice(&value.to_be_bytes());
            }
            Cell::Real(value) => {
                bytes.push(2);
                // SQLite keeps no sign of a zero.
                let value = if *value == 0.0 { 0.0 } else { *value };
                bytes.extend_from_slice(&value.to_bits().to_be_bytes());
            }
            Cell::Text(text) => {
                bytes.push(3);
                put_text(&mut bytes, text);
            }
        }
    }
    TableDigest::of(0, &Sha256::digest(&bytes).into()).sum
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// The digests of a projection's tables, in their order.
#[derive(Clone, Debug)]
pub struct Digests {
    about: &'static About,
    tables: Vec<TableDigest>,
}

impl Digests {
    /// Those of empty tables.
    #[must_use]
    pub fn empty(about: &'static About) -> Self {
        Self { about, tables: vec![TableDigest::default(); about.tables.len()] }
    }

    /// Each table with its digest.
    pub fn each(&self) -> impl Iterator<Item = (&'static Table, TableDigest)> {
        self.about.tables.iter().copied().zip(self.tables.iter().copied())
    }

    pub(super) fn of_table(&mut self, table: &Table) -> &mut TableDigest {
        let place = self.about.tables.iter().position(|other| other.name == table.name);
        &mut self.tables[place.expect("a fold writes the tables it is about")]
    }

    /// One digest for all of them.
    #[must_use]
    pub fn whole(&self) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(PROJECTION_DOMAIN);
        for (table, digest) in self.each() {
            hasher.update((table.name.len() as u64).to_be_bytes());
            hasher.update(table.name);
            hasher.update(digest.rows.to_be_bytes());
            hasher.update(digest.sum());
        }
        hasher.finalize().into()
    }

    /// For a snapshot to keep.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.tables.iter().flat_map(|digest| digest.rows.to_be_bytes().into_iter().chain(digest.sum())).collect()
    }

    /// What [`Digests::to_bytes`] wrote; `None` where it is something else.
    pub(super) fn from_bytes(about: &'static About, bytes: &[u8]) -> Option<Self> {
        let parts = bytes.chunks_exact(STORED_BYTES);
        let read = |part: &[u8]| {
            let (rows, sum) = part.split_at(8);
            Some(TableDigest::of(u64::from_be_bytes(rows.try_into().ok()?), sum.try_into().ok()?))
        };
        let tables: Vec<_> = parts.map(read).collect::<Option<_>>()?;
        (tables.len() == about.tables.len() && bytes.len() == tables.len() * STORED_BYTES)
            .then_some(Self { about, tables })
    }
}

/// One digest for all tables of a journal, from those of its projections in their order: equal for two journals whose
/// logs are equal up to the position at which all projections are.
#[must_use]
pub fn whole(projections: &[Hash]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(TABLES_DOMAIN);
    projections.iter().for_each(|digest| hasher.update(digest));
    hasher.finalize().into()
}

/// The digests that a file keeps of a projection's tables.
pub(super) fn stored(conn: &Connection, about: &'static About) -> rusqlite::Result<Digests> {
    stored_in(conn, "main", about)
}

/// The same of a file that is attached.
pub(super) fn stored_in(conn: &Connection, schema: &str, about: &'static About) -> rusqlite::Result<Digests> {
    let sql = format!("SELECT name, rows, digest FROM {schema}.table_digests WHERE projection = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([about.name])?;
    let mut digests = Digests::empty(about);
    while let Some(row) = rows.next()? {
        let name = row.get_ref(0)?.as_str()?;
        if let Some(place) = about.tables.iter().position(|table| table.name == name) {
            digests.tables[place] = TableDigest::of(unsigned(row.get(1)?), &row.get(2)?);
        }
    }
    Ok(digests)
}

/// Keeps the digests that `changed` from what was stored.
pub(super) fn store(conn: &Connection, changed: &Digests, before: &Digests) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO main.table_digests (name, projection, rows, digest) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (name) DO UPDATE SET rows = excluded.rows, digest = excluded.digest",
    )?;
    for ((table, digest), (_, before)) in changed.each().zip(before.each()) {
        if digest != before {
            statement.execute(params![table.name, changed.about.name, signed(digest.rows), digest.sum()])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use projections::{daily_pnl, ledger, notes};

    use super::*;

    fn row(text: &str) -> Row {
        vec![Cell::from(text), Cell::Int(-1), Cell::Real(0.1), Cell::Null]
    }

    #[test]
    fn what_is_counted_in_and_out_again_leaves_the_same_sum_in_any_order() {
        let mut one = TableDigest::default();
        let mut other = TableDigest::default();
        for text in ["a", "b", "c", "d"] {
            one.add(&notes::TABLE, &row(text));
        }
        for text in ["d", "x", "b", "a", "c"] {
            other.add(&notes::TABLE, &row(text));
        }
        assert_ne!(one, other);
        other.take(&notes::TABLE, &row("x"));
        assert_eq!(one, other);
        let mut elsewhere = TableDigest::default();
        elsewhere.add(&daily_pnl::TABLE, &row("a"));
        one = TableDigest::default();
        one.add(&notes::TABLE, &row("a"));
        assert_ne!(one, elsewhere);
    }

    #[test]
    fn a_row_hashes_to_what_the_documents_say() {
        // Reckoned by hand in Python from docs/TABLES.md, "Digests".
        let mut digest = TableDigest::default();
        digest.add(&notes::TABLE, &row("a"));
        digest.add(&notes::TABLE, &vec![Cell::Real(-0.0)]);
        let sum: String = digest.sum().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(sum, "4ab2f4613002bd28de835ff4f495ff1c87bdb3abcfb40fe52783122a69811f05");
        let kept = Digests { about: &ledger::ABOUT, tables: vec![digest; ledger::ABOUT.tables.len()] };
        assert_eq!(Digests::from_bytes(&ledger::ABOUT, &kept.to_bytes()).unwrap().tables, kept.tables);
        assert!(Digests::from_bytes(&ledger::ABOUT, b"short").is_none());
    }
}
