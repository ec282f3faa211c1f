//! Owns catching up: everything that is recorded now, folded into the tables before the caller reads them. A
//! process that may not project waits for the one that does; where nobody can, the caller is told how far
//! behind the tables are rather than refused.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use projections::projection::PROJECTIONS;

use super::board::ProjectionState;
use super::error::ProjectError;
use super::fold::Fold;
use super::replay::replay;
use super::worker::lock_tables;
use super::{LOOK_EVERY, Pace, renew, tail};
use crate::log::{Head, OpenError, Reader};
use crate::tables::{self, Outdated, Tables};

/// How long another process may project without getting anywhere.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far the tables are, after an attempt to bring them to the head.
#[derive(Clone, Debug)]
pub struct CaughtUp {
    /// The log's head when it began.
    pub head: Head,
    /// Where each projection is.
    pub projections: Vec<ProjectionState>,
    /// Which were rebuilt for it, since another version of the program had made them, and why.
    pub outdated: Vec<Outdated>,
    /// Why they are not all at the head, unless they are, or stopped.
    pub lag: Option<Lag>,
}

/// What kept the tables from being brought up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lag {
    /// Another process keeps them and gets nowhere; its id, as far as it is known.
    Held(Option<u32>),
    /// The folder can't be written.
    ReadOnly(String),
}

impl CaughtUp {
    /// Whether every table holds everything that was recorded.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.projections.iter().all(|state| state.has_reached(self.head.seq))
    }
}

/// Folds everything that is recorded into the tables.
///
/// # Errors
/// [`ProjectError`]; among them [`ProjectError::LostTail`].
pub fn catch_up(dir: &Path) -> Result<CaughtUp, ProjectError> {
    catch_up_within(dir, PATIENCE, Pace::default())
}

/// The same with another patience towards a process that projects and gets nowhere, and in other steps.
///
/// # Errors
/// [`ProjectError`]; among them [`ProjectError::LostTail`].
pub fn catch_up_within(dir: &Path, patience: Duration, pace: Pace) -> Result<CaughtUp, ProjectError> {
    let mut waiting = Waiting { last: Vec::new(), since: Instant::now(), patience };
    // The cursors before the head, so that a log at work can only be ahead of them.
    let mut kept = tables::stored_cursors(dir)?;
    let reader = Reader::open(dir)?;
    tail::check(&reader, &kept)?;
    let head = reader.head()?;
    loop {
        let projections = ProjectionState::all(&kept);
        let settled = projections.iter().all(|state| state.has_reached(head.seq)) && are_current(dir)?;
        let done = |lag| CaughtUp { head, projections: projections.clone(), outdated: Vec::new(), lag };
        if settled {
            return Ok(done(None));
        }
        match lock_tables(dir) {
            Ok(_lock) => match project(dir, &reader, head, pace) {
                // Somebody rebuilds what has to be rebuilt first.
                Err(ProjectError::Open(OpenError::Busy { pid, .. })) => {
                    if !waiting.goes_on(&projections) {
                        return Ok(done(Some(Lag::Held(pid))));
                    }
                }
                projected => return projected,
            },
            Err(OpenError::Busy { pid, .. }) => {
                let at_end = |state: &ProjectionState| state.has_reached(head.seq) || state.is_stopped();
                if projections.iter().all(at_end) {
                    return Ok(done(None));
                }
                if !waiting.goes_on(&projections) {
                    return Ok(done(Some(Lag::Held(pid))));
                }
            }
            Err(error) if is_read_only(&error) => return Ok(done(Some(Lag::ReadOnly(in_full(&error))))),
            Err(error) => return Err(error.into()),
        }
        thread::sleep(LOOK_EVERY);
        kept = tables::stored_cursors(dir)?;
    }
}

/// Somebody else's progress.
struct Waiting {
    last: Vec<ProjectionState>,
    since: Instant,
    patience: Duration,
}

impl Waiting {
    fn goes_on(&mut self, states: &[ProjectionState]) -> bool {
        if self.last != states {
            (self.last, self.since) = (states.to_vec(), Instant::now());
        }
        self.since.elapsed() < self.patience
    }
}

fn are_current(dir: &Path) -> Result<bool, ProjectError> {
    Ok(Tables::readable(dir)?.map_or(Ok(false), |live| tables::is_current(&live))?)
}

/// Folds up to the head. The caller holds the projector's lock.
fn project(dir: &Path, reader: &Reader, head: Head, pace: Pace) -> Result<CaughtUp, ProjectError> {
    // Again, under the lock: another process may have gone further since.
    tail::check(reader, &tables::stored_cursors(dir)?)?;
    let outdated = renew::renew_outdated(reader, pace)?;
    let tables = Tables::open(dir, pace.spacing)?.with_one_beside()?;
    let mut folds = Fold::resume_all(&PROJECTIONS, &tables)?;
    replay(reader, &tables, &mut folds, head.seq, pace, &mut |_, _| {})?;
    Ok(CaughtUp { head, projections: renew::states(&folds), outdated, lag: None })
}

fn is_read_only(error: &OpenError) -> bool {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error, OpenError::File { source, .. } if matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem))
}

fn in_full(error: &OpenError) -> String {
    match error {
        OpenError::File { source, .. } => format!("{error}: {source}"),
        _ => error.to_string(),
    }
}
