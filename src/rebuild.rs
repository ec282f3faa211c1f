//! Owns replaying the log into fresh tables: to take the place of the live ones, to become a file elsewhere,
//! or to be compared with the live ones and forgotten. One pass over the log serves all projections
//! concerned. Until the last step the live tables are as they were, whoever is killed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use projections::projection::{About, PROJECTIONS, keeper_of};

use crate::log::file::{failed, make_dir};
use crate::log::{self, OpenError, ReadError, Reader};
use crate::projector::fold::{self, Fold};
use crate::projector::{self, PAGE_EVENTS, ProjectError, ProjectionState};
use crate::tables::{self, Differences, Side, Tables, TablesError};

/// How many events pass between two reports of progress.
const REPORT_EVERY: u64 = 1_000;

/// Why tables could not be rebuilt or verified. The live ones are as they were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RebuildError {
    /// There is no such table.
    #[error("there is no table `{name}`; there are {}", names())]
    UnknownTable {
        /// What was asked for.
        name: String,
    },
    /// The tables were to be made in a journal's folder, where its own are.
    #[error("{} is a journal: its own tables are there", dir.display())]
    IntoJournal {
        /// The folder.
        dir: PathBuf,
    },
    /// Another process works on these tables.
    #[error("the tables in {} are kept by {}; end it, or rebuild into another folder", dir.display(), process(*pid))]
    Held {
        /// The folder.
        dir: PathBuf,
        /// The process, as far as it is known.
        pid: Option<u32>,
    },
    /// The log could not be folded; among them [`ProjectError::LostTail`].
    #[error(transparent)]
    Project(#[from] ProjectError),
}

fn names() -> String {
    projections::TABLES.map(|table| table.name).join(", ")
}

fn process(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl From<OpenError> for RebuildError {
    fn from(error: OpenError) -> Self {
        Self::Project(error.into())
    }
}

impl From<ReadError> for RebuildError {
    fn from(error: ReadError) -> Self {
        Self::Project(error.into())
    }
}

impl From<TablesError> for RebuildError {
    fn from(error: TablesError) -> Self {
        Self::Project(error.into())
    }
}

/// What was replayed.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// The projections that were made anew, and where they are now.
    pub projections: Vec<ProjectionState>,
    /// What the live tables had otherwise, where that was asked for.
    pub differences: Option<Differences>,
}

