//! Owns what the threads of one process tell about the projections: where each is, and what is in its way.
//! Whoever waits for a position waits here. Holds no connection and decides nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use projections::projection::{About, PROJECTIONS};

use crate::tables::{Changed, Cursor, Kept};

/// Where a projection stands, as far as its thread has told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionState {
    /// Its name.
    pub name: &'static str,
    /// The version of its fold in this program.
    pub version: u32,
    /// Where its tables are.
    pub cursor: Cursor,
    /// What went wrong lately and is tried again.
    pub trouble: Option<String>,
}

impl ProjectionState {
    pub(crate) fn at(about: &About, cursor: Cursor) -> Self {
        Self { name: about.name, version: about.version, cursor, trouble: None }
    }

    /// The states of all projections by what a file says; those it doesn't have are at the start.
    pub(crate) fn all(kept: &[Kept]) -> Vec<Self> {
        let of = |about: &About| kept.iter().find(|kept| kept.name == about.name);
        let state = |about| Self::at(about, of(about).map_or(Cursor::START, |kept| kept.cursor.clone()));
        PROJECTIONS.into_iter().map(state).collect()
    }

    /// Whether everything up to a position is in its tables.
    #[must_use]
    pub fn has_reached(&self, seq: u64) -> bool {
        self.cursor.position >= seq
    }

    /// Whether it gets no further without a newer program.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.cursor.stopped.is_some()
    }
}

/// Who keeps the tables up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// This process.
    Projecting,
    /// Another process, by its id as far as that is known. This one takes over when it is gone.
    Following(Option<u32>),
    /// Nobody: the tables can't be written. It is tried again from time to time.
    Idle(String),
}

#[derive(Debug)]
struct Told {
    role: Role,
    states: Vec<ProjectionState>,
}

/// The board itself.
#[derive(Debug)]
pub(crate) struct Board {
    told: Mutex<Told>,
    changed: Condvar,
    closing: AtomicBool,
    /// Which rows were changed, as far as somebody wants to know.
    pub(crate) rows: Arc<Changed>,
}

impl Board {
    pub(crate) fn new() -> Self {
        let told = Told { role: Role::Following(None), states: ProjectionState::all(&[]) };
        Self { told: Mutex::new(told), changed: Condvar::new(), closing: AtomicBool::new(false), rows: Arc::default() }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn role(&self) -> Role {
        self.told().role.clone()
    }

    pub(crate) fn states(&self) -> Vec<ProjectionState> {
        self.told().states.clone()
    }

    pub(crate) fn set_role(&self, role: Role) {
        self.told().role = role;
        self.changed.notify_all();
    }

    pub(crate) fn set_cursors(&self, kept: &[Kept]) {
        self.told().states = ProjectionState::all(kept);
        self.changed.notify_all();
    }

    pub(crate) fn set_cursor(&self, about: &About, cursor: &Cursor) {
        self.update(about, |state| {
            state.cursor = cursor.clone();
            state.trouble = None;
        });
    }

    pub(crate) fn set_trouble(&self, about: &About, trouble: String) {
        self.update(about, |state| state.trouble = Some(trouble));
    }

    fn update(&self, about: &About, change: impl FnOnce(&mut ProjectionState)) {
        let mut told = self.told();
        if let Some(state) = told.states.iter_mut().find(|state| state.name == about.name) {
            change(state);
        }
        drop(told);
        self.changed.notify_all();
    }

    /// Sleeps until something is told, at most until `deadline` or for `longest`.
    pub(crate) fn wait(&self, seen: &[ProjectionState], deadline: Instant, longest: Duration) {
        let left = deadline.saturating_duration_since(Instant::now()).min(longest);
        let told = self.told();
        // Nothing to see here if the condition changed or the time ran out: the caller looks again anyway.
        drop(self.changed.wait_timeout_while(told, left, |told| told.states == seen));
    }

    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }
}
