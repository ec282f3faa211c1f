//! Owns how rows get into `events`: many in a statement where there are as many, which halves what SQLite
//! spends on each. The rows of a chunk wait here, hashed and placed, until it is full or somebody must see them.

use std::slice;

use projections::draft::Draft;
use projections::moment::Moment;
use rusqlite::{Connection, ErrorCode, Statement};
use uuid::Uuid;

use super::super::chain::Hash;

/// How many rows go into one statement, where there are as many. The more they are, the fewer pages SQLite copies
/// to undo a statement with; but the values of about this many fit in the memory that a connection has at hand, and
/// beyond it each is allocated by itself.
pub(super) const ROWS: usize = 20;

const COLUMNS: usize = 11;

/// A row on its way, beside the draft it comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The draft's place in its batch.
    pub(super) index: usize,
    pub(super) seq: i64,
    pub(super) id: Uuid,
    pub(super) stream_id: i64,
    pub(super) stream_version: i64,
    pub(super) recorded_at: Moment,
    pub(super) hash: Hash,
}

/// The rows that wait to be inserted.
#[derive(Debug)]
pub(super) struct Rows {
    waiting: Vec<Row>,
    /// Ids that were inserted since the recorded ones were last looked up: their events are duplicates when
    /// they come again.
    inserted: Vec<Uuid>,
    insert_many: String,
}

const INSERT_ONE: &str = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

impl Rows {
    pub(super) fn new() -> Self {
        let more = ", (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)".repeat(ROWS - 1);
        Self { waiting: Vec::with_capacity(ROWS), inserted: Vec::new(), insert_many: format!("{INSERT_ONE}{more}") }
    }

    pub(super) fn push(&mut self, row: Row) {
        self.waiting.push(row);
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.inserted.clear();
    }

    /// The recorded ids are about to be looked up: what was inserted so far is among them.
    pub(super) fn begin_chunk(&mut self) {
        self.inserted.clear();
    }

    /// Whether a row with this id waits, or was inserted since the chunk began.
    pub(super) fn has(&self, id: Uuid) -> bool {
        self.waiting.iter().any(|row| row.id == id) || self.inserted.contains(&id)
    }

    /// Inserts what waits. An error comes with the place of the draft at fault.
    pub(super) fn flush(&mut self, conn: &Connection, drafts: &[Draft]) -> Result<(), (usize, rusqlite::Error)> {
        let Some(first) = self.waiting.first() else { return Ok(()) };
        if self.waiting.len() == ROWS {
            match insert(conn, &self.insert_many, &self.waiting, drafts) {
                Ok(()) => {}
                // A statement of many rows that fails leaves none of them: one by one then tells which is at
                // fault. But a full disk ends the whole transaction, and what came after would be on its own.
                Err(error) if conn.is_autocommit() || !is_of_the_row(&error) => return Err((first.index, error)),
                Err(_) => self.insert_each(conn, drafts)?,
            }
        } else {
            self.insert_each(conn, drafts)?;
        }
        self.inserted.extend(self.waiting.drain(..).map(|row| row.id));
        Ok(())
    }

    fn insert_each(&self, conn: &Connection, drafts: &[Draft]) -> Result<(), (usize, rusqlite::Error)> {
        self.waiting.iter().try_for_each(|row| {
            insert(conn, INSERT_ONE, slice::from_ref(row), drafts).map_err(|error| (row.index, error))
        })
    }
}

fn insert(conn: &Connection, sql: &str, rows: &[Row], drafts: &[Draft]) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(sql)?;
    for (place, row) in rows.iter().enumerate() {
        bind(&mut statement, place * COLUMNS, row, &drafts[row.index])?;
    }
    statement.raw_execute().map(drop)
}

/// Whether an insert failed for what was to be inserted, not for where.
pub(super) fn is_of_the_row(error: &rusqlite::Error) -> bool {
    use ErrorCode::{ConstraintViolation, TooBig, TypeMismatch, Unknown};
    matches!(error.sqlite_error_code(), Some(ConstraintViolation | TypeMismatch | TooBig | Unknown))
}

fn bind(statement: &mut Statement<'_>, after: usize, row: &Row, draft: &Draft) -> rusqlite::Result<()> {
    statement.raw_bind_parameter(after + 1, row.seq)?;
    statement.raw_bind_parameter(after + 2, row.id.as_bytes())?;
    statement.raw_bind_parameter(after + 3, row.stream_id)?;
    statement.raw_bind_parameter(after + 4, row.stream_version)?;
    statement.raw_bind_parameter(after + 5, draft.kind.as_str())?;
    statement.raw_bind_parameter(after + 6, draft.schema_version)?;
    statement.raw_bind_parameter(after + 7, draft.occurred_at.0)?;
    statement.raw_bind_parameter(after + 8, row.recorded_at.0)?;
    statement.raw_bind_parameter(after + 9, draft.data.as_str())?;
    statement.raw_bind_parameter(after + 10, draft.meta.as_deref())?;
    statement.raw_bind_parameter(after + COLUMNS, row.hash)
}
