//! Owns how one batch is placed: which of its events are recorded already, whether the streams are where the
//! caller saw them, and the rows of the others. All inside a transaction that somebody else began and will
//! end; what it changed in memory before a rollback is forgotten by [`Appender::reset`].

use std::sync::Arc;

use projections::draft::{Draft, Stream};
use projections::moment::Moment;
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use uuid::Uuid;

use super::super::chain::{Chain, Fields, Hash};
use super::super::error::{AppendError, IoCause, ReadError};
use super::super::{Head, row, schema, unsigned};
use super::recorded::{self, Newest, Recorded};
use super::rows::{self, ROWS, Row, Rows};
use super::streams::{self, Streams};
use super::{Answer, Receipt};

/// The end of the log, as far as the running transaction got.
#[derive(Clone, Copy, Debug)]
struct Tip {
    seq: i64,
    hash: Hash,
}

/// Why a batch was not placed.
pub(super) enum Stop {
    /// The batch is at fault; others can go on.
    Batch(AppendError),
    /// The log is at fault.
    Log(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Log(error)
    }
}

/// Appends to one open log.
#[derive(Debug)]
pub(super) struct Appender {
    chain: Chain,
    tip: Tip,
    newest: Newest,
    streams: Streams,
    rows: Rows,
    clock: fn() -> Moment,
}

impl Appender {
    pub(super) fn load(conn: &Connection, clock: fn() -> Moment) -> Result<Self, ReadError> {
        let mut appender = Self {
            chain: Chain::new(schema::identity(conn)?.uuid),
            tip: Tip { seq: 0, hash: Head::EMPTY.hash },
            newest: Newest::UNKNOWN,
            streams: Streams::load(conn)?,
            rows: Rows::new(),
            clock,
        };
        appender.reset(conn)?;
        Ok(appender)
    }

    /// Takes the end of the log from the file again, as after a rollback.
    pub(super) fn reset(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let mut statement = conn.prepare_cached("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")?;
        let last = statement.query_row([], |found| Ok((found.get(0)?, row::hash(found, 1)))).optional()?;
        let (seq, hash) = last.unwrap_or((0, Some(Head::EMPTY.hash)));
        self.tip = Tip { seq, hash: hash.unwrap_or_default() };
        self.newest = Newest::load(conn)?;
        self.rows.clear();
        self.streams.forget(conn)
    }

    pub(super) fn head(&self) -> Head {
        Head { seq: unsigned(self.tip.seq), hash: self.tip.hash }
    }

    /// Places a batch at the end of the log.
    pub(super) fn place(&mut self, conn: &Connection, drafts: &[Draft]) -> Result<Receipt, Stop> {
        self.streams.begin_batch();
        let recorded_at = (self.clock)();
        let mut answers = Vec::with_capacity(drafts.len());
        for (chunk_no, chunk) in drafts.chunks(ROWS).enumerate() {
            self.rows.begin_chunk();
            let recorded = recorded::find(conn, self.newest, chunk)?;
            for index in chunk_no * ROWS..chunk_no * ROWS + chunk.len() {
                answers.push(self.place_one(conn, drafts, index, &recorded, recorded_at)?);
            }
            self.flush(conn, drafts)?;
        }
        Ok(Receipt::new(answers, self.head()))
    }

    fn place_one(
        &mut self,
        conn: &Connection,
        drafts: &[Draft],
        index: usize,
        recorded: &[Recorded],
        recorded_at: Moment,
    ) -> Result<Answer, Stop> {
        let draft = &drafts[index];
        if let Some(id) = draft.id.filter(|id| !self.newest.is_before(*id)) {
            if let Some(recorded) = recorded.iter().find(|recorded| recorded.id == id) {
                return again(index, draft, recorded);
            }
            if self.rows.has(id) {
                self.flush(conn, drafts)?;
                let recorded = recorded::find_one(conn, id)?;
                return again(index, draft, &recorded.ok_or(rusqlite::Error::QueryReturnedNoRows)?);
            }
        }
        check(index, draft)?;
        match &draft.stream {
            Stream::Named(name) => self.add(conn, index, draft, name, recorded_at),
            Stream::OfFill(fill_id) => {
                // The fill may be in this very batch.
                self.flush(conn, drafts)?;
                let name = streams::of_fill(conn, fill_id)?;
                self.add(conn, index, draft, &name, recorded_at)
            }
        }
    }

    /// Gives a new event its place in the stream and in the log.
    fn add(
        &mut self,
        conn: &Connection,
        index: usize,
        draft: &Draft,
        name: &str,
        recorded_at: Moment,
    ) -> Result<Answer, Stop> {
        let place = self.streams.find(conn, name)?;
        let stream = self.streams.at(place);
        if let Some(expected) = draft.expected_version.filter(|expected| !stream.is_at(*expected)) {
            let (stream, actual) = (name.to_owned(), stream.base());
            return Err(Stop::Batch(AppendError::VersionMismatch { index, stream, expected, actual }));
        }
        // An id made here is new: no need to look for it.
        let id = draft.id.unwrap_or_else(Uuid::now_v7);
        self.newest.add(id);
        let event = Fields {
            seq: self.tip.seq + 1,
            id: id.as_bytes(),
            stream: name.as_bytes(),
            stream_version: stream.version + 1,
            kind: draft.kind.as_bytes(),
            schema_version: i64::from(draft.schema_version),
            occurred_at: draft.occurred_at.0,
            recorded_at: recorded_at.0,
            data: draft.data.as_bytes(),
            meta: draft.meta.as_deref().map(str::as_bytes),
        };
        let hash = self.chain.hash(&self.tip.hash, &event);
        let stream_id = self.streams.advance(conn, name, place)?;
        let (seq, stream_version) = (event.seq, event.stream_version);
        self.rows.push(Row { index, seq, id, stream_id, stream_version, recorded_at, hash });
        self.tip = Tip { seq, hash };
        Ok(Answer::Appended { seq: unsigned(seq) })
    }

    fn flush(&mut self, conn: &Connection, drafts: &[Draft]) -> Result<(), Stop> {
        self.rows.flush(conn, drafts).map_err(|(index, error)| {
            if rows::is_of_the_row(&error) {
                Stop::Batch(AppendError::Refused { index, reason: error.to_string() })
            } else {
                Stop::Log(error)
            }
        })
    }
}

/// The answer to an event whose id is recorded.
fn again(index: usize, draft: &Draft, recorded: &Recorded) -> Result<Answer, Stop> {
    let (id, seq) = (recorded.id, unsigned(recorded.seq));
    match recorded.differs_from(draft) {
        None => Ok(Answer::Duplicate { seq }),
        Some(field) => Err(Stop::Batch(AppendError::Conflict { index, id, seq, field })),
    }
}

/// What SQLite would not refuse, or only in words that help nobody. The rest is the validation's work.
fn check(index: usize, draft: &Draft) -> Result<(), Stop> {
    let reason = if !(Moment::MIN..=Moment::MAX).contains(&draft.occurred_at) {
        "occurred_at is outside the years 0001 to 9999"
    } else if matches!(&draft.stream, Stream::Named(name) if name.is_empty()) {
        "the stream has no name"
    } else if draft.kind.is_empty() {
        "the type has no name"
    } else {
        return Ok(());
    };
    Err(Stop::Batch(AppendError::Refused { index, reason: reason.to_owned() }))
}

/// The error for everybody whose batch was rolled back because of the log.
pub(super) fn nothing_recorded(error: rusqlite::Error) -> AppendError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => AppendError::Busy,
        _ => AppendError::Io { source: Arc::new(IoCause::Sqlite(error)) },
    }
}
