//! Owns how one batch is placed: which of its events are recorded already, whether the streams are where the
//! caller saw them, and the rows of the others. All inside a transaction that somebody else began and will
//! end; what it changed in memory before a rollback is forgotten by [`Appender::reset`].

use std::sync::Arc;

use projections::draft::{Draft, Stream};
use projections::moment::Moment;
use rusqlite::{CachedStatement, Connection, ErrorCode, OptionalExtension, params};
use uuid::Uuid;

use super::super::chain::{Chain, Fields, Hash};
use super::super::error::{AppendError, IoCause, ReadError};
use super::super::{Head, row, schema, unsigned};
use super::compare::Recorded;
use super::streams::Streams;
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
pub(super) struct Appender<'c> {
    chain: Chain,
    tip: Tip,
    streams: Streams<'c>,
    find: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    last: CachedStatement<'c>,
    clock: fn() -> Moment,
}

impl<'c> Appender<'c> {
    pub(super) fn new(conn: &'c Connection, clock: fn() -> Moment) -> Result<Self, ReadError> {
        let journal = schema::identity(conn)?;
        let mut appender = Self {
            chain: Chain::new(journal.uuid),
            tip: Tip { seq: 0, hash: Head::EMPTY.hash },
            streams: Streams::new(conn)?,
            find: conn.prepare_cached(
                "SELECT seq, type, schema_version, occurred_at, data, meta FROM events WHERE id = ?1",
            )?,
            insert: conn.prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?,
            last: conn.prepare_cached("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1")?,
            clock,
        };
        appender.reset()?;
        Ok(appender)
    }

    /// Takes the end of the log from the file again, as after a rollback.
    pub(super) fn reset(&mut self) -> rusqlite::Result<()> {
        let last = self.last.query_row([], |found| Ok((found.get(0)?, row::hash(found, 1)))).optional()?;
        let (seq, hash) = last.unwrap_or((0, Some(Head::EMPTY.hash)));
        self.tip = Tip { seq, hash: hash.unwrap_or_default() };
        self.streams.forget()
    }

    pub(super) fn head(&self) -> Head {
        Head { seq: unsigned(self.tip.seq), hash: self.tip.hash }
    }

    /// Places a batch at the end of the log.
    pub(super) fn place(&mut self, drafts: &[Draft]) -> Result<Receipt, Stop> {
        self.streams.begin_batch();
        let recorded_at = (self.clock)();
        let mut answers = Vec::with_capacity(drafts.len());
        for (index, draft) in drafts.iter().enumerate() {
            answers.push(self.place_one(index, draft, recorded_at)?);
        }
        Ok(Receipt::new(answers, self.head()))
    }

    fn place_one(&mut self, index: usize, draft: &Draft, recorded_at: Moment) -> Result<Answer, Stop> {
        let id = match draft.id {
            None => Uuid::now_v7(),
            Some(id) => match self.recorded(id)? {
                None => id,
                Some(recorded) => return duplicate(index, draft, id, &recorded),
            },
        };
        check(index, draft)?;
        let of_fill;
        let name = match &draft.stream {
            Stream::Named(name) => name,
            Stream::OfFill(fill_id) => {
                of_fill = self.streams.of_fill(fill_id)?;
                &of_fill
            }
        };
        let stream = self.streams.get(name)?;
        if let Some(expected) = draft.expected_version.filter(|expected| !stream.is_at(*expected)) {
            let (stream, actual) = (name.clone(), stream.base());
            return Err(Stop::Batch(AppendError::VersionMismatch { index, stream, expected, actual }));
        }
        let stream_id = self.streams.id(name, stream)?;
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
        self.insert(draft, &event, stream_id, &hash).map_err(|error| blame(index, error))?;
        self.streams.advance(name, event.stream_version);
        self.tip = Tip { seq: event.seq, hash };
        Ok(Answer::Appended { seq: unsigned(event.seq) })
    }

    fn insert(&mut self, draft: &Draft, event: &Fields<'_>, stream_id: i64, hash: &Hash) -> rusqlite::Result<()> {
        self.insert.execute(params![
            event.seq,
            event.id,
            stream_id,
            event.stream_version,
            draft.kind,
            event.schema_version,
            event.occurred_at,
            event.recorded_at,
            draft.data,
            draft.meta,
            hash,
        ])?;
        Ok(())
    }

    fn recorded(&mut self, id: Uuid) -> rusqlite::Result<Option<Recorded>> {
        let read = |found: &rusqlite::Row<'_>| {
            Ok(Recorded {
                seq: found.get(0)?,
                kind: found.get(1)?,
                schema_version: found.get(2)?,
                occurred_at: found.get(3)?,
                data: found.get(4)?,
                meta: found.get(5)?,
            })
        };
        self.find.query_row([id.as_bytes()], read).optional()
    }
}

fn duplicate(index: usize, draft: &Draft, id: Uuid, recorded: &Recorded) -> Result<Answer, Stop> {
    let seq = unsigned(recorded.seq);
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

/// Whether an insert failed for what was to be inserted, or for where.
fn blame(index: usize, error: rusqlite::Error) -> Stop {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig | ErrorCode::Unknown) => {
            Stop::Batch(AppendError::Refused { index, reason: error.to_string() })
        }
        _ => Stop::Log(error),
    }
}

/// The error for everybody whose batch was rolled back because of the log.
pub(super) fn nothing_recorded(error: rusqlite::Error) -> AppendError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => AppendError::Busy,
        _ => AppendError::Io { source: Arc::new(IoCause::Sqlite(error)) },
    }
}
