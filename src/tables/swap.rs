//! Owns generations: a [`Side`] file filled at full speed beside the live tables, which then takes their place in
//! one transaction, page by page, so that whoever reads sees the old generation or the new one; and the file
//! that keeps the generation before. Whoever is killed on the way leaves a side file behind and the live
//! tables as they were.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use projections::projection::{About, PROJECTIONS};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::error::TablesError;
use super::{Spacing, Tables, as_of, cursor, file, schema};
use crate::log::file::{beside, failed, sync_dir};

/// How long to leave a database alone that another program has locked.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// The tables that are about to be replaced, until they are.
pub(super) const PREVIOUS_ASIDE: &str = ".projections.previous.part";

/// Tables that are being made beside the live ones.
pub(crate) struct Side {
    tables: Tables,
    /// Those made anew, whose indexes are still missing.
    bare: Vec<&'static About>,
    generation: u64,
}

impl Side {
    /// Makes an empty file for some projections; one that is there under this name is the leftover of a run
    /// that was killed.
    pub(crate) fn make(path: &Path, abouts: &[&'static About]) -> Result<Self, TablesError> {
        file::remove(path)?;
        let conn = file::open_side(path)?;
        schema::make_bare(&conn, abouts)?;
        let tables = Tables::over(conn, path, None).beginning();
        Ok(Self { tables, bare: abouts.to_vec(), generation: 1 })
    }

    /// Begins the next generation of a journal's tables: some projections from nothing, the others as they are.
    pub(crate) fn next(dir: &Path, renewed: &[&'static About], spacing: Spacing) -> Result<Self, TablesError> {
        let path = side_path(dir);
        let known = Tables::readable(dir)?.filter(|live| schema::is_of_this_version(live).unwrap_or(false));
        let generation = known.as_ref().map_or(Ok(0), cursor::generation)? + 1;
        let is_renewed = |about: &&About| renewed.iter().any(|other| other.name == about.name);
        let mut side = match known {
            Some(live) if !PROJECTIONS.iter().all(is_renewed) => {
                let side = Self::copy(&live, &path)?;
                schema::remake_bare(&side.tables.conn.enter(), renewed)?;
                Self { bare: renewed.to_vec(), ..side }
            }
            _ => Self::make(&path, &PROJECTIONS)?,
        };
        side.tables.past = Some(spacing);
        side.number(generation)
    }

    /// Makes the generation before the next one; `None` where none was kept.
    pub(crate) fn previous(dir: &Path, spacing: Spacing) -> Result<Option<Self>, TablesError> {
        let previous = previous_path(dir);
        if !previous.exists() {
            return Ok(None);
        }
        let conn = file::open_read_only(&previous)?;
        schema::refuse_foreign(&conn, &previous)?;
        if !schema::outdated(&conn)?.is_empty() {
            return Err(TablesError::OtherVersion { path: previous });
        }
        let generation = cursor::generation(Tables::readable(dir)?.as_ref().unwrap_or(&conn))?;
        let mut side = Self::copy(&conn, &side_path(dir))?;
        side.tables.past = Some(spacing);
        side.number(generation + 1).map(Some)
    }

    fn copy(from: &Connection, path: &Path) -> Result<Self, TablesError> {
        let conn = copy_aside(from, path)?;
        Ok(Self { tables: Tables::over(conn, path, None), bare: Vec::new(), generation: 1 })
    }

    fn number(self, generation: u64) -> Result<Self, TablesError> {
        cursor::set_generation(&self.tables.conn.enter(), generation)?;
        Ok(Self { generation, ..self })
    }

    /// The tables, to be filled.
    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Which generation this is going to be.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Makes the indexes of what was loaded without.
    pub(crate) fn index(&mut self) -> Result<(), TablesError> {
        for about in std::mem::take(&mut self.bare) {
            schema::finish_bare(&self.tables.conn.enter(), about)?;
        }
        Ok(())
    }

    /// Fills empty tables with those of the past, as they were put together.
    pub(crate) fn fill_from(self, past: Tables) -> Result<Self, TablesError> {
        let path = self.tables.path;
        self.tables.conn.into_inner().close().map_err(|(_, error)| error)?;
        as_of::copy_into(past, &path, &self.bare)?;
        Ok(Self { tables: Tables::over(file::open_side(&path)?, &path, None), ..self })
    }

    /// Makes these tables a folder's own, in one step.
    pub(crate) fn move_to(mut self, dir: &Path) -> Result<(), TablesError> {
        self.index()?;
        let path = self.seal()?.0;
        // No SQLite of this process has it open any more.
        File::open(&path).and_then(|file| file.sync_all()).map_err(failed("sync", &path))?;
        let target = file::path_in(dir);
        settle(&target)?;
        fs::rename(&path, &target).map_err(failed("move tables to", &target))?;
        Ok(sync_dir(dir)?)
    }

    /// Ends the filling, so that the file can take the live tables' place.
    pub(crate) fn seal(mut self) -> Result<Sealed, TablesError> {
        self.index()?;
        // Its exclusive lock keeps everybody else out.
        self.tables.conn.into_inner().close().map_err(|(_, error)| error)?;
        Ok(Sealed(self.tables.path))
    }
}

/// Tables that are complete, and closed.
pub(crate) struct Sealed(PathBuf);

impl Sealed {
    /// Puts these tables in the place of a journal's own, all at once, and takes the side file away. The caller
    /// has closed the gate, and passes it on: it opens as soon as the new tables are there.
    pub(crate) fn replace(self, dir: &Path, gate: super::Closed) -> Result<(), TablesError> {
        let path = file::path_in(dir);
        let mut live = match open_live(dir) {
            // What is left of it can't be read by anybody, and all of it is in the log.
            Err(TablesError::Damaged { .. }) => {
                file::remove(&path)?;
                open_live(dir)?
            }
            opened => opened?,
        };
        // Writing the pages into their places takes long, and nobody has to wait for that.
        live.pragma_update(None, "wal_autocheckpoint", 0)?;
        copy(&file::open_read_only(&self.0)?, &mut live)?;
        drop(gate);
        live.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))?;
        Ok(file::remove(&self.0)?)
    }
}

