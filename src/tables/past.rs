//! Owns snapshots: positions from which the past can be told without folding from the beginning. What is changed
//! or deleted after a snapshot is kept aside as it was, once; so a snapshot costs what changes after it, and
//! tables with few changes to old rows cost next to nothing. Only one rule makes this right: whatever changes a
//! row moves its `last_seq`. How the past is put together again is `as_of`'s business.

use projections::cell::{Cell, Row, Table, cells_to_bytes};
use projections::projection::About;
use rusqlite::{Connection, OptionalExtension, params};

use super::cursor::Cursor;
use super::digest::Digests;
use crate::log::{signed, unsigned};

/// How closely snapshots lie. Where they lie changes how long the past takes, and nothing of what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spacing {
    /// How many events lie between two new snapshots, at least.
    pub snapshot_every: u64,
    /// How many snapshots a projection keeps: of more, the two that are closest together become one.
    pub snapshots_max: usize,
}

impl Default for Spacing {
    fn default() -> Self {
        Self { snapshot_every: 16_384, snapshots_max: 256 }
    }
}

/// Keeps aside what a commit changes.
pub(super) struct Past {
    about: &'static About,
    spacing: Spacing,
    /// The last snapshot; 0 where there is none, and nothing before it to keep.
    snapshot: u64,
}

impl Past {
    pub(super) fn of(conn: &Connection, about: &'static About, spacing: Spacing) -> rusqlite::Result<Self> {
        let mut statement = conn.prepare_cached("SELECT max(position) FROM snapshots WHERE projection = ?1")?;
        let last: Option<i64> = statement.query_row([about.name], |row| row.get(0))?;
        Ok(Self { about, spacing, snapshot: last.map_or(0, unsigned) })
    }

