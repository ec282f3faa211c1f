//! Owns `_tradefold.Journal`: a journal that this process records into, or one that it only reads. It hands lines in
//! and rows out; how a call looks to Python is `tradefold/journal.py`'s.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use projections::draft::Draft;
use projections::validate::parse_edge;
use pyo3::prelude::*;
use tradefold::journal::{Journal as Recording, JournalError, JournalOptions};
use tradefold::log::{self, OpenError, Reader, Receipt, WriterOptions, hex};
use tradefold::projector::WaitError;
use tradefold::tables::{Connection, Tables, TablesError, is_current};

use crate::events::Events;
use crate::home::{Counted, Home, Lock};
use crate::patience::{seconds, wait};
use crate::raise::{Raise, refused};
use crate::ticket::Ticket;

/// How long a reader waits for what this process has recorded.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often somebody who waits for another process looks.
const LOOK: Duration = Duration::from_millis(10);

/// The highest position that this process knows to be recorded: what its readers see at least.
pub(crate) type Told = Arc<AtomicU64>;

/// What became of a batch: position and whether it was there before, for each event; the log's head after it.
pub(crate) type Answers = (Vec<(u64, bool)>, u64, String);

pub(crate) fn tell(receipt: &Receipt, told: &Told) -> Answers {
    told.fetch_max(receipt.last_seq.unwrap_or(0), Ordering::Relaxed);
    let answers = receipt.answers.iter();
    let answers = answers.map(|answer| (answer.seq(), matches!(answer, log::Answer::Duplicate { .. }))).collect();
    (answers, receipt.head.seq, hex(&receipt.head.hash))
}

/// A journal that is open.
pub(crate) struct Open {
    pub(crate) dir: PathBuf,
    /// `None` where it is only read.
    recording: Option<Recording>,
    pub(crate) told: Told,
    stale_ok: bool,
    // The last to go.
    _counted: Counted,
}

impl Open {
    pub(crate) fn recording(&self) -> Result<&Recording, Raise> {
        let message = "the journal was opened with read_only=True: nothing can be recorded";
        self.recording.as_ref().ok_or_else(|| Raise::new("ReadOnlyError", message))
    }

    /// The log, to read.
    pub(crate) fn log(&self) -> Result<Reader, Raise> {
        Ok(Reader::open(&self.dir)?)
    }

    /// The tables, with everything in them that this process has recorded; in a journal that is only read, with
    /// everything that was recorded until now.
    pub(crate) fn tables(&self) -> Result<Connection, Raise> {
        match &self.recording {
            Some(recording) => {
                recording.wait_until(self.told.load(Ordering::Relaxed), PATIENCE)?;
                made(self)
            }
            None => {
                let (_, tables, caught_up) = Recording::read(&self.dir)?.into_parts();
                if caught_up.is_complete() || self.stale_ok {
                    return Ok(tables);
                }
                let behind = caught_up.projections.iter().min_by_key(|state| state.cursor.position);
                let at = behind.map_or(0, |state| state.cursor.position);
                let why = behind.and_then(|state| state.cursor.stopped.as_ref()).map(|stop| stop.reason.clone());
                let why = why.or_else(|| caught_up.lag.as_ref().map(|lag| format!("{lag:?}"))).unwrap_or_default();
                let head = caught_up.head.seq;
                let message = format!("the tables are at position {at} of {head} ({why}); stale_ok=True reads them so");
                Err(Raise::timeout(message).with("position", at))
            }
        }
    }

    /// Whether everything up to a position is in every table; waits for at most so long.
    fn has_reached(&self, seq: u64, most: Duration) -> Result<Option<()>, Raise> {
        if let Some(recording) = &self.recording {
            return match recording.wait_until(seq, most) {
                Ok(()) => Ok(Some(())),
                Err(WaitError::Timeout { .. }) => Ok(None),
                Err(stopped) => Err(stopped.into()),
            };
        }
        if self.log()?.head()?.seq >= seq && Recording::read(&self.dir)?.caught_up().is_complete() {
            return Ok(Some(()));
        }
        thread::sleep(most.min(LOOK));
        Ok(None)
    }
}

