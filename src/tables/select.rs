//! Owns reading rows for others: some columns of a table, filtered, in the table's order, handed over one by
//! one so that size does not matter. What becomes of them, and which filters make sense, is the caller's.

use std::ops::ControlFlow;

use projections::cell::{Column, Table};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, ToSql};

use super::error::TablesError;

/// A value as SQLite hands it out, borrowed until the next row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Absent.
    Null,
    /// A count or a position.
    Int(i64),
    /// A price, an amount or a statistic.
    Real(f64),
    /// A name, a time, or JSON.
    Text(&'a str),
    /// Bytes: hashes of the log, fold state. No table has any.
    Blob(&'a [u8]),
}

impl<'a> Value<'a> {
    pub(super) fn of(row: &'a Row<'_>, index: usize) -> rusqlite::Result<Self> {
        Ok(match row.get_ref(index)? {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(value) => Self::Int(value),
            ValueRef::Real(value) => Self::Real(value),
            ValueRef::Text(bytes) => std::str::from_utf8(bytes).map_or(Self::Blob(bytes), Self::Text),
            ValueRef::Blob(bytes) => Self::Blob(bytes),
        })
    }

    /// The text, where it is one.
    #[must_use]
    pub fn as_text(self) -> Option<&'a str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, where it is one.
    #[must_use]
    pub fn as_f64(self) -> Option<f64> {
        match self {
            Self::Real(value) => Some(value),
            #[expect(clippy::cast_precision_loss, reason = "a count, for the eye")]
            Self::Int(value) => Some(value as f64),
            _ => None,
        }
    }

    /// The count, where it is one.
    #[must_use]
    pub fn as_count(self) -> Option<u64> {
        if let Self::Int(value) = self { u64::try_from(value).ok() } else { None }
    }
}

/// What a row must have to be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// A column holds this text.
    TextIs(&'static str, String),
    /// A column holds this number.
    NumberIs(&'static str, f64),
    /// A column holds nothing, or an empty text.
    Empty(&'static str),
    /// A column's text sorts at or after this one.
    From(&'static str, String),
    /// A column's text sorts before this one.
    Before(&'static str, String),
}

impl Filter {
    /// The condition; its value, where it has one, takes the place `?{number}`.
    fn sql(&self, number: usize) -> String {
        match self {
            Self::TextIs(column, _) | Self::NumberIs(column, _) => format!("\"{column}\" = ?{number}"),
            Self::Empty(column) => format!("(\"{column}\" IS NULL OR \"{column}\" = ?{number})"),
            Self::From(column, _) => format!("\"{column}\" >= ?{number}"),
            Self::Before(column, _) => format!("\"{column}\" < ?{number}"),
        }
    }

    fn value(&self) -> &dyn ToSql {
        match self {
            Self::TextIs(_, text) | Self::From(_, text) | Self::Before(_, text) => text,
            Self::NumberIs(_, number) => number,
            Self::Empty(_) => &"",
        }
    }
}

/// Hands each row of a table that passes all filters to `each`, in the table's order, until it breaks.
///
/// # Errors
/// [`TablesError`].
pub fn select(
    conn: &Connection,
    table: &'static Table,
    columns: &[Column],
    filters: &[Filter],
    mut each: impl FnMut(&[Value<'_>]) -> ControlFlow<()>,
) -> Result<(), TablesError> {
    let mut statement = conn.prepare(&sql(table, columns, filters))?;
    let mut rows = statement.query(rusqlite::params_from_iter(filters.iter().map(Filter::value)))?;
    while let Some(row) = rows.next()? {
        let values = (0..columns.len()).map(|index| Value::of(row, index)).collect::<rusqlite::Result<Vec<_>>>()?;
        if each(&values).is_break() {
            break;
        }
    }
    Ok(())
}

fn sql(table: &Table, columns: &[Column], filters: &[Filter]) -> String {
    let quoted = |names: &mut dyn Iterator<Item = &'static str>| {
        names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
    };
    let conditions: Vec<String> = filters.iter().enumerate().map(|(index, filter)| filter.sql(index + 1)).collect();
    let filtered = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    format!(
        "SELECT {} FROM {}{filtered} ORDER BY {}",
        quoted(&mut columns.iter().map(|column| column.name)),
        table.name,
        quoted(&mut table.order.iter().copied()),
    )
}

#[cfg(test)]
mod tests {
    use projections::TABLES;

    #[test]
    fn every_order_is_total_so_that_equal_tables_give_equal_files() {
        for table in TABLES {
            let columns = || table.all_columns().map(|column| column.name);
            assert!(table.order.iter().all(|name| columns().any(|column| column == *name)), "{}", table.name);
            assert!(
                table.key.iter().all(|name| table.order.contains(name)) || table.order.contains(&"first_seq"),
                "{}",
                table.name
            );
        }
    }
}
