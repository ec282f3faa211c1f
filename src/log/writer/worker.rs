//! Owns the writer's thread: it takes what waits in the queue, has it committed as a group, and after an I/O
//! error opens the log anew and looks at its tail before it goes on. It never guesses: what it can't verify
//! it doesn't extend.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::Receiver;
use rusqlite::Connection;

use super::super::error::{AppendError, IoCause, OpenError};
use super::super::lock::Lock;
use super::super::{Head, LOG_FILE, file, schema, verify};
use super::group::{After, Committer};
use super::{Bells, Job, WriterOptions};

/// How many positions are verified whenever the log is opened for writing.
const TAIL: u64 = 1_000;

/// The thread's belongings.
pub(super) struct Worker {
    dir: PathBuf,
    options: WriterOptions,
    queue: Receiver<Job>,
    bells: Bells,
    /// The last position this writer has acknowledged, or found when it opened.
    safe: Head,
    /// Held until the thread ends.
    _lock: Lock,
}

#[derive(PartialEq, Eq)]
enum End {
    Closed,
    Reopen,
}

impl Worker {
    pub(super) fn new(dir: &Path, options: WriterOptions, queue: Receiver<Job>, bells: Bells, lock: Lock) -> Self {
        Self { dir: dir.to_owned(), options, queue, bells, safe: Head::EMPTY, _lock: lock }
    }

    /// Opens the log, makes sure that what is in it is on disk, and verifies its tail.
    pub(super) fn open(&mut self) -> Result<Connection, OpenError> {
        let conn = file::open_for_writing(&self.dir)?;
        let path = self.dir.join(LOG_FILE);
        schema::settle(&conn).map_err(|source| file::sqlite_failed(&path, source))?;
        self.safe = verify::tail(&conn, self.safe, TAIL)
            .map_err(|error| file::read_failed(&path, error))?
            .map_err(|detail| OpenError::Damaged { path, detail })?;
        Ok(conn)
    }

    /// Serves the queue until the writer is dropped.
    pub(super) fn run(mut self, conn: Connection) {
        let mut end = self.serve(&conn, None);
        // Closing it before anything else: its state after a failure is unknown.
        drop(conn);
        // The next batch, not the clock, makes it try again: a full disk has time to be emptied.
        while end == End::Reopen {
            let Ok(job) = self.queue.recv() else { return };
            end = match self.open() {
                Ok(conn) => self.serve(&conn, Some(job)),
                Err(error @ OpenError::Damaged { .. }) => return self.refuse_all(&job, &error),
                Err(error) => {
                    job.answer(Err(AppendError::Io { source: Arc::new(IoCause::Reopen(error)) }));
                    End::Reopen
                }
            };
        }
    }

    /// Serves the queue on one connection, until its end or the connection's.
    fn serve(&mut self, conn: &Connection, first: Option<Job>) -> End {
        let mut committer = match Committer::new(conn, self.options.clock) {
            Ok(committer) => committer,
            Err(error) => {
                if let Some(job) = first {
                    job.answer(Err(AppendError::Io { source: Arc::new(IoCause::Read(error)) }));
                }
                return End::Reopen;
            }
        };
        let mut first = first;
        let mut jobs = Vec::new();
        while let Some(job) = first.take().or_else(|| self.queue.recv().ok()) {
            jobs.clear();
            self.gather(job, &mut jobs);
            let after = committer.settle(&jobs);
            if committer.committed() != self.safe {
                self.safe = committer.committed();
                self.bells.ring();
            }
            if after == After::Reopen {
                return End::Reopen;
            }
        }
        End::Closed
    }

    /// Takes what waits behind a batch, up to a bound.
    fn gather(&self, first: Job, jobs: &mut Vec<Job>) {
        let mut events = first.drafts.len();
        jobs.push(first);
        while events < self.options.group_events_max {
            let Ok(job) = self.queue.try_recv() else { return };
            events += job.drafts.len();
            jobs.push(job);
        }
    }

    /// Answers everything from now on with what is wrong with the log.
    fn refuse_all(&self, first: &Job, damage: &OpenError) {
        let error = AppendError::Damaged { detail: damage.to_string().into() };
        first.answer(Err(error.clone()));
        while let Ok(job) = self.queue.recv() {
            job.answer(Err(error.clone()));
        }
    }
}
