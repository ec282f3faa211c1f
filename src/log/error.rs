//! Owns the log's errors: one small enum an operation, whose variants say what the caller can do next.
//! Nothing here decides or logs anything.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

/// Why a journal could not be made or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no journal in this folder.
    #[error("no journal at {}; make one with tradefold init", dir.display())]
    NoJournal {
        /// The folder.
        dir: PathBuf,
    },
    /// There is one already, where a new one was to be made.
    #[error("there is a journal at {} already", dir.display())]
    Exists {
        /// The folder.
        dir: PathBuf,
    },
    /// Parts of a journal without its log: making a new log beside them would hide that the old one is lost.
    #[error("{} is there but events.db is not: the log is missing; restore a backup, or remove what is left of it", left.display())]
    LogMissing {
        /// A file that only a journal leaves behind.
        left: PathBuf,
    },
    /// A file of another program, or no database at all.
    #[error("{} is not a tradefold log", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
    },
    /// Written by a newer program.
    #[error("{} has format version {found}; this program knows up to {known}: use a newer tradefold", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The latest version this program reads.
        known: i64,
    },
    /// Another process holds the writer's lock.
    #[error("the journal at {} is being written by {}; gave up after {:.1} s", dir.display(), holder(*pid), waited.as_secs_f64())]
    Busy {
        /// The folder.
        dir: PathBuf,
        /// The holder, as far as `writer.lock` tells.
        pid: Option<u32>,
        /// How long it was waited for.
        waited: Duration,
    },
    /// SQLite before 3.51.3 can corrupt a log in WAL mode.
    #[error("SQLite {found} is too old to use a log safely; {needed} is needed")]
    OldSqlite {
        /// The version in use.
        found: String,
        /// The floor.
        needed: &'static str,
    },
    /// The log is not as it was written: nothing may be added before somebody has looked at it.
    #[error("{} is damaged: {detail}; run tradefold verify", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The file system cannot carry a log.
    #[error("{} cannot be used in WAL mode (SQLite answered `{mode}`): the file system has no shared memory", path.display())]
    NoWal {
        /// The file.
        path: PathBuf,
        /// The journal mode SQLite fell back to.
        mode: String,
    },
    /// A folder that cannot be written holds a write-ahead log that needs recovery.
    #[error("{} cannot be read from a read-only folder while it has a write-ahead log; copy the journal elsewhere", path.display())]
    NeedsRecovery {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused something.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// SQLite refused something.
    #[error("cannot open {}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// Why nothing of a batch was recorded, or, for [`AppendError::Unknown`], why nobody can tell.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The id is recorded with other content: the caller reuses ids, or a fact changed. Retrying cannot help.
    #[error("event {index} of the batch: id {id} is recorded at position {seq} with another `{field}`")]
    Conflict {
        /// Place in the batch, from 0.
        index: usize,
        /// The id both have.
        id: Uuid,
        /// Where the recorded one stands.
        seq: u64,
        /// The field that differs: `type`, `schema_version`, `occurred_at`, `data.FIELD` or `meta`.
        field: String,
    },
    /// The stream moved on since the caller looked: read it again, decide again.
    #[error("event {index} of the batch expected version {expected} of stream {stream}, which is at {actual}")]
    VersionMismatch {
        /// Place in the batch, from 0.
        index: usize,
        /// The stream's name.
        stream: String,
        /// What the caller last saw.
        expected: u64,
        /// The stream's version in the log.
        actual: u64,
    },
    /// The event cannot be stored as it is. Retrying cannot help.
    #[error("event {index} of the batch cannot be recorded: {reason}")]
    Refused {
        /// Place in the batch, from 0.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Another program holds the database's write lock; nothing was recorded. Retry later.
    #[error("the log is locked by another program; nothing was recorded")]
    Busy,
    /// The queue in front of the writer is full; nothing was recorded. Retry later.
    #[error("the writer's queue is full; nothing was recorded")]
    QueueFull,
    /// Reading or writing failed before the commit; nothing was recorded. Retry once the cause is mended.
    #[error("nothing was recorded: {source}")]
    Io {
        /// The cause.
        #[source]
        source: Arc<IoCause>,
    },
    /// The commit failed half-way: the batch may be in the log or not. Retry with the same ids.
    #[error("the outcome is unknown, retry with the same ids: {source}")]
    Unknown {
        /// The cause.
        #[source]
        source: Arc<IoCause>,
    },
    /// The log is not as it was written; the writer takes no more. Nothing was recorded.
    #[error("nothing was recorded, the log is damaged: {detail}")]
    Damaged {
        /// What is wrong with it.
        detail: Arc<str>,
    },
    /// The writer has been closed; nothing was recorded.
    #[error("the writer is closed; nothing was recorded")]
    Closed,
}

/// What stands behind an I/O failure of the writer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IoCause {
    /// SQLite reported it.
    #[error("{0}")]
    Sqlite(#[source] rusqlite::Error),
    /// The log could not be opened again after an earlier failure.
    #[error("the log cannot be opened again: {0}")]
    Reopen(#[source] OpenError),
    /// The log could not be read after it was opened again.
    #[error("{0}")]
    Read(#[source] ReadError),
    /// The writer's thread died.
    #[error("the writer's thread died")]
    WriterDied,
}

/// Why the log could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// SQLite reported it.
    #[error("cannot read the log: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A column holds what this program never writes there.
    #[error("event {seq} has no readable {column}: run tradefold verify")]
    Malformed {
        /// The position.
        seq: i64,
        /// The column.
        column: &'static str,
    },
    /// The table that says whose log this is has no usable row.
    #[error("the log does not say whose journal it is: run tradefold verify")]
    NoIdentity,
}
