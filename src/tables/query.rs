//! Owns free SQL: one statement of a stranger's over the tables, with the log beside them as `log`. It can read
//! and nothing else: a read-only connection, an authorizer that knows nothing but reading, limits on lengths,
//! and a deadline. `query_only` alone is no sandbox: it can be turned off, and ATTACH makes files.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Batch, Connection, ErrorCode, Statement, ToSql};

use super::as_of::LIVE;
use super::error::TablesError;
use super::select::Value;
use crate::log::LOG_FILE;

/// The longest text or blob a statement may make or read: more than any event has.
const VALUE_BYTES_MAX: i32 = 8 << 20;
/// The longest statement.
const SQL_BYTES_MAX: i32 = 1 << 20;
/// Virtual machine steps between two looks at the clock.
const STEPS: i32 = 10_000;

/// Functions that reach beyond the database, in builds that have them.
const FORBIDDEN_FUNCTIONS: [&str; 5] = ["load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"];

/// Pragmas that only tell something. `data_version` is what full-text search itself asks.
const ALLOWED_PRAGMAS: [&str; 6] =
    ["data_version", "table_info", "table_xinfo", "table_list", "index_list", "index_info"];

/// Why a statement was not run, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// It would do more than read.
    #[error("only reading is allowed: one SELECT over the tables, and over log.history ({detail})")]
    Refused {
        /// In SQLite's words.
        detail: String,
    },
    /// It reads what is not as of then.
    #[error("the search tables know the present alone: with tables as of then, use LIKE ({detail})")]
    NotAsOf {
        /// In SQLite's words.
        detail: String,
    },
    /// It has no statement, or several.
    #[error("expected one SQL statement, got {found}")]
    NotOne {
        /// What there was.
        found: &'static str,
    },
    /// It is no SQL, or names what isn't there.
    #[error("{detail}")]
    Wrong {
        /// In SQLite's words.
        detail: String,
    },
    /// Values and parameters are not as many.
    #[error("the statement has {wanted} parameters; {given} values were given")]
    Parameters {
        /// How many it has.
        wanted: usize,
        /// How many values there are.
        given: usize,
    },
    /// It ran too long.
    #[error("the query was stopped after {:.0} s; narrow it, or allow more time", allowed.as_secs_f64())]
    TooSlow {
        /// The time it had.
        allowed: Duration,
    },
    /// It made something too long.
    #[error("a value or the statement is too long: at most {VALUE_BYTES_MAX} bytes")]
    TooLong,
    /// The tables could not be read.
    #[error(transparent)]
    Tables(#[from] TablesError),
}

