//! The tables, `projections.db`: what follows from the log, kept for everybody to read.
//!
//! One transaction commits a page of a projection: its rows, what its fold remembers, and its cursor. So
//! whatever dies when, the tables are those of some position of the log, and folding goes on from there.
//! Beside the log this is the only part that writes to SQLite.
//!
//! Layout, in reading order:
//! - `cursor`: how far each projection is
//! - `schema`: what is in the file, and when it is made anew
//! - `shelf`: what folds remember
//! - `rows`: a flush as statements
//! - `file`: making, opening, removing
//! - `select`: rows, for who exports or shows them
//! - `query`: a stranger's SQL, which can only read
//! - `swap`: replacing some projections' tables by freshly made ones, at once
//! - `places`: where trades belong
//! - `compare`: finding each cell in which two files differ
//!
//! What the tables know nothing of: events, and what a fold makes of them.

mod compare;
mod cursor;
mod error;
mod file;
mod places;
mod query;
mod rows;
mod schema;
mod select;
mod shelf;
mod swap;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use projections::changes::Rows;
use projections::drawer::StateChange;
use projections::projection::About;
use rusqlite::{ErrorCode, Transaction, TransactionBehavior};

pub use compare::{Differences, Finding, Problem};
pub use cursor::{Cursor, Kept, Stopped};
pub use error::TablesError;
pub(crate) use places::{place_of_trade, trades_elsewhere};
pub use query::{Queries, QueryError, RowSink};
pub use rusqlite::Connection;
pub use schema::{Refold, fingerprint};
pub use select::{Filter, Value, select};
pub(crate) use shelf::SqlShelf;
pub(crate) use swap::{Side, passing, side_path};

/// A connection that writes the tables. For one thread at a time.
#[derive(Debug)]
pub struct Tables {
    conn: Connection,
    path: PathBuf,
    refolds: Vec<Refold>,
    /// Held while committing: threads of one process would otherwise wait for each other by sleeping.
    gate: Arc<Mutex<()>>,
}

impl Tables {
    /// Opens a journal's tables for writing, and makes what is missing or of another version anew. The
    /// caller holds the projector's lock.
    ///
    /// # Errors
    /// [`TablesError::Damaged`] for a file that isn't ours or can't be read; otherwise what the system refused.
    pub fn open(dir: &Path) -> Result<Self, TablesError> {
        let path = file::path_in(dir);
        let mut conn = file::open_for_writing(&path)?;
        let refolds = schema::prepare(&mut conn, &path)?;
        Ok(Self { refolds, ..Self::over(conn, &path) })
    }

    fn over(conn: Connection, path: &Path) -> Self {
        Self { conn, path: path.to_owned(), refolds: Vec::new(), gate: Arc::default() }
    }

    /// Another connection to the same tables, for another thread.
    ///
    /// # Errors
    /// [`TablesError`].
    pub fn another(&self) -> Result<Self, TablesError> {
        let conn = file::open_for_writing(&self.path)?;
        Ok(Self { gate: Arc::clone(&self.gate), ..Self::over(conn, &self.path) })
    }

    /// Opens a folder's tables for reading, a journal's own or those that a rebuild left elsewhere. They may
    /// be behind the log.
    ///
    /// # Errors
    /// [`TablesError::NoTables`] where there are none yet.
    pub fn read_only(dir: &Path) -> Result<Connection, TablesError> {
        let conn = file::open_for_reading(dir)?;
        schema::refuse_foreign(&conn, &file::path_in(dir))?;
        Ok(conn)
    }

    /// Who started over when the tables were opened, and why.
    #[must_use]
    pub fn refolds(&self) -> &[Refold] {
        &self.refolds
    }

    /// How far each projection is.
    ///
    /// # Errors
    /// [`TablesError`].
    pub fn cursors(&self) -> Result<Vec<Kept>, TablesError> {
        cursors(&self.conn)
    }

    /// How far one projection is.
    ///
    /// # Errors
    /// [`TablesError`].
    pub fn cursor(&self, about: &'static About) -> Result<Cursor, TablesError> {
        cursor::of(&self.conn, about)
            .map_err(|error| file::failed(&self.path, error))?
            .ok_or(TablesError::Overtaken { projection: about.name })
    }

    /// Commits a page: rows, fold state and cursor together.
    ///
    /// # Errors
    /// [`TablesError::Overtaken`] where the stored cursor is not `from` any more. Nothing is changed then, nor
    /// by any other error.
    pub fn commit(
        &self,
        about: &'static About,
        from: &Cursor,
        to: &Cursor,
        rows: Rows,
        state: &[StateChange],
    ) -> Result<(), TablesError> {
        let _turn = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let wrap = |error| file::failed(&self.path, error);
        let transaction = Transaction::new_unchecked(&self.conn, TransactionBehavior::Immediate).map_err(wrap)?;
        cursor::advance(&transaction, about, from, to)?;
        rows::write(&transaction, rows).map_err(wrap)?;
        rows::remember(&transaction, about.name, state).map_err(wrap)?;
        transaction.commit().map_err(wrap)
    }

    /// Compares these tables, made by a replay, with others, cell by cell.
    pub(crate) fn differences_of(
        &self,
        live: &Connection,
        abouts: &[&'static About],
    ) -> Result<Differences, TablesError> {
        compare::tables(live, &self.conn, abouts)
    }

    /// What a projection remembers, for its fold to read.
    pub(crate) fn shelf(&self, about: &'static About) -> SqlShelf<'_> {
        SqlShelf::new(&self.conn, about.name)
    }
}

/// How far each projection is, by any connection to tables.
///
/// # Errors
/// [`TablesError`].
pub fn cursors(conn: &Connection) -> Result<Vec<Kept>, TablesError> {
    Ok(cursor::all(conn)?)
}

/// The cursors in a journal's tables; none where there are no tables, or none that could be read: those know
/// of nothing that the log could have lost.
///
/// # Errors
/// [`TablesError`].
pub fn stored_cursors(dir: &Path) -> Result<Vec<Kept>, TablesError> {
    match Tables::read_only(dir).and_then(|conn| cursors(&conn)) {
        Err(TablesError::NoTables { .. } | TablesError::Damaged { .. }) => Ok(Vec::new()),
        // Of a version that kept them otherwise, or of a maker that died on the way.
        Err(TablesError::Sqlite(error)) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => Ok(Vec::new()),
        found => found,
    }
}

/// Holds a connection at what it sees now, until it is closed.
///
/// # Errors
/// [`TablesError`].
pub fn hold_still(conn: &Connection) -> Result<(), TablesError> {
    Ok(conn.execute_batch("BEGIN")?)
}

/// Whether tables are those that this version of the program makes.
///
/// # Errors
/// [`TablesError`].
pub fn is_current(conn: &Connection) -> Result<bool, TablesError> {
    Ok(schema::outdated(conn)?.is_empty())
}

/// Where a folder's tables are.
#[must_use]
pub fn path_in(dir: &Path) -> PathBuf {
    file::path_in(dir)
}

/// Takes a folder's tables away: the log brings them back. Nobody may have them open.
///
/// # Errors
/// What the system refused.
pub(crate) fn remove(dir: &Path) -> Result<(), TablesError> {
    Ok(file::remove(&file::path_in(dir))?)
}
