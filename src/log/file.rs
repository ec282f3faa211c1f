//! Owns the journal's folder and files on disk: their names, their modes, how they are made, and how a
//! connection to `events.db` is opened. All private (0700, 0600) from their first moment, since SQLite
//! itself would make them readable to everyone. What the tables mean is `schema`'s and the others' business.
//!
//! A live file is never opened by anything but SQLite in this process: closing such a handle would drop
//! SQLite's own locks.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::{OpenError, ReadError};
use super::lock::Lock;
use super::schema;

/// The log's database.
pub const LOG_FILE: &str = "events.db";
/// The advisory lock of whoever writes.
pub const LOCK_FILE: &str = "writer.lock";
/// The generation of the tables before the last rebuild.
pub const PREVIOUS_FILE: &str = "projections.previous.db";
/// The tables that follow from the log; owned by others, named here because they outlive a lost log.
pub const TABLES_FILE: &str = "projections.db";

pub(crate) const FILE_MODE: u32 = 0o600;
const DIR_MODE: u32 = 0o700;

/// Before it, SQLite can corrupt a database in WAL mode when a checkpoint races with a reset of the log.
const SQLITE_FLOOR: (i32, &str) = (3_051_003, "3.51.3");

/// Whether the folder holds a journal's log.
#[must_use]
pub fn exists(dir: &Path) -> bool {
    fs::metadata(dir.join(LOG_FILE)).is_ok_and(|meta| meta.is_file() && meta.len() > 0)
}

/// Makes an empty journal, with the folder (and its parents) where it is missing.
///
/// # Errors
/// [`OpenError::Exists`] where there is one, [`OpenError::LogMissing`] where only its log is gone; otherwise
/// what the system refused.
pub fn create(dir: &Path, lock_wait: Duration) -> Result<(), OpenError> {
    make_dir(dir)?;
    // Before the lock, so that nobody waits for a journal in use only to hear that it exists.
    refuse_existing(dir)?;
    let _lock = Lock::take(dir, lock_wait)?;
    refuse_existing(dir)?;
    refuse_leftovers(dir)?;
    let path = dir.join(LOG_FILE);
    match new_file(&path) {
        // Another attempt got as far as the empty file, and died.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made.map_err(failed("make", &path))?,
    }
    sync_dir(dir)?;
    open_for_writing(dir).map(drop)
}

pub(crate) fn make_dir(dir: &Path) -> Result<(), OpenError> {
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        // A folder that is used for other things too is its owner's; the files in it are private anyway.
        Ok(false) => return Ok(()),
        Ok(true) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(DIR_MODE).create(dir).map_err(failed("make", dir))?;
            if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                sync_dir(parent)?;
            }
        }
        Err(error) => return Err(failed("open", dir)(error)),
    }
    fs::set_permissions(dir, Permissions::from_mode(DIR_MODE)).map_err(failed("make private", dir))
}

fn refuse_existing(dir: &Path) -> Result<(), OpenError> {
    let path = dir.join(LOG_FILE);
    if exists(dir) && !schema::is_unfinished(&open_plain(&path)?, &path)? {
        return Err(OpenError::Exists { dir: dir.to_owned() });
    }
    Ok(())
}

/// The error for a folder in which [`exists`] found no log.
pub(crate) fn no_journal(dir: &Path) -> OpenError {
    refuse_leftovers(dir).err().unwrap_or_else(|| OpenError::NoJournal { dir: dir.to_owned() })
}

fn refuse_leftovers(dir: &Path) -> Result<(), OpenError> {
    for name in [TABLES_FILE, "events.db-wal"] {
        let left = dir.join(name);
        if fs::metadata(&left).is_ok_and(|meta| meta.len() > 0) && !exists(dir) {
            return Err(OpenError::LogMissing { left });
        }
    }
    Ok(())
}

pub(crate) fn new_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?.sync_all()
}

pub(crate) fn sync_dir(dir: &Path) -> Result<(), OpenError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed("sync", dir))
}

/// Takes from others what a mode gives them; keeps quiet about a file that isn't there.
pub(crate) fn tighten(path: &Path) -> Result<(), OpenError> {
    match fs::metadata(path) {
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => {
            fs::set_permissions(path, Permissions::from_mode(FILE_MODE)).map_err(failed("make private", path))
        }
        _ => Ok(()),
    }
}

