//! `sql`: one statement of the user's own over the tables. What it may do is `tables::Queries`' business: read.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value as Json};

use super::failure::Failure;
use super::grid::{Align, Grid};
use super::out::Out;
use super::reading::{Reading, Source};
use super::{Context, help};
use crate::tables::{Queries, QueryError, RowSink, Value};

/// The most rows of a table for people, which is held in memory to be aligned.
const SHOWN_MAX: usize = 1_000;

/// Run a read-only SQL query over the tables
#[derive(Debug, Args)]
#[command(after_help = help::SQL)]
pub(crate) struct Sql {
    /// One SELECT; the log is there as `log`, readably as `log.history`
    #[arg(value_name = "QUERY")]
    query: String,

    /// CSV instead of a table
    #[arg(long)]
    csv: bool,

    /// Stop the query after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,

    #[command(flatten)]
    source: Source,
}

impl Sql {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        if self.csv && context.json {
            return Err(Failure::usage("--csv and --json: expected one of them"));
        }
        let reading = Reading::open(context, &self.source)?;
        let journal = reading.log.as_ref().map(|log| log.dir().to_owned());
        let mut queries = Queries::new(reading.tables, journal.as_deref())?;
        let allowed = Duration::from_secs(self.timeout);
        if context.json {
            let mut rows = JsonRows { out, names: Vec::new(), rows: 0, written: Ok(()) };
            queries.run(&self.query, allowed, &mut rows)?;
            return Ok(rows.finish()?);
        }
        if self.csv {
            let mut rows = CsvRows { writer: csv_writer(out), written: Ok(()) };
            queries.run(&self.query, allowed, &mut rows)?;
            return Ok(rows.finish()?);
        }
        let mut rows = GridRows::default();
        queries.run(&self.query, allowed, &mut rows)?;
        Ok(rows.print(out)?)
    }
}

fn flow(written: &io::Result<()>) -> ControlFlow<()> {
    if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

/// A JSON list with an object a row, each on a line of its own.
struct JsonRows<'a> {
    out: &'a mut Out,
    names: Vec<String>,
    rows: u64,
    written: io::Result<()>,
}

impl JsonRows<'_> {
    fn finish(self) -> io::Result<()> {
        self.written?;
        self.out.line(if self.rows == 0 { "[]" } else { "\n]" })
    }
}

impl RowSink for JsonRows<'_> {
    fn head(&mut self, columns: &[&str]) {
        for name in columns {
            // An object has each name once.
            let taken = |candidate: &String| self.names.contains(candidate);
            let numbered = (2..).map(|number| format!("{name}:{number}"));
            let free = std::iter::once((*name).to_owned()).chain(numbered).find(|candidate| !taken(candidate));
            self.names.extend(free);
        }
    }

    fn row(&mut self, values: &[Value<'_>]) -> ControlFlow<()> {
        let object: Map<String, Json> =
            self.names.iter().cloned().zip(values.iter().map(|value| as_json(*value))).collect();
        let before = if self.rows == 0 { "[\n" } else { ",\n" };
        self.rows += 1;
        self.written = write!(self.out, "{before}{}", Json::Object(object));
        flow(&self.written)
    }
}

fn as_json(value: Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int(value) => value.into(),
        Value::Real(value) => value.into(),
        Value::Text(text) => text.into(),
        Value::Blob(bytes) => hex(bytes).into(),
    }
}

fn as_text(value: Value<'_>) -> String {
    match value {
        Value::Null => String::new(),
        Value::Int(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Text(text) => text.to_owned(),
        Value::Blob(bytes) => hex(bytes),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

type CsvWriter<'a> = csv::Writer<&'a mut Out>;

fn csv_writer(out: &mut Out) -> CsvWriter<'_> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out)
}

struct CsvRows<'a> {
    writer: CsvWriter<'a>,
    written: io::Result<()>,
}

impl CsvRows<'_> {
    fn finish(mut self) -> io::Result<()> {
        self.written?;
        self.writer.flush()
    }
}

impl RowSink for CsvRows<'_> {
    fn head(&mut self, columns: &[&str]) {
        self.written = self.writer.write_record(columns).map_err(io::Error::from);
    }

    fn row(&mut self, values: &[Value<'_>]) -> ControlFlow<()> {
        if self.written.is_ok() {
            let record = values.iter().map(|value| as_text(*value));
            self.written = self.writer.write_record(record).map_err(io::Error::from);
        }
        flow(&self.written)
    }
}

/// Rows for people: kept, since the widest of a column decides how it is aligned.
#[derive(Default)]
struct GridRows {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Whether each column has held nothing but numbers.
    numeric: Vec<bool>,
    more: bool,
}

impl GridRows {
    fn print(self, out: &mut Out) -> io::Result<()> {
        let align = |numeric: &bool| if *numeric { Align::Right } else { Align::Left };
        let names = self.names.iter().map(String::as_str);
        let columns: Vec<_> = names.zip(self.numeric.iter().map(align)).collect();
        let mut grid = Grid::new(&columns);
        let shown = self.rows.len();
        self.rows.into_iter().for_each(|row| grid.row(row));
        out.line(grid.to_string())?;
        if self.more {
            out.line(format!("The first {shown} rows; --csv and --json give all."))?;
        }
        Ok(())
    }
}

impl RowSink for GridRows {
    fn head(&mut self, columns: &[&str]) {
        self.names = columns.iter().map(|name| (*name).to_owned()).collect();
        self.numeric = vec![true; columns.len()];
    }

    fn row(&mut self, values: &[Value<'_>]) -> ControlFlow<()> {
        if self.rows.len() == SHOWN_MAX {
            self.more = true;
            return ControlFlow::Break(());
        }
        for (numeric, value) in self.numeric.iter_mut().zip(values) {
            *numeric &= matches!(value, Value::Null | Value::Int(_) | Value::Real(_));
        }
        self.rows.push(values.iter().map(|value| as_text(*value)).collect());
        ControlFlow::Continue(())
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Tables(error) => error.into(),
            error => Self::usage(format!("sql: {error}")),
        }
    }
}
