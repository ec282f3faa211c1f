//! Owns how a flush becomes statements: rows written over those with the same key, keys deleted, fold state
//! put and removed; and, in the same breath, what was there before kept aside and the digests moved along. All
//! inside a transaction that somebody else began. Writes to `main`, and reads what stands under a table's name,
//! which is the same but for tables of the past (see `as_of`).

use projections::cell::{Cell, Row, Table};
use projections::changes::Rows;
use projections::drawer::StateChange;
use projections::projection::{self, About};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, ToSql, params, params_from_iter};

use super::digest::Digests;
use super::known::Known;
use super::past::Past;
use super::turns::Turns;
use crate::log::signed;

/// A cell as SQLite takes it.
struct Value<'a>(&'a Cell);

impl ToSql for Value<'_> {
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
            let Some(table) = projection::table(name) else {
                // A fold can only put rows into a table that it names, and `TABLES` has them all.
                return Err(rusqlite::Error::InvalidParameterName(name.to_owned()));
            };
            // Deletions first: what a deleted row had that is unique is free again.
            let (put, deleted): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, row)| row.is_some());
            let mut changes = deleted.into_iter().chain(put).peekable();
            let sql = TableSql::of(table);
            while changes.peek().is_some() {
                let conn = self.conn.enter();
                let mut statements = Statements::of(&conn, &sql)?;
                for (key, row) in changes.by_ref() {
                    match row {
                        Some(row) => self.put(&mut statements, &key, &row)?,
                        None => self.delete(&mut statements, &key)?,
                    }
                    if self.conn.is_wanted() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn delete(&mut self, statements: &mut Statements<'_>, key: &[Cell]) -> rusqlite::Result<()> {
        if let Some(standing) = statements.current(key)? {
            self.let_go(statements, key, &standing)?;
            statements.delete.execute(params_from_iter(key.iter().map(Value)))?;
        }
        Ok(())
    }

    fn put(&mut self, statements: &mut Statements<'_>, key: &[Cell], row: &Row) -> rusqlite::Result<()> {
        // Most rows are new, and go in without a look at what stands there. (A correction may have moved the row's
        // beginning, so that this is a guess, which SQLite confirms or not.)
        if first_seq(row) <= self.from || !statements.insert(row)? {
            let standing = statements.current(key)?;
            // A fold may put what stands there already. Kept aside, it would be there twice for who asks for the past.
            if standing.as_ref() == Some(row) {
                return Ok(());
            }
            if let Some(standing) = &standing {
                self.let_go(statements, key, standing)?;
            }
            statements.upsert.execute(params_from_iter(row.iter().map(Value)))?;
        }
        self.digests.of_table(statements.table).add(statements.table, row);
        Ok(())
    }

    /// Counts out and keeps aside a row that stands under a key no longer.
    fn let_go(&mut self, statements: &Statements<'_>, key: &[Cell], row: &Row) -> rusqlite::Result<()> {
        let Statements { conn, table, .. } = statements;
        self.digests.of_table(table).take(table, row);
        self.past.as_ref().map_or(Ok(()), |past| past.keep_row(conn, table, key, row))
    }

    /// Writes a flush's fold state.
    pub(super) fn state(&self, changes: &[StateChange], known: Option<&Known>) -> rusqlite::Result<()> {
        let mut changes = changes.iter().peekable();
        while changes.peek().is_some() {
            let conn = self.conn.enter();
            let mut statements = StateStatements::of(&conn)?;
            for change in changes.by_ref() {
                if let Some(known) = known {
                    known.add(self.about.name, change.drawer, &change.key);
                }
                self.keep(&conn, &mut statements, change)?;
                if self.conn.is_wanted() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn keep(
        &self,
        conn: &Connection,
        statements: &mut StateStatements<'_>,
        StateChange { drawer, key, value }: &StateChange,
    ) -> rusqlite::Result<()> {
        let (projection, position) = (self.about.name, signed(self.to));
        if let Some(value) = value
            // Most values are new: nothing of them is to be kept aside.
            && statements.insert.execute(params![projection, drawer, key, value, position])? == 1
        {
            return Ok(());
        }
        if let Some(past) = &self.past {
            past.keep_value(conn, drawer, key)?;
        }
        match value {
            Some(value) => statements.update.execute(params![projection, drawer, key, value, position]),
            None => statements.remove.execute(params![projection, drawer, key]),
        }
        .map(drop)
    }
}

/// What is done to fold state, prepared.
struct StateStatements<'c> {
    insert: CachedStatement<'c>,
    update: CachedStatement<'c>,
    remove: CachedStatement<'c>,
}

impl<'c> StateStatements<'c> {
    fn of(conn: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            insert: conn.prepare_cached(INSERT_STATE)?,
            update: conn.prepare_cached(UPDATE_STATE)?,
            remove: conn.prepare_cached(DELETE_STATE)?,
        })
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
    delete: String,
}

impl TableSql {
    fn of(table: &'static Table) -> Self {
        Self {
            table,
            select: select_sql(table),
            insert: format!("{} DO NOTHING", insert_sql(table)),
            upsert: upsert_sql(table),
            delete: format!("DELETE FROM main.{} WHERE {}", table.name, matches(table)),
        }
    }
}

/// The same, prepared.
struct Statements<'c> {
    conn: &'c Connection,
    table: &'static Table,
    select: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    upsert: CachedStatement<'c>,
    delete: CachedStatement<'c>,
}

impl<'c> Statements<'c> {
    fn of(conn: &'c Connection, sql: &TableSql) -> rusqlite::Result<Self> {
        Ok(Self {
            conn,
            table: sql.table,
            select: conn.prepare_cached(&sql.select)?,
            insert: conn.prepare_cached(&sql.insert)?,
            upsert: conn.prepare_cached(&sql.upsert)?,
            delete: conn.prepare_cached(&sql.delete)?,
        })
    }

    /// Writes a row, unless one stands under its key.
    fn insert(&mut self, row: &Row) -> rusqlite::Result<bool> {
        Ok(self.insert.execute(params_from_iter(row.iter().map(Value)))? == 1)
    }

    fn current(&mut self, key: &[Cell]) -> rusqlite::Result<Option<Row>> {
        let table = self.table;
        self.select.query_row(params_from_iter(key.iter().map(Value)), |row| cells(row, table)).optional()
    }
}

/// The row that stands under a key.
pub(super) fn current(conn: &Connection, table: &'static Table, key: &[Cell]) -> rusqlite::Result<Option<Row>> {
    let mut statement = conn.prepare_cached(&select_sql(table))?;
    statement.query_row(params_from_iter(key.iter().map(Value)), |row| cells(row, table)).optional()
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

fn upsert_sql(table: &Table) -> String {
    let set: Vec<String> = table.all_columns().map(|column| format!("{0} = excluded.{0}", column.name)).collect();
    format!("{} DO UPDATE SET {}", insert_sql(table), set.join(", "))
}

/// Writes a row of the past as it stood, into tables that are being put together.
pub(super) fn lay_down(conn: &Connection, table: &Table, row: &Row) -> rusqlite::Result<()> {
    conn.prepare_cached(&upsert_sql(table))?.execute(params_from_iter(row.iter().map(Value))).map(drop)
}
