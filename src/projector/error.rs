//! Owns what can keep the tables from following the log.

use crate::log::{OpenError, ReadError};
use crate::tables::TablesError;

/// Why the log could not be folded into the tables.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// The tables have seen events that the log doesn't have: its tail was lost, or an old copy was put back.
    /// Nothing is rebuilt over that, since the tables may be all that is left of those events.
    #[error(
        "the log is damaged: {projection} has folded position {position}, but the log {found}; restore a backup that \
         has it, or, to give those events up, delete projections.db"
    )]
    LostTail {
        /// The projection that knows more than the log.
        projection: String,
        /// Its cursor.
        position: u64,
        /// What the log has instead.
        found: String,
    },
    /// A fold panicked while it wrote its rows.
    #[error("the fold of {projection} failed, which is a defect of tradefold")]
    Defect {
        /// Which.
        projection: &'static str,
    },
    /// The log could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The tables could not be opened, read or written.
    #[error(transparent)]
    Tables(#[from] TablesError),
}

impl ProjectError {
    /// Whether something is not as it was written, rather than merely out of reach.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::LostTail { .. }
                | Self::Open(OpenError::Damaged { .. } | OpenError::NotALog { .. } | OpenError::LogMissing { .. })
                | Self::Log(ReadError::Malformed { .. } | ReadError::NoIdentity)
                | Self::Tables(TablesError::Damaged { .. } | TablesError::State { .. })
        )
    }
}
