//! Owns what belongs to the process that opened a journal. A forked child has a copy of every object and none of the
//! threads behind them: there, whatever is asked of one is refused, and what is dropped is forgotten, lest a
//! destructor wait for a thread that isn't there or close a file that the parent writes.
//!
//! Nor can such a child open anything itself: SQLite's own locks, copied while a thread of the parent's held them, would
//! be held for ever, and what it notes of locks on files is the parent's. A child of a process that had closed
//! everything is free.

use std::mem;
use std::process;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::raise::Raise;

/// How many connections this process has, or the one that it was forked from, which is the other number. A forked child
/// inherits both, and changes neither.
static OPEN: AtomicUsize = AtomicUsize::new(0);
static OPENED_BY: AtomicU32 = AtomicU32::new(0);

/// Beside every connection, so that they are counted.
#[derive(Debug)]
pub(crate) struct Counted(());

impl Counted {
    /// Counts one in; refuses where SQLite was inherited in use.
    pub(crate) fn new() -> Result<Self, Raise> {
        let (here, opened_by) = (process::id(), OPENED_BY.load(Ordering::Relaxed));
        if OPEN.load(Ordering::Relaxed) > 0 && opened_by != here {
            return Err(Raise::forked(opened_by));
        }
        OPENED_BY.store(here, Ordering::Relaxed);
        OPEN.fetch_add(1, Ordering::Relaxed);
        Ok(Self(()))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A value that is used and dropped in the process that made it, and nowhere else.
#[derive(Debug)]
pub(crate) struct Home<T> {
    value: Option<T>,
    pid: u32,
}

impl<T> Home<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Some(value), pid: process::id() }
    }

    /// The value, at home.
    pub(crate) fn get(&self) -> Result<&T, Raise> {
        if process::id() != self.pid {
            return Err(Raise::forked(self.pid));
        }
        self.value.as_ref().ok_or_else(Raise::closed)
    }
}

impl<T> Drop for Home<T> {
    fn drop(&mut self) {
        if process::id() != self.pid {
            mem::forget(self.value.take());
        }
    }
}

/// A lock that a panic elsewhere does not poison: what it guards is replaced whole, never half changed.
#[derive(Debug)]
pub(crate) struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn enter(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