/// Opens the log to write to it. The caller holds the writer's lock.
pub(crate) fn open_for_writing(dir: &Path) -> Result<Connection, OpenError> {
    check_sqlite()?;
    let path = dir.join(LOG_FILE);
    refuse_leftovers(dir)?;
    for name in [LOG_FILE, "events.db-wal", "events.db-shm"] {
        tighten(&dir.join(name))?;
    }
    let mut conn = open_plain(&path)?;
    schema::check(&conn, &path)?;
    let wrap = |source| sqlite_failed(&path, source);
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(wrap)?;
    if mode != "wal" {
        return Err(OpenError::NoWal { path, mode });
    }
    set_up_writer(&conn).map_err(wrap)?;
    schema::migrate(&mut conn, &path)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(wrap)?;
    // The triggers guard the file against other programs. What they check, this one does by construction:
    // plain inserts at the tip it read under the lock. They would cost a third of a bulk append.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).map_err(wrap)?;
    Ok(conn)
}

fn set_up_writer(conn: &Connection) -> rusqlite::Result<()> {
    // FULL syncs the write-ahead log at each commit: without it a power cut takes acknowledged events.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cache_size", -16_384)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    // A burst or a slow reader lets the write-ahead log grow; afterwards its file shrinks to this.
    conn.pragma_update(None, "journal_size_limit", 64 << 20)
}

pub(crate) fn open_plain(path: &Path) -> Result<Connection, OpenError> {
    // Without SQLITE_OPEN_URI, so that a folder's name is never read as options.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|source| sqlite_failed(path, source))?;
    conn.busy_timeout(BUSY_WAIT).map_err(|source| sqlite_failed(path, source))?;
    Ok(conn)
}

/// How long SQLite waits for other programs' locks on the database.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Opens the log to read it, beside any writer. Where the folder can't be written, and so no writer can be
/// at work in it, the file is read as it lies there.
pub(crate) fn open_for_reading(dir: &Path) -> Result<Connection, OpenError> {
    check_sqlite()?;
    let path = dir.join(LOG_FILE);
    if !exists(dir) {
        return Err(no_journal(dir));
    }
    let conn = open_read_only(&path)?;
    schema::check(&conn, &path)?;
    if schema::is_unfinished(&conn, &path)? {
        return Err(OpenError::NoJournal { dir: dir.to_owned() });
    }
    Ok(conn)
}

/// Opens a database of a journal to read it, beside whoever writes it.
pub(crate) fn open_read_only(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .and_then(|conn| set_up_reader(&conn).map(|()| conn))
        .or_else(|source| open_immutable(path, source))
}

fn set_up_reader(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY_WAIT)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    // The first look at the file, which is where a read-only folder shows.
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

fn open_immutable(path: &Path, source: rusqlite::Error) -> Result<Connection, OpenError> {
    if !is_cannot_open(&source) {
        return Err(sqlite_failed(path, source));
    }
    if fs::metadata(beside(path, "-wal")).is_ok_and(|meta| meta.len() > 0) {
        return Err(OpenError::NeedsRecovery { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let conn = uri(path, "immutable=1")
        .and_then(|uri| Connection::open_with_flags(uri, flags).ok())
        .ok_or_else(|| sqlite_failed(path, source))?;
    set_up_reader(&conn).map_err(|source| sqlite_failed(path, source))?;
    Ok(conn)
}

/// The path of a file that SQLite keeps beside a database.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Whether SQLite has not got as far as the file's content.
pub(crate) fn is_cannot_open(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// A `file:` URI of the path; `None` for one that isn't UTF-8 or can't be made absolute.
pub(crate) fn uri(path: &Path, options: &str) -> Option<String> {
    let path = fs::canonicalize(path).ok()?;
    let escaped: String = path
        .to_str()?
        .chars()
        .map(|char| match char {
            '%' => "%25".to_owned(),
            '?' => "%3f".to_owned(),
            '#' => "%23".to_owned(),
            other => other.to_string(),
        })
        .collect();
    Some(format!("file:{escaped}?{options}"))
}

pub(crate) fn check_sqlite() -> Result<(), OpenError> {
    if rusqlite::version_number() >= SQLITE_FLOOR.0 {
        return Ok(());
    }
    Err(OpenError::OldSqlite { found: rusqlite::version().to_owned(), needed: SQLITE_FLOOR.1 })
}

/// Turns an I/O error into one that names the file.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path: PathBuf = path.to_owned();
    move |source| OpenError::File { action, path, source }
}

/// Turns SQLite's error at opening into what the caller can do about it.
pub(crate) fn sqlite_failed(path: &Path, source: rusqlite::Error) -> OpenError {
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotALog { path: path.to_owned() },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path: path.to_owned(), detail: source.to_string() },
        _ => OpenError::Sqlite { path: path.to_owned(), source },
    }
}

/// Turns an error of the first reads into what the caller can do about it.
pub(crate) fn read_failed(path: &Path, error: ReadError) -> OpenError {
    match error {
        ReadError::Sqlite(source) => sqlite_failed(path, source),
        other => OpenError::Damaged { path: path.to_owned(), detail: other.to_string() },
    }
}
