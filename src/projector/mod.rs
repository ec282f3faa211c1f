//! The projectors: threads that fold the log into the tables, and the same work done at once by whoever
//! needs the tables now.
//!
//! The log is the queue. A bell only says that there is something new; a lost or doubled ring cannot matter,
//! because each projection reads after its own cursor, and cursor and rows are committed together. One
//! process projects at a time, the holder of `projector.lock`; others follow its cursors, and take over when
//! it is gone.
//!
//! Layout, in reading order:
//! - `fold`: a page of events, folded and committed
//! - `replay`: many pages, with reading, folding and writing side by side
//! - `tail`: whether the log still has what the tables have seen
//! - `renew`: a new generation of the tables, beside the live ones and then in their place
//! - `board`: what the threads tell, and where others wait
//! - `worker`: the threads
//! - `catch_up`: everything recorded into the tables, now
//!
//! What the projectors know nothing of: who appends, what a table means, how it is written.

mod board;
mod catch_up;
mod error;
pub(crate) mod fold;
pub(crate) mod renew;
pub(crate) mod replay;
pub(crate) mod tail;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use projections::projection::PROJECTIONS;

use crate::log::{Reader, file};
use crate::tables::{self, Changed, Spacing};
use board::Board;
use worker::Supervisor;

pub use board::{ProjectionState, Role};
pub use catch_up::{CaughtUp, Lag, catch_up, catch_up_within};
pub use error::ProjectError;
pub use renew::{Rebuilt, Swap, is_rebuilding};
pub(crate) use worker::holder;

/// The advisory lock of whoever writes the tables.
pub const LOCK_FILE: &str = "projector.lock";

/// In which steps the log is folded. No step changes a row; they differ in how long things take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The most events of a page: one commit, and as much in memory as they touch.
    pub page_events: usize,
    /// How closely snapshots lie.
    pub spacing: Spacing,
}

impl Default for Pace {
    fn default() -> Self {
        Self { page_events: 8_192, spacing: Spacing::default() }
    }
}

/// How often somebody who waits looks at the cursors that another process moves.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Why a wait for the tables ended before they were there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// A projection met an event that this program cannot read.
    #[error("{projection} stopped at position {at}: {reason}")]
    Stopped {
        /// Which.
        projection: &'static str,
        /// The event's position.
        at: u64,
        /// Why it can't be read.
        reason: String,
    },
    /// The time is over.
    #[error("{projection} is at position {position}{}", trouble.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    Timeout {
        /// The projection that is furthest behind.
        projection: &'static str,
        /// Where it is.
        position: u64,
        /// What is in its way, if anything is known of that.
        trouble: Option<String>,
    },
}

/// The projector threads of one process. Dropping it ends them cleanly, wherever they are: the next ones go
/// on from the cursors.
#[derive(Debug)]
pub struct Projectors {
    dir: PathBuf,
    board: Arc<Board>,
    bells: Vec<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Projectors {
    /// Starts folding a journal's log into its tables. `subscribe` is given one bell a projection, to be rung
    /// after each commit to the log.
    ///
    /// # Errors
    /// [`ProjectError::LostTail`] where the tables have seen more than the log has. Tables that cannot be
    /// written are no error here, lest they keep facts from being recorded: [`Projectors::role`] tells.
    pub fn start(dir: &Path, pace: Pace, subscribe: impl FnMut(Sender<()>)) -> Result<Self, ProjectError> {
        // Here too, where the caller can still be told.
        let cursors = tables::stored_cursors(dir)?;
        tail::check(&Reader::open(dir)?, &cursors)?;
        let (bells, heard): (Vec<_>, Vec<_>) = PROJECTIONS.iter().map(|_| bounded(1)).unzip();
        bells.iter().cloned().for_each(subscribe);
        let board = Arc::new(Board::new());
        board.set_cursors(&cursors);
        let (of_thread, folder) = (Arc::clone(&board), dir.to_owned());
        let thread = thread::Builder::new()
            .name("projectors".to_owned())
            .spawn(move || Supervisor { dir: folder, pace, board: &of_thread, bells: heard }.run())
            .map_err(file::failed("start a thread for", dir))?;
        Ok(Self { dir: dir.to_owned(), board, bells, thread: Some(thread) })
    }

    /// Who keeps the tables up to date.
    #[must_use]
    pub fn role(&self) -> Role {
        self.board.role()
    }

    /// Where each projection is.
    #[must_use]
    pub fn states(&self) -> Vec<ProjectionState> {
        self.states_for(&self.board.role())
    }

    /// The states by a role that was looked at once: who looked twice could take another's old stop for ours.
    fn states_for(&self, role: &Role) -> Vec<ProjectionState> {
        if *role != Role::Projecting
            && let Ok(kept) = tables::stored_cursors(&self.dir)
        {
            return ProjectionState::all(&kept);
        }
        self.board.states()
    }

    /// Which rows the latest commits changed, from now on.
    #[must_use]
    pub fn changed(&self) -> Arc<Changed> {
        self.board.rows.begin();
        Arc::clone(&self.board.rows)
    }

    /// Where each projection is, as soon as that differs from what was seen, or after `longest`.
    #[must_use]
    pub fn states_beyond(&self, seen: &[ProjectionState], longest: Duration) -> Vec<ProjectionState> {
        let deadline = Instant::now() + longest;
        loop {
            let told = self.board.states();
            let role = self.board.role();
            let states = self.states_for(&role);
            if states != seen || Instant::now() >= deadline {
                return states;
            }
            // Another process tells nobody here.
            self.board.wait(&told, deadline, if role == Role::Projecting { longest } else { LOOK_EVERY });
        }
    }

    /// Waits until everything up to a position is in every table.
    ///
    /// # Errors
    /// [`WaitError`] says which projection isn't there, and why.
    pub fn wait_until(&self, seq: u64, timeout: Duration) -> Result<(), WaitError> {
        let deadline = Instant::now() + timeout;
        loop {
            let told = self.board.states();
            let role = self.board.role();
            let states = self.states_for(&role);
            let Some(behind) = states.iter().filter(|state| !state.has_reached(seq)).min_by_key(|s| s.cursor.position)
            else {
                return Ok(());
            };
            let projection = behind.name;
            // One that another process, or an earlier one, left stopped is about to be tried again.
            if role == Role::Projecting
                && let Some(stop) = &behind.cursor.stopped
            {
                return Err(WaitError::Stopped { projection, at: stop.at, reason: stop.reason.clone() });
            }
            if Instant::now() >= deadline {
                let trouble = behind.trouble.clone().or_else(|| self.trouble());
                return Err(WaitError::Timeout { projection, position: behind.cursor.position, trouble });
            }
            self.board.wait(&told, deadline, LOOK_EVERY);
        }
    }

    fn trouble(&self) -> Option<String> {
        match self.board.role() {
            Role::Projecting => None,
            Role::Following(Some(pid)) => Some(format!("process {pid} keeps the tables")),
            Role::Following(None) => Some("another process keeps the tables".to_owned()),
            Role::Idle(why) => Some(why),
        }
    }
}

impl Drop for Projectors {
    fn drop(&mut self) {
        self.board.close();
        for bell in &self.bells {
            let _ = bell.try_send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
