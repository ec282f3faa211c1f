//! Owns reading rows for others: some columns of a table, filtered, in the table's order or another, from its
//! beginning or from where somebody left off, handed over one by one so that size does not matter. What becomes of them, and which filters make sense, is the caller's.

use std::ops::ControlFlow;

use projections::cell::{Cell, Column, Table};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, ToSql};

use super::error::TablesError;
use super::rows::Bound;

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

    /// The value, kept. (Bytes, which no table has, are nothing.)
    #[must_use]
    pub fn to_cell(self) -> Cell {
        match self {
            Self::Null | Self::Blob(_) => Cell::Null,
            Self::Int(value) => Cell::Int(value),
            Self::Real(value) => Cell::Real(value),
            Self::Text(text) => text.into(),
        }
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

/// What a column is compared with.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Operand {
    Text(String),
    Number(f64),
}

impl From<&str> for Operand {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Operand {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// How. What is absent is neither above nor below anything, and is not any value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Is,
    IsNot,
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Comparison {
    fn sql(self) -> &'static str {
        match self {
            Self::Is => "=",
            Self::IsNot => "IS NOT",
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }
}

/// What a row must have to be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// A column compares like this with a value.
    Compared(&'static str, Comparison, Operand),
    /// A column holds nothing, or an empty text.
    Empty(&'static str),
    /// A column holds something other than an empty text.
    Present(&'static str),
    /// The search table of the table finds the row under all of these words.
    Found(String),
}

impl Filter {
    /// A column holds this text.
    pub fn text_is(column: &'static str, text: impl Into<Operand>) -> Self {
        Self::Compared(column, Comparison::Is, text.into())
    }

    /// A column's text sorts at or after this one.
    pub fn at_least(column: &'static str, text: impl Into<Operand>) -> Self {
        Self::Compared(column, Comparison::AtLeast, text.into())
    }

    /// A column's text sorts before this one.
    pub fn below(column: &'static str, text: impl Into<Operand>) -> Self {
        Self::Compared(column, Comparison::Below, text.into())
    }

    /// The condition; its value takes the place `?{number}`.
    fn sql(&self, table: &Table, number: usize) -> String {
        match self {
            Self::Compared(column, comparison, _) => format!("\"{column}\" {} ?{number}", comparison.sql()),
            Self::Empty(column) => format!("(\"{column}\" IS NULL OR \"{column}\" = ?{number})"),
            Self::Present(column) => format!("\"{column}\" <> ?{number}"),
            Self::Found(_) => {
                let search = format!("{}_search", table.name);
                format!("rowid IN (SELECT rowid FROM {search} WHERE {search} MATCH ?{number})")
            }
        }
    }

    fn value(&self) -> &dyn ToSql {
        match self {
            Self::Compared(_, _, Operand::Text(text)) | Self::Found(text) => text,
            Self::Compared(_, _, Operand::Number(number)) => number,
            Self::Empty(_) | Self::Present(_) => &"",
        }
    }
}

/// Whether the words of a table's rows can be searched for.
#[must_use]
pub fn is_searchable(table: &Table) -> bool {
    table.sql.contains(&format!("CREATE VIRTUAL TABLE {}_search ", table.name))
}

/// What full-text search is asked, so that every word of a stranger's is a word, whatever it looks like.
#[must_use]
pub fn search_words(text: &str) -> String {
    let quoted = |word: &str| format!("\"{}\"", word.replace('"', "\"\""));
    // A NUL would end the question within a word.
    let words = text.split(|letter: char| letter.is_whitespace() || letter == '\0').filter(|word| !word.is_empty());
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

/// A column to sort by.
#[derive(Clone, Copy, Debug)]
pub struct Sort {
    /// The column.
    pub column: Column,
    /// From the highest to the lowest; what is absent comes last then, and otherwise first.
    pub descending: bool,
}

/// Which rows of a table, which columns of them, and in which order.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// The table.
    pub table: &'static Table,
    /// The columns that are handed over.
    pub columns: &'a [Column],
    /// All of these must hold.
    pub filters: &'a [Filter],
    /// The table's own order where there is none.
    pub sort: &'a [Sort],
    /// Only what comes after a row with these values in the columns of `sort`.
    pub after: Option<&'a [Cell]>,
    /// At most so many rows.
    pub limit: Option<u64>,
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
    each: impl FnMut(&[Value<'_>]) -> ControlFlow<()>,
) -> Result<(), TablesError> {
    Query { table, columns, filters, sort: &[], after: None, limit: None }.run(conn, each)
}

impl Query<'_> {
    /// Hands each row to `each`, until it breaks.
    ///
    /// # Errors
    /// [`TablesError`].
    pub fn run(
        &self,
        conn: &Connection,
        mut each: impl FnMut(&[Value<'_>]) -> ControlFlow<()>,
    ) -> Result<(), TablesError> {
        let mut statement = conn.prepare_cached(&self.sql())?;
        let after = self.after.unwrap_or_default();
        let bound: Vec<Bound<'_>> = after.iter().map(Bound).collect();
        let values = self.filters.iter().map(Filter::value).chain(bound.iter().map(|bound| bound as &dyn ToSql));
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        let mut values = Vec::with_capacity(self.columns.len());
        while let Some(row) = rows.next()? {
            for index in 0..self.columns.len() {
                values.push(Value::of(row, index)?);
            }
            let flow = each(&values);
            values = recycled(values);
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn sql(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let filters = self.filters.iter().enumerate().map(|(index, filter)| filter.sql(self.table, index + 1));
        let conditions: Vec<String> = filters.chain(self.beyond()).collect();
        let filtered =
            if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        let limit = self.limit.map_or_else(String::new, |limit| format!(" LIMIT {limit}"));
        format!(
            "SELECT {} FROM {}{filtered} ORDER BY {}{limit}",
            columns.join(", "),
            self.table.name,
            self.order().join(", ")
        )
    }

    fn order(&self) -> Vec<String> {
        if self.sort.is_empty() {
            return self.table.order.iter().map(|name| format!("\"{name}\"")).collect();
        }
        let direction = |sort: &Sort| if sort.descending { " DESC" } else { "" };
        self.sort.iter().map(|sort| format!("\"{}\"{}", sort.column.name, direction(sort))).collect()
    }

    /// The conditions under which a row comes after the one where the last page ended: it is further in some column
    /// and equal in those before it. The first column's part stands again by itself, where an index can use it. The whole
    /// must not use one (that is what a plus says): for each of its alternatives SQLite would fetch all rows that are left,
    /// and sort them, while the order's own index has the next ones side by side.
    fn beyond(&self) -> Vec<String> {
        let Some(after) = self.after else { return Vec::new() };
        let place = |index: usize| self.filters.len() + index + 1;
        let columns = || self.sort.iter().zip(after).enumerate();
        let further = |(index, (sort, cell)): (usize, (&Sort, &Cell))| {
            let same = self.sort[..index].iter().enumerate();
            let mut all: Vec<String> =
                same.map(|(index, sort)| format!("+\"{}\" IS ?{}", sort.column.name, place(index))).collect();
            all.push(further_sql(sort, cell, place(index)));
            all.join(" AND ")
        };
        let whole = format!("({})", columns().map(further).collect::<Vec<_>>().join(" OR "));
        let range = columns().next().filter(|(_, (sort, cell))| !sort.descending && !matches!(cell, Cell::Null));
        let range = range.map(|(_, (sort, _))| format!("\"{}\" >= ?{}", sort.column.name, place(0)));
        range.into_iter().chain([whole]).collect()
    }
}

/// Whether a column is further than a value. Absent values sort lowest, and nothing is further down than they.
fn further_sql(sort: &Sort, cell: &Cell, number: usize) -> String {
    let name = sort.column.name;
    match (sort.descending, cell) {
        (false, Cell::Null) => format!("+\"{name}\" IS NOT ?{number}"),
        (false, _) => format!("+\"{name}\" > ?{number}"),
        (true, Cell::Null) => format!("?{number} IS NOT NULL"),
        (true, _) => format!("(+\"{name}\" < ?{number} OR +\"{name}\" IS NULL)"),
    }
}

/// The room of a row's values for those of the next.
fn recycled<'b>(mut values: Vec<Value<'_>>) -> Vec<Value<'b>> {
    values.clear();
    values.into_iter().map(|_| Value::Null).collect()
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
