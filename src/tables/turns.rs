//! Owns how threads take turns at one connection: a lock that is fair, so that a fold's short question gets in
//! between the rows of a long page. A `Mutex` alone would let the writing thread in again and again.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// What threads use in turn.
#[derive(Debug)]
pub(super) struct Turns<T> {
    inside: Mutex<T>,
    /// Held by who waits to get inside: whoever comes out and wants in again stands behind.
    door: Mutex<()>,
}

impl<T> Turns<T> {
    pub(super) fn new(value: T) -> Self {
        Self { inside: Mutex::new(value), door: Mutex::new(()) }
    }

    /// Waits for a turn, which ends when it is dropped.
    pub(super) fn enter(&self) -> MutexGuard<'_, T> {
        let _door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody waits for the turn to end.
    pub(super) fn is_wanted(&self) -> bool {
        matches!(self.door.try_lock(), Err(TryLockError::WouldBlock))
    }

    pub(super) fn into_inner(self) -> T {
        self.inside.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
