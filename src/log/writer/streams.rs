//! Owns what the writer knows of streams: name to number and version, kept in memory for those in use and
//! read from the log for the others. Nothing here is true before the commit; a rollback forgets it all.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::super::{signed, unsigned};

/// How many streams are kept; beyond it all are forgotten, which costs each in use one look into the log.
const KNOWN_MAX: usize = 65_536;

/// The stream of a correction whose fill nobody has recorded.
const ORPHANS: &str = "account/default";

/// A stream as the next event finds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    /// Its row; `None` for a stream that has no event yet.
    id: Option<i64>,
    /// The version of its last event; 0 without one.
    pub(super) version: i64,
    /// The batch that last touched it.
    batch: u64,
    /// Its version before that batch.
    base: i64,
}

/// The streams of one open log.
#[derive(Debug)]
pub(super) struct Streams {
    /// Where in `known` a name's stream is.
    places: HashMap<String, usize>,
    known: Vec<Stream>,
    /// Counts batches, to tell a stream's version before the batch.
    batch: u64,
    next_id: i64,
}

impl Streams {
    pub(super) fn load(conn: &Connection) -> rusqlite::Result<Self> {
        let mut streams = Self { places: HashMap::new(), known: Vec::new(), batch: 0, next_id: 0 };
        streams.forget(conn)?;
        Ok(streams)
    }

    /// Drops what a rollback made untrue.
    pub(super) fn forget(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.clear();
        let mut statement = conn.prepare_cached("SELECT coalesce(max(stream_id), 0) FROM streams")?;
        self.next_id = 1 + statement.query_row([], |row| row.get::<_, i64>(0))?;
        Ok(())
    }

    pub(super) fn begin_batch(&mut self) {
        self.batch += 1;
        if self.known.len() > KNOWN_MAX {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.places.clear();
        self.known.clear();
    }

    /// The place of the stream of that name, which is good until the batch ends.
    pub(super) fn find(&mut self, conn: &Connection, name: &str) -> rusqlite::Result<usize> {
        if let Some(place) = self.places.get(name) {
            let stream = &mut self.known[*place];
            if stream.batch != self.batch {
                stream.batch = self.batch;
                stream.base = stream.version;
            }
            return Ok(*place);
        }
        let mut statement = conn.prepare_cached(FIND)?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?));
        let found = statement.query_row([name], read).optional()?;
        let (id, version) = found.map_or((None, 0), |(id, version)| (Some(id), version.unwrap_or(0)));
        let place = self.known.len();
        self.known.push(Stream { id, version, batch: self.batch, base: version });
        self.places.insert(name.to_owned(), place);
        Ok(place)
    }

    /// The stream at a place, as the next event of this batch finds it.
    pub(super) fn at(&self, place: usize) -> Stream {
        self.known[place]
    }

    /// Takes the stream's next version for an event, and makes the stream where it is new. Returns its row.
    pub(super) fn advance(&mut self, conn: &Connection, name: &str, place: usize) -> rusqlite::Result<i64> {
        let id = match self.known[place].id {
            Some(id) => id,
            None => self.make(conn, name)?,
        };
        let stream = &mut self.known[place];
        stream.id = Some(id);
        stream.version += 1;
        Ok(id)
    }

    fn make(&mut self, conn: &Connection, name: &str) -> rusqlite::Result<i64> {
        let id = self.next_id;
        conn.prepare_cached("INSERT INTO streams (stream_id, name) VALUES (?1, ?2)")?.execute((id, name))?;
        self.next_id += 1;
        Ok(id)
    }
}

const FIND: &str = "SELECT stream_id, (SELECT max(stream_version) FROM events WHERE stream_id = streams.stream_id) \
     FROM streams WHERE name = ?1";

const FIND_FILL: &str = "SELECT name FROM events JOIN streams USING (stream_id) \
     WHERE type = 'FillRecorded' AND data ->> '$.fill_id' = ?1 ORDER BY seq LIMIT 1";

const FIND_EXIT: &str = "SELECT name FROM events JOIN streams USING (stream_id) WHERE id = ?1 AND type = 'TradeExited'";

/// The stream of the fill: that of the FillRecorded, else of the TradeExited whose id it is.
pub(super) fn of_fill(conn: &Connection, fill_id: &str) -> rusqlite::Result<String> {
    let name = |row: &Row<'_>| row.get(0);
    if let Some(found) = conn.prepare_cached(FIND_FILL)?.query_row([fill_id], name).optional()? {
        return Ok(found);
    }
    let Ok(event) = Uuid::try_parse(fill_id) else { return Ok(ORPHANS.to_owned()) };
    let found = conn.prepare_cached(FIND_EXIT)?.query_row([event.as_bytes()], name).optional()?;
    Ok(found.unwrap_or_else(|| ORPHANS.to_owned()))
}

impl Stream {
    /// Whether the caller's view of the stream is good: as it was before the batch, or with the batch's own
    /// events counted.
    pub(super) fn is_at(&self, expected: u64) -> bool {
        let expected = signed(expected);
        expected == self.version || expected == self.base
    }

    /// The version before the batch, which is the log's when the batch is refused.
    pub(super) fn base(&self) -> u64 {
        unsigned(self.base)
    }
}
