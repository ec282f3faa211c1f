//! Owns replaying the log into fresh tables: to take the place of the live ones, to become a file elsewhere,
//! or to be compared with the live ones and forgotten. One pass over the log serves all projections
//! concerned. How a new generation is made and put in place is `projector::renew`'s work.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use projections::projection::{About, PROJECTIONS, keeper_of};

use crate::as_of;
use crate::log::file::{failed, make_dir};
use crate::log::{self, OpenError, ReadError, Reader};
use crate::projector::fold::Fold;
use crate::projector::renew::{self, Renewal, end_at, states};
use crate::projector::replay::replay;
use crate::projector::{self, Pace, ProjectError, ProjectionState};
use crate::tables::{self, Connection, Differences, Outdated, Side, Tables, TablesError};

pub use crate::projector::{Rebuilt, Swap};

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
    /// Another process rebuilds these tables.
    #[error("the tables in {} are being rebuilt by {}", dir.display(), process(*pid))]
    Held {
        /// The folder.
        dir: PathBuf,
        /// The process, as far as it is known.
        pid: Option<u32>,
    },
    /// No generation of the tables before this one was kept.
    #[error("no tables were kept in {}: a rebuild keeps those that it replaces", dir.display())]
    NothingKept {
        /// The journal's folder.
        dir: PathBuf,
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

/// Replays the log into fresh tables. `tables` names some (their whole projection is rebuilt; all of them
/// when left out), `until` the last position to fold, `into` a folder for a `projections.db` instead of the
/// live one, which then has these projections only. `report` is told (events done, events in all).
///
/// # Errors
/// [`RebuildError`].
pub fn rebuild(
    dir: &Path,
    tables: Option<&[&str]>,
    until: Option<u64>,
    into: Option<&Path>,
    report: &mut dyn FnMut(u64, u64),
) -> Result<Rebuilt, RebuildError> {
    let abouts = keepers(tables)?;
    let reader = Reader::open(dir)?;
    match into {
        Some(folder) => rebuild_into(&reader, &abouts, until, folder, report),
        None => renewed(Renewal { until, ..Renewal::of(&reader, abouts) }, report),
    }
}

/// Replaces live tables by fresh ones, as [`rebuild`] does, in other steps.
///
/// # Errors
/// [`RebuildError`].
pub fn rebuild_at(
    dir: &Path,
    tables: Option<&[&str]>,
    pace: Pace,
    report: &mut dyn FnMut(u64, u64),
) -> Result<Rebuilt, RebuildError> {
    let (reader, abouts) = (Reader::open(dir)?, keepers(tables)?);
    renewed(Renewal { pace, ..Renewal::of(&reader, abouts) }, report)
}

/// Replays the log into fresh tables, says in what the live ones differ at their cursors, and replaces them
/// where `swap` says so.
///
/// # Errors
/// [`RebuildError`].
pub fn rebuild_comparing(
    dir: &Path,
    tables: Option<&[&str]>,
    swap: Swap,
    report: &mut dyn FnMut(u64, u64),
) -> Result<Rebuilt, RebuildError> {
    let (reader, abouts) = (Reader::open(dir)?, keepers(tables)?);
    renewed(Renewal { compare: true, swap, ..Renewal::of(&reader, abouts) }, report)
}

/// Brings back the tables that the last rebuild replaced, with what was recorded since. Those that are there now
/// are kept in turn.
///
/// # Errors
/// [`RebuildError`]; among them [`RebuildError::NothingKept`], and [`TablesError::OtherVersion`] for tables that
/// another version of the program made.
pub fn roll_back(dir: &Path, report: &mut dyn FnMut(u64, u64)) -> Result<Rebuilt, RebuildError> {
    let reader = Reader::open(dir)?;
    match renew::roll_back(&reader, report) {
        Ok(None) => Err(RebuildError::NothingKept { dir: dir.to_owned() }),
        Ok(Some(made)) => Ok(made),
        Err(error) => Err(held(dir, error)),
    }
}

/// What a rebuild would do.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The projection.
    pub about: &'static About,
    /// Why it would be rebuilt even if nobody asked for it.
    pub outdated: Option<String>,
    /// Where its live tables are.
    pub position: u64,
    /// How many events would be replayed.
    pub events: u64,
}

