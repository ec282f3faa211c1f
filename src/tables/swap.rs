//! Owns tables that are made beside the live ones: a [`Side`] file filled at full speed, which then takes the
//! live tables' place in one transaction, or becomes a file of its own. Whoever is killed on the way leaves
//! a side file behind and the live tables as they were.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use projections::cell::Table;
use projections::projection::About;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::error::TablesError;
use super::{Tables, file, schema};
use crate::log::file::{beside, failed, sync_dir};

/// Tables of some projections, beside the live ones.
pub(crate) struct Side {
    tables: Tables,
    abouts: Vec<&'static About>,
}

impl Side {
    /// Makes an empty file for some projections; one that is there under this name is the leftover of a run
    /// that was killed.
    pub(crate) fn make(path: &Path, abouts: &[&'static About]) -> Result<Self, TablesError> {
        file::remove(path)?;
        let conn = file::open_side(path)?;
        schema::make_bare(&conn, abouts)?;
        Ok(Self { tables: Tables::over(conn, path), abouts: abouts.to_vec() })
    }

    /// The tables, to be filled.
    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Ends the filling, so that the file can take the live tables' place.
    pub(crate) fn seal(self) -> Result<Sealed, TablesError> {
        // Its exclusive lock keeps everybody else out.
        close(self.tables.conn)?;
        Ok(Sealed { path: self.tables.path, abouts: self.abouts })
    }

    /// Makes these tables a folder's own, in one step, with their indexes.
    pub(crate) fn move_to(self, dir: &Path) -> Result<(), TablesError> {
        for about in &self.abouts {
            schema::finish_bare(&self.tables.conn, about)?;
        }
        let path = self.seal()?.path;
        // No SQLite of this process has it open any more.
        File::open(&path).and_then(|file| file.sync_all()).map_err(failed("sync", &path))?;
        let target = file::path_in(dir);
        settle(&target)?;
        fs::rename(&path, &target).map_err(failed("move tables to", &target))?;
        Ok(sync_dir(dir)?)
    }
}

/// Tables that are complete, and closed.
pub(crate) struct Sealed {
    path: PathBuf,
    abouts: Vec<&'static About>,
}

impl Sealed {
    /// Puts these tables, fold state and cursors in the place of the live ones, all at once.
    pub(crate) fn replace(&self, live: &Tables) -> Result<(), TablesError> {
        attach(&live.conn, &self.path)?;
        let replaced = replace_attached(&live.conn, &self.abouts);
        // Nobody uses this connection after a failure.
        let detached = live.conn.execute_batch("DETACH side");
        replaced.and(detached).map_err(|error| file::failed(&live.path, error))
    }

    /// Takes the file away.
    pub(crate) fn remove(self) -> Result<(), TablesError> {
        Ok(file::remove(&self.path)?)
    }
}

fn close(conn: Connection) -> Result<(), TablesError> {
    conn.close().map_err(|(_, error)| error.into())
}

/// Makes the file under a name hold all it has: a write-ahead log left beside it would be applied to the next.
fn settle(path: &Path) -> Result<(), TablesError> {
    let has_log = fs::metadata(beside(path, "-wal")).is_ok();
    let settled = has_log
        && Connection::open(path)
            .and_then(|conn| conn.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())))
            .is_ok();
    // One that can't be opened is lost anyway.
    if has_log && !settled { Ok(file::remove(path)?) } else { Ok(()) }
}

fn attach(conn: &Connection, path: &Path) -> Result<(), TablesError> {
    let text = path
        .to_str()
        .ok_or_else(|| TablesError::Damaged { path: path.to_owned(), detail: "its name is not UTF-8".to_owned() })?;
    conn.execute("ATTACH ?1 AS side", [text])?;
    Ok(())
}

fn replace_attached(live: &Connection, abouts: &[&'static About]) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(live, TransactionBehavior::Immediate)?;
    for about in abouts {
        schema::remake_bare(&transaction, about)?;
        for table in about.tables {
            transaction.execute_batch(&copy_sql(table))?;
        }
        schema::finish_bare(&transaction, about)?;
        transaction.execute(
            "INSERT INTO main.fold_state SELECT * FROM side.fold_state WHERE projection = ?1 ORDER BY projection, drawer, key",
            params![about.name],
        )?;
        transaction.execute("DELETE FROM main.projections WHERE name = ?1", params![about.name])?;
        transaction.execute(
            "INSERT INTO main.projections SELECT * FROM side.projections WHERE name = ?1",
            params![about.name],
        )?;
    }
    transaction.commit()
}

fn copy_sql(table: &Table) -> String {
    let columns: Vec<&str> = table.all_columns().map(|column| column.name).collect();
    let columns = columns.join(", ");
    format!("INSERT INTO main.{0} ({columns}) SELECT {columns} FROM side.{0} ORDER BY rowid", table.name)
}

/// Tables of some projections that leave nothing behind: SQLite keeps them in a file without a name, as far
/// as they don't fit into memory.
pub(crate) fn passing(abouts: &[&'static About]) -> Result<Tables, TablesError> {
    let path = Path::new("");
    let conn = file::open_passing()?;
    schema::make_bare(&conn, abouts)?;
    Ok(Tables::over(conn, path))
}

/// The path of a side file in a folder: hidden, and always the same, so that the next run finds a leftover.
pub(crate) fn side_path(dir: &Path) -> PathBuf {
    dir.join(".projections.db.rebuild")
}
