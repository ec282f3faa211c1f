//! The event log, `events.db`: the only truth, from which everything else follows.
//!
//! One [`Writer`] a journal appends batches of drafts and acknowledges each after its commit is on disk; any
//! number of [`Reader`]s, in any process, read beside it. Events are chained by hash, and [`verify`] walks
//! the chain.
//!
//! ```
//! use projections::draft::{Draft, Stream};
//! use projections::moment::Moment;
//! use tradefold::log::{self, Reader, Writer, WriterOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let dir = folder.path().join("journal");
//! let options = WriterOptions::default();
//! log::create(&dir, options.lock_wait)?;
//! let writer = Writer::open(&dir, options)?;
//! let receipt = writer.append(vec![Draft {
//!     id: None,
//!     kind: "StateChanged".to_owned(),
//!     schema_version: 1,
//!     occurred_at: Moment::parse("2026-03-02T14:31:07.250Z")?,
//!     stream: Stream::Named("system".to_owned()),
//!     data: r#"{"state":"running"}"#.to_owned(),
//!     meta: None,
//!     expected_version: None,
//! }])?;
//! assert_eq!(receipt.last_seq, Some(1));
//! assert_eq!(Reader::open(&dir)?.head()?, receipt.head);
//! # Ok(()) }
//! ```
//!
//! Layout, in reading order:
//! - `chain`: which bytes of an event are hashed
//! - `row`: an event as SQLite hands it out, borrowed
//! - `schema`: the versions of the file
//! - `file`: folder, files, modes, connections
//! - `lock`: `writer.lock`
//! - `writer`: the queue, the thread, group commit, the answers
//! - `reader`: positions, streams, ids
//! - `verify`: everything that can be wrong with a log, found and named
//! - `error`: one small enum an operation
//!
//! What the log knows nothing of: which fields an event type has, what a fold makes of it, JSON beyond
//! telling whether two payloads are the same. It never changes or deletes an event.

mod chain;
mod error;
pub(crate) mod file;
pub(crate) mod lock;
mod reader;
mod row;
mod schema;
pub mod verify;
mod writer;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use projections::moment::Moment;

pub use chain::{DOMAIN, GENESIS, Hash, hex};
pub use error::{AppendError, IoCause, OpenError, ReadError};
pub use file::{LOCK_FILE, LOG_FILE, PREVIOUS_FILE, TABLES_FILE, create, exists};
pub use lock::Holder;
pub use reader::{Counts, Reader};
pub use row::EventRef;
pub use schema::Identity;
pub use writer::{Answer, Receipt, Ticket, Writer, WriterOptions};

/// How far a log goes: its last position and that event's hash; position 0 and 32 zeros for an empty log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Head {
    /// The last position.
    pub seq: u64,
    /// The hash there.
    pub hash: Hash,
}

impl Head {
    /// The head of a log without events.
    pub const EMPTY: Self = Self { seq: 0, hash: GENESIS };
}

/// The machine's clock.
#[must_use]
pub fn now() -> Moment {
    let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
    };
    Moment(micros).clamp(Moment::MIN, Moment::MAX)
}

/// SQLite's integers are signed; positions and versions are not, and never get that far.
pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A position or version as SQLite takes it. What lies beyond its range is beyond every stored one.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The process that writes a journal's log, if there is one.
#[must_use]
pub fn holder(dir: &Path) -> Option<Holder> {
    lock::holder(&dir.join(LOCK_FILE))
}

/// The version of SQLite in use.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}
