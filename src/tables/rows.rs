//! Owns how a flush becomes statements: rows written over those with the same key, keys deleted, fold state
//! put and removed; and, in the same breath, what was there before kept aside and the digests moved along. All
//! inside a transaction that somebody else began. Writes to `main`, and reads what stands under a table's name,
//! which is the same but for tables of the past (see `as_of`).

use projections::cell::{Cell, Row, Table};
use projections::changes::Rows;
use projections::drawer::StateChange;
use projections::projection;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, ToSql, params, params_from_iter};

use super::digest::Digests;
use super::past::Past;
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

/// A page of a projection on its way into the tables.
pub(super) struct Write<'c> {
    pub(super) conn: &'c Connection,
    /// Where what is overwritten is kept; nowhere for tables that nobody will ask for their past.
    pub(super) past: Option<&'c Past<'c>>,
    pub(super) digests: &'c mut Digests,
}

impl Write<'_> {
    /// Writes a flush's rows.
    pub(super) fn rows(&mut self, rows: Rows) -> rusqlite::Result<()> {
        for (name, changes) in rows.into_tables() {
            let Some(table) = projection::table(name) else {
                // A fold can only put rows into a table that it names, and `TABLES` has them all.
                return Err(rusqlite::Error::InvalidParameterName(name.to_owned()));
            };
            let mut statements = Statements::of(self.conn, table)?;
            // Deletions first: what a deleted row had that is unique is free again.
            for (key, _) in changes.iter().filter(|(_, row)| row.is_none()) {
                if let Some(standing) = statements.current(key)? {
                    self.let_go(table, key, &standing)?;
                    statements.delete.execute(params_from_iter(key.iter().map(Value)))?;
                }
            }
            for (key, row) in changes.iter().filter_map(|(key, row)| Some((key, row.as_ref()?))) {
                self.put(&mut statements, key, row)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, statements: &mut Statements<'_>, key: &[Cell], row: &Row) -> rusqlite::Result<()> {
        let standing = statements.current(key)?;
        // A fold may put what stands there already. Kept aside, it would be there twice for who asks for the past.
        if standing.as_ref() == Some(row) {
            return Ok(());
        }
        if let Some(standing) = &standing {
            self.let_go(statements.table, key, standing)?;
        }
        statements.upsert.execute(params_from_iter(row.iter().map(Value)))?;
        self.digests.of_table(statements.table).add(statements.table, row);
        Ok(())
    }

    /// Counts out and keeps aside a row that stands under a key no longer.
    fn let_go(&mut self, table: &'static Table, key: &[Cell], row: &Row) -> rusqlite::Result<()> {
        self.digests.of_table(table).take(table, row);
        self.past.map_or(Ok(()), |past| past.keep_row(table, key, row))
    }

    /// Writes a flush's fold state, changed by the page that ends at `position`.
    pub(super) fn state(&self, projection: &str, changes: &[StateChange], position: u64) -> rusqlite::Result<()> {
        let mut put = self.conn.prepare_cached(
            "INSERT INTO main.fold_state (projection, drawer, key, value, changed_at) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (projection, drawer, key) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at",
        )?;
        let mut remove = self
            .conn
            .prepare_cached("DELETE FROM main.fold_state WHERE projection = ?1 AND drawer = ?2 AND key = ?3")?;
        for change in changes {
            if let Some(past) = self.past {
                past.keep_value(change.drawer, &change.key)?;
            }
            match &change.value {
                Some(value) => put.execute(params![projection, change.drawer, change.key, value, signed(position)])?,
                None => remove.execute(params![projection, change.drawer, change.key])?,
            };
        }
        Ok(())
    }
}

/// What is done to one table, prepared.
struct Statements<'c> {
    table: &'static Table,
    select: CachedStatement<'c>,
    upsert: CachedStatement<'c>,
    delete: CachedStatement<'c>,
}

impl<'c> Statements<'c> {
    fn of(conn: &'c Connection, table: &'static Table) -> rusqlite::Result<Self> {
        Ok(Self {
            table,
            select: conn.prepare_cached(&select_sql(table))?,
            upsert: conn.prepare_cached(&upsert_sql(table))?,
            delete: conn.prepare_cached(&format!("DELETE FROM main.{} WHERE {}", table.name, matches(table)))?,
        })
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

fn upsert_sql(table: &Table) -> String {
    let places = vec!["?"; table.columns.len() + 2].join(", ");
    let set: Vec<String> = table.all_columns().map(|column| format!("{0} = excluded.{0}", column.name)).collect();
    format!(
        "INSERT INTO main.{} ({}) VALUES ({places}) ON CONFLICT ({}) DO UPDATE SET {}",
        table.name,
        columns(table),
        table.unique,
        set.join(", ")
    )
}

/// Writes a row of the past as it stood, into tables that are being put together.
pub(super) fn lay_down(conn: &Connection, table: &Table, row: &Row) -> rusqlite::Result<()> {
    conn.prepare_cached(&upsert_sql(table))?.execute(params_from_iter(row.iter().map(Value))).map(drop)
}
