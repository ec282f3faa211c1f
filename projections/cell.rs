//! Owns what a table looks like from outside the folds: [`Cell`], [`Row`] and [`Table`] (name, SQL, columns,
//! key). Where rows are kept, and how, is the world's business.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::codec::{self, Form};
use crate::decimal::Dec;
use crate::moment::Moment;
use crate::text::Text;

/// One value of a table: the four kinds SQLite's STRICT tables hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Cell {
    /// Absent.
    Null,
    /// A count or a position.
    Int(i64),
    /// A price, an amount or a statistic; never NaN or infinite.
    Real(f64),
    /// A name, a time, or JSON.
    Text(Text),
}

/// The values of one row, in the order of its table's columns.
pub type Row = Vec<Cell>;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "SQLite's names")]
pub enum ColumnKind {
    Text,
    Integer,
    Real,
}

/// One column of a table, as docs/TABLES.md prints it.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name: public API.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// What it means: unit, formula, when it is NULL.
    pub doc: &'static str,
}

/// A table: made by a fold, kept by the world.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name everywhere: module, SQL file, CSV file, URL.
    pub name: &'static str,
    /// The statements that make it, its indexes and its search tables.
    pub sql: &'static str,
    /// Its columns, without `first_seq` and `last_seq`, which end every row.
    pub columns: &'static [Column],
    /// The columns that identify a row.
    pub key: &'static [&'static str],
    /// What SQL calls unique about a row: the key's columns, or an expression where one of them may be NULL.
    pub unique: &'static str,
    /// The columns by which exports are sorted, so that equal tables give equal files.
    pub order: &'static [&'static str],
    /// The column with the row's moment or date, for `--from` and `--to`; `None` where rows have none.
    pub time: Option<&'static str>,
    /// One sentence on what a row is.
    pub doc: &'static str,
}

/// The two columns that end every row.
pub const SEQ_COLUMNS: [Column; 2] = [
    Column { name: "first_seq", kind: ColumnKind::Integer, doc: "position of the event that made the row" },
    Column { name: "last_seq", kind: ColumnKind::Integer, doc: "position of the event that last changed the row" },
];

impl Table {
    /// All columns, in the order of a row.
    pub fn all_columns(&self) -> impl Iterator<Item = Column> + '_ {
        self.columns.iter().copied().chain(SEQ_COLUMNS)
    }

    /// The place of a column in a row.
    #[must_use]
    pub fn position(&self, column: &str) -> Option<usize> {
        self.all_columns().position(|candidate| candidate.name == column)
    }
}

/// Shorthand for the column lists of the table modules.
pub(crate) const fn text(name: &'static str, doc: &'static str) -> Column {
    Column { name, kind: ColumnKind::Text, doc }
}

/// A column of counts.
pub(crate) const fn integer(name: &'static str, doc: &'static str) -> Column {
    Column { name, kind: ColumnKind::Integer, doc }
}

/// A column of prices, amounts or statistics.
pub(crate) const fn real(name: &'static str, doc: &'static str) -> Column {
    Column { name, kind: ColumnKind::Real, doc }
}

/// Cells as bytes that [`cells_from_bytes`] reads: for the private parts of `projections.db`.
#[must_use]
pub fn cells_to_bytes(cells: &[Cell]) -> Vec<u8> {
    codec::encode(&cells, Form::Plain, &mut Vec::new())
}

/// The cells that [`cells_to_bytes`] wrote; `None` where the bytes are damaged.
#[must_use]
pub fn cells_from_bytes(bytes: &[u8]) -> Option<Row> {
    codec::decode(bytes, Form::Plain)
}

impl Cell {
    /// A position or count.
    #[must_use]
    pub fn seq(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }

    /// The position or count, where it is one.
    #[must_use]
    pub fn as_seq(&self) -> Option<u64> {
        if let Self::Int(value) = self { u64::try_from(*value).ok() } else { None }
    }

    /// The text a CSV shows; empty for NULL.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Int(value) => value.to_string(),
            Self::Real(value) => value.to_string(),
            Self::Text(value) => value.as_str().to_owned(),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Int(_) => 1,
            Self::Real(_) => 2,
            Self::Text(_) => 3,
        }
    }
}

impl PartialEq for Cell {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Cell {}

impl PartialOrd for Cell {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cell {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => left.cmp(right),
            (Self::Real(left), Self::Real(right)) => left.total_cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl From<Dec> for Cell {
    fn from(value: Dec) -> Self {
        Self::Real(value.to_f64())
    }
}

impl From<Moment> for Cell {
    fn from(value: Moment) -> Self {
        value.with_text(|text| text.into())
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl From<&String> for Cell {
    fn from(value: &String) -> Self {
        value.as_str().into()
    }
}

impl From<u32> for Cell {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<f64> for Cell {
    /// Anything that is no number (NaN, infinity) is absent.
    fn from(value: f64) -> Self {
        if value.is_finite() { Self::Real(value) } else { Self::Null }
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