/// Replays the log into fresh tables. `tables` names some (their whole projection is rebuilt; all of them
/// when left out), `until` the last position to fold, `into` a folder for a `projections.db` instead of the
/// live one, which then has these projections only. `progress` is told (events done, events in all).
///
/// # Errors
/// [`RebuildError`].
pub fn rebuild(
    dir: &Path,
    tables: Option<&[&str]>,
    until: Option<u64>,
    into: Option<&Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Rebuilt, RebuildError> {
    let abouts = keepers(tables)?;
    let reader = Reader::open(dir)?;
    match into {
        Some(folder) => rebuild_into(&reader, &abouts, until, folder, progress),
        None => rebuild_live(&reader, &abouts, until, false, progress),
    }
}

/// Replays the log into fresh tables, says in what the live ones differ at their cursors, and replaces them.
///
/// # Errors
/// [`RebuildError`].
pub fn rebuild_comparing(
    dir: &Path,
    tables: Option<&[&str]>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Rebuilt, RebuildError> {
    rebuild_live(&Reader::open(dir)?, &keepers(tables)?, None, true, progress)
}

/// What a verification of tables found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Where the projections were when they were looked at; each was replayed up to there.
    pub projections: Vec<ProjectionState>,
    /// In what the tables differ from the replay.
    pub differences: Differences,
}

/// Replays the log up to where the live tables are, and compares every cell. Changes nothing and leaves
/// nothing behind; whoever projects meanwhile is not disturbed.
///
/// # Errors
/// [`RebuildError`]; among them [`TablesError::NoTables`] and [`TablesError::OtherVersion`].
pub fn verify_tables(dir: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Verified, RebuildError> {
    let live = Tables::read_only(dir)?;
    tables::hold_still(&live)?;
    if !tables::is_current(&live)? {
        return Err(TablesError::OtherVersion { path: tables::path_in(dir) }.into());
    }
    let kept = tables::cursors(&live)?;
    let reader = Reader::open(dir)?;
    projector::tail::check(&reader, &kept)?;
    let projections = ProjectionState::all(&kept);
    let replayed = tables::passing(&PROJECTIONS)?;
    let mut folds = begin(&replayed, &PROJECTIONS)?;
    end_at(&mut folds, &projections);
    let total = projections.iter().map(|state| state.cursor.position).max().unwrap_or(0);
    replay(&reader, &replayed, &mut folds, total, progress)?;
    Ok(Verified { differences: replayed.differences_of(&live, &PROJECTIONS)?, projections })
}

/// The projections that keep these tables, each once.
fn keepers(tables: Option<&[&str]>) -> Result<Vec<&'static About>, RebuildError> {
    let Some(names) = tables else { return Ok(PROJECTIONS.to_vec()) };
    let mut abouts: Vec<&'static About> = Vec::new();
    for name in names {
        let about = keeper_of(name).ok_or_else(|| RebuildError::UnknownTable { name: (*name).to_owned() })?;
        if !abouts.iter().any(|other| other.name == about.name) {
            abouts.push(about);
        }
    }
    Ok(abouts)
}

fn rebuild_live(
    reader: &Reader,
    abouts: &[&'static About],
    until: Option<u64>,
    comparing: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Rebuilt, RebuildError> {
    let dir = reader.dir();
    let _lock = projector::lock_tables(dir).map_err(|error| held(dir, error))?;
    projector::tail::check(reader, &tables::stored_cursors(dir)?)?;
    let through = end(reader, until)?;
    let side = Side::make(&tables::side_path(dir), abouts)?;
    let mut folds = begin(side.tables(), abouts)?;
    let differences = if comparing { compare(reader, &side, &mut folds, progress)? } else { None };
    replay(reader, side.tables(), &mut folds, through, progress)?;
    let sealed = side.seal()?;
    match Tables::open(dir).and_then(|live| sealed.replace(&live)) {
        // What is left of it can't be read by anybody, and all of it is in the log.
        Err(TablesError::Damaged { .. }) => {
            tables::remove(dir)?;
            sealed.replace(&Tables::open(dir)?)?;
        }
        replaced => replaced?,
    }
    sealed.remove()?;
    Ok(Rebuilt { projections: states(&folds), differences })
}

/// Replays up to where the live tables are, and compares; `None` where there are none to compare with.
fn compare(
    reader: &Reader,
    side: &Side,
    folds: &mut [Fold],
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Option<Differences>, RebuildError> {
    let live = match Tables::read_only(reader.dir()) {
        Err(TablesError::NoTables { .. } | TablesError::Damaged { .. }) => return Ok(None),
        opened => opened?,
    };
    if !tables::is_current(&live)? {
        return Ok(None);
    }
    let live_states = ProjectionState::all(&tables::cursors(&live)?);
    end_at(folds, &live_states);
    let through = live_states.iter().map(|state| state.cursor.position).max().unwrap_or(0);
    replay(reader, side.tables(), folds, through, progress)?;
    folds.iter_mut().for_each(|fold| fold.end_at(u64::MAX));
    let abouts: Vec<_> = folds.iter().map(Fold::about).collect();
    Ok(Some(side.tables().differences_of(&live, &abouts)?))
}

fn rebuild_into(
    reader: &Reader,
    abouts: &[&'static About],
    until: Option<u64>,
    folder: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Rebuilt, RebuildError> {
    if log::exists(folder) {
        return Err(RebuildError::IntoJournal { dir: folder.to_owned() });
    }
    make_dir(folder)?;
    // The folder itself is locked, so that nothing but the tables is left in it.
    let lock = File::open(folder).map_err(failed("open", folder))?;
    match lock.try_lock() {
        Err(fs::TryLockError::WouldBlock) => return Err(RebuildError::Held { dir: folder.to_owned(), pid: None }),
        Err(fs::TryLockError::Error(source)) => return Err(failed("lock", folder)(source).into()),
        Ok(()) => {}
    }
    let side = Side::make(&tables::side_path(folder), abouts)?;
    let mut folds = begin(side.tables(), abouts)?;
    replay(reader, side.tables(), &mut folds, end(reader, until)?, progress)?;
    side.move_to(folder)?;
    Ok(Rebuilt { projections: states(&folds), differences: None })
}

fn held(dir: &Path, error: OpenError) -> RebuildError {
    match error {
        OpenError::Busy { pid, .. } => RebuildError::Held { dir: dir.to_owned(), pid },
        other => other.into(),
    }
}

fn end(reader: &Reader, until: Option<u64>) -> Result<u64, ReadError> {
    Ok(reader.head()?.seq.min(until.unwrap_or(u64::MAX)))
}

fn begin(tables: &Tables, abouts: &[&'static About]) -> Result<Vec<Fold>, TablesError> {
    abouts.iter().map(|about| Fold::resume(about, tables)).collect()
}

fn end_at(folds: &mut [Fold], states: &[ProjectionState]) {
    for fold in folds {
        let state = states.iter().find(|state| state.name == fold.about().name);
        fold.end_at(state.map_or(0, |state| state.cursor.position));
    }
}

fn states(folds: &[Fold]) -> Vec<ProjectionState> {
    folds.iter().map(|fold| ProjectionState::at(fold.about(), fold.committed().clone())).collect()
}

/// Folds everything up to a position.
fn replay(
    reader: &Reader,
    tables: &Tables,
    folds: &mut [Fold],
    through: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), ProjectError> {
    let mut done = folds.iter().map(|fold| fold.committed().position).min().unwrap_or(0);
    progress(done, through);
    while !folds.iter().all(|fold| fold.has_done(through)) {
        fold::page(reader, tables, folds, through, PAGE_EVENTS, || {
            done += 1;
            if done % REPORT_EVERY == 0 {
                progress(done, through);
            }
            false
        })?;
    }
    progress(through, through);
    Ok(())
}
