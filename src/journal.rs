//! Owns the journal as a whole: the writer with the projector threads behind it, for whoever records, and the
//! log with its tables brought up to date, for whoever reads. All the work is done by the parts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use projections::draft::Draft;

use crate::log::{
    self, AppendError, Hash, Head, Holder, Identity, OpenError, ReadError, Reader, Receipt, Ticket, Writer,
    WriterOptions,
};
use crate::projector::{self, CaughtUp, Pace, ProjectError, ProjectionState, Projectors, Role, WaitError};
use crate::tables::{self, Changed, Connection, Digests, Tables, TablesError};

/// How a journal is opened for recording.
#[derive(Clone, Copy, Debug, Default)]
pub struct JournalOptions {
    /// How the writer waits and gathers.
    pub writer: WriterOptions,
    /// In which steps its projectors fold.
    pub pace: Pace,
}

/// Why a journal could not be opened or looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The log could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The tables do not follow the log; among them [`ProjectError::LostTail`].
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The tables could not be opened or read.
    #[error(transparent)]
    Tables(#[from] TablesError),
}

/// A journal that is recorded into. One a journal at a time; others read beside it.
#[derive(Debug)]
pub struct Journal {
    // In this order they end: the last to close the log must be able to write it, or its write-ahead log stays.
    projectors: Projectors,
    writer: Writer,
}

impl Journal {
    /// Opens a journal and starts folding it.
    ///
    /// # Errors
    /// [`JournalError`]; among them [`OpenError::NoJournal`], [`OpenError::Busy`] and [`ProjectError::LostTail`].
    /// Tables that cannot be written are no error: facts are recorded all the same, and `status` tells.
    pub fn open(dir: &Path, options: JournalOptions) -> Result<Self, JournalError> {
        let writer = Writer::open(dir, options.writer)?;
        let projectors = Projectors::start(dir, options.pace, |bell| writer.subscribe(bell))?;
        Ok(Self { projectors, writer })
    }

    /// Brings a journal's tables up to date and opens log and tables for reading.
    ///
    /// # Errors
    /// [`JournalError`]; among them [`TablesError::NoTables`] where there are none and nobody may make them.
    pub fn read(dir: &Path) -> Result<ReadJournal, JournalError> {
        let caught_up = projector::catch_up(dir)?;
        Ok(ReadJournal { reader: Reader::open(dir)?, tables: Tables::read_only(dir)?, caught_up })
    }

    /// The journal's folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.writer.dir()
    }

    /// Records a batch, all of it or nothing, and returns when it is on disk.
    ///
    /// # Errors
    /// [`AppendError`] says whether nothing was recorded or nobody can tell.
    pub fn append(&self, drafts: Vec<Draft>) -> Result<Receipt, AppendError> {
        self.writer.append(drafts)
    }

    /// Hands a batch over, waiting for room in the queue, and returns before it is recorded.
    ///
    /// # Errors
    /// [`AppendError::Closed`] when the writer is gone.
    pub fn submit(&self, drafts: Vec<Draft>) -> Result<Ticket, AppendError> {
        self.writer.submit(drafts)
    }

    /// The writer, for what else it can do.
    #[must_use]
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Waits until everything up to a position is in every table.
    ///
    /// # Errors
    /// [`WaitError`] says which projection isn't there, and why.
    pub fn wait_until(&self, seq: u64, timeout: Duration) -> Result<(), WaitError> {
        self.projectors.wait_until(seq, timeout)
    }

    /// Which rows the latest commits changed, from now on, for who follows the tables.
    #[must_use]
    pub fn changed(&self) -> Arc<Changed> {
        self.projectors.changed()
    }

    /// Where each projection is, as soon as that differs from what was seen, or after `longest`.
    #[must_use]
    pub fn states_beyond(&self, seen: &[ProjectionState], longest: Duration) -> Vec<ProjectionState> {
        self.projectors.states_beyond(seen, longest)
    }

    /// Who keeps the tables up to date.
    #[must_use]
    pub fn role(&self) -> Role {
        self.projectors.role()
    }

    /// How the journal is.
    ///
    /// # Errors
    /// [`JournalError`] where the log cannot be read.
    pub fn status(&self) -> Result<Status, JournalError> {
        let reader = Reader::open(self.dir())?;
        Ok(Status { role: Some(self.projectors.role()), ..Status::of(&reader, self.projectors.states())? })
    }
}

