//! Owns reading the log: by position, stream, id and time, beside a writer in this process or another, and
//! in any number. Never writes, and never holds a snapshot for longer than a page, so that a slow consumer
//! can't make the write-ahead log grow. Rows come borrowed; who wants to keep one makes it a `Stored`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use projections::draft::Stored;
use projections::moment::Moment;
use rusqlite::{Connection, OptionalExtension, Params, ToSql};
use uuid::Uuid;

use super::chain::Hash;
use super::error::{OpenError, ReadError};
use super::row::{self, COLUMNS, EventRef};
use super::schema::{self, Identity};
use super::{Head, file, signed, unsigned};

/// How many rows one statement reads before it lets go of its snapshot.
const PAGE: u64 = 1_024;

/// A connection that reads a journal's log. For one thread at a time; each opens its own.
#[derive(Debug)]
pub struct Reader {
    conn: Connection,
    identity: Identity,
    dir: PathBuf,
}

/// How much a log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Events.
    pub events: u64,
    /// Streams.
    pub streams: u64,
}

impl Reader {
    /// Opens a journal's log for reading. In a folder that can't be written the file is read as it lies there.
    ///
    /// # Errors
    /// [`OpenError`], such as [`OpenError::NoJournal`].
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let conn = file::open_for_reading(dir)?;
        let identity = schema::identity(&conn).map_err(|error| file::read_failed(&dir.join(file::LOG_FILE), error))?;
        Ok(Self { conn, identity, dir: dir.to_owned() })
    }

    /// Whose log it is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The journal's folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// How far the log goes.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn head(&self) -> Result<Head, ReadError> {
        let found = self.one("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1", (), |found| {
            Ok((found.get(0)?, row::hash(found, 1)))
        })?;
        match found {
            None => Ok(Head::EMPTY),
            Some((seq, Some(hash))) => Ok(Head { seq: unsigned(seq), hash }),
            Some((seq, None)) => Err(ReadError::Malformed { seq, column: "hash" }),
        }
    }

    /// The hash at a position; 32 zeros at 0, `None` beyond the head. A projection whose cursor has another
    /// has seen a log that is not this one.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn hash_at(&self, seq: u64) -> Result<Option<Hash>, ReadError> {
        if seq == 0 {
            return Ok(Some(Head::EMPTY.hash));
        }
        let seq = signed(seq);
        let found = self.one("SELECT hash FROM events WHERE seq = ?1", [seq], |found| Ok(row::hash(found, 0)))?;
        found.map(|hash| hash.ok_or(ReadError::Malformed { seq, column: "hash" })).transpose()
    }

    /// Up to `limit` events after a position.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read_after(&self, seq: u64, limit: usize) -> Result<Vec<Stored>, ReadError> {
        let mut events = Vec::new();
        if limit == 0 {
            return Ok(events);
        }
        self.scan(seq, u64::MAX, |event| {
            events.push(Stored::from(event));
            keep_going(events.len() < limit)
        })?;
        Ok(events)
    }

    /// Hands each event after one position and up to another to `each`, in order, until it breaks. Returns
    /// the last position handed over, or `after` where there was none. Events that are appended meanwhile
    /// may be among them or not.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn scan(
        &self,
        after: u64,
        through: u64,
        mut each: impl FnMut(EventRef<'_>) -> ControlFlow<()>,
    ) -> Result<u64, ReadError> {
        let sql = format!("SELECT {COLUMNS} WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT {PAGE}");
        let mut last = after;
        loop {
            let mut in_page = 0;
            let flow = self.each(&sql, (signed(last), signed(through)), |event| {
                in_page += 1;
                last = event.seq;
                each(event)
            })?;
            if flow.is_break() || in_page < PAGE {
                return Ok(last);
            }
        }
    }

    /// Hands each event of a stream after one of its versions to `each`, in order, until it breaks.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn stream(
        &self,
        name: &str,
        after_version: u64,
        mut each: impl FnMut(EventRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let sql =
            format!("SELECT {COLUMNS} WHERE name = ?1 AND stream_version > ?2 ORDER BY stream_version LIMIT {PAGE}");
        let mut last = after_version;
        loop {
            let mut in_page = 0;
            let params: [&dyn ToSql; 2] = [&name, &signed(last)];
            let flow = self.each(&sql, params, |event| {
                in_page += 1;
                last = event.stream_version;
                each(event)
            })?;
            if flow.is_break() || in_page < PAGE {
                return Ok(());
            }
        }
    }

    /// The version of a stream's last event; 0 for a stream without any.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn stream_version(&self, name: &str) -> Result<u64, ReadError> {
        let sql = "SELECT max(stream_version) FROM events JOIN streams USING (stream_id) WHERE name = ?1";
        let found = self.one(sql, [name], |found| found.get::<_, Option<i64>>(0))?;
        Ok(found.flatten().map_or(0, unsigned))
    }

    /// The event with this id.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn by_id(&self, id: Uuid) -> Result<Option<Stored>, ReadError> {
        let mut found = None;
        let sql = format!("SELECT {COLUMNS} WHERE id = ?1");
        let _ = self.each(&sql, [id.as_bytes()], |event| {
            found = Some(Stored::from(event));
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// Hands the events at these positions to `each`, in the given order, passing over those beyond the
    /// head, until it breaks.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn by_seqs(
        &self,
        seqs: &[u64],
        mut each: impl FnMut(EventRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let sql = format!("SELECT {COLUMNS} WHERE seq = ?1");
        for seq in seqs {
            if self.each(&sql, [signed(*seq)], &mut each)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The last position recorded at or before a moment; 0 where there is none. The clock may have gone
    /// backwards, so no index answers this: it reads back from the head, which is quick for recent moments.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn last_recorded_by(&self, moment: Moment) -> Result<u64, ReadError> {
        let sql = "SELECT seq FROM events WHERE recorded_at <= ?1 ORDER BY seq DESC LIMIT 1";
        Ok(self.one(sql, [moment.0], |found| found.get(0))?.map_or(0, unsigned))
    }

    /// The same for several moments, in one pass.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn last_recorded_by_each(&self, moments: &[Moment]) -> Result<Vec<u64>, ReadError> {
        let mut positions = vec![0; moments.len()];
        let mut waiting: Vec<usize> = (0..moments.len()).collect();
        waiting.sort_by_key(|at| moments[*at]);
        let mut statement = self.conn.prepare_cached("SELECT seq, recorded_at FROM events ORDER BY seq DESC")?;
        let mut rows = statement.query(())?;
        while !waiting.is_empty()
            && let Some(found) = rows.next()?
        {
            let (seq, recorded_at) = (unsigned(found.get(0)?), Moment(found.get(1)?));
            while let Some(latest) = waiting.pop_if(|at| moments[*at] >= recorded_at) {
                positions[latest] = seq;
            }
        }
        Ok(positions)
    }

    /// How much the log holds.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn counts(&self) -> Result<Counts, ReadError> {
        // Positions and stream numbers have no gaps, so that the last of each is the count.
        let sql = "SELECT (SELECT max(seq) FROM events), (SELECT max(stream_id) FROM streams)";
        let read = |found: &rusqlite::Row<'_>| Ok((found.get::<_, Option<i64>>(0)?, found.get::<_, Option<i64>>(1)?));
        let (events, streams) = self.one(sql, (), read)?.unwrap_or_default();
        Ok(Counts { events: events.map_or(0, unsigned), streams: streams.map_or(0, unsigned) })
    }

    /// How many events there are of each type, by name. Reads the whole log.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn counts_by_type(&self) -> Result<Vec<(String, u64)>, ReadError> {
        let mut statement =
            self.conn.prepare_cached("SELECT type, count(*) FROM events GROUP BY type ORDER BY type")?;
        let rows = statement.query_map((), |found| Ok((found.get(0)?, unsigned(found.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The connection, for what else in the log reads.
    pub(crate) fn conn(&self) -> &Connection {
        &self.conn
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, ReadError> {
        Ok(self.conn.prepare_cached(sql)?.query_row(params, read).optional()?)
    }

    fn each(
        &self,
        sql: &str,
        params: impl Params,
        mut each: impl FnMut(EventRef<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ReadError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(found) = rows.next()? {
            if each(row::event(found)?).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn keep_going(more: bool) -> ControlFlow<()> {
    if more { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}
