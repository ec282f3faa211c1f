//! Owns the comparison of two files' tables, cell by cell: which rows are missing, which are too many, which
//! columns differ. Reads both in key order, a row at a time, so that size does not matter.

use std::cmp::Ordering;

use projections::cell::{Cell, Row, Table};
use projections::projection::About;
use rusqlite::{Connection, Rows};

use super::digest::{self, TableDigest};
use super::error::TablesError;
use super::rows::{cells, columns};

/// How many findings are kept; the others are counted.
const KEPT_MAX: usize = 100;

/// One cell or row that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The table.
    pub table: &'static str,
    /// The row's key, column by column.
    pub key: Vec<(&'static str, Cell)>,
    /// What is wrong with it.
    pub problem: Problem,
    /// The position of the event that last touched the row, by a replay; of a row that no replay makes, by itself.
    pub last_seq: u64,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A replay makes it; it is not there.
    Missing,
    /// It is there; no replay makes it.
    Extra,
    /// A column holds something else than a replay makes.
    Differs {
        /// The column.
        column: &'static str,
        /// What is there.
        live: Cell,
        /// What a replay makes.
        replayed: Cell,
    },
    /// Every row is right, but the digest kept of the table is not theirs.
    Digest,
}

/// What a comparison found.
#[derive(Clone, Debug, Default)]
pub struct Differences {
    /// The first findings.
    pub kept: Vec<Finding>,
    /// How many there are.
    pub total: u64,
    /// The earliest of the positions that last touched what differs.
    pub first: Option<u64>,
    /// How many rows were compared.
    pub rows: u64,
}

impl Differences {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    fn add(&mut self, table: &'static Table, row: &Row, problem: Problem) {
        let last_seq = row.last().and_then(Cell::as_seq).unwrap_or(0);
        self.total += 1;
        self.first = Some(self.first.map_or(last_seq, |first| first.min(last_seq)));
        if self.kept.len() < KEPT_MAX {
            let of = |column: &&'static str| Some((*column, row[table.position(column)?].clone()));
            let key = table.key.iter().filter_map(of).collect();
            self.kept.push(Finding { table: table.name, key, problem, last_seq });
        }
    }
}

/// Compares the tables of some projections, and each table with the digest that is kept of it.
pub(super) fn tables(
    live: &Connection,
    replayed: &Connection,
    abouts: &[&'static About],
) -> Result<Differences, TablesError> {
    let mut found = Differences::default();
    for about in abouts {
        for (table, kept) in digest::stored(live, about)?.each() {
            let before = found.total;
            let read = one_table(live, replayed, table, &mut found)?;
            if found.total == before && read != kept {
                found.total += 1;
                found.kept.push(Finding { table: table.name, key: Vec::new(), problem: Problem::Digest, last_seq: 0 });
            }
        }
    }
    Ok(found)
}

/// The digest of the rows that a table has.
pub(super) fn digest_of(conn: &Connection, schema: &str, table: &'static Table) -> rusqlite::Result<TableDigest> {
    let mut digest = TableDigest::default();
    let mut statement = conn.prepare(&format!("SELECT {} FROM {schema}.{}", columns(table), table.name))?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        digest.add(table, &cells(row, table)?);
    }
    Ok(digest)
}

fn one_table(
    live: &Connection,
    replayed: &Connection,
    table: &'static Table,
    found: &mut Differences,
) -> Result<TableDigest, TablesError> {
    let mut digest = TableDigest::default();
    let sql = format!("SELECT {} FROM {} ORDER BY {}", columns(table), table.name, table.key.join(", "));
    let (mut left, mut right) = (live.prepare(&sql)?, replayed.prepare(&sql)?);
    let (mut left, mut right) = (left.query(())?, right.query(())?);
    let (mut one, mut other) = (next(&mut left, table)?, next(&mut right, table)?);
    loop {
        let order = match (&one, &other) {
            (None, None) => return Ok(digest),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => key(table, one).cmp(key(table, other)),
        };
        found.rows += 1;
        match (&one, &other) {
            (Some(one), _) if order == Ordering::Less => found.add(table, one, Problem::Extra),
            (_, Some(other)) if order == Ordering::Greater => found.add(table, other, Problem::Missing),
            (Some(one), Some(other)) => compare_cells(table, one, other, found),
            _ => {}
        }
        if order != Ordering::Greater {
            one.iter().for_each(|row| digest.add(table, row));
            one = next(&mut left, table)?;
        }
        if order != Ordering::Less {
            other = next(&mut right, table)?;
        }
    }
}

fn key<'r>(table: &'static Table, row: &'r Row) -> impl Iterator<Item = &'r Cell> {
    table.key.iter().filter_map(|column| table.position(column)).map(|at| &row[at])
}

fn compare_cells(table: &'static Table, one: &Row, other: &Row, found: &mut Differences) {
    for ((live, replayed), column) in one.iter().zip(other).zip(table.all_columns()) {
        if live != replayed {
            let (live, replayed) = (live.clone(), replayed.clone());
            found.add(table, other, Problem::Differs { column: column.name, live, replayed });
        }
    }
}

fn next(rows: &mut Rows<'_>, table: &Table) -> rusqlite::Result<Option<Row>> {
    rows.next()?.map(|row| cells(row, table)).transpose()
}
