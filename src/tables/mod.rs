//! The tables, `projections.db`: what follows from the log, kept for everybody to read.
//!
//! One transaction commits a page of a projection: its rows, what its fold remembers, and its cursor. So
//! whatever dies when, the tables are those of some position of the log, and folding goes on from there.
//! Beside the log this is the only part that writes to SQLite.
//!
//! Layout, in reading order:
//! - `cursor`: how far each projection is
//! - `schema`: what is in the file, and whether this program made it
//! - `gate`: taking turns to commit
//! - `turns`: taking turns at a connection
//! - `shelf`: what folds remember; `pending`: what of it is still to be written; `known`: what of it cannot be there
//! - `rows`: a flush as statements
//! - `digest`: one number a table
//! - `past`: snapshots, and what was changed after them
//! - `as_of`: tables as they were, put together again
//! - `changed`: which rows the latest commits changed, for who follows tables
//! - `file`: making, opening, removing
//! - `select`: rows, for who exports or shows them
//! - `still`: several questions as of one moment, and in time
//! - `query`: a stranger's SQL, which can only read
//! - `swap`: a new generation in the place of the old one, at once
//! - `compare`: finding each cell in which two files differ
//!
//! What the tables know nothing of: events, and what a fold makes of them.

mod as_of;
mod changed;
mod compare;
mod cursor;
mod digest;
mod error;
mod file;
mod gate;
mod known;
mod past;
mod pending;
mod query;
mod rows;
mod schema;
mod select;
mod shelf;
mod still;
mod swap;
mod turns;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use projections::cell::{Cell, Row, Table};
use projections::changes::Rows;
use projections::projection::About;
use rusqlite::ErrorCode;

use gate::Gate;
use known::Known;
use past::Past;
use rows::Write;
use turns::Turns;

pub(crate) use as_of::as_of;
pub use changed::{Changed, Differing, Key, differing};
pub use compare::{Differences, Finding, Problem};
pub use cursor::{Cursor, Kept, Stopped};
pub use digest::{Digests, TableDigest, whole as whole_digest};
pub use error::TablesError;
pub(crate) use gate::Closed;
pub use past::Spacing;
pub(crate) use pending::Pending;
pub use query::{Queries, QueryError, RowSink};
pub use rusqlite::Connection;
pub use schema::{Outdated, fingerprint};
pub use select::{Comparison, Filter, Operand, Query, Sort, Value, is_searchable, search_words, select};
pub(crate) use shelf::SqlShelf;
pub use still::{at_once, hold_still};
pub(crate) use swap::{Previous, Side, side_path};

/// How long the write-ahead log may get while somebody looks after it: 32 MiB.
const LOG_PAGES_MAX: i64 = 8_192;

/// A connection that writes the tables. One thread commits at a time; another may read what folds remember meanwhile.
#[derive(Debug)]
pub struct Tables {
    conn: Turns<Connection>,
    /// Another one to read what folds remember, where reading and writing don't get into each other's way.
    beside: Option<Turns<Connection>>,
    path: PathBuf,
    gate: Gate,
    /// Which fold state was ever written, where that is known because it began with nothing.
    known: Option<Known>,
    /// How what is overwritten is kept aside for who asks for the past; `None` where nobody will.
    past: Option<Spacing>,
    /// Who is told which rows a commit changes.
    changed: Option<Arc<Changed>>,
}

impl Tables {
    /// Opens a journal's tables for writing, and makes them where there are none. The caller holds the
    /// projector's lock.
    ///
    /// # Errors
    /// [`TablesError::Damaged`] for a file that isn't ours or can't be read, [`TablesError::OtherVersion`] for tables
    /// that have to be rebuilt first; otherwise what the system refused.
    pub fn open(dir: &Path, spacing: Spacing) -> Result<Self, TablesError> {
        let path = file::path_in(dir);
        let mut conn = file::open_for_writing(&path)?;
        schema::prepare(&mut conn, &path)?;
        Ok(Self { gate: Gate::of(dir)?, ..Self::over(conn, &path, Some(spacing)) })
    }

    fn over(conn: Connection, path: &Path, past: Option<Spacing>) -> Self {
        let (path, gate) = (path.to_owned(), Gate::default());
        Self { conn: Turns::new(conn), beside: None, path, gate, known: None, past, changed: None }
    }

