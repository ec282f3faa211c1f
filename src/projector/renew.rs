//! Owns making the next generation of a journal's tables: the log replayed into a file beside the live ones, its
//! tail caught up, compared with them where that is asked for, and put in their place at once. Whoever
//! projects or reads meanwhile is not disturbed; whoever is killed leaves the live tables as they were.

use std::path::Path;
use std::thread;
use std::time::Duration;

use projections::projection::{About, PROJECTIONS};

use super::board::ProjectionState;
use super::error::ProjectError;
use super::fold::Fold;
use super::replay::{Report, join, replay};
use super::{Pace, tail};
use crate::log::Reader;
use crate::log::lock::{self, Lock};
use crate::tables::{self, Closed, Differences, Outdated, Previous, Side, Tables};

/// The advisory lock of whoever makes a new generation.
const LOCK_FILE: &str = "rebuild.lock";

/// Whether some process makes a new generation.
#[must_use]
pub fn is_rebuilding(dir: &Path) -> bool {
    lock::holder(&dir.join(LOCK_FILE)).is_some()
}

/// When a new generation takes the place of the live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// In any case.
    Always,
    /// If nothing differs.
    IfEqual,
    /// Not at all: it is thrown away.
    Never,
}

/// What to make.
pub(crate) struct Renewal<'a> {
    pub(crate) reader: &'a Reader,
    /// The projections to be made from nothing; the others go on from where they are.
    pub(crate) renewed: Vec<&'static About>,
    /// The last position to fold; the head when left out.
    pub(crate) until: Option<u64>,
    /// Whether to compare with the live tables first.
    pub(crate) compare: bool,
    pub(crate) swap: Swap,
    pub(crate) pace: Pace,
}

impl<'a> Renewal<'a> {
    /// Some projections up to the head, in the place of the live tables whatever those are.
    pub(crate) fn of(reader: &'a Reader, renewed: Vec<&'static About>) -> Self {
        Self { reader, renewed, until: None, compare: false, swap: Swap::Always, pace: Pace::default() }
    }
}

/// What was replayed.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// Where the projections of the fresh tables are.
    pub projections: Vec<ProjectionState>,
    /// What the live tables had otherwise, where that was asked for and there were any.
    pub differences: Option<Differences>,
    /// The number of the generation that is in place now; `None` where the live tables were left as they are.
    pub generation: Option<u64>,
}

/// Makes the next generation.
pub(crate) fn renew(renewal: &Renewal<'_>, report: Report<'_>) -> Result<Rebuilt, ProjectError> {
    let reader = renewal.reader;
    in_turn(reader, || {
        let side = Side::next(reader.dir(), &renewal.renewed, renewal.pace.spacing)?;
        Next::begin(reader, renewal.pace, side)?.finish(renewal, report)
    })
}

/// Brings the generation before the last rebuild back, its tail caught up; `None` where none was kept.
pub(crate) fn roll_back(reader: &Reader, report: Report<'_>) -> Result<Option<Rebuilt>, ProjectError> {
    let renewal = Renewal::of(reader, Vec::new());
    in_turn(reader, || {
        let Some(side) = Side::previous(reader.dir(), renewal.pace.spacing)? else { return Ok(None) };
        tail::check(reader, &side.tables().cursors()?)?;
        Next::begin(reader, renewal.pace, side)?.finish(&renewal, report).map(Some)
    })
}

/// Rebuilds the projections whose tables are not those that this program makes, and only them.
pub(crate) fn renew_outdated(reader: &Reader, pace: Pace) -> Result<Vec<Outdated>, ProjectError> {
    let outdated = tables::outdated(reader.dir())?;
    if !outdated.is_empty() {
        let renewed = outdated.iter().map(|outdated| outdated.about).collect();
        renew(&Renewal { pace, ..Renewal::of(reader, renewed) }, &mut |_, _| {})?;
    }
    Ok(outdated)
}

/// Makes something beside the live tables while nobody else does, and takes away what was not put in place, which
/// is of no use to anybody.
fn in_turn<T>(reader: &Reader, make: impl FnOnce() -> Result<T, ProjectError>) -> Result<T, ProjectError> {
    let dir = reader.dir();
    let _lock = Lock::take_file(&dir.join(LOCK_FILE), Duration::ZERO)?;
    tail::check(reader, &tables::stored_cursors(dir)?)?;
    let made = make();
    let removed = tables::remove_side(dir);
    let made = made?;
    removed?;
    Ok(made)
}

