//! Owns what can go wrong with the tables, by what the caller can do about it.

use std::path::PathBuf;
use std::time::Duration;

use crate::log::OpenError;

/// Why tables could not be opened, read or written. The log is not concerned: whatever is said here,
/// recorded events are safe.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TablesError {
    /// There are none yet. Whoever may write the folder makes them by folding the log.
    #[error("no tables at {}", path.display())]
    NoTables {
        /// The file that isn't there.
        path: PathBuf,
    },
    /// The file holds something else, or nothing SQLite can read.
    #[error("{} is damaged or holds no tables of tradefold ({detail}); run tradefold rebuild", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said of it.
        detail: String,
    },
    /// Made by another version of the program; only a projector, which may write, brings it to this one.
    #[error("the tables at {} are of another version of tradefold, and are refolded when they can be written", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
    },
    /// A remembered value of a fold cannot be decoded.
    #[error("the fold state of {projection} is damaged in `{drawer}`; run tradefold rebuild")]
    State {
        /// Whose.
        projection: &'static str,
        /// In which part of it.
        drawer: &'static str,
    },
    /// The cursor is not where this projector left it: another process projects, against the lock.
    #[error("the cursor of {projection} was moved by another process")]
    Overtaken {
        /// Whose.
        projection: &'static str,
    },
    /// A question took longer than it was allowed to.
    #[error("the question was stopped after {:.0} s; narrow it", allowed.as_secs_f64())]
    TooSlow {
        /// The time it had.
        allowed: Duration,
    },
    /// The file or its folder.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// SQLite refused something.
    #[error("the tables: {0}")]
    Sqlite(#[from] rusqlite::Error),
}
