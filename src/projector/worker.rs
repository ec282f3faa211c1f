//! Owns the threads that keep the tables up to date while a journal is open: one that gets hold of the
//! projector's lock and then keeps the tables' write-ahead log short, and under it one a projection. Each reads after
//! its own cursor when its bell rings; what fails is told and tried again from the cursor, since nothing half done
//! is ever in the tables.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use projections::projection::{About, PROJECTIONS};

use super::board::{Board, Role};
use super::error::ProjectError;
use super::fold::{self, Fold};
use super::{LOCK_FILE, Pace, renew, tail};
use crate::log::lock::{self, Lock};
use crate::log::{OpenError, Reader};
use crate::tables::{self, Tables, TablesError};

/// How often a process that waits to project asks whether it may.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How long what is committed stays in the write-ahead log alone. The disk syncs for one at a time: an event that comes
/// while the tables are synced is on disk after them. So they are synced often and little at a time, and no more than half
/// of the time.
const CHECKPOINT_REST_MIN: Duration = Duration::from_millis(4);
const CHECKPOINT_REST_MAX: Duration = Duration::from_millis(200);

/// How long a failed attempt is left alone, unless something new is recorded.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The thread that looks after the others.
pub(super) struct Supervisor<'a> {
    pub(super) dir: PathBuf,
    pub(super) pace: Pace,
    pub(super) board: &'a Board,
    /// One a projection, in their order.
    pub(super) bells: Vec<Receiver<()>>,
}

impl Supervisor<'_> {
    /// Projects whenever it may, until the board closes.
    pub(super) fn run(&self) {
        while !self.board.is_closing() {
            match self.take_over() {
                Ok(()) => {}
                Err(ProjectError::Open(OpenError::Busy { pid, .. })) => {
                    self.board.set_role(Role::Following(pid));
                    self.pause(ASK_EVERY);
                }
                Err(error) => {
                    self.board.set_role(Role::Idle(error.to_string()));
                    self.pause(RETRY_AFTER);
                }
            }
        }
    }

    fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.board.is_closing() && Instant::now() < until {
            thread::sleep(ASK_EVERY.min(time));
        }
    }

    /// Takes the lock, and projects until the board closes.
    fn take_over(&self) -> Result<(), ProjectError> {
        let _lock = lock_tables(&self.dir)?;
        let reader = Reader::open(&self.dir)?;
        tail::check(&reader, &tables::stored_cursors(&self.dir)?)?;
        renew::renew_outdated(&reader, self.pace)?;
        let tables = Tables::open(&self.dir, self.pace.spacing)?;
        let mut cursors = tables.cursors()?;
        // What stopped one before is tried again.
        cursors.iter_mut().for_each(|kept| kept.cursor.stopped = None);
        self.board.set_cursors(&cursors);
        let connection = |_| -> Result<_, ProjectError> {
            let tables = tables.another()?.telling(Arc::clone(&self.board.rows));
            let reader = Reader::open(&self.dir)?;
            tables.leave_checkpoints()?;
            Ok((reader, tables))
        };
        let connections = PROJECTIONS.iter().map(connection).collect::<Result<Vec<_>, _>>()?;
        self.board.set_role(Role::Projecting);
        let (committed, commits) = bounded(1);
        let (working, work) = bounded(0);
        thread::scope(|scope| {
            for ((about, bell), (reader, tables)) in PROJECTIONS.into_iter().zip(&self.bells).zip(connections) {
                let (committed, working) = (committed.clone(), working.clone());
                scope.spawn(move || {
                    self.follow(about, &reader, &tables, bell, &committed);
                    drop(working);
                });
            }
            drop((committed, working));
            look_after_log(&tables, &commits, &work);
        });
        Ok(())
    }

    /// Keeps one projection's tables up to date until the board closes.
    fn follow(
        &self,
        about: &'static About,
        reader: &Reader,
        tables: &Tables,
        bell: &Receiver<()>,
        committed: &Sender<()>,
    ) {
        while !self.board.is_closing() {
            match self.advance(about, reader, tables, bell, committed) {
                // Another generation of the tables is there: on from where that one is.
                Ok(()) | Err(ProjectError::Tables(TablesError::Overtaken { .. })) => {}
                Err(error) => {
                    self.board.set_trouble(about, error.to_string());
                    let _ = bell.recv_timeout(RETRY_AFTER);
                }
            }
        }
    }

    fn advance(
        &self,
        about: &'static About,
        reader: &Reader,
        tables: &Tables,
        bell: &Receiver<()>,
        committed: &Sender<()>,
    ) -> Result<(), ProjectError> {
        let (board, mut folds) = (self.board, [Fold::resume(about, tables)?]);
        while !board.is_closing() {
            // Up to the present head, so that a page ends while a busy writer goes on.
            let head = reader.head()?.seq;
            fold::page(reader, tables, &mut folds, head, self.pace.page_events, |_| board.is_closing())?;
            board.set_cursor(about, folds[0].committed());
            let _ = committed.try_send(());
            if folds[0].has_done(head) && !board.is_closing() {
                // What was recorded since the head was read has rung.
                let _ = bell.recv();
            }
        }
        Ok(())
    }
}

/// Keeps the tables' write-ahead log short until nobody works any more (`work` has no sender left).
fn look_after_log(tables: &Tables, commits: &Receiver<()>, work: &Receiver<()>) {
    let mut rest = CHECKPOINT_REST_MIN;
    while commits.recv().is_ok() && work.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
        let began = Instant::now();
        // A log that can't be moved now stays as good as it is, and its pages go on being read from there.
        let _ = tables.checkpoint();
        rest = began.elapsed().clamp(CHECKPOINT_REST_MIN, CHECKPOINT_REST_MAX);
    }
}

/// Takes the right to write a journal's tables, if nobody has it.
pub(crate) fn lock_tables(dir: &Path) -> Result<Lock, OpenError> {
    Lock::take_file(&dir.join(LOCK_FILE), Duration::ZERO)
}

/// The process that writes a journal's tables, if there is one.
pub(crate) fn holder(dir: &Path) -> Option<lock::Holder> {
    lock::holder(&dir.join(LOCK_FILE))
}
