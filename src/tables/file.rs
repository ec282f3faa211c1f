//! Owns `projections.db` as a file: how it is made (private from its first moment), how connections to it
//! are opened for writing and for reading, and how it is taken away. What is in it is `schema`'s business.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::TablesError;
use crate::log::{OpenError, TABLES_FILE, file};

/// How long SQLite waits for another program that writes to the tables.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Statements kept prepared: each table's five, the shelf's and the cursor's.
const STATEMENTS: usize = 112;

/// Opens the tables for writing, as an empty file where there is none.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, TablesError> {
    make(path)?;
    for suffix in ["", "-wal", "-shm"] {
        file::tighten(&file::beside(path, suffix))?;
    }
    let conn = file::open_plain(path).map_err(|error| open_failed(path, error))?;
    set_up(&conn).map_err(|error| failed(path, error))?;
    Ok(conn)
}

/// Opens a file that nobody else knows of yet, to be filled as fast as possible: a power cut ruins it.
pub(super) fn open_side(path: &Path) -> Result<Connection, TablesError> {
    make(path)?;
    let conn = file::open_plain(path).map_err(|error| open_failed(path, error))?;
    set_up_side(&conn)?;
    Ok(conn)
}

/// Opens a database without a name, which is gone when it is closed.
pub(super) fn open_passing() -> Result<Connection, TablesError> {
    // With URIs, which is how a database is attached to be read only.
    let conn = Connection::open_with_flags("", OpenFlags::default() | OpenFlags::SQLITE_OPEN_URI)?;
    set_up_side(&conn)?;
    Ok(conn)
}

/// Has a side file do without a write-ahead log again, after the pages of a file that has one were copied into it.
pub(super) fn without_log(conn: &Connection) -> rusqlite::Result<()> {
    for mode in ["memory", "off"] {
        conn.pragma_update_and_check(Some("main"), "journal_mode", mode, |_| Ok(()))?;
    }
    Ok(())
}

fn set_up_side(conn: &Connection) -> rusqlite::Result<()> {
    // Without a journal there is no rolling back, which a file that is thrown away on any error doesn't need.
    conn.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "OFF")?;
    // Of this database alone: without a name it would be of all that are attached later.
    conn.pragma_update_and_check(Some("main"), "locking_mode", "exclusive", |_| Ok(()))?;
    conn.pragma_update(None, "cache_size", -32_768)?;
    // To make an index, all of its keys are sorted: in memory, ten million events take 200 MB of it.
    conn.pragma_update(None, "temp_store", "file")?;
    common(conn)
}

/// Attaches tables to a connection made by [`open_passing`], to be read only.
pub(super) fn attach_read_only(conn: &Connection, path: &Path, name: &str) -> Result<(), TablesError> {
    attach(conn, path, name, "mode=ro").or_else(|error| match &error {
        // In a folder that can't be written, and where so nobody writes, as it lies there.
        TablesError::Sqlite(cause) if file::is_cannot_open(cause) && !has_wal(path) => {
            attach(conn, path, name, "immutable=1")
        }
        _ => Err(error),
    })
}

/// Attaches another file to such a connection, to be written.
pub(super) fn attach_for_writing(conn: &Connection, path: &Path, name: &str) -> Result<(), TablesError> {
    attach(conn, path, name, "mode=rw")
}

fn attach(conn: &Connection, path: &Path, name: &str, options: &str) -> Result<(), TablesError> {
    let damaged = || TablesError::Damaged { path: path.to_owned(), detail: "its name is not UTF-8".to_owned() };
    let uri = file::uri(path, options).ok_or_else(damaged)?;
    conn.execute(&format!("ATTACH ?1 AS {name}"), [uri])?;
    let looked = conn.query_row(&format!("SELECT count(*) FROM {name}.sqlite_schema"), (), |_| Ok(()));
    if let Err(error) = looked {
        conn.execute_batch(&format!("DETACH {name}"))?;
        return Err(failed(path, error));
    }
    Ok(())
}

/// Opens tables under whatever name for reading.
pub(super) fn open_read_only(path: &Path) -> Result<Connection, TablesError> {
    file::open_read_only(path).map_err(|error| open_failed(path, error))
}

fn make(path: &Path) -> Result<(), OpenError> {
    match file::new_file(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map_err(file::failed("make", path)),
    }
}

fn set_up(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY_WAIT)?;
    conn.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    // A power cut may take the last commits, cursor and rows alike: the log has them.
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    conn.pragma_update(None, "cache_size", -32_768)?;
    conn.pragma_update(None, "journal_size_limit", 64 << 20)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    common(conn)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map(drop)
}

fn common(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // Otherwise SQLite plans a statement anew whenever its LIMIT is bound to another number.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Opens a folder's tables for reading.
pub(super) fn open_for_reading(dir: &Path) -> Result<Connection, TablesError> {
    file::check_sqlite()?;
    let path = path_in(dir);
    // An empty file is one whose maker has not got further yet.
    if fs::metadata(&path).map_or(true, |meta| meta.len() == 0 && !has_wal(&path)) {
        return Err(TablesError::NoTables { path });
    }
    let conn = open_read_only(&path)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}

fn has_wal(path: &Path) -> bool {
    fs::metadata(file::beside(path, "-wal")).is_ok_and(|meta| meta.len() > 0)
}

/// Where a folder's tables are.
pub(super) fn path_in(dir: &Path) -> PathBuf {
    dir.join(TABLES_FILE)
}

/// Takes a database away, with what SQLite keeps beside it. Nobody may have it open.
pub(super) fn remove(path: &Path) -> Result<(), OpenError> {
    // The database last: a log without its database is what SQLite would apply to the next one.
    for suffix in ["-wal", "-shm", "-journal", ""] {
        let path = file::beside(path, suffix);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(file::failed("remove", &path)(error)),
            _ => {}
        }
    }
    Ok(())
}

fn open_failed(path: &Path, error: OpenError) -> TablesError {
    match error {
        OpenError::NotALog { .. } => {
            TablesError::Damaged { path: path.to_owned(), detail: "not a database".to_owned() }
        }
        OpenError::Damaged { detail, .. } => TablesError::Damaged { path: path.to_owned(), detail },
        other => other.into(),
    }
}

/// Turns SQLite's error into what the caller can do about it.
pub(super) fn failed(path: &Path, error: rusqlite::Error) -> TablesError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            TablesError::Damaged { path: path.to_owned(), detail: error.to_string() }
        }
        _ => error.into(),
    }
}