/// What a rebuild of some tables would do, changing nothing.
///
/// # Errors
/// [`RebuildError`].
pub fn plan(dir: &Path, tables: Option<&[&str]>, until: Option<u64>) -> Result<Vec<Planned>, RebuildError> {
    let reader = Reader::open(dir)?;
    let events = end(&reader, until)?;
    let outdated = outdated(dir)?;
    let states = ProjectionState::all(&tables::stored_cursors(dir)?);
    let planned = |about: &'static About| Planned {
        about,
        outdated: outdated.iter().find(|other| other.about.name == about.name).map(|found| found.reason.clone()),
        position: states.iter().find(|state| state.name == about.name).map_or(0, |state| state.cursor.position),
        events,
    };
    Ok(keepers(tables)?.into_iter().map(planned).collect())
}

/// Makes a generation in which, beside what was asked for, everything is made anew that this program can't go on with.
fn renewed(mut renewal: Renewal<'_>, report: &mut dyn FnMut(u64, u64)) -> Result<Rebuilt, RebuildError> {
    let dir = renewal.reader.dir();
    for Outdated { about, .. } in outdated(dir)? {
        if !renewal.renewed.iter().any(|other| other.name == about.name) {
            renewal.renewed.push(about);
        }
    }
    renew::renew(&renewal, report).map_err(|error| held(dir, error))
}