/// Those of a new journal are made by its projectors, for whom nothing else is to be done yet; those of another version
/// are made anew.
fn made(open: &Open) -> Result<Connection, Raise> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let tables = match Tables::read_only(&open.dir) {
            Ok(tables) if is_current(&tables)? => return Ok(tables),
            Ok(_) => Err(TablesError::OtherVersion { path: open.dir.clone() }),
            Err(error) => Err(error),
        };
        match tables {
            Err(TablesError::NoTables { .. } | TablesError::OtherVersion { .. }) if Instant::now() < deadline => {}
            tables => return Ok(tables?),
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// A journal, as Python has it.
#[pyclass(frozen, module = "tradefold._tradefold")]
pub(crate) struct Journal {
    open: Home<Lock<Option<Arc<Open>>>>,
}

impl Journal {
    /// What is open.
    pub(crate) fn open(&self) -> Result<Arc<Open>, Raise> {
        self.open.get()?.enter().clone().ok_or_else(Raise::closed)
    }
}

#[pymethods]
impl Journal {
    #[new]
    #[pyo3(signature = (dir, *, create, read_only, lock_wait, stale_ok))]
    fn new(
        py: Python<'_>,
        dir: PathBuf,
        create: bool,
        read_only: bool,
        lock_wait: Option<f64>,
        stale_ok: bool,
    ) -> PyResult<Self> {
        let counted = Counted::new()?;
        let lock_wait = seconds(lock_wait)?;
        let recording = if read_only {
            // Opened once, so that what isn't there is told now.
            py.detach(|| Reader::open(&dir)).map_err(Raise::from)?;
            None
        } else {
            // A first try that waits for nobody, then in slices: a journal that is being let go of comes free soon.
            let opened = wait(py, lock_wait, |most| match open(&dir, create, most) {
                Ok(recording) => Ok(Some(recording)),
                Err(JournalError::Open(OpenError::Busy { .. })) => Ok(None),
                Err(error) => Err(error.into()),
            })?;
            Some(match opened {
                Some(recording) => recording,
                // Once more, for what it says.
                None => py.detach(|| open(&dir, create, Duration::ZERO)).map_err(|error| busy(error, lock_wait))?,
            })
        };
        // What was there before is read as well.
        let head = py.detach(|| Ok::<_, Raise>(Reader::open(&dir)?.head()?))?;
        let told = Arc::new(AtomicU64::new(head.seq));
        let open = Open { dir, recording, told, stale_ok, _counted: counted };
        Ok(Self { open: Home::new(Lock::new(Some(Arc::new(open)))) })
    }

    /// Ends its threads and lets go of its lock, once what is under way in other threads is done.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let taken = self.open.get()?.enter().take();
        py.detach(|| drop(taken));
        Ok(())
    }

    #[getter]
    fn closed(&self) -> PyResult<bool> {
        Ok(self.open.get()?.enter().is_none())
    }

    /// Refuses lines as [`Self::append`] would, and records nothing.
    #[staticmethod]
    fn check_lines(lines: Vec<String>) -> PyResult<()> {
        Ok(drafts(&lines).map(drop)?)
    }

    /// Records lines as one batch.
    fn append(&self, py: Python<'_>, lines: Vec<String>) -> PyResult<Answers> {
        let open = self.open()?;
        let told = py.detach(|| {
            let receipt = open.recording()?.append(drafts(&lines)?)?;
            Ok::<_, Raise>(tell(&receipt, &open.told))
        });
        Ok(told?)
    }

    /// Hands lines over as one batch.
    fn submit(&self, py: Python<'_>, lines: Vec<String>) -> PyResult<Ticket> {
        let open = self.open()?;
        let ticket = py.detach(|| Ok::<_, Raise>(open.recording()?.submit(drafts(&lines)?)?));
        Ok(Ticket::new(ticket?, Arc::clone(&open.told)))
    }

    /// Waits until everything up to a position is in every table.
    fn wait(&self, py: Python<'_>, seq: u64, timeout: Option<f64>) -> PyResult<()> {
        let open = self.open()?;
        if wait(py, seconds(timeout)?, |most| open.has_reached(seq, most))?.is_some() {
            return Ok(());
        }
        // For what it says of who is behind, and why.
        match &open.recording {
            Some(recording) => Ok(recording.wait_until(seq, Duration::ZERO).map_err(Raise::from)?),
            None => Err(Raise::timeout(format!("position {seq} is not in the tables yet")).into()),
        }
    }

    /// Events after a position.
    fn events(
        &self,
        py: Python<'_>,
        after: u64,
        through: Option<u64>,
        types: Option<Vec<String>>,
        stream: Option<String>,
        follow: bool,
    ) -> PyResult<Events> {
        let open = self.open()?;
        let bell = follow.then(|| open.recording.as_ref()).flatten().map(|recording| {
            let (bell, heard) = crossbeam_channel::bounded(1);
            recording.writer().subscribe(bell);
            heard
        });
        Ok(py.detach(|| Events::new(open.log()?, after, through, types, stream, bell))?)
    }

    /// The last position and its hash.
    fn head(&self, py: Python<'_>) -> PyResult<(u64, String)> {
        let open = self.open()?;
        let head = py.detach(|| Ok::<_, Raise>(open.log()?.head()?))?;
        Ok((head.seq, hex(&head.hash)))
    }

    /// The journal's UUID.
    fn uuid(&self, py: Python<'_>) -> PyResult<String> {
        let open = self.open()?;
        Ok(py.detach(|| Ok::<_, Raise>(open.log()?.identity().uuid.to_string()))?)
    }

    /// The version of a stream's last event.
    fn stream_version(&self, py: Python<'_>, stream: &str) -> PyResult<u64> {
        let open = self.open()?;
        Ok(py.detach(|| Ok::<_, Raise>(open.log()?.stream_version(stream)?))?)
    }
}

fn drafts(lines: &[String]) -> Result<Vec<Draft>, Raise> {
    let draft = |(index, line): (usize, &String)| parse_edge(line).map_err(|refusal| refused(index, &refusal));
    lines.iter().enumerate().map(draft).collect()
}

fn open(dir: &std::path::Path, create: bool, lock_wait: Duration) -> Result<Recording, JournalError> {
    if create && !log::exists(dir) {
        match log::create(dir, lock_wait) {
            // Somebody else was quicker.
            Ok(()) | Err(OpenError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let writer = WriterOptions { lock_wait, ..WriterOptions::default() };
    Recording::open(dir, JournalOptions { writer, ..JournalOptions::default() })
}

/// What was waited for, rather than the last slice of it.
fn busy(error: JournalError, wait: Duration) -> Raise {
    match error {
        JournalError::Open(OpenError::Busy { dir, pid, .. }) => OpenError::Busy { dir, pid, waited: wait }.into(),
        other => other.into(),
    }
}
