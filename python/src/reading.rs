//! Owns what a journal answers about its tables: rows, columns, SQL, and several questions as of one moment. The tables
//! are those of now, or, where a position is given, those of then.

use std::time::Duration;

use projections::TABLES;
use projections::cell::{Column, ColumnKind, Table};
use projections::schema::{Field, Kind, TYPES};
use pyo3::prelude::*;
use tradefold::as_of::tables_as_of;
use tradefold::tables::{Connection, Queries, hold_still};

use crate::journal::{Journal, Open};
use crate::raise::Raise;
use crate::rows::{self, Answer, Batches, Cell, ColumnCells, Wish, selection};

impl Open {
    /// The tables of now, or as of a position.
    pub(crate) fn tables_of(&self, as_of: Option<u64>) -> Result<Connection, Raise> {
        let Some(position) = as_of else { return self.tables() };
        let log = self.log()?;
        let head = log.head()?.seq;
        if position > head {
            return Err(Raise::question(format!("as_of {position}: the log ends at position {head}")));
        }
        Ok(tables_as_of(&log, position, &mut |_, _| {})?)
    }
}

#[pymethods]
impl Journal {
    /// Rows that come one batch after another.
    fn batches(&self, py: Python<'_>, wish: Wish, as_of: Option<u64>) -> PyResult<Batches> {
        let open = self.open()?;
        Ok(py.detach(|| Batches::start(open.tables_of(as_of)?, selection(wish)?))?)
    }

    /// All rows, by columns.
    fn columns(&self, py: Python<'_>, wish: Wish, as_of: Option<u64>) -> PyResult<Vec<ColumnCells>> {
        let open = self.open()?;
        Ok(py.detach(|| rows::columns(&open.tables_of(as_of)?, &selection(wish)?))?)
    }

    /// The first row.
    fn first(&self, py: Python<'_>, wish: Wish, as_of: Option<u64>) -> PyResult<Option<Vec<Cell>>> {
        let open = self.open()?;
        Ok(py.detach(|| rows::first(&open.tables_of(as_of)?, &selection(wish)?))?)
    }

    /// The columns that a wish comes to, each with its kind. Refuses what no table has, before anything is read.
    #[staticmethod]
    fn check(wish: Wish) -> PyResult<Columns> {
        Ok(columns(selection(wish)?.chosen().iter().copied()))
    }

    /// The answer to a statement.
    fn sql(&self, py: Python<'_>, sql: &str, values: Vec<Cell>, as_of: Option<u64>, timeout: f64) -> PyResult<Answer> {
        let open = self.open()?;
        let allowed = crate::patience::seconds(Some(timeout))?;
        Ok(py.detach(|| {
            let mut queries = Queries::new(open.tables_of(as_of)?, Some(&open.dir))?;
            rows::ask(&mut queries, sql, &values, allowed)
        })?)
    }

    /// The answers to several statements, all as of the same moment.
    fn at_once(&self, py: Python<'_>, statements: Vec<String>, timeout: f64) -> PyResult<Vec<Answer>> {
        let open = self.open()?;
        let allowed: Duration = crate::patience::seconds(Some(timeout))?;
        Ok(py.detach(|| {
            let tables = open.tables()?;
            hold_still(&tables)?;
            // Without the log, which cannot be held at the same moment.
            let mut queries = Queries::new(tables, None)?;
            let answers = statements.iter().map(|sql| rows::ask(&mut queries, sql, &[], allowed));
            answers.collect::<Result<Vec<_>, Raise>>()
        })?)
    }

    /// The last position recorded by a moment.
    fn position_at(&self, py: Python<'_>, time: &str) -> PyResult<u64> {
        let open = self.open()?;
        Ok(py.detach(|| {
            let wrong = |_| Raise::question(format!("expected a time with an offset, got `{time}`"));
            let moment = projections::moment::Moment::parse(time).map_err(wrong)?;
            Ok::<_, Raise>(open.log()?.last_recorded_by(moment)?)
        })?)
    }
}

/// Name and kind of each column.
type Columns = Vec<(&'static str, &'static str)>;

/// Each table: its name, key, what it is sorted by, and columns.
#[pyfunction]
pub(crate) fn tables() -> Vec<(&'static str, Vec<&'static str>, Columns)> {
    let columns = |table: &Table| columns(table.all_columns());
    TABLES.iter().map(|table| (table.name, table.key.to_vec(), columns(table))).collect()
}

fn columns(columns: impl IntoIterator<Item = Column>) -> Columns {
    let kind = |kind| match kind {
        ColumnKind::Text => "text",
        ColumnKind::Integer => "integer",
        ColumnKind::Real => "real",
    };
    columns.into_iter().map(|column| (column.name, kind(column.kind))).collect()
}

/// Name and kind of a field, and whether it is required.
type Told = (String, &'static str, bool);

/// Each event type: its name, and each field of any of its versions, those of an object within with a point between.
#[pyfunction]
pub(crate) fn vocabulary() -> Vec<(&'static str, Vec<Told>)> {
    let fields = |kind: &projections::schema::EventType| {
        let mut told = Vec::new();
        kind.versions.iter().for_each(|version| tell(version.fields, "", &mut told));
        told
    };
    TYPES.iter().map(|kind| (kind.name, fields(kind))).collect()
}

fn tell(fields: &[Field], within: &str, told: &mut Vec<Told>) {
    for field in fields {
        let name = format!("{within}{}", field.name);
        if let Kind::Fields(inner) = field.kind {
            tell(inner, &format!("{name}."), told);
        }
        let kind = match field.kind {
            Kind::Decimal(_) => "decimal",
            Kind::Whole(..) => "whole",
            Kind::Time => "time",
            Kind::Date => "date",
            Kind::Changes(_) => "changes",
            Kind::Names(_) | Kind::Wholes => "list",
            Kind::Fields(_) | Kind::Object => "object",
            Kind::Scalar => "scalar",
            Kind::Name | Kind::Text | Kind::OneOf(_) | Kind::Zone | Kind::Clock => "text",
        };
        if !told.iter().any(|(known, ..)| *known == name) {
            told.push((name, kind, field.required));
        }
    }
}