fn open_live(dir: &Path) -> Result<Connection, TablesError> {
    let path = file::path_in(dir);
    let conn = file::open_for_writing(&path)?;
    schema::refuse_foreign(&conn, &path)?;
    Ok(conn)
}

/// Copies a whole database over another in one transaction of the latter.
fn copy(from: &Connection, to: &mut Connection) -> Result<(), TablesError> {
    let backup = Backup::new(from, to)?;
    loop {
        match backup.step(-1)? {
            StepResult::Done => return Ok(()),
            _ => thread::sleep(BUSY_PAUSE),
        }
    }
}

/// Copies a whole database into a side file.
fn copy_aside(from: &Connection, path: &Path) -> Result<Connection, TablesError> {
    file::remove(path)?;
    let mut conn = file::open_side(path)?;
    copy(from, &mut conn)?;
    file::without_log(&conn)?;
    Ok(conn)
}

/// A journal's tables as they were before a swap, not yet in the place of what was kept before: until the swap is
/// done, that may still be needed.
pub(crate) struct Previous {
    dir: PathBuf,
    /// `None` where there were no tables that could be read.
    aside: Option<PathBuf>,
}

impl Previous {
    /// Copies a journal's tables as they are now.
    pub(crate) fn copy(dir: &Path) -> Result<Self, TablesError> {
        let aside = dir.join(PREVIOUS_ASIDE);
        let Some(live) = Tables::readable(dir)? else { return Ok(Self { dir: dir.to_owned(), aside: None }) };
        copy_aside(&live, &aside)?.close().map_err(|(_, error)| error)?;
        Ok(Self { dir: dir.to_owned(), aside: Some(aside) })
    }

    /// Keeps them, now that others have taken their place.
    pub(crate) fn keep(self) -> Result<(), TablesError> {
        let previous = previous_path(&self.dir);
        match &self.aside {
            None => file::remove(&previous)?,
            Some(aside) => fs::rename(aside, &previous).map_err(failed("keep the tables as", &previous))?,
        }
        Ok(sync_dir(&self.dir)?)
    }
}

/// Makes the file under a name hold all it has: a write-ahead log left beside it would be applied to the next.
fn settle(path: &Path) -> Result<(), TablesError> {
    let has_log = fs::metadata(beside(path, "-wal")).is_ok();
    let settled = has_log
        && Connection::open(path)
            .and_then(|conn| conn.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(())))
            .is_ok();
    // One that can't be opened is lost anyway.
    if has_log && !settled { Ok(file::remove(path)?) } else { Ok(()) }
}

/// The path of a side file in a folder: hidden, and always the same, so that the next run finds a leftover.
pub(crate) fn side_path(dir: &Path) -> PathBuf {
    dir.join(".projections.db.rebuild")
}

/// Where the generation before is kept.
fn previous_path(dir: &Path) -> PathBuf {
    dir.join(crate::log::PREVIOUS_FILE)
}
