//! Owns the versions of `events.db`: which SQL makes each, how a file is brought to the latest, and whether a
//! file is ours at all. A version once released is never edited; the next one is another file in `migrations/`.

use std::path::Path;

use projections::moment::Moment;
use rusqlite::{Connection, TransactionBehavior, params};
use uuid::Uuid;

use super::error::{OpenError, ReadError};
use super::file::sqlite_failed;

/// The SQL that takes a file from the version of its place (0, 1, …) to the next.
const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/0001_log.sql")];

/// The latest version this program knows.
const VERSION: i64 = MIGRATIONS.len() as i64;

/// `tfld`, the application id in the header of `events.db`.
const APPLICATION_ID: i64 = 0x7466_6c64;

/// Whose log it is, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The journal's own UUID, which every hash includes.
    pub uuid: Uuid,
    /// When the journal was made.
    pub created_at: Moment,
}

/// Refuses files of other programs and of newer versions of this one. An empty database passes.
pub(crate) fn check(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let (application_id, version, objects) = header(conn).map_err(|source| sqlite_failed(path, source))?;
    match (application_id, version) {
        (0, 0) if objects == 0 => Ok(()),
        (APPLICATION_ID, 1..=VERSION) => Ok(()),
        (APPLICATION_ID, found) if found > VERSION => {
            Err(OpenError::Newer { path: path.to_owned(), found, known: VERSION })
        }
        _ => Err(OpenError::NotALog { path: path.to_owned() }),
    }
}

/// Whether it is a database in which nothing has been made yet: its maker died on the way.
pub(crate) fn is_unfinished(conn: &Connection, path: &Path) -> Result<bool, OpenError> {
    let header = header(conn).map_err(|source| sqlite_failed(path, source))?;
    Ok(header == (0, 0, 0))
}

fn header(conn: &Connection) -> rusqlite::Result<(i64, i64, i64)> {
    let pragma = |name: &str| conn.pragma_query_value(None, name, |row| row.get(0));
    let objects = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok((pragma("application_id")?, pragma("user_version")?, objects))
}

/// Brings the file to the latest version, each step in a transaction of its own. A first version gets its
/// identity in the same transaction, so that a log without one is never seen.
pub(crate) fn migrate(conn: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let (_, version, _) = header(conn).map_err(|source| sqlite_failed(path, source))?;
    let done = usize::try_from(version).unwrap_or(0);
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        apply(conn, sql, step == 0).map_err(|source| sqlite_failed(path, source))?;
    }
    Ok(())
}

fn apply(conn: &mut Connection, sql: &str, first: bool) -> rusqlite::Result<()> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(sql)?;
    if first {
        let now = super::now();
        transaction.execute("INSERT INTO journal VALUES (?1, ?2)", params![Uuid::now_v7().as_bytes(), now.0])?;
    }
    transaction.commit()
}

/// Brings everything that can be read onto the disk. A writer that died between writing and syncing leaves
/// events that the next one sees, and would answer as duplicates, while a power cut could still take them.
pub(crate) fn settle(conn: &Connection) -> rusqlite::Result<()> {
    let (frames, moved): (i64, i64) =
        conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get(1)?, row.get(2)?)))?;
    if frames == moved {
        return Ok(());
    }
    // A reader holds the checkpoint up. Any commit syncs the write-ahead log as a whole.
    conn.pragma_update(None, "user_version", VERSION)
}

/// Reads whose log it is.
pub(crate) fn identity(conn: &Connection) -> Result<Identity, ReadError> {
    let mut statement = conn.prepare("SELECT uuid, created_at FROM journal")?;
    let mut rows = statement.query([])?;
    let identity = match rows.next()? {
        Some(row) => {
            let uuid = row.get_ref(0)?.as_blob().ok().and_then(|bytes| Uuid::from_slice(bytes).ok());
            Identity { uuid: uuid.ok_or(ReadError::NoIdentity)?, created_at: Moment(row.get(1)?) }
        }
        None => return Err(ReadError::NoIdentity),
    };
    if rows.next()?.is_some() { Err(ReadError::NoIdentity) } else { Ok(identity) }
}

/// A table, index, trigger or view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) is_trigger: bool,
    sql: Option<String>,
}

/// The objects a file of the latest version has, to compare a file's own with.
pub(crate) fn expected_objects() -> rusqlite::Result<Vec<Object>> {
    let conn = Connection::open_in_memory()?;
    for sql in MIGRATIONS {
        conn.execute_batch(sql)?;
    }
    objects(&conn)
}

/// The objects a file has.
pub(crate) fn objects(conn: &Connection) -> rusqlite::Result<Vec<Object>> {
    let mut statement = conn.prepare("SELECT name, type = 'trigger', sql FROM sqlite_schema ORDER BY rowid")?;
    let rows =
        statement.query_map([], |row| Ok(Object { name: row.get(0)?, is_trigger: row.get(1)?, sql: row.get(2)? }))?;
    rows.collect()
}
