//! Owns rows of tables as Python has them: selected, or asked for in SQL. Rows of a table that is only looked through
//! come from a thread of their own over a bounded way, so that size does not matter; all of them at once come by
//! columns, as data frames want them.

use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use projections::calendar::TradingDate;
use projections::projection::table;
use projections::validate::nearest;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};
use tradefold::export::{ExportError, Selection};
use tradefold::tables::{Connection, Queries, RowSink, Value};

use crate::home::{Counted, Home, Lock};
use crate::patience::{seconds, wait};
use crate::raise::Raise;

/// Rows handed over at once.
const BATCH: usize = 256;

/// Batches that wait for whoever takes them.
const AHEAD: usize = 4;

/// A value that outlives its row.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<Value<'_>> for Cell {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Int(value) => Self::Int(value),
            Value::Real(value) => Self::Real(value),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Blob(bytes) => Self::Blob(bytes.to_owned()),
        }
    }
}

impl<'py> IntoPyObject<'py> for Cell {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self {
            Self::Null => py.None().into_bound(py),
            Self::Int(value) => value.into_pyobject(py)?.into_any(),
            Self::Real(value) => value.into_pyobject(py)?.into_any(),
            Self::Text(text) => text.into_pyobject(py)?.into_any(),
            Self::Blob(bytes) => PyBytes::new(py, &bytes).into_any(),
        })
    }
}

/// What is asked of a table, as Python gives it: name, columns, column and value pairs (an empty value stands for
/// nothing), first and last trading date.
pub(crate) type Wish = (String, Option<Vec<String>>, Vec<(String, String)>, Option<String>, Option<String>);

/// The rows and columns that are meant.
pub(crate) fn selection(wish: Wish) -> Result<Selection, Raise> {
    let (name, columns, equal, from, to) = wish;
    let known = || projections::TABLES.iter().map(|table| table.name);
    let unknown = || {
        let meant = match nearest(&name, known()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
        };
        Raise::question(format!("there is no table `{name}`; {meant}"))
    };
    let mut selection = Selection::of(table(&name).ok_or_else(unknown)?);
    if let Some(columns) = &columns {
        selection = selection.columns(columns.iter().map(String::as_str))?;
    }
    for (column, value) in &equal {
        selection = selection.equal(column, value)?;
    }
    Ok(selection.dates(date("from", from)?, date("to", to)?)?)
}

/// A trading date as callers write it.
pub(crate) fn date(which: &str, text: Option<String>) -> Result<Option<TradingDate>, Raise> {
    let wrong = |text: &str| Raise::question(format!("{which}: expected a date such as 2026-03-02, got `{text}`"));
    text.map(|text| TradingDate::parse(&text).ok_or_else(|| wrong(&text))).transpose()
}

type Batch = Result<Vec<Vec<Cell>>, Raise>;

/// Rows that come one batch after another.
#[pyclass(frozen, module = "tradefold._tradefold")]
pub(crate) struct Batches {
    batches: Home<Lock<Receiver<Batch>>>,
}

impl Batches {
    /// Begins to read.
    pub(crate) fn start(conn: Connection, selection: Selection) -> Result<Self, Raise> {
        let (counted, (sender, batches)) = (Counted::new()?, bounded(AHEAD));
        let thread = thread::Builder::new().name("rows".to_owned());
        let started = thread.spawn(move || {
            // In this order, so that the connection goes first.
            let _counted = counted;
            let conn = conn;
            read(&conn, &selection, &sender);
        });
        started.map_err(|error| Raise::new("StorageError", format!("cannot start a thread: {error}")))?;
        Ok(Self { batches: Home::new(Lock::new(batches)) })
    }
}

#[pymethods]
impl Batches {
    /// The next batch; `None` at the end.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let batch = wait(py, seconds(None)?, |most| match self.batches.get()?.enter().recv_timeout(most) {
            Ok(batch) => batch.map(|rows| Some(Some(rows))),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Ok(Some(None)),
        })?;
        batch.flatten().map(|rows| tuples(py, rows)).transpose()
    }
}

