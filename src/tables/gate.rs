//! Owns the gate that every commit to the tables passes and that a new generation closes while it takes their
//! place: `tables.lock`. Threads of one process take turns by a mutex, since SQLite would have them sleep;
//! processes by `flock`, shared for a commit and exclusive for a swap. Readers never meet it.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::log::file::failed;
use crate::log::{OpenError, lock};

/// The gate's file, in the journal's folder.
const GATE_FILE: &str = "tables.lock";

/// The gate of one file of tables, shared by the connections of a process.
#[derive(Clone, Debug, Default)]
pub(super) struct Gate(Arc<Mutex<Option<File>>>);

impl Gate {
    /// The gate of a journal's tables. (The default one is of tables that nobody else knows of.)
    pub(super) fn of(dir: &Path) -> Result<Self, OpenError> {
        Ok(Self(Arc::new(Mutex::new(Some(lock::open(&dir.join(GATE_FILE))?)))))
    }

    /// Waits for a turn to commit.
    pub(super) fn enter(&self) -> Result<Turn<'_>, OpenError> {
        let file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &*file {
            file.lock_shared().map_err(failed("lock", Path::new(GATE_FILE)))?;
        }
        Ok(Turn(file))
    }
}

/// A turn to commit; dropped, the next one comes.
pub(super) struct Turn<'g>(MutexGuard<'g, Option<File>>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(file) = &*self.0 {
            // What can't be unlocked is, when the file is closed.
            let _ = file.unlock();
        }
    }
}

/// The gate, closed: nobody commits to a journal's tables while this lives.
#[derive(Debug)]
pub(crate) struct Closed(File);

impl Closed {
    /// Waits for the commits that are under way.
    pub(crate) fn close(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(GATE_FILE);
        let file = lock::open(&path)?;
        file.lock().map_err(failed("lock", &path))?;
        Ok(Self(file))
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}