    /// The same tables for somebody who reads what folds remember while a page is written.
    ///
    /// # Errors
    /// [`TablesError`].
    pub(crate) fn with_one_beside(self) -> Result<Self, TablesError> {
        Ok(Self { beside: Some(Turns::new(file::open_for_writing(&self.path)?)), ..self })
    }

    /// The same tables, into which nothing was folded yet.
    fn beginning(self) -> Self {
        Self { known: Some(Known::nothing()), ..self }
    }

    /// Another connection to the same tables, for another thread.
    ///
    /// # Errors
    /// [`TablesError`].
    pub fn another(&self) -> Result<Self, TablesError> {
        let conn = file::open_for_writing(&self.path)?;
        Ok(Self { gate: self.gate.clone(), ..Self::over(conn, &self.path, self.past) })
    }

    /// The same tables, each of whose commits is told.
    pub(crate) fn telling(self, changed: Arc<Changed>) -> Self {
        Self { changed: Some(changed), ..self }
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

    /// The same, where there are tables that can be read.
    ///
    /// # Errors
    /// [`TablesError`] other than that there are none, or that they are damaged.
    pub fn readable(dir: &Path) -> Result<Option<Connection>, TablesError> {
        match Self::read_only(dir) {
            Err(TablesError::NoTables { .. } | TablesError::Damaged { .. }) => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Tables of some projections that leave nothing behind: SQLite keeps them in a file without a name, as far
    /// as they don't fit into memory.
    pub(crate) fn passing(abouts: &[&'static About]) -> Result<Self, TablesError> {
        let conn = file::open_passing()?;
        schema::make_bare(&conn, abouts)?;
        Ok(Self::over(conn, Path::new(""), None).beginning())
    }

    /// How far each projection is.
    ///
    /// # Errors
    /// [`TablesError`].
    pub fn cursors(&self) -> Result<Vec<Kept>, TablesError> {
        cursors(&self.conn.enter())
    }

    /// How far one projection is.
    ///
    /// # Errors
    /// [`TablesError`].
    pub fn cursor(&self, about: &'static About) -> Result<Cursor, TablesError> {
        cursor::of(&self.conn.enter(), about)
            .map_err(|error| file::failed(&self.path, error))?
            .ok_or(TablesError::Overtaken { projection: about.name })
    }

    /// Commits a page: rows, fold state and cursor together.
    ///
    /// # Errors
    /// [`TablesError::Overtaken`] where the stored cursor is not `from` any more. Nothing is changed then, nor
    /// by any other error.
    pub(crate) fn commit(
        &self,
        about: &'static About,
        from: &Cursor,
        to: &Cursor,
        rows: Rows,
        state: &Pending,
    ) -> Result<(), TablesError> {
        let _turn = self.gate.enter()?;
        // Tables of the past are held still by one transaction from their making to their end.
        let begins = self.conn.enter().is_autocommit();
        if begins {
            self.run("BEGIN IMMEDIATE")?;
        }
        let written = self.write(about, from, to, rows, state);
        if !begins {
            return written;
        }
        let committed = written.and_then(|()| self.run("COMMIT"));
        if committed.is_err() && !self.conn.enter().is_autocommit() {
            // What went wrong first is what is told.
            let _ = self.run("ROLLBACK");
        }
        committed
    }

    fn write(
        &self,
        about: &'static About,
        from: &Cursor,
        to: &Cursor,
        rows: Rows,
        state: &Pending,
    ) -> Result<(), TablesError> {
        let wrap = |error| file::failed(&self.path, error);
        // Before anybody can see it: whoever does finds here what it was.
        if let Some(changed) = &self.changed {
            changed.note(about, from.position, to.position, || rows.keys());
        }
        let begin = |conn: &Connection| {
            let past = self.past.map(|spacing| Past::of(conn, about, spacing)).transpose()?;
            Ok((digest::stored(conn, about)?, past))
        };
        let (before, past) = begin(&self.conn.enter()).map_err(wrap)?;
        let digests = before.clone();
        let mut write = Write { conn: &self.conn, about, past, digests, from: from.position, to: to.position };
        write.rows(rows).map_err(wrap)?;
        write.state(state.changes(), self.known.as_ref()).map_err(wrap)?;
        let (Write { past, digests, .. }, conn) = (write, self.conn.enter());
        cursor::advance(&conn, about, from, to, &digests.whole())?;
        digest::store(&conn, &digests, &before).map_err(wrap)?;
        past.map_or(Ok(()), |past| past.snapshot_if_due(&conn, to, &digests)).map_err(wrap)
    }

    fn run(&self, sql: &str) -> Result<(), TablesError> {
        let run = |conn: &Connection| conn.prepare_cached(sql)?.execute(()).map(drop);
        run(&self.conn.enter()).map_err(|error| file::failed(&self.path, error))
    }

    /// Leaves it to [`Self::checkpoint`] to move what is committed out of the write-ahead log, which otherwise a commit
    /// does now and then for all those before it.
    pub(crate) fn leave_checkpoints(&self) -> Result<(), TablesError> {
        Ok(self.conn.enter().pragma_update(None, "wal_autocheckpoint", 0)?)
    }

    /// Moves what is committed from the write-ahead log to its place, beside whoever commits meanwhile. Only a log that
    /// grew long has commits wait for a moment: it begins anew once nothing is left in it.
    pub(crate) fn checkpoint(&self) -> Result<(), TablesError> {
        if self.move_log()? > LOG_PAGES_MAX {
            // What was committed meanwhile is less, and what is while that is moved, less again.
            self.move_log()?;
            let _turn = self.gate.enter()?;
            self.move_log()?;
        }
        Ok(())
    }

    /// Moves what can be moved, and returns how long the log is, in pages.
    fn move_log(&self) -> Result<i64, TablesError> {
        Ok(self.conn.enter().query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |row| row.get(1))?)
    }

    /// Compares these tables, made by a replay, with others, cell by cell.
    pub(crate) fn differences_of(
        &self,
        live: &Connection,
        abouts: &[&'static About],
    ) -> Result<Differences, TablesError> {
        compare::tables(live, &self.conn.enter(), abouts)
    }

    /// What a projection remembers, for its fold to read, with what is still to be written of it.
    pub(crate) fn shelf<'t>(&'t self, about: &'static About, pending: Option<&'t Pending>) -> SqlShelf<'t> {
        let conn = self.beside.as_ref().unwrap_or(&self.conn);
        SqlShelf::shared(conn, about.name, pending, self.known.as_ref())
    }

    /// The row that stands under a key.
    pub(crate) fn row(&self, table: &'static Table, key: &[Cell]) -> Result<Option<Row>, TablesError> {
        row(&self.conn.enter(), table, key)
    }

    /// The connection to tables of the past, to read with.
    pub(crate) fn into_reading(self) -> Result<Connection, TablesError> {
        let conn = self.conn.into_inner();
        as_of::close(&conn)?;
        Ok(conn)
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

/// The digests of all tables, by any connection to them.
///
/// # Errors
/// [`TablesError`].
pub fn digests(conn: &Connection) -> Result<Vec<Digests>, TablesError> {
    let stored = |about| digest::stored(conn, about);
    Ok(projections::projection::PROJECTIONS.into_iter().map(stored).collect::<rusqlite::Result<_>>()?)
}

/// Between which snapshots a row was changed, as (after, at most) pairs in order, and those in which the positions
/// `also` lie; none for a row that never stood at a snapshot and doesn't now.
pub(crate) fn changed_between(
    conn: &Connection,
    about: &'static About,
    table: &'static Table,
    key: &[Cell],
    also: &[u64],
) -> Result<Vec<(u64, u64)>, TablesError> {
    // What the row says itself of its last change, as long as it stands.
    let standing = rows::current(conn, table, key)?.and_then(|row| row.last().and_then(Cell::as_seq));
    let touched: Vec<u64> = also.iter().copied().chain(standing).collect();
    Ok(past::changed_between(conn, about, table, key, &touched)?)
}

/// The row that stands under a key, by any connection to tables.
///
/// # Errors
/// [`TablesError`].
pub fn row(conn: &Connection, table: &'static Table, key: &[Cell]) -> Result<Option<Row>, TablesError> {
    Ok(rows::current(conn, table, key)?)
}

/// The projections of a folder's tables that this program would make otherwise; none where there are no tables.
pub(crate) fn outdated(dir: &Path) -> Result<Vec<Outdated>, TablesError> {
    match Tables::read_only(dir) {
        Err(TablesError::NoTables { .. }) => Ok(Vec::new()),
        opened => Ok(schema::outdated(&opened?)?),
    }
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

/// Takes away what is left of tables that were being made beside a journal's own.
///
/// # Errors
/// What the system refused.
pub(crate) fn remove_side(dir: &Path) -> Result<(), TablesError> {
    file::remove(&side_path(dir))?;
    Ok(file::remove(&dir.join(swap::PREVIOUS_ASIDE))?)
}