fn tuples(py: Python<'_>, rows: Vec<Vec<Cell>>) -> PyResult<Bound<'_, PyList>> {
    let rows = rows.into_iter().map(|row| PyTuple::new(py, row)).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, rows)
}

fn read(conn: &Connection, selection: &Selection, batches: &Sender<Batch>) {
    let mut batch = Vec::new();
    let read = selection.each(conn, |row| {
        batch.push(row.iter().map(|value| Cell::from(*value)).collect());
        if batch.len() == BATCH && batches.send(Ok(std::mem::take(&mut batch))).is_err() {
            // Nobody wants more.
            return Err(ExportError::Output(std::io::ErrorKind::BrokenPipe.into()));
        }
        Ok(())
    });
    // Nobody may be there to take these either.
    let _ = match read {
        Ok(_) => batches.send(Ok(batch)),
        Err(error) => batches.send(Err(error.into())),
    };
}

/// A column, from its first row to its last.
pub(crate) type ColumnCells = Vec<Cell>;

/// All rows of a selection, by columns.
pub(crate) fn columns(conn: &Connection, selection: &Selection) -> Result<Vec<ColumnCells>, Raise> {
    let mut columns: Vec<ColumnCells> = vec![Vec::new(); selection.chosen().len()];
    selection.each(conn, |row| {
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(Cell::from(*value)));
        Ok(())
    })?;
    Ok(columns)
}

/// The first row of a selection.
pub(crate) fn first(conn: &Connection, selection: &Selection) -> Result<Option<Vec<Cell>>, Raise> {
    let mut found = None;
    let read = selection.each(conn, |row| {
        found = Some(row.iter().map(|value| Cell::from(*value)).collect());
        // That is enough.
        Err(ExportError::Output(std::io::ErrorKind::BrokenPipe.into()))
    });
    match (found, read) {
        (Some(row), _) => Ok(Some(row)),
        (None, Ok(_)) => Ok(None),
        (None, Err(error)) => Err(error.into()),
    }
}

/// The answer to a statement: the columns' names, and its rows.
pub(crate) type Answer = (Vec<String>, Vec<Vec<Cell>>);

#[derive(Default)]
struct Gather {
    names: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl RowSink for Gather {
    fn head(&mut self, columns: &[&str]) {
        self.names = columns.iter().map(|name| (*name).to_owned()).collect();
    }

    fn row(&mut self, values: &[Value<'_>]) -> ControlFlow<()> {
        self.rows.push(values.iter().map(|value| Cell::from(*value)).collect());
        ControlFlow::Continue(())
    }
}

/// Runs a statement that reads, its `?` standing for the values in their order.
pub(crate) fn ask(queries: &mut Queries, sql: &str, values: &[Cell], allowed: Duration) -> Result<Answer, Raise> {
    let values: Vec<Value<'_>> = values.iter().map(borrowed).collect();
    let mut gather = Gather::default();
    queries.run_with(sql, &values, allowed, &mut gather)?;
    Ok((gather.names, gather.rows))
}

fn borrowed(cell: &Cell) -> Value<'_> {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(value) => Value::Int(*value),
        Cell::Real(value) => Value::Real(*value),
        Cell::Text(text) => Value::Text(text),
        Cell::Blob(bytes) => Value::Blob(bytes),
    }
}

/// A value as Python gives it to a statement.
impl<'a, 'py> FromPyObject<'a, 'py> for Cell {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if value.is_none() {
            return Ok(Self::Null);
        }
        if let Ok(value) = value.extract::<i64>() {
            return Ok(Self::Int(value));
        }
        if let Ok(value) = value.extract::<f64>() {
            return Ok(Self::Real(value));
        }
        if let Ok(text) = value.extract::<String>() {
            return Ok(Self::Text(text));
        }
        Ok(Self::Blob(value.extract::<Vec<u8>>()?))
    }
}
