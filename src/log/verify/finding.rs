//! Owns what a verification reports: each fault with the position where it shows, in a bounded list.

use std::fmt;

use rusqlite::ErrorCode;

use super::super::error::ReadError;
use super::super::unsigned;

/// How many findings are kept; the rest is counted. A journal with another's UUID has one at each position.
const KEPT_MAX: usize = 1_000;

/// Something that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The event is not what was hashed when it was recorded, or does not follow the one before it.
    Hash,
    /// No events from here through that position.
    Missing {
        /// The last that is missing.
        through: u64,
    },
    /// A position that no writer gives.
    Position {
        /// As it stands in the file.
        found: i64,
    },
    /// A column that isn't even of its type; for `stream`, one that no row of `streams` names.
    Column {
        /// Its name.
        name: &'static str,
    },
    /// The id is that of an earlier event.
    IdTwice {
        /// The earlier position.
        first: u64,
    },
    /// Not the next version of its stream.
    StreamVersion {
        /// The next.
        expected: u64,
        /// As it stands in the file.
        found: i64,
    },
    /// A table, index, trigger or view is missing, altered or not ours.
    Schema {
        /// Its name.
        object: String,
    },
    /// SQLite cannot read a part of the file, or finds it inconsistent.
    Pages {
        /// In SQLite's words.
        detail: String,
    },
}

impl Fault {
    /// Whether it is in the order of the events, rather than in what one of them says: positions, versions of streams,
    /// and ids, which make an event one.
    #[must_use]
    pub fn is_of_order(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Position { .. } | Self::StreamVersion { .. } | Self::IdTwice { .. })
    }
}

/// A fault and where it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The position; 0 for what concerns the file as a whole.
    pub seq: u64,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = self.seq;
        match &self.fault {
            Fault::Hash => write!(out, "event {seq} is not what was recorded, or does not follow event {}", seq - 1),
            Fault::Missing { through } if *through == seq => write!(out, "event {seq} is missing"),
            Fault::Missing { through } => write!(out, "events {seq} to {through} are missing"),
            Fault::Position { found } => write!(out, "there is an event at position {found}"),
            Fault::Column { name } => write!(out, "event {seq} has no readable {name}"),
            Fault::IdTwice { first } => write!(out, "event {seq} has the id of event {first}"),
            Fault::StreamVersion { expected, found } => {
                write!(out, "event {seq} is version {found} of its stream, where {expected} comes next")
            }
            Fault::Schema { object } => write!(out, "the database object {object} is missing, altered or foreign"),
            Fault::Pages { detail } if seq == 0 => write!(out, "the file is inconsistent: {detail}"),
            Fault::Pages { detail } => write!(out, "the file cannot be read at event {seq}: {detail}"),
        }
    }
}

/// The findings of one verification: at most a thousand, and how many there were in all.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    total: u64,
}

impl Findings {
    /// The findings kept, in the order in which they were made.
    #[must_use]
    pub fn kept(&self) -> &[Finding] {
        &self.kept
    }

    /// How many there were, kept or not.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The finding at the lowest position; one about the file as a whole where there is no other.
    #[must_use]
    pub fn first(&self) -> Option<&Finding> {
        self.kept.iter().filter(|finding| finding.seq > 0).min_by_key(|finding| finding.seq).or(self.kept.first())
    }

    pub(super) fn add(&mut self, seq: i64, fault: Fault) {
        self.total += 1;
        if self.kept.len() < KEPT_MAX {
            self.kept.push(Finding { seq: unsigned(seq), fault });
        }
    }
}

/// Runs a part of the verification; damage that stops it is a finding, another failure an error.
pub(super) fn damage_at(
    seq: i64,
    findings: &mut Findings,
    part: impl FnOnce(&mut Findings) -> rusqlite::Result<()>,
) -> Result<(), ReadError> {
    match part(findings) {
        Err(error) if is_damage(&error) => {
            findings.add(seq, Fault::Pages { detail: error.to_string() });
            Ok(())
        }
        other => Ok(other?),
    }
}

/// A result that damage makes absent.
pub(super) fn unless_damaged<T>(result: rusqlite::Result<T>) -> Result<Option<T>, ReadError> {
    match result {
        Err(error) if is_damage(&error) => Ok(None),
        other => Ok(Some(other?)),
    }
}

/// Whether the file is at fault, not the machine.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase),
        // Not of the type the schema says.
        None => true,
    }
}