/// What is outdated in tables that can be read; the others are replaced as a whole.
fn outdated(dir: &Path) -> Result<Vec<Outdated>, TablesError> {
    match tables::outdated(dir) {
        Err(TablesError::Damaged { .. }) => Ok(Vec::new()),
        found => found,
    }
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
pub fn verify_tables(dir: &Path, report: &mut dyn FnMut(u64, u64)) -> Result<Verified, RebuildError> {
    let live = Tables::read_only(dir)?;
    tables::hold_still(&live)?;
    if !tables::is_current(&live)? {
        return Err(TablesError::OtherVersion { path: tables::path_in(dir) }.into());
    }
    let kept = tables::cursors(&live)?;
    let reader = Reader::open(dir)?;
    projector::tail::check(&reader, &kept)?;
    let projections = ProjectionState::all(&kept);
    let replayed = Tables::passing(&PROJECTIONS)?;
    let mut folds = Fold::resume_all(&PROJECTIONS, &replayed)?;
    end_at(&mut folds, &projections);
    let total = projections.iter().map(|state| state.cursor.position).max().unwrap_or(0);
    replay(&reader, &replayed, &mut folds, total, Pace::default(), report)?;
    Ok(Verified { differences: replayed.differences_of(&live, &PROJECTIONS)?, projections })
}

/// Tables that a replay up to a position makes, to be read and forgotten. The live ones are not asked.
///
/// # Errors
/// [`RebuildError`].
pub(crate) fn replayed(
    reader: &Reader,
    abouts: &[&'static About],
    until: u64,
    report: &mut dyn FnMut(u64, u64),
) -> Result<Connection, RebuildError> {
    let tables = Tables::passing(abouts)?;
    let mut folds = Fold::resume_all(abouts, &tables)?;
    replay(reader, &tables, &mut folds, until, Pace::default(), report)?;
    Ok(tables.into_reading()?)
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

fn rebuild_into(
    reader: &Reader,
    abouts: &[&'static About],
    until: Option<u64>,
    folder: &Path,
    report: &mut dyn FnMut(u64, u64),
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
    let through = end(reader, until)?;
    let (side, projections) = match until {
        // Of the past, what is there to be read needs no replay.
        Some(_) => {
            let (past, states) = as_of::fold(reader, through, report)?;
            let is_made = |state: &ProjectionState| abouts.iter().any(|about| about.name == state.name);
            (side.fill_from(past)?, states.into_iter().filter(is_made).collect())
        }
        None => {
            let mut folds = Fold::resume_all(abouts, side.tables())?;
            replay(reader, side.tables(), &mut folds, through, Pace::default(), report)?;
            (side, states(&folds))
        }
    };
    side.move_to(folder)?;
    Ok(Rebuilt { projections, differences: None, generation: None })
}

fn held(dir: &Path, error: ProjectError) -> RebuildError {
    match error {
        ProjectError::Open(OpenError::Busy { pid, .. }) => RebuildError::Held { dir: dir.to_owned(), pid },
        other => other.into(),
    }
}

fn end(reader: &Reader, until: Option<u64>) -> Result<u64, ReadError> {
    Ok(reader.head()?.seq.min(until.unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use projections::cell::{Cell, Row, Table};
    use projections::changes::Rows;
    use projections::drawer::{Shelf, StateChange};
    use projections::event::Event;
    use projections::projection::Projection;
    use projections::{ledger, market_data, trades, validate};

    use super::*;
    use crate::log::{Writer, WriterOptions};
    use crate::tables::{Finding, Problem, Spacing};

    /// The ledger with a bug: it knows better what one trade made.
    struct Wrong(Box<dyn Projection>);

    static WRONG: About = About { new: || Box::new(Wrong((ledger::ABOUT.new)())), ..ledger::ABOUT };

    const TRADE: &str = "eval-0302-05";

    impl Projection for Wrong {
        fn about(&self) -> &'static About {
            &WRONG
        }

        fn apply(&mut self, shelf: &dyn Shelf, event: &Event) {
            self.0.apply(shelf, event);
        }

        fn flush(&mut self, shelf: &dyn Shelf) -> (Rows, Vec<StateChange>) {
            let (right, state) = self.0.flush(shelf);
            let mut rows = Rows::default();
            for (name, changes) in right.into_tables() {
                let table = projections::projection::table(name).unwrap();
                for (key, row) in changes {
                    match row {
                        Some(mut row) => {
                            if name == trades::TABLE.name && key == [Cell::from(TRADE)] {
                                row[table.position("pl_amount_net").unwrap()] = Cell::Real(0.25);
                            }
                            rows.put(table, row);
                        }
                        None => rows.delete(table, key),
                    }
                }
            }
            (rows, state)
        }

        fn row(&mut self, shelf: &dyn Shelf, table: &'static Table, key: &[Cell]) -> Option<Row> {
            self.0.row(shelf, table, key)
        }
    }

    /// Records a week, and folds it with this ledger into live tables.
    fn folded(dir: &Path, ledger: &'static About) {
        let options = WriterOptions::default();
        log::create(dir, options.lock_wait).unwrap();
        let week = include_str!("../replay-fixtures/week/events.jsonl");
        let drafts = week.lines().map(|line| validate::parse_edge(line).unwrap()).collect();
        Writer::open(dir, options).unwrap().append(drafts).unwrap();
        let (reader, tables) = (Reader::open(dir).unwrap(), Tables::open(dir, Spacing::default()).unwrap());
        let mut folds = Fold::resume_all(&[ledger, &market_data::ABOUT], &tables).unwrap();
        let pace = Pace { page_events: 16, ..Pace::default() };
        replay(&reader, &tables, &mut folds, end(&reader, None).unwrap(), pace, &mut |_, _| {}).unwrap();
    }

    fn net_and_last_seq(conn: &Connection) -> (f64, u64) {
        let sql = format!("SELECT pl_amount_net, last_seq FROM trades WHERE trade_id = '{TRADE}'");
        conn.query_row(&sql, (), |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))).unwrap()
    }

    #[test]
    fn a_bug_in_a_fold_is_named_by_the_right_one_to_the_cell() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("journal");
        folded(&dir, &WRONG);
        let live = || net_and_last_seq(&Tables::read_only(&dir).unwrap());
        let (_, last_seq) = live();
        // -117.96 is what replay-fixtures/week expects.
        let differs =
            Problem::Differs { column: "pl_amount_net", live: Cell::Real(0.25), replayed: Cell::Real(-117.96) };
        let key = vec![("trade_id", Cell::from(TRADE))];
        let expected = vec![Finding { table: "trades", key, problem: differs, last_seq }];
        let compare = |swap| rebuild_comparing(&dir, None, swap, &mut |_, _| {}).unwrap();
        for swap in [Swap::Never, Swap::IfEqual] {
            let made = compare(swap);
            assert_eq!((made.differences.unwrap().kept, made.generation), (expected.clone(), None));
            assert_eq!(live(), (0.25, last_seq));
        }
        let made = compare(Swap::Always);
        let differences = made.differences.unwrap();
        assert_eq!((differences.kept, differences.total, differences.first), (expected, 1, Some(last_seq)));
        assert_eq!((made.generation, live()), (Some(2), (-117.96, last_seq)));
        let made = compare(Swap::IfEqual);
        assert!(made.differences.unwrap().is_empty());
        assert_eq!(made.generation, Some(3));
    }

    #[test]
    fn of_a_right_fold_nothing_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("journal");
        folded(&dir, &ledger::ABOUT);
        let made = rebuild_comparing(&dir, None, Swap::Never, &mut |_, _| {}).unwrap();
        let differences = made.differences.unwrap();
        assert!(differences.is_empty() && differences.rows > 100, "{differences:?}");
    }
}
