//! Owns how a flush becomes statements: rows written over those with the same key, keys deleted, fold state
//! put and removed; and, in the same breath, what was there before kept aside and the digests moved along. All
//! inside a transaction that somebody else began. Writes to `main`, and reads what stands under a table's name,
//! which is the same but for tables of the past (see `as_of`).

use std::sync::LazyLock;

use projections::TABLES;
use projections::cell::{Cell, Row, Table};
use projections::changes::Rows;
use projections::drawer::StateChange;
use projections::projection::About;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params, params_from_iter};

use super::digest::Digests;
use super::known::Known;
use super::past::Past;
use super::turns::Turns;
use crate::log::signed;

/// A cell as SQLite takes it.
pub(super) struct Bound<'a>(pub(super) &'a Cell);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Cell::Null => ValueRef::Null,
            Cell::Int(value) => ValueRef::Integer(*value),
            Cell::Real(value) => ValueRef::Real(*value),
            Cell::Text(value) => ValueRef::Text(value.as_bytes()),
        }))
    }
}

/// A cell as SQLite hands it out.
pub(super) fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(value) => Cell::Int(value),
        ValueRef::Real(value) => Cell::Real(value),
        // No STRICT table of ours holds blobs; whatever a hand put there differs, and shows as text.
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Cell::from(&*String::from_utf8_lossy(bytes)),
    }
}

/// All cells of a row of a table's.
pub(super) fn cells(row: &rusqlite::Row<'_>, table: &Table) -> rusqlite::Result<Row> {
    (0..table.columns.len() + 2).map(|at| Ok(cell(row.get_ref(at)?))).collect()
}

const INSERT_STATE: &str = "INSERT INTO main.fold_state (projection, drawer, key, value, changed_at) \
     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (projection, drawer, key) DO NOTHING";
const UPDATE_STATE: &str = "UPDATE main.fold_state SET value = ?4, changed_at = ?5 \
     WHERE projection = ?1 AND drawer = ?2 AND key = ?3";
const DELETE_STATE: &str = "DELETE FROM main.fold_state WHERE projection = ?1 AND drawer = ?2 AND key = ?3";

/// A page of a projection on its way into the tables. The connection is let go between any two changes for which
/// somebody waits.
pub(super) struct Write<'c> {
    pub(super) conn: &'c Turns<Connection>,
    pub(super) about: &'static About,
    /// Where what is overwritten is kept; nowhere for tables that nobody will ask for their past.
    pub(super) past: Option<Past>,
    pub(super) digests: Digests,
    /// Where the tables stood: a row that a later event made is most likely not there yet.
    pub(super) from: u64,
    /// Where they will stand.
    pub(super) to: u64,
}

