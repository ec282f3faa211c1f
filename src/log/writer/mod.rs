//! Owns the writer as its callers see it: the bounded queue, the answers, the doorbells. The open log behind
//! it is `engine`, one transaction is `group`, one batch is `batch`.
//!
//! An answer is sent only after the commit that holds the batch is on disk. A doorbell carries nothing: a
//! lost or doubled ring cannot matter to a listener that reads after its own position.

mod batch;
mod engine;
mod group;
mod recorded;
mod rows;
mod streams;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Select, Sender, TrySendError, bounded};
use projections::draft::Draft;
use projections::moment::Moment;

use super::error::{AppendError, IoCause, OpenError};
use super::lock::Lock;
use super::{Head, file};
use engine::Engine;

/// How a writer waits and gathers.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// How long to wait for another process that writes.
    pub lock_wait: Duration,
    /// How many batches may wait in the queue.
    pub queue_len: usize,
    /// How many events one commit gathers from the queue before it stops adding batches. A single batch may
    /// have more: it is never split.
    pub group_events_max: usize,
    /// What `recorded_at` is read from.
    pub clock: fn() -> Moment,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { lock_wait: Duration::from_secs(5), queue_len: 1_024, group_events_max: 4_096, clock: super::now }
    }
}

/// What became of one event of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Recorded now.
    Appended {
        /// Its position.
        seq: u64,
    },
    /// Recorded before, with the same id and content.
    Duplicate {
        /// The first position.
        seq: u64,
    },
}

impl Answer {
    /// Where the event stands.
    #[must_use]
    pub fn seq(self) -> u64 {
        match self {
            Self::Appended { seq } | Self::Duplicate { seq } => seq,
        }
    }
}

/// A batch is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// One answer an event, in the batch's order.
    pub answers: Vec<Answer>,
    /// The lowest position of the batch's events, appended or duplicate; `None` for an empty batch.
    pub first_seq: Option<u64>,
    /// The highest position of the batch's events, appended or duplicate; `None` for an empty batch.
    pub last_seq: Option<u64>,
    /// How far the log went right after this batch.
    pub head: Head,
}

impl Receipt {
    fn new(answers: Vec<Answer>, head: Head) -> Self {
        let seqs = || answers.iter().map(|answer| answer.seq());
        Self { first_seq: seqs().min(), last_seq: seqs().max(), answers, head }
    }

    /// How many events were recorded now.
    #[must_use]
    pub fn appended(&self) -> usize {
        self.answers.iter().filter(|answer| matches!(answer, Answer::Appended { .. })).count()
    }

    /// How many events were recorded before.
    #[must_use]
    pub fn duplicates(&self) -> usize {
        self.answers.len() - self.appended()
    }
}

type Outcome = Result<Receipt, AppendError>;

/// A batch on its way to the thread, and where its answer goes.
struct Job {
    drafts: Vec<Draft>,
    reply: Sender<Outcome>,
}

impl Job {
    fn answer(&self, outcome: Outcome) {
        // A caller that dropped its ticket doesn't want to know.
        let _ = self.reply.send(outcome);
    }
}

/// The answer to come for a submitted batch.
#[derive(Debug)]
#[must_use = "without waiting for it nobody knows whether the batch was recorded"]
pub struct Ticket {
    reply: Receiver<Outcome>,
}

impl Ticket {
    /// Waits for the answer.
    ///
    /// # Errors
    /// [`AppendError`] says whether nothing was recorded or nobody can tell.
    pub fn wait(self) -> Result<Receipt, AppendError> {
        self.reply.recv().unwrap_or_else(|_| Err(died()))
    }

    /// Waits for the answer for at most `timeout`; gives the ticket back when it hasn't come.
    ///
    /// # Errors
    /// The ticket, still good, when the time is over.
    pub fn wait_timeout(self, timeout: Duration) -> Result<Result<Receipt, AppendError>, Self> {
        match self.reply.recv_timeout(timeout) {
            Ok(outcome) => Ok(outcome),
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => Err(self),
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => Ok(Err(died())),
        }
    }
}

/// The thread is gone without an answer, perhaps between a commit and the reply.
fn died() -> AppendError {
    AppendError::Unknown { source: Arc::new(IoCause::WriterDied) }
}

/// Who wants to know that there is something new.
#[derive(Clone, Debug, Default)]
struct Bells(Arc<Mutex<Vec<Sender<()>>>>);

impl Bells {
    fn add(&self, bell: Sender<()>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(bell);
    }