/// A generation in the making.
struct Next<'a> {
    reader: &'a Reader,
    pace: Pace,
    side: Side,
    folds: Vec<Fold>,
}

impl<'a> Next<'a> {
    fn begin(reader: &'a Reader, pace: Pace, side: Side) -> Result<Self, ProjectError> {
        let folds = Fold::resume_all(&PROJECTIONS, side.tables())?;
        Ok(Self { reader, pace, side, folds })
    }

    fn finish(mut self, renewal: &Renewal<'_>, report: Report<'_>) -> Result<Rebuilt, ProjectError> {
        let differences = if renewal.compare { self.compare(&renewal.renewed, report)? } else { None };
        let equal = differences.as_ref().is_none_or(Differences::is_empty);
        let swaps = match renewal.swap {
            Swap::Always => true,
            Swap::IfEqual => equal,
            Swap::Never => false,
        };
        let generation = swaps.then(|| self.side.generation());
        let projections = if swaps { self.put_in_place(renewal.until, report)? } else { states(&self.folds) };
        Ok(Rebuilt { projections, differences, generation })
    }

    /// Replays up to where the live tables are, and compares; `None` where there are none to compare with.
    fn compare(&mut self, renewed: &[&'static About], report: Report<'_>) -> Result<Option<Differences>, ProjectError> {
        loop {
            let Some(live) = Tables::readable(self.reader.dir())? else { return Ok(None) };
            tables::hold_still(&live)?;
            if !tables::is_current(&live)? {
                return Ok(None);
            }
            let states = ProjectionState::all(&tables::cursors(&live)?);
            let through = states.iter().map(|state| state.cursor.position).max().unwrap_or(0);
            let behind = self.folds.iter().map(|fold| through.saturating_sub(fold.committed().position)).max();
            end_at(&mut self.folds, &states);
            self.replay(through, report)?;
            self.folds.iter_mut().for_each(|fold| fold.end_at(u64::MAX));
            // Who followed the log meanwhile is further by now; close behind, what is held is held for a moment.
            if behind.is_none_or(|behind| behind <= self.pace.page_events as u64) {
                return Ok(Some(self.side.tables().differences_of(&live, renewed)?));
            }
        }
    }

    /// Catches up with the log, and takes the place of the live tables while nobody commits to them.
    fn put_in_place(mut self, until: Option<u64>, report: Report<'_>) -> Result<Vec<ProjectionState>, ProjectError> {
        let dir = self.reader.dir();
        // Whoever brings the live tables back catches up from where they are now.
        let previous = thread::scope(|scope| {
            let copying = scope.spawn(|| Previous::copy(dir));
            self.catch_up(until, report)?;
            self.side.index()?;
            Ok::<_, ProjectError>(join(copying)?)
        })?;
        self.catch_up(until, report)?;
        let gate = Closed::close(dir)?;
        // As far as the live tables may be: nobody who has seen a position loses sight of it again.
        self.catch_up(until, &mut |_, _| {})?;
        let states = states(&self.folds);
        self.side.seal()?.replace(dir, gate)?;
        previous.keep()?;
        Ok(states)
    }

    fn catch_up(&mut self, until: Option<u64>, report: Report<'_>) -> Result<(), ProjectError> {
        let head = self.reader.head()?.seq;
        self.replay(head.min(until.unwrap_or(u64::MAX)), report)
    }

    fn replay(&mut self, through: u64, report: Report<'_>) -> Result<(), ProjectError> {
        replay(self.reader, self.side.tables(), &mut self.folds, through, self.pace, report)
    }
}

/// Where folds are.
pub(crate) fn states(folds: &[Fold]) -> Vec<ProjectionState> {
    folds.iter().map(|fold| ProjectionState::at(fold.about(), fold.committed().clone())).collect()
}

/// Has each fold end where its projection is.
pub(crate) fn end_at(folds: &mut [Fold], states: &[ProjectionState]) {
    for fold in folds {
        let state = states.iter().find(|state| state.name == fold.about().name);
        fold.end_at(state.map_or(0, |state| state.cursor.position));
    }
}