impl Write<'_> {
    /// Writes a flush's rows.
    pub(super) fn rows(&mut self, rows: Rows) -> rusqlite::Result<()> {
        for (name, changes) in rows.into_tables() {
            let Some(sql) = SQL.iter().find(|sql| sql.table.name == name) else {
                // A fold can only put rows into a table that it names, and `TABLES` has them all.
                return Err(rusqlite::Error::InvalidParameterName(name.to_owned()));
            };
            // Deletions first: what a deleted row had that is unique is free again.
            let (put, deleted): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, row)| row.is_some());
            let mut changes = deleted.into_iter().chain(put).peekable();
            while changes.peek().is_some() {
                let conn = self.conn.enter();
                let writing = Writing { conn: &conn, sql };
                for (key, row) in changes.by_ref() {
                    match row {
                        Some(row) => self.put(&writing, &key, &row)?,
                        None => self.delete(&writing, &key)?,
                    }
                    if self.conn.is_wanted() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn delete(&mut self, writing: &Writing<'_>, key: &[Cell]) -> rusqlite::Result<()> {
        if let Some(standing) = writing.current(key)? {
            self.let_go(writing, key, &standing)?;
            writing.delete(key)?;
        }
        Ok(())
    }

    fn put(&mut self, writing: &Writing<'_>, key: &[Cell], row: &Row) -> rusqlite::Result<()> {
        // Most rows are new, and go in without a look at what stands there. (A correction may have moved the row's
        // beginning, so that this is a guess, which SQLite confirms or not.)
        if first_seq(row) <= self.from || !writing.insert(row)? {
            let standing = writing.current(key)?;
            // A fold may put what stands there already. Kept aside, it would be there twice for who asks for the past.
            if standing.as_ref() == Some(row) {
                return Ok(());
            }
            if let Some(standing) = &standing {
                self.let_go(writing, key, standing)?;
            }
            writing.put_over(standing.as_ref(), row)?;
        }
        let table = writing.sql.table;
        self.digests.of_table(table).add(table, row);
        Ok(())
    }

    /// Counts out and keeps aside a row that stands under a key no longer.
    fn let_go(&mut self, writing: &Writing<'_>, key: &[Cell], row: &Row) -> rusqlite::Result<()> {
        let (conn, table) = (writing.conn, writing.sql.table);
        self.digests.of_table(table).take(table, row);
        self.past.as_ref().map_or(Ok(()), |past| past.keep_row(conn, table, key, row))
    }

    /// Writes a flush's fold state.
    pub(super) fn state(&self, changes: &[StateChange], known: Option<&Known>) -> rusqlite::Result<()> {
        let mut changes = changes.iter().peekable();
        // New values come in droves, and so do changed ones: what the last one was is a good guess.
        let mut is_new = false;
        while changes.peek().is_some() {
            let conn = self.conn.enter();
            for change in changes.by_ref() {
                if let Some(known) = known {
                    known.add(self.about.name, change.drawer, &change.key);
                }
                match &change.value {
                    Some(value) => self.keep(&conn, change, value, &mut is_new)?,
                    None => {
                        self.keep_aside(&conn, change)?;
                        let key = params![self.about.name, change.drawer, change.key];
                        conn.prepare_cached(DELETE_STATE)?.execute(key)?;
                    }
                }
                if self.conn.is_wanted() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn keep(&self, conn: &Connection, change: &StateChange, value: &[u8], is_new: &mut bool) -> rusqlite::Result<()> {
        let StateChange { drawer, key, .. } = change;
        let values = params![self.about.name, drawer, key, value, signed(self.to)];
        let run = |sql| conn.prepare_cached(sql)?.execute(values);
        *is_new = *is_new && run(INSERT_STATE)? == 1;
        if !*is_new {
            self.keep_aside(conn, change)?;
            *is_new = run(UPDATE_STATE)? == 0 && run(INSERT_STATE)? == 1;
        }
        Ok(())
    }

    fn keep_aside(&self, conn: &Connection, change: &StateChange) -> rusqlite::Result<()> {
        self.past.as_ref().map_or(Ok(()), |past| past.keep_value(conn, change.drawer, &change.key))
    }
}

/// The position of the event that made a row.
fn first_seq(row: &Row) -> u64 {
    row.iter().rev().nth(1).and_then(Cell::as_seq).unwrap_or(0)
}

/// What is done to one table.
struct TableSql {
    table: &'static Table,
    select: String,
    insert: String,
    upsert: String,
    /// Where no column of an index is changed, which then needs no look.
    upsert_beside_indexes: String,
    delete: String,
    /// The places of columns that an index is made of.
    indexed: Vec<usize>,
}

/// That of every table, put together once: it is asked for at each commit.
static SQL: LazyLock<Vec<TableSql>> = LazyLock::new(|| TABLES.into_iter().map(TableSql::of).collect());

impl TableSql {
    fn of(table: &'static Table) -> Self {
        let indexed = indexed(table);
        Self {
            table,
            select: select_sql(table),
            insert: format!("{} DO NOTHING", insert_sql(table)),
            upsert: upsert_sql(table, &[]),
            upsert_beside_indexes: upsert_sql(table, &indexed),
            delete: format!("DELETE FROM main.{} WHERE {}", table.name, matches(table)),
            indexed,
        }
    }
}

/// The places of the columns of which a table's indexes are made, beside those that make its rows unique.
fn indexed(table: &Table) -> Vec<usize> {
    let indexes = table.sql.split(';').map(str::trim).filter(|statement| statement.starts_with("CREATE INDEX"));
    let columns = indexes.filter_map(|index| Some(index.split_once('(')?.1.trim_end_matches(')')));
    let mut places: Vec<usize> =
        columns.flat_map(|columns| columns.split(", ")).filter_map(|column| table.position(column)).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// One table on a connection, which keeps the statements prepared.
struct Writing<'c> {
    conn: &'c Connection,
    sql: &'static TableSql,
}

impl Writing<'_> {
    /// Writes a row, unless one stands under its key.
    fn insert(&self, row: &Row) -> rusqlite::Result<bool> {
        Ok(self.run(&self.sql.insert, row)? == 1)
    }

    /// Writes a row over the one that stands under its key, if one does.
    fn put_over(&self, standing: Option<&Row>, row: &Row) -> rusqlite::Result<()> {
        let sql = self.sql;
        let is_same = |at: &usize| standing.is_some_and(|standing| standing[*at] == row[*at]);
        let is_beside = sql.indexed.iter().all(is_same);
        self.run(if is_beside { &sql.upsert_beside_indexes } else { &sql.upsert }, row).map(drop)
    }

    fn delete(&self, key: &[Cell]) -> rusqlite::Result<()> {
        self.run(&self.sql.delete, key).map(drop)
    }

    fn run(&self, sql: &str, cells: &[Cell]) -> rusqlite::Result<usize> {
        self.conn.prepare_cached(sql)?.execute(params_from_iter(cells.iter().map(Bound)))
    }

    fn current(&self, key: &[Cell]) -> rusqlite::Result<Option<Row>> {
        let mut statement = self.conn.prepare_cached(&self.sql.select)?;
        let read = |row: &rusqlite::Row<'_>| cells(row, self.sql.table);
        statement.query_row(params_from_iter(key.iter().map(Bound)), read).optional()
    }
}

/// The row that stands under a key.
pub(super) fn current(conn: &Connection, table: &'static Table, key: &[Cell]) -> rusqlite::Result<Option<Row>> {
    let mut statement = conn.prepare_cached(&select_sql(table))?;
    statement.query_row(params_from_iter(key.iter().map(Bound)), |row| cells(row, table)).optional()
}

/// The columns of a table, for SQL.
pub(super) fn columns(table: &Table) -> String {
    table.all_columns().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

fn matches(table: &Table) -> String {
    table.key.iter().map(|column| format!("{column} IS ?")).collect::<Vec<_>>().join(" AND ")
}

fn select_sql(table: &Table) -> String {
    format!("SELECT {} FROM {} WHERE {}", columns(table), table.name, matches(table))
}

/// Inserts a row; what to do where one stands under its key is to follow.
fn insert_sql(table: &Table) -> String {
    let places = vec!["?"; table.columns.len() + 2].join(", ");
    format!("INSERT INTO main.{} ({}) VALUES ({places}) ON CONFLICT ({})", table.name, columns(table), table.unique)
}

/// Inserts a row, or overwrites the one under its key but for what is the same: its key, and the columns at `same`.
fn upsert_sql(table: &Table, same: &[usize]) -> String {
    let is_key = |name: &str| table.unique.split(", ").any(|part| part == name);
    let changed = table.all_columns().enumerate().filter(|(at, column)| !same.contains(at) && !is_key(column.name));
    let set: Vec<String> = changed.map(|(_, column)| format!("{0} = excluded.{0}", column.name)).collect();
    format!("{} DO UPDATE SET {}", insert_sql(table), set.join(", "))
}

/// Writes a row of the past as it stood, into tables that are being put together.
pub(super) fn lay_down(conn: &Connection, table: &Table, row: &Row) -> rusqlite::Result<()> {
    conn.prepare_cached(&upsert_sql(table, &[]))?.execute(params_from_iter(row.iter().map(Bound))).map(drop)
}
