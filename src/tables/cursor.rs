//! Owns the table `projections`: how far each projection is, read by everybody, moved by its projector only.

use projections::projection::About;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::TablesError;
use crate::log::{Hash, Head, signed, unsigned};

/// Where a projection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Everything up to this position is in the tables.
    pub position: u64,
    /// The log's hash there.
    pub hash: Hash,
    /// Which generation of the tables: a rebuild makes the next, and whoever projected the one before starts over
    /// from what is there now.
    pub generation: u64,
    /// Set where it met an event that it cannot read.
    pub stopped: Option<Stopped>,
}

impl Cursor {
    /// Where a projection begins.
    pub const START: Self = Self { position: 0, hash: Head::EMPTY.hash, generation: 0, stopped: None };
}

/// An event that a projection cannot read: it waits before it for a newer program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The event's position.
    pub at: u64,
    /// Why it can't be read.
    pub reason: String,
}

/// A row of `projections`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The projection's name.
    pub name: String,
    /// The version of the fold that made the tables.
    pub version: u32,
    /// Where it stands.
    pub cursor: Cursor,
    /// The digest of its tables there.
    pub digest: Hash,
}

const COLUMNS: &str = "name, version, position, hash, generation, stopped_at, stopped_reason, digest FROM projections";

/// Every projection in the file, by name.
pub(super) fn all(conn: &Connection) -> rusqlite::Result<Vec<Kept>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} ORDER BY name"))?;
    statement.query_map([], kept)?.collect()
}

/// Where one projection stands.
pub(super) fn of(conn: &Connection, about: &'static About) -> rusqlite::Result<Option<Cursor>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {COLUMNS} WHERE name = ?1"))?;
    statement.query_row([about.name], |row| Ok(kept(row)?.cursor)).optional()
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let stopped_at: Option<i64> = row.get(5)?;
    let reason: Option<String> = row.get(6)?;
    let stopped = stopped_at.map(|at| Stopped { at: unsigned(at), reason: reason.unwrap_or_default() });
    let generation = unsigned(row.get(4)?);
    let cursor = Cursor { position: unsigned(row.get(2)?), hash: row.get(3)?, generation, stopped };
    Ok(Kept { name: row.get(0)?, version: row.get(1)?, cursor, digest: row.get(7)? })
}

/// Moves the cursor, from where this projector left it only, with the digest of the tables there.
pub(super) fn advance(
    conn: &Connection,
    about: &'static About,
    from: &Cursor,
    to: &Cursor,
    digest: &Hash,
) -> Result<(), TablesError> {
    let mut statement = conn.prepare_cached(
        "UPDATE main.projections SET position = ?1, hash = ?2, stopped_at = ?3, stopped_reason = ?4, digest = ?5 \
         WHERE name = ?6 AND position = ?7 AND hash = ?8 AND generation = ?9",
    )?;
    let (stopped_at, reason) = to.stopped.as_ref().map(|stop| (signed(stop.at), stop.reason.as_str())).unzip();
    let moved = statement.execute(params![
        signed(to.position),
        to.hash,
        stopped_at,
        reason,
        digest,
        about.name,
        signed(from.position),
        from.hash,
        signed(from.generation)
    ])?;
    if moved == 1 { Ok(()) } else { Err(TablesError::Overtaken { projection: about.name }) }
}

/// Sets where a projection stands in tables that nobody else knows of yet.
pub(super) fn set(conn: &Connection, about: &'static About, at: &Cursor, digest: &Hash) -> rusqlite::Result<()> {
    conn.execute(
        "UPDATE main.projections SET position = ?1, hash = ?2, digest = ?3 WHERE name = ?4",
        params![signed(at.position), at.hash, digest, about.name],
    )?;
    Ok(())
}

/// The generation of a file, the same for all its projections.
pub(super) fn generation(conn: &Connection) -> rusqlite::Result<u64> {
    conn.query_row("SELECT ifnull(max(generation), 0) FROM projections", (), |row| row.get(0).map(unsigned))
}

/// Says which generation a file is.
pub(super) fn set_generation(conn: &Connection, generation: u64) -> rusqlite::Result<()> {
    conn.execute("UPDATE main.projections SET generation = ?1", [signed(generation)]).map(drop)
}