    /// Keeps a row that is about to be changed or deleted, if it is as it was at the snapshot.
    pub(super) fn keep_row(
        &self,
        conn: &Connection,
        table: &'static Table,
        key: &[Cell],
        row: &Row,
    ) -> rusqlite::Result<()> {
        let last_seq = row.last().and_then(Cell::as_seq).unwrap_or(0);
        if last_seq > self.snapshot {
            return Ok(());
        }
        let mut statement = conn.prepare_cached(
            "INSERT OR IGNORE INTO main.past_rows (name, key, snapshot, last_seq, value) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let (key, value) = (cells_to_bytes(key), cells_to_bytes(row));
        statement.execute(params![table.name, key, signed(self.snapshot), signed(last_seq), value])?;
        Ok(())
    }

    /// Keeps a value of fold state likewise.
    pub(super) fn keep_value(&self, conn: &Connection, drawer: &str, key: &[u8]) -> rusqlite::Result<()> {
        if self.snapshot == 0 {
            return Ok(());
        }
        let mut statement = conn.prepare_cached(
            "INSERT OR IGNORE INTO main.past_state (projection, drawer, key, snapshot, changed_at, value) \
             SELECT projection, drawer, key, ?4, changed_at, value FROM main.fold_state \
             WHERE projection = ?1 AND drawer = ?2 AND key = ?3 AND changed_at <= ?4",
        )?;
        statement.execute(params![self.about.name, drawer, key, signed(self.snapshot)])?;
        Ok(())
    }

    /// Takes a snapshot where a commit ends, if the last one is far enough behind.
    pub(super) fn snapshot_if_due(&self, conn: &Connection, at: &Cursor, digests: &Digests) -> rusqlite::Result<()> {
        if at.position.saturating_sub(self.snapshot) < self.spacing.snapshot_every {
            return Ok(());
        }
        conn.prepare_cached("INSERT INTO main.snapshots VALUES (?1, ?2, ?3, ?4)")?.execute(params![
            self.about.name,
            signed(at.position),
            at.hash,
            digests.to_bytes()
        ])?;
        match superfluous(&positions(conn, self.about)?, self.spacing.snapshots_max) {
            Some((before, position)) => self.merge(conn, before, position),
            None => Ok(()),
        }
    }

    /// Takes a snapshot away: what it kept is also what was at the one before, unless that one kept it too, or
    /// it was not there yet.
    fn merge(&self, conn: &Connection, before: u64, position: u64) -> rusqlite::Result<()> {
        let (before, position) = (signed(before), signed(position));
        for table in self.about.tables {
            conn
                .prepare_cached(
                    "UPDATE OR IGNORE main.past_rows SET snapshot = ?1 WHERE name = ?3 AND snapshot = ?2 AND last_seq <= ?1",
                )?
                .execute(params![before, position, table.name])?;
            conn.prepare_cached("DELETE FROM main.past_rows WHERE name = ?1 AND snapshot = ?2")?
                .execute(params![table.name, position])?;
        }
        let name = self.about.name;
        conn.prepare_cached(
            "UPDATE OR IGNORE main.past_state SET snapshot = ?1 \
                 WHERE projection = ?3 AND snapshot = ?2 AND changed_at <= ?1",
        )?
        .execute(params![before, position, name])?;
        for table in ["past_state WHERE projection = ?1 AND snapshot", "snapshots WHERE projection = ?1 AND position"] {
            conn.prepare_cached(&format!("DELETE FROM main.{table} = ?2"))?.execute(params![name, position])?;
        }
        Ok(())
    }
}

/// The snapshots of a projection, oldest first.
fn positions(conn: &Connection, about: &About) -> rusqlite::Result<Vec<u64>> {
    let mut statement =
        conn.prepare_cached("SELECT position FROM snapshots WHERE projection = ?1 ORDER BY position")?;
    statement.query_map([about.name], |row| row.get(0).map(unsigned))?.collect()
}

/// The snapshot whose loss costs least, with the one before it; `None` while there are not too many.
fn superfluous(positions: &[u64], at_most: usize) -> Option<(u64, u64)> {
    if positions.len() <= at_most {
        return None;
    }
    let with_start: Vec<u64> = [0].into_iter().chain(positions.iter().copied()).collect();
    // Of equal gaps the oldest: the recent past is asked for more often.
    let narrowest = with_start.windows(3).min_by_key(|three| three[2] - three[0])?;
    Some((narrowest[0], narrowest[1]))
}

/// A position at which a projection's past is known.
pub(super) struct Snapshot {
    pub(super) cursor: Cursor,
    pub(super) digests: Digests,
}

/// The last snapshot at or before a position, in an attached database or in `main`.
pub(super) fn last_by(
    conn: &Connection,
    schema: &str,
    about: &'static About,
    position: u64,
) -> rusqlite::Result<Option<Snapshot>> {
    let sql = format!(
        "SELECT position, hash, digests FROM {schema}.snapshots WHERE projection = ?1 AND position <= ?2 \
         ORDER BY position DESC LIMIT 1"
    );
    let found = conn.query_row(&sql, params![about.name, signed(position)], |row| {
        let cursor = Cursor { position: unsigned(row.get(0)?), hash: row.get(1)?, ..Cursor::START };
        Ok(Digests::from_bytes(about, &row.get::<_, Vec<u8>>(2)?).map(|digests| Snapshot { cursor, digests }))
    });
    // One that can't be read is none: it is a cache.
    Ok(found.optional()?.flatten())
}

/// Between which snapshots a row that was changed since one of them was changed or made, as (after, at most) pairs in
/// order, and those in which the positions `also` lie. The last snapshot is followed by the present, `u64::MAX`.
pub(super) fn changed_between(
    conn: &Connection,
    about: &'static About,
    table: &'static Table,
    key: &[Cell],
    also: &[u64],
) -> rusqlite::Result<Vec<(u64, u64)>> {
    let bytes = cells_to_bytes(key);
    let mut touched: Vec<u64> = also.to_vec();
    let sql = "SELECT snapshot, last_seq FROM past_rows WHERE name = ?1 AND key = ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let kept = statement.query_map(params![table.name, bytes], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for pair in kept {
        let (snapshot, last_seq) = pair?;
        // Changed after the snapshot that kept it, and before by the event it names.
        touched.extend([unsigned(snapshot) + 1, unsigned(last_seq)]);
    }
    Ok(spans(&positions(conn, about)?, &touched))
}

/// The spans between snapshots in which these positions lie.
pub(super) fn spans(snapshots: &[u64], positions: &[u64]) -> Vec<(u64, u64)> {
    let ends = snapshots.iter().copied().chain([u64::MAX]);
    let starts = [0].into_iter().chain(snapshots.iter().copied());
    let holds = |start: u64, end: u64| positions.iter().any(|position| *position > start && *position <= end);
    starts.zip(ends).filter(|(start, end)| holds(*start, *end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_snapshots_the_closest_two_become_one() {
        let even: Vec<u64> = (1..=64).map(|at| at * 10).collect();
        assert_eq!(superfluous(&even, 64), None);
        let mut one_more = even.clone();
        one_more.push(10 * 64 + 100);
        assert_eq!(superfluous(&one_more, 64), Some((0, 10)));
        let mut close = even;
        close.insert(5, 55);
        assert_eq!(superfluous(&close, 64), Some((50, 55)));
    }

    #[test]
    fn a_position_lies_in_the_span_that_ends_at_or_after_it() {
        assert_eq!(spans(&[10, 20], &[1, 10]), [(0, 10)]);
        assert_eq!(spans(&[10, 20], &[11, 20, 21]), [(10, 20), (20, u64::MAX)]);
        assert_eq!(spans(&[], &[3]), [(0, u64::MAX)]);
        assert_eq!(spans(&[10], &[]), []);
    }
}