/// Who takes a statement's rows.
pub trait RowSink {
    /// The columns' names, once, before any row.
    fn head(&mut self, columns: &[&str]);
    /// A row; breaks when it wants no more.
    fn row(&mut self, values: &[Value<'_>]) -> ControlFlow<()>;
}

/// A connection that runs strangers' statements.
#[derive(Debug)]
pub struct Queries {
    conn: Connection,
    /// Whether tables' names stand for what they were.
    is_past: bool,
}

impl Queries {
    /// Takes a connection made by [`super::Tables::read_only`], for good. `journal` is the folder whose log is
    /// to be read as `log`.
    ///
    /// # Errors
    /// [`TablesError`].
    pub fn new(mut conn: Connection, journal: Option<&Path>) -> Result<Self, TablesError> {
        if let Some(log) = journal.map(|dir| dir.join(LOG_FILE)) {
            // Attached as the connection itself was opened: read-only, and never read as a URI.
            let attached = log.to_str().map(|path| conn.execute("ATTACH ?1 AS log", [path]));
            attached.transpose()?;
        }
        conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
        conn.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES_MAX)?;
        let is_past = is_past(&conn)?;
        conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, if is_past { 2 } else { 1 })?;
        // Known before strangers speak, since reading the schema for the first time is SQLite's own work.
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        conn.authorizer(Some(move |context: AuthContext<'_>| {
            if is_past && reaches_the_present(&context) { Authorization::Deny } else { authorize(context) }
        }))?;
        Ok(Self { conn, is_past })
    }

    /// Runs one statement and hands its rows over.
    ///
    /// # Errors
    /// [`QueryError`]; some rows may have been handed over by then.
    pub fn run(&mut self, sql: &str, allowed: Duration, sink: &mut impl RowSink) -> Result<(), QueryError> {
        self.run_with(sql, &[], allowed, sink)
    }

    /// The same with values for the statement's parameters (`?`), in their order.
    ///
    /// # Errors
    /// [`QueryError`]; some rows may have been handed over by then.
    pub fn run_with(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        allowed: Duration,
        sink: &mut impl RowSink,
    ) -> Result<(), QueryError> {
        let deadline = Instant::now() + allowed;
        self.conn.progress_handler(STEPS, Some(move || Instant::now() >= deadline)).map_err(TablesError::from)?;
        let mut statement = self.one(sql, allowed)?;
        let (wanted, given) = (statement.parameter_count(), values.len());
        if wanted != given {
            return Err(QueryError::Parameters { wanted, given });
        }
        for (at, value) in values.iter().enumerate() {
            statement.raw_bind_parameter(at + 1, Bound(*value)).map_err(TablesError::from)?;
        }
        let names: Vec<&str> = statement.column_names().collect();
        sink.head(&names);
        rows(&mut statement, sink).map_err(|error| self.wrong(error, allowed))
    }

    fn wrong(&self, error: rusqlite::Error, allowed: Duration) -> QueryError {
        let detail = match &error {
            rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
            rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
            other => other.to_string(),
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => QueryError::TooSlow { allowed },
            _ if self.is_past && detail.contains("_search") => QueryError::NotAsOf { detail },
            Some(ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly) => QueryError::Refused { detail },
            Some(ErrorCode::TooBig) => QueryError::TooLong,
            Some(ErrorCode::Unknown | ErrorCode::TypeMismatch | ErrorCode::ParameterOutOfRange) | None => {
                QueryError::Wrong { detail }
            }
            // A function or a virtual table that isn't to be used is refused with a plain error.
            _ => QueryError::Tables(error.into()),
        }
    }

    fn one(&self, sql: &str, allowed: Duration) -> Result<Statement<'_>, QueryError> {
        let mut batch = Batch::new(&self.conn, sql);
        let first = batch.next().map_err(|error| self.wrong(error, allowed))?;
        let first = first.ok_or(QueryError::NotOne { found: "none" })?;
        // Whatever the second is, even if it is no SQL.
        if !matches!(batch.next(), Ok(None)) {
            return Err(QueryError::NotOne { found: "more" });
        }
        if !first.readonly() {
            return Err(QueryError::Refused { detail: "the statement writes".to_owned() });
        }
        Ok(first)
    }
}

/// A value as a statement takes it.
struct Bound<'v>(Value<'v>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(value) => ValueRef::Integer(value),
            Value::Real(value) => ValueRef::Real(value),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn rows(statement: &mut Statement<'_>, sink: &mut impl RowSink) -> rusqlite::Result<()> {
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|index| Value::of(row, index)).collect::<rusqlite::Result<Vec<_>>>()?;
        if sink.row(&values).is_break() {
            break;
        }
    }
    Ok(())
}

/// Whether tables' names stand for what they were.
fn is_past(conn: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM pragma_database_list WHERE name = ?1";
    conn.query_row(sql, [LIVE], |row| row.get(0))
}

/// Whether something is read that is not as of then: there is one set of search tables, those of the live tables.
fn reaches_the_present(context: &AuthContext<'_>) -> bool {
    matches!(context.action, AuthAction::Read { table_name, .. } if table_name.contains("_search"))
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    let allowed = match context.action {
        AuthAction::Select | AuthAction::Recursive | AuthAction::Read { .. } => true,
        AuthAction::Function { function_name } => {
            !FORBIDDEN_FUNCTIONS.iter().any(|name| name.eq_ignore_ascii_case(function_name))
        }
        AuthAction::Pragma { pragma_name, .. } => {
            ALLOWED_PRAGMAS.iter().any(|name| name.eq_ignore_ascii_case(pragma_name))
        }
        _ => false,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}
