//! Owns how a journal is opened by commands that read: tables brought up to date first, and a note on stderr
//! where that wasn't possible, so that nobody takes old figures for new ones. Also the tables that a rebuild
//! left elsewhere, which are read as they are.

use std::path::{Path, PathBuf};

use clap::Args;
use tradefold::journal::{Journal, JournalError};
use tradefold::log::{OpenError, Reader};
use tradefold::projector::{CaughtUp, Lag, ProjectError, ProjectionState};
use tradefold::tables::{Connection, Tables};

use super::Context;
use super::failure::{Failure, chain};
use super::out::complain;

/// Which tables a command reads.
#[derive(Clone, Debug, Args)]
pub(crate) struct Source {
    /// Read DIR/projections.db, as `rebuild --into DIR` made it, instead of the journal's own
    #[arg(long, value_name = "DIR")]
    pub(crate) tables: Option<PathBuf>,
}

/// Tables to read, and the log they follow from, if it is there.
pub(crate) struct Reading {
    pub(crate) tables: Connection,
    pub(crate) log: Option<Reader>,
}

impl Reading {
    pub(crate) fn open(context: &Context, source: &Source) -> Result<Self, Failure> {
        let Some(dir) = &source.tables else {
            return Self::journal(context.journal());
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
        note_lag(&caught_up);
        Ok(Self { tables, log: Some(reader) })
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
            error => Self::journal(chain(&error)),
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
