//! Owns the search for everything that can be wrong with a log: changed, missing, foreign or reordered
//! events, altered schema, damaged pages. It goes on after a finding, so that a report shows the extent of
//! the damage, and never repairs anything. A long log is first looked through in parts, side by side; only where that
//! finds anything, it is gone through in order.
//!
//! What it proves: that the events are unaltered relative to the head it reports. Whether that head is the
//! right one (a tail may be cut off, a whole log rewritten by somebody who may write the file) only a head
//! kept elsewhere can tell: compare [`super::Reader::hash_at`] with it.

mod finding;
mod parts;
mod walk;

use rusqlite::{Connection, OptionalExtension};

use super::error::ReadError;
use super::schema::{self, Identity};
use super::{Head, Reader, row, signed, unsigned};
pub use finding::{Fault, Finding, Findings};
use walk::Walk;

/// What was found out about a log, or a part of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whose log it is.
    pub identity: Identity,
    /// How far it went when the verification began.
    pub head: Head,
    /// How many events were read.
    pub checked: u64,
    /// What is wrong.
    pub findings: Findings,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.total() == 0
    }
}

/// A part of the verification that needs the whole log, up to a position.
type Check = fn(&Connection, i64, &mut Findings) -> rusqlite::Result<()>;

const CHECKS: [Check; 3] = [ids_are_unique, streams_are_dense, pages_are_whole];

/// Verifies the whole log up to its present head. `progress` is told (events done, events in all) as it goes.
///
/// # Errors
/// [`ReadError`] where reading fails for another reason than damage.
pub fn whole(reader: &Reader, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, ReadError> {
    let conn = reader.conn();
    let mut findings = Findings::default();
    schema_is_ours(conn, &mut findings)?;
    let end = end(conn)?;
    if let Some(checked) = parts::all_sound(reader, (i64::MIN, end), &CHECKS, progress) {
        return report(reader, end, checked, findings);
    }
    let mut walk = Walk::new(conn, reader.identity().uuid, findings);
    walk.run(i64::MIN, end, progress)?;
    let checked = walk.checked();
    let mut findings = walk.into_findings();
    finding::damage_at(0, &mut findings, |findings| CHECKS.iter().try_for_each(|check| check(conn, end, findings)))?;
    report(reader, end, checked, findings)
}

/// Verifies the positions `from` to `through` (both included) and that they follow from the position before;
/// quick where the range is short, and blind to what needs the whole log: ids, stream versions, schema.
///
/// # Errors
/// [`ReadError`] where reading fails for another reason than damage.
pub fn range(
    reader: &Reader,
    from: u64,
    through: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, ReadError> {
    let conn = reader.conn();
    let end = end(conn)?;
    let (after, through) = (signed(from.saturating_sub(1)), end.min(signed(through)));
    if let Some(checked) = parts::all_sound(reader, (after, through), &[], progress) {
        return report(reader, end, checked, Findings::default());
    }
    let mut walk = Walk::new(conn, reader.identity().uuid, Findings::default());
    walk.run(after, through, progress)?;
    let checked = walk.checked();
    report(reader, end, checked, walk.into_findings())
}

fn report(reader: &Reader, end: i64, checked: u64, findings: Findings) -> Result<Report, ReadError> {
    Ok(Report { identity: reader.identity(), head: head(reader.conn(), end)?, checked, findings })
}

/// Verifies the last `depth` positions, and that the log still holds what is known to have been in it (where
/// anything is). Returns the head, or what is wrong.
pub(crate) fn tail(conn: &Connection, known: Head, depth: u64) -> Result<Result<Head, String>, ReadError> {
    let identity = schema::identity(conn)?;
    let end = end(conn)?;
    if unsigned(end) < known.seq {
        return Ok(Err(format!("it ends at position {end}, but {} was acknowledged", known.seq)));
    }
    let mut walk = Walk::new(conn, identity.uuid, Findings::default());
    let deep = unsigned(end).saturating_sub(depth);
    let after = if known == Head::EMPTY { deep } else { deep.min(known.seq) };
    walk.run(signed(after), end, &mut |_, _| {})?;
    if let Some(first) = walk.into_findings().first() {
        return Ok(Err(first.to_string()));
    }
    if head(conn, signed(known.seq))? != known {
        return Ok(Err(format!("position {} is not the event that was acknowledged", known.seq)));
    }
    Ok(Ok(head(conn, end)?))
}

/// The last position.
fn end(conn: &Connection) -> Result<i64, ReadError> {
    Ok(conn.query_row("SELECT coalesce(max(seq), 0) FROM events", [], |found| found.get(0))?)
}

/// The head the log had at a position, as far as it can be read.
fn head(conn: &Connection, seq: i64) -> Result<Head, ReadError> {
    let sql = "SELECT hash FROM events WHERE seq = ?1";
    let hash = conn.query_row(sql, [seq], |found| Ok(row::hash(found, 0))).optional();
    Ok(Head { seq: unsigned(seq), hash: finding::unless_damaged(hash)?.flatten().flatten().unwrap_or_default() })
}

/// Somebody who drops a trigger has something in mind.
fn schema_is_ours(conn: &Connection, findings: &mut Findings) -> Result<(), ReadError> {
    let expected = schema::expected_objects()?;
    let found = schema::objects(conn)?;
    for object in &expected {
        if !found.contains(object) {
            findings.add(0, Fault::Schema { object: object.name.clone() });
        }
    }
    // Other programs may keep tables here (Litestream does); what could act on ours may not.
    for object in found.iter().filter(|object| object.is_trigger && !expected.contains(object)) {
        findings.add(0, Fault::Schema { object: object.name.clone() });
    }
    Ok(())
}

fn ids_are_unique(conn: &Connection, end: i64, findings: &mut Findings) -> rusqlite::Result<()> {
    let mut statement = conn.prepare(
        "SELECT min(seq), max(seq) FROM events WHERE seq <= ?1 GROUP BY id HAVING count(*) > 1 ORDER BY max(seq)",
    )?;
    let mut rows = statement.query([end])?;
    while let Some(found) = rows.next()? {
        findings.add(found.get(1)?, Fault::IdTwice { first: unsigned(found.get(0)?) });
    }
    Ok(())
}

fn streams_are_dense(conn: &Connection, end: i64, findings: &mut Findings) -> rusqlite::Result<()> {
    let mut statement = conn.prepare(
        "SELECT stream_id, stream_version, seq FROM events WHERE seq <= ?1 ORDER BY stream_id, stream_version, seq",
    )?;
    let mut rows = statement.query([end])?;
    let (mut stream, mut version, mut position) = (i64::MIN, 0, i64::MIN);
    while let Some(found) = rows.next()? {
        let (next_stream, next_version, seq) = (found.get(0)?, found.get(1)?, found.get(2)?);
        if next_stream != stream {
            (stream, version, position) = (next_stream, 0, i64::MIN);
        }
        if next_version != version + 1 || seq <= position {
            findings.add(seq, Fault::StreamVersion { expected: unsigned(version + 1), found: next_version });
        }
        (version, position) = (next_version, seq);
    }
    Ok(())
}

/// SQLite's own check: pages, types, and that the indexes say what the table says.
fn pages_are_whole(conn: &Connection, _end: i64, findings: &mut Findings) -> rusqlite::Result<()> {
    let mut statement = conn.prepare("PRAGMA integrity_check(20)")?;
    let mut rows = statement.query([])?;
    while let Some(found) = rows.next()? {
        let detail: String = found.get(0)?;
        if detail != "ok" {
            findings.add(0, Fault::Pages { detail });
        }
    }
    Ok(())
}
