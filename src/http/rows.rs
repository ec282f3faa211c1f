//! Owns `GET /api/v1/{table}`: a question about one table, its answer as a page of JSON or as CSV. Names come from
//! `projections::TABLES` alone; which rows and in which order is `export`'s doing.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{StreamExt as _, stream};
use projections::cell::{Cell, ColumnKind, Row, Table};
use projections::projection;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use super::app::App;
use super::desk::Seat;
use super::params::{Params, When, unknown};
use super::problem::Problem;
use crate::as_of::tables_as_of;
use crate::export::{self, ExportError, Selection, Style};
use crate::json;
use crate::tables::{self, Comparison, Connection, Sort, Value, at_once};

/// Rows of a page when nothing else is said, and at most.
pub(super) const ROWS: u64 = 100;
pub(super) const ROWS_MAX: u64 = 10_000;

/// Parameters that are no columns.
pub(super) const PARAMETERS: [&str; 9] =
    ["limit", "after", "sort", "columns", "as_of", "search", "from", "to", "wait_for"];

/// What follows a column's name and a point.
pub(super) const COMPARISONS: [(&str, Comparison); 5] = [
    ("ne", Comparison::IsNot),
    ("gt", Comparison::Above),
    ("gte", Comparison::AtLeast),
    ("lt", Comparison::Below),
    ("lte", Comparison::AtMost),
];

/// Rows of a table.
pub(super) async fn table(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let table = projection::table(&name).ok_or_else(|| no_table(&name))?;
    let wants_csv = headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/csv"));
    let question = Question::read(table, Params::of(&uri), wants_csv)?;
    if wants_csv {
        return csv(&app, question).await;
    }
    let allowed = app.limits.query_time;
    let body = match question.as_of {
        Some(when) => app.desk.read_past(when, move |tables| question.page(tables)).await?,
        None => app.desk.read(move |seat| at_once(&mut seat.tables, allowed, |conn| question.page(conn))).await?,
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

fn no_table(name: &str) -> Problem {
    let names = || projections::TABLES.iter().map(|table| table.name);
    let meant = match projections::validate::nearest(name, names()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
    };
    Problem::absent(format!("there is no table `{name}`; {meant}"))
}

/// The tables as they were.
fn past(seat: &Seat, when: When) -> Result<Connection, Problem> {
    let position = when.position(&seat.log)?;
    Ok(tables_as_of(&seat.log, position, &mut |_, _| {})?)
}

/// What is asked of a table.
struct Question {
    selection: Selection,
    as_of: Option<When>,
}

impl Question {
    fn read(table: &'static Table, mut params: Params, wants_csv: bool) -> Result<Self, Problem> {
        // Waited for already, by whoever passed the question on.
        params.take("wait_for");
        let as_of = params.when()?;
        let limit =
            params.parsed("limit", "a number of rows from 1", |text| text.parse().ok().filter(|rows| *rows > 0))?;
        let mut selection = Selection::of(table).dates(params.date("from")?, params.date("to")?)?;
        if let Some(columns) = params.take("columns") {
            selection = selection.columns(columns.split(',').map(str::trim))?;
        }
        for words in params.take_all("search") {
            if as_of.is_some() {
                return Err(Problem::question("search knows the present alone, not tables as of then"));
            }
            selection = selection.found(&words)?;
        }
        let sort = params.take("sort").unwrap_or_default();
        let by = sort.split(',').map(str::trim).filter(|name| !name.is_empty());
        selection = selection.sorted(by.map(|name| match name.strip_prefix('-') {
            Some(name) => (name, true),
            None => (name, false),
        }))?;
        if let Some(cursor) = params.take("after") {
            let row = from_cursor(table, selection.sort(), &cursor);
            let wrong = || Problem::question("after: expected `next` of an answer to the same table in the same order");
            selection = selection.after(row.ok_or_else(wrong)?);
        }
        selection = match limit {
            // All of it may be taken, since it is never held whole.
            limit if wants_csv => limit.map_or(selection.clone(), |limit| selection.limit(limit)),
            limit => selection.limit(limit.unwrap_or(ROWS).min(ROWS_MAX)),
        };
        for (name, value) in params.rest() {
            selection = filtered(selection, &name, &value)?;
        }
        Ok(Self { selection, as_of })
    }

    /// A page as JSON, with where the next begins.
    fn page(&self, conn: &Connection) -> Result<Vec<u8>, Problem> {
        let table = self.selection.table();
        let position = position(conn, table)?;
        let mut body = format!("{{\"table\":\"{}\",\"position\":{position},\"rows\":[", table.name).into_bytes();
        let mut rows = 0;
        let next = self.selection.page(conn, |row| {
            body.extend_from_slice(if rows == 0 { b"\n" } else { b",\n" });
            rows += 1;
            put_row(&mut body, self.selection.chosen().iter().map(|column| column.name).zip(row));
        })?;
        let next = next.map(|row| to_cursor(table, self.selection.sort(), &row));
        body.extend_from_slice(format!("],\n\"next\":{}}}\n", json!(next)).as_bytes());
        Ok(body)
    }
}

/// Where the projection of a table is, as a connection sees it.
pub(super) fn position(conn: &Connection, table: &Table) -> Result<u64, Problem> {
    let keeper = projection::keeper_of(table.name).map(|about| about.name);
    let kept = tables::cursors(conn)?.into_iter().find(|kept| Some(kept.name.as_str()) == keeper);
    Ok(kept.map_or(0, |kept| kept.cursor.position))
}

/// Writes a row as an object.
pub(super) fn put_row<'v>(body: &mut Vec<u8>, cells: impl Iterator<Item = (&'static str, &'v Value<'v>)>) {
    for (at, (name, value)) in cells.enumerate() {
        let before = if at == 0 { '{' } else { ',' };
        // Writing to memory does not fail.
        let _infallible = write!(body, "{before}\"{name}\":");
        let _infallible = serde_json::to_writer(&mut *body, &json::value(*value));
    }
    body.push(b'}');
}

