//! Owns how a journal is opened by commands that read: tables brought up to date first, and a note on stderr
//! where that wasn't possible, so that nobody takes old figures for new ones. Also tables as they were, and
//! those that a rebuild left elsewhere, which are read as they are.

use std::path::{Path, PathBuf};

use clap::Args;
use projections::moment::Moment;

use super::Context;
use super::failure::{Failure, chain};
use super::out::complain;
use super::progress::{Progress, Unit};
use crate::as_of::tables_as_of;
use crate::journal::{Journal, JournalError};
use crate::log::{OpenError, Reader};
use crate::projector::{CaughtUp, Lag, ProjectError, ProjectionState};
use crate::tables::{Connection, Outdated, Tables};

/// Which tables a command reads.
#[derive(Clone, Debug, Args)]
pub(crate) struct Source {
    /// Read DIR/projections.db, as `rebuild --into DIR` made it, instead of the journal's own
    #[arg(long, value_name = "DIR", conflicts_with = "as_of")]
    pub(crate) tables: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) past: Past,
}

/// Up to where.
#[derive(Clone, Debug, Args)]
pub(crate) struct Past {
    /// As it was at this position, or after the last event recorded by this time
    #[arg(long, value_name = "SEQ|TIME", value_parser = When::parse)]
    pub(crate) as_of: Option<When>,
}

impl Past {
    /// The position that is meant; `None` for the present.
    pub(crate) fn position(&self, log: &Reader) -> Result<Option<u64>, Failure> {
        self.as_of.map(|when| when.position(log, "--as-of")).transpose()
    }
}

/// A position in the log, or a moment by the clock of recording.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    Position(u64),
    Time(Moment),
}

impl When {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(position) = text.parse() {
            return Ok(Self::Position(position));
        }
        let wrong = |_| "expected a position, or a time with an offset such as 2026-03-02T14:31:07Z".to_owned();
        Moment::parse(text).map(Self::Time).map_err(wrong)
    }

    /// The position it stands for. One that nothing is recorded at yet is a mistake: what it will hold is not known.
    pub(crate) fn position(self, log: &Reader, option: &str) -> Result<u64, Failure> {
        match self {
            Self::Time(time) => Ok(log.last_recorded_by(time)?),
            Self::Position(position) => match log.head()?.seq {
                head if position > head => {
                    Err(Failure::usage(format!("{option} {position}: the log ends at position {head}")))
                }
                _ => Ok(position),
            },
        }
    }
}

/// Tables to read, and the log they follow from, if it is there.
pub(crate) struct Reading {
    pub(crate) tables: Connection,
    pub(crate) log: Option<Reader>,
}

impl Reading {
    pub(crate) fn open(context: &Context, source: &Source) -> Result<Self, Failure> {
        let Some(dir) = &source.tables else {
            return Self::journal(context.journal())?.back_to(&source.past);
        };
        let tables = Tables::read_only(dir)?;
        let log = match Reader::open(context.journal()) {
            Err(OpenError::NoJournal { .. }) => None,
            opened => Some(opened?),
        };
        Ok(Self { tables, log })
    }

    /// A journal's own, up to date.
    pub(crate) fn journal(dir: &Path) -> Result<Self, Failure> {
        let (reader, tables, caught_up) = Journal::read(dir)?.into_parts();
        note_rebuilt(&caught_up);
        note_lag(&caught_up);
        Ok(Self { tables, log: Some(reader) })
    }

    /// The same as they were.
    fn back_to(self, past: &Past) -> Result<Self, Failure> {
        let Some(log) = &self.log else { return Ok(self) };
        let Some(position) = past.position(log)? else { return Ok(self) };
        let progress = Progress::new("back", Unit::Events, position);
        let tables = tables_as_of(log, position, &mut |done, total| progress.set_of(done, total))?;
        Ok(Self { tables, ..self })
    }
}

fn note_rebuilt(caught_up: &CaughtUp) {
    for Outdated { about, reason } in &caught_up.outdated {
        complain(&format!("tradefold: note: rebuilt the tables of {}: {reason}", about.name));
    }
}

fn note_lag(caught_up: &CaughtUp) {
    for state in caught_up.projections.iter().filter(|state| !state.has_reached(caught_up.head.seq)) {
        complain(&format!("tradefold: note: {}", behind(state, caught_up.head.seq)));
    }
    match &caught_up.lag {
        Some(Lag::Held(pid)) => {
            let who = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
            complain(&format!("tradefold: note: {who} keeps the tables and does not get on"));
        }
        Some(Lag::ReadOnly(why)) => complain(&format!("tradefold: note: the tables cannot be updated: {why}")),
        None => {}
    }
}

/// What is to be said of a projection that isn't at the head.
pub(crate) fn behind(state: &ProjectionState, head: u64) -> String {
    let (name, position) = (state.name, state.cursor.position);
    match &state.cursor.stopped {
        Some(stop) => format!("{name} stopped at position {} of {head}: {}", stop.at, stop.reason),
        None => format!("the tables of {name} are at position {position} of {head}"),
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Open(error) => error.into(),
            JournalError::Log(error) => error.into(),
            JournalError::Project(error) => error.into(),
            JournalError::Tables(error) => error.into(),
        }
    }
}

impl From<ProjectError> for Failure {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Open(error) => error.into(),
            ProjectError::Log(error) => error.into(),
            ProjectError::Tables(error) => error.into(),
            error => Self::journal(chain(&error)),
        }
    }
}