    fn ring(&self) {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bells.retain(|bell| !matches!(bell.try_send(()), Err(TrySendError::Disconnected(()))));
    }
}

/// The one writer of a journal. Share it between threads by reference or `Arc`; dropping it answers what
/// waits in the queue, closes the log and lets go of the lock.
#[derive(Debug)]
pub struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    engine: Arc<Mutex<Engine>>,
    bells: Bells,
    dir: PathBuf,
}

impl Writer {
    /// Opens a journal's log for writing, and migrates it to the latest version.
    ///
    /// # Errors
    /// [`OpenError`]; among them [`OpenError::NoJournal`], and [`OpenError::Busy`] when another process has
    /// been writing for all of `lock_wait`.
    pub fn open(dir: &Path, options: WriterOptions) -> Result<Self, OpenError> {
        if !file::exists(dir) {
            return Err(file::no_journal(dir));
        }
        let lock = Lock::take(dir, options.lock_wait)?;
        let bells = Bells::default();
        let (jobs, queue) = bounded(options.queue_len.max(1));
        let engine = Engine::open(dir, options, queue.clone(), bells.clone(), lock)?;
        let engine = Arc::new(Mutex::new(engine));
        let thread = thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn({
                let engine = Arc::clone(&engine);
                move || work(&engine, &queue)
            })
            .map_err(file::failed("start a thread for", dir))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), engine, bells, dir: dir.to_owned() })
    }

    /// The journal's folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Records a batch, all of it or nothing, and returns when it is on disk.
    ///
    /// # Errors
    /// [`AppendError`] says whether nothing was recorded or nobody can tell.
    pub fn append(&self, drafts: Vec<Draft>) -> Result<Receipt, AppendError> {
        // Only try: whoever has the engine will be done sooner than it could be handed over.
        if let Ok(mut engine) = self.engine.try_lock() {
            let (job, ticket) = job(drafts);
            let Err(job) = engine.serve_with(job) else { return ticket.wait() };
            drop(engine);
            self.send(job)?;
            return ticket.wait();
        }
        self.submit(drafts)?.wait()
    }

    /// Hands a batch over, waiting for room in the queue, and returns before it is recorded.
    ///
    /// # Errors
    /// [`AppendError::Closed`] when the thread is gone.
    pub fn submit(&self, drafts: Vec<Draft>) -> Result<Ticket, AppendError> {
        let (job, ticket) = job(drafts);
        self.send(job)?;
        Ok(ticket)
    }

    fn send(&self, job: Job) -> Result<(), AppendError> {
        let jobs = self.jobs.as_ref().ok_or(AppendError::Closed)?;
        jobs.send(job).map_err(|_| AppendError::Closed)
    }

    /// Hands a batch over without ever waiting.
    ///
    /// # Errors
    /// The batch, given back, with [`AppendError::QueueFull`] or [`AppendError::Closed`].
    pub fn try_submit(&self, drafts: Vec<Draft>) -> Result<Ticket, (Vec<Draft>, AppendError)> {
        let (job, ticket) = job(drafts);
        let Some(jobs) = self.jobs.as_ref() else { return Err((job.drafts, AppendError::Closed)) };
        match jobs.try_send(job) {
            Ok(()) => Ok(ticket),
            Err(TrySendError::Full(job)) => Err((job.drafts, AppendError::QueueFull)),
            Err(TrySendError::Disconnected(job)) => Err((job.drafts, AppendError::Closed)),
        }
    }

    /// Adds a doorbell: it is rung (without waiting, so that one place in the channel is enough) after each
    /// commit that added events. It goes when its receiver does.
    pub fn subscribe(&self, bell: Sender<()>) {
        self.bells.add(bell);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The order matters: without the sender the thread answers what waits, and ends.
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there has been reported; its callers were told that nobody knows.
            let _ = thread.join();
        }
    }
}

fn job(drafts: Vec<Draft>) -> (Job, Ticket) {
    let (reply, answer) = bounded(1);
    (Job { drafts, reply }, Ticket { reply: answer })
}

/// The writer's thread: serves what waits in the queue until the writer is dropped.
fn work(engine: &Mutex<Engine>, queue: &Receiver<Job>) {
    let mut waiting = Select::new();
    waiting.recv(queue);
    loop {
        // Nothing is taken from the queue without the engine: a batch in nobody's hands could be overtaken.
        waiting.ready();
        let Ok(mut engine) = engine.lock() else { break };
        if !engine.serve() {
            return;
        }
    }
    // Somebody panicked over the engine. Dropping a batch tells its caller that nobody knows.
    queue.iter().for_each(drop);
}
