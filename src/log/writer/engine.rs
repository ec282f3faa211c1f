//! Owns the open log behind a writer: takes batches from the queue, has them committed as a group, and after
//! an I/O error opens the log anew and looks at its tail before it goes on. It never guesses: what it can't
//! verify it doesn't extend.
//!
//! One thread at a time has the engine, and takes whatever waits along. That is the writer's own thread for
//! what was submitted, but a caller that finds the engine idle is served on its own thread: handing one
//! event to another thread and back costs a good part of what the disk takes to sync it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::{Receiver, TryRecvError};

use super::super::error::{AppendError, IoCause, OpenError};
use super::super::lock::Lock;
use super::super::{Head, LOG_FILE, file, schema, verify};
use super::group::{After, Committer};
use super::{Bells, Job, WriterOptions};

/// How many positions are verified whenever the log is opened for writing.
const TAIL: u64 = 1_000;

#[derive(Debug)]
pub(super) struct Engine {
    dir: PathBuf,
    options: WriterOptions,
    queue: Receiver<Job>,
    bells: Bells,
    state: State,
    /// The last position this writer has acknowledged, or found when it opened.
    safe: Head,
    /// Held as long as the engine lives.
    _lock: Lock,
}

#[derive(Debug)]
enum State {
    Open(Box<Committer>),
    /// The connection was closed after a failure; the next batch, not the clock, makes it try again, so that
    /// a full disk has time to be emptied.
    Down,
    /// The log is damaged: nothing is added to it any more.
    Damaged(Arc<str>),
}

/// What is left in the queue.
#[derive(PartialEq, Eq)]
enum Rest {
    More,
    Empty,
    /// Nothing, and nothing will come: the writer has been dropped.
    Over,
}

impl Engine {
    pub(super) fn open(
        dir: &Path,
        options: WriterOptions,
        queue: Receiver<Job>,
        bells: Bells,
        lock: Lock,
    ) -> Result<Self, OpenError> {
        let dir = dir.to_owned();
        let mut engine = Self { dir, options, queue, bells, state: State::Down, safe: Head::EMPTY, _lock: lock };
        engine.state = State::Open(Box::new(engine.connect()?));
        Ok(engine)
    }

    /// Opens the log, makes sure that what is in it is on disk, and verifies its tail.
    fn connect(&mut self) -> Result<Committer, OpenError> {
        let path = self.dir.join(LOG_FILE);
        let conn = file::open_for_writing(&self.dir)?;
        schema::settle(&conn).map_err(|source| file::sqlite_failed(&path, source))?;
        let failed = |error| file::read_failed(&path, error);
        let damaged = |detail| OpenError::Damaged { path: path.clone(), detail };
        self.safe = verify::tail(&conn, self.safe, TAIL).map_err(failed)?.map_err(damaged)?;
        Committer::new(conn, self.options.clock).map_err(failed)
    }

    /// Serves what waits in the queue. Returns false once nothing can come any more.
    pub(super) fn serve(&mut self) -> bool {
        let mut jobs = Vec::new();
        let rest = self.gather(&mut jobs);
        self.settle(&jobs);
        rest != Rest::Over
    }

    /// Serves what waits in the queue and then a caller's own batch: what was handed over before it is
    /// recorded before it. Gives the batch back where too much waits for one commit.
    pub(super) fn serve_with(&mut self, own: Job) -> Result<(), Job> {
        let mut jobs = Vec::new();
        let left = match self.gather(&mut jobs) {
            Rest::More => Err(own),
            Rest::Empty | Rest::Over => {
                jobs.push(own);
                Ok(())
            }
        };
        self.settle(&jobs);
        left
    }

    /// Takes what waits, up to a bound.
    fn gather(&self, jobs: &mut Vec<Job>) -> Rest {
        let mut events = 0;
        while events < self.options.group_events_max {
            match self.queue.try_recv() {
                Ok(job) => {
                    events += job.drafts.len();
                    jobs.push(job);
                }
                Err(TryRecvError::Empty) => return Rest::Empty,
                Err(TryRecvError::Disconnected) => return Rest::Over,
            }
        }
        Rest::More
    }

    fn settle(&mut self, jobs: &[Job]) {
        let mut after = After::Stale;
        while after == After::Stale && !jobs.is_empty() {
            let committer = match self.ready() {
                Ok(committer) => committer,
                Err(error) => return jobs.iter().for_each(|job| job.answer(Err(error.clone()))),
            };
            after = committer.settle(jobs);
            let committed = committer.committed();
            if after != After::GoOn {
                // Closed before anything else: what state the connection is in is unknown.
                self.state = State::Down;
            }
            if committed != self.safe {
                self.safe = committed;
                self.bells.ring();
            }
        }
    }

    /// The open log; opened again where it had to be closed.
    fn ready(&mut self) -> Result<&mut Committer, AppendError> {
        if matches!(self.state, State::Down) {
            self.state = match self.connect() {
                Ok(committer) => {
                    // A batch of unknown outcome may have turned up.
                    self.bells.ring();
                    State::Open(Box::new(committer))
                }
                Err(error @ OpenError::Damaged { .. }) => State::Damaged(error.to_string().into()),
                Err(error) => return Err(AppendError::Io { source: Arc::new(IoCause::Reopen(error)) }),
            };
        }
        match &mut self.state {
            State::Open(committer) => Ok(committer),
            State::Damaged(detail) => Err(AppendError::Damaged { detail: Arc::clone(detail) }),
            State::Down => Err(AppendError::Closed),
        }
    }
}
