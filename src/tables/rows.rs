//! Owns how a flush becomes statements: rows written over those with the same key, keys deleted, fold state
//! put and removed. All inside a transaction that somebody else began.

use projections::cell::{Cell, Row, Table};
use projections::changes::Rows;
use projections::drawer::StateChange;
use projections::projection;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params, params_from_iter};

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

/// Writes a flush's rows.
pub(super) fn write(conn: &Connection, rows: Rows) -> rusqlite::Result<()> {
    for (name, changes) in rows.into_tables() {
        let Some(table) = projection::table(name) else {
            // A fold can only put rows into a table that it names, and `TABLES` has them all.
            return Err(rusqlite::Error::InvalidParameterName(name.to_owned()));
        };
        // Deletions first: what a deleted row had that is unique is free again.
        delete(conn, table, changes.iter().filter(|(_, row)| row.is_none()).map(|(key, _)| key))?;
        upsert(conn, table, changes.values().flatten())?;
    }
    Ok(())
}

fn delete<'a>(conn: &Connection, table: &Table, keys: impl Iterator<Item = &'a Vec<Cell>>) -> rusqlite::Result<()> {
    let mut keys = keys.peekable();
    if keys.peek().is_none() {
        return Ok(());
    }
    let matches: Vec<String> = table.key.iter().map(|column| format!("{column} IS ?")).collect();
    let sql = format!("DELETE FROM {} WHERE {}", table.name, matches.join(" AND "));
    let mut statement = conn.prepare_cached(&sql)?;
    for key in keys {
        statement.execute(params_from_iter(key.iter().map(Value)))?;
    }
    Ok(())
}

fn upsert<'a>(conn: &Connection, table: &Table, rows: impl Iterator<Item = &'a Row>) -> rusqlite::Result<()> {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let mut statement = conn.prepare_cached(&upsert_sql(table))?;
    for row in rows {
        statement.execute(params_from_iter(row.iter().map(Value)))?;
    }
    Ok(())
}

fn upsert_sql(table: &Table) -> String {
    let columns: Vec<&str> = table.all_columns().map(|column| column.name).collect();
    let places = vec!["?"; columns.len()].join(", ");
    let set: Vec<String> = columns.iter().map(|column| format!("{column} = excluded.{column}")).collect();
    format!(
        "INSERT INTO {} ({}) VALUES ({places}) ON CONFLICT ({}) DO UPDATE SET {}",
        table.name,
        columns.join(", "),
        table.unique,
        set.join(", ")
    )
}

/// Writes a flush's fold state.
pub(super) fn remember(conn: &Connection, projection: &str, changes: &[StateChange]) -> rusqlite::Result<()> {
    let mut put = conn.prepare_cached(
        "INSERT INTO fold_state (projection, drawer, key, value) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (projection, drawer, key) DO UPDATE SET value = excluded.value",
    )?;
    let mut remove =
        conn.prepare_cached("DELETE FROM fold_state WHERE projection = ?1 AND drawer = ?2 AND key = ?3")?;
    for change in changes {
        match &change.value {
            Some(value) => put.execute(params![projection, change.drawer, change.key, value])?,
            None => remove.execute(params![projection, change.drawer, change.key])?,
        };
    }
    Ok(())
}