fn filtered(selection: Selection, name: &str, value: &str) -> Result<Selection, Problem> {
    if let Some((column, word)) = name.rsplit_once('.') {
        let words = || COMPARISONS.iter().map(|(word, _)| *word);
        let found = COMPARISONS.iter().find(|(known, _)| *known == word);
        let wrong = || {
            let known = words().collect::<Vec<_>>().join(", ");
            Problem::question(format!("{name}: there is no comparison `{word}`; there are {known}"))
        };
        return Ok(selection.compared(column, found.ok_or_else(wrong)?.1, value)?);
    }
    let table = selection.table();
    if table.position(name).is_none() {
        let columns = table.all_columns().map(|column| column.name);
        return Err(unknown(name, &columns.chain(PARAMETERS).collect::<Vec<_>>()));
    }
    Ok(selection.compared(name, Comparison::Is, value)?)
}

/// What a cursor belongs to: another order would lead somewhere else.
fn order_said(table: &Table, sort: &[Sort]) -> String {
    let part = |sort: &Sort| format!("{}{}", if sort.descending { '-' } else { '+' }, sort.column.name);
    sort.iter().map(part).fold(table.name.to_owned(), |said, part| said + &part)
}

fn to_cursor(table: &Table, sort: &[Sort], row: &Row) -> String {
    let cells: Vec<Json> = row.iter().map(json::cell).collect();
    URL_SAFE_NO_PAD.encode(json!([order_said(table, sort), cells]).to_string())
}

fn from_cursor(table: &Table, sort: &[Sort], cursor: &str) -> Option<Row> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (said, cells): (String, Vec<Json>) = serde_json::from_slice(&bytes).ok()?;
    if said != order_said(table, sort) || cells.len() != sort.len() {
        return None;
    }
    sort.iter().zip(cells).map(|(sort, cell)| from_json(sort.column.kind, &cell)).collect()
}

fn from_json(kind: ColumnKind, cell: &Json) -> Option<Cell> {
    match (kind, cell) {
        (_, Json::Null) => Some(Cell::Null),
        (ColumnKind::Text, Json::String(text)) => Some(text.as_str().into()),
        (ColumnKind::Integer, number) => number.as_i64().map(Cell::Int),
        (ColumnKind::Real, number) => number.as_f64().map(Cell::Real),
        _ => None,
    }
}

/// How long one CSV may take, however steadily it is taken: it holds the tables at one moment meanwhile.
const CSV_TIME: Duration = Duration::from_secs(600);

/// Bytes of CSV made at a time, and how many times that lie ready.
const CSV_PART: usize = 64 << 10;
const CSV_PARTS: usize = 4;

/// Rows as CSV, made while they are taken: it is never held whole.
async fn csv(app: &App, question: Question) -> Result<Response, Problem> {
    let permit = std::sync::Arc::clone(&app.streams).try_acquire_owned();
    let permit = permit.map_err(|_| Problem::not_now("busy", "too many streams and CSV answers are under way"))?;
    let (parts, mut made) = mpsc::channel(CSV_PARTS);
    let dir = app.desk.dir().to_owned();
    let name = question.selection.table().name;
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        if let Err(problem) = write_csv(&dir, &question, &parts) {
            // Nobody is left to be told where that fails.
            let _ = parts.blocking_send(Err(problem));
        }
    });
    // Only what comes before the first part can still be a better status.
    let first = made.recv().await.unwrap_or_else(|| Ok(Bytes::new()))?;
    let rest = stream::unfold(made, |mut made| async {
        let part = made.recv().await?;
        Some((part.map_err(|problem| io::Error::other(problem.detail().to_owned())), made))
    });
    let body = Body::from_stream(stream::once(async { Ok(first) }).chain(rest));
    let named = format!("attachment; filename=\"{name}.csv\"");
    let kind = "text/csv; charset=utf-8; header=present".to_owned();
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, named)], body).into_response())
}

fn write_csv(dir: &std::path::Path, question: &Question, parts: &Parts) -> Result<(), Problem> {
    // A connection of its own: nobody waits behind somebody who takes his time.
    let mut seat = Seat::open(dir)?;
    let mut output = io::BufWriter::with_capacity(CSV_PART, Output(parts));
    let written = match question.as_of {
        Some(when) => export::write(&past(&seat, when)?, &question.selection, Style::default(), &mut output),
        None => at_once(&mut seat.tables, CSV_TIME, |conn| {
            export::write(conn, &question.selection, Style::default(), &mut output)
        }),
    };
    match written {
        // Whoever took it has gone.
        Err(ExportError::Output(_)) => Ok(()),
        written => {
            written?;
            let _ = output.flush();
            Ok(())
        }
    }
}

type Parts = mpsc::Sender<Result<Bytes, Problem>>;

/// Hands over what is written, and waits while enough lies ready.
struct Output<'a>(&'a Parts);

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_parameter_is_named_like_a_column() {
        for table in projections::TABLES {
            assert!(table.all_columns().all(|column| !PARAMETERS.contains(&column.name)), "{}", table.name);
        }
    }
}