/// A journal that is read.
#[derive(Debug)]
pub struct ReadJournal {
    reader: Reader,
    tables: Connection,
    caught_up: CaughtUp,
}

impl ReadJournal {
    /// The log.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The tables.
    #[must_use]
    pub fn tables(&self) -> &Connection {
        &self.tables
    }

    /// How far the tables are.
    #[must_use]
    pub fn caught_up(&self) -> &CaughtUp {
        &self.caught_up
    }

    /// The parts.
    #[must_use]
    pub fn into_parts(self) -> (Reader, Connection, CaughtUp) {
        (self.reader, self.tables, self.caught_up)
    }
}

/// How a journal is.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its folder.
    pub dir: PathBuf,
    /// Whose log it is, and since when.
    pub identity: Identity,
    /// How far the log goes; its position is also the number of events.
    pub head: Head,
    /// How many streams there are.
    pub streams: u64,
    /// Where each projection is. One that has no tables yet is at 0.
    pub projections: Vec<ProjectionState>,
    /// The digests of all tables there; none where they can't be read.
    pub digests: Vec<Digests>,
    /// Which generation of the tables is in place; 0 where there are none.
    pub generation: u64,
    /// The files and their sizes in bytes, those that are there.
    pub files: Vec<(String, u64)>,
    /// The version of SQLite in use.
    pub sqlite: &'static str,
    /// The process that records, if there is one.
    pub writer: Option<Holder>,
    /// The process that keeps the tables, if there is one.
    pub projector: Option<Holder>,
    /// What part this process has in keeping the tables; `None` for one that only looks.
    pub role: Option<Role>,
}

impl Status {
    /// Looks at a journal, changing nothing and waiting for nobody.
    ///
    /// # Errors
    /// [`JournalError`] where the log cannot be read, or has lost what the tables have seen.
    pub fn read(dir: &Path) -> Result<Self, JournalError> {
        let kept = tables::stored_cursors(dir)?;
        let reader = Reader::open(dir)?;
        projector::tail::check(&reader, &kept)?;
        Self::of(&reader, ProjectionState::all(&kept))
    }

    fn of(reader: &Reader, projections: Vec<ProjectionState>) -> Result<Self, JournalError> {
        let dir = reader.dir();
        Ok(Self {
            dir: dir.to_owned(),
            identity: reader.identity(),
            head: reader.head()?,
            streams: reader.counts()?.streams,
            digests: digests(dir),
            generation: projections.iter().map(|state| state.cursor.generation).max().unwrap_or(0),
            projections,
            files: sizes(dir),
            sqlite: log::sqlite_version(),
            writer: log::holder(dir),
            projector: projector::holder(dir),
            role: None,
        })
    }

    /// One digest for all tables and the position that it is of; `None` while they are not at the same one.
    #[must_use]
    pub fn digest(&self) -> Option<(u64, Hash)> {
        let position = self.projections.first()?.cursor.position;
        let same = self.projections.iter().all(|state| state.cursor.position == position);
        let digests: Vec<Hash> = self.digests.iter().map(Digests::whole).collect();
        (same && !digests.is_empty()).then(|| (position, tables::whole_digest(&digests)))
    }

    /// How many events a projection is behind the log.
    #[must_use]
    pub fn lag(&self, projection: &ProjectionState) -> u64 {
        self.head.seq.saturating_sub(projection.cursor.position)
    }
}

fn digests(dir: &Path) -> Vec<Digests> {
    let current = Tables::read_only(dir).ok().filter(|conn| tables::is_current(conn).unwrap_or(false));
    current.and_then(|conn| tables::digests(&conn).ok()).unwrap_or_default()
}

fn sizes(dir: &Path) -> Vec<(String, u64)> {
    let size = |name: String| fs::metadata(dir.join(&name)).ok().map(|meta| (name, meta.len()));
    let live = [log::LOG_FILE, log::TABLES_FILE].into_iter().flat_map(|name| [name.to_owned(), format!("{name}-wal")]);
    let names = live.chain([log::PREVIOUS_FILE.to_owned()]);
    names.filter_map(size).collect()
}
