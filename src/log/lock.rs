//! Owns the advisory locks of a journal, `writer.lock` above all: whoever holds it is the journal's one
//! writer, and its text names that process. The lock is `flock`'s, which no other file handle of the process can drop; the
//! system releases it when the holder dies, however it dies. Never blocks readers.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::error::OpenError;
use super::file::{FILE_MODE, LOCK_FILE, failed, tighten};

/// How often a waiting writer asks again. `flock` has no wait with a deadline.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// Opens a file that stands for a right, making it where there is none, private.
pub(crate) fn open(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(FILE_MODE);
    let file = options.open(path).map_err(failed("open", path))?;
    tighten(path)?;
    Ok(file)
}

/// The right that a lock file stands for, while it lives: to write to a journal, or to its tables.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the right to write to a journal, waiting for another writer to let go of it for at most `wait`.
    pub(crate) fn take(dir: &Path, wait: Duration) -> Result<Self, OpenError> {
        Self::take_file(&dir.join(LOCK_FILE), wait)
    }

    /// The same for another right, which a file of its own stands for.
    pub(crate) fn take_file(path: &Path, wait: Duration) -> Result<Self, OpenError> {
        let mut file = open(path)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(failed("lock", path)(source)),
            }
            let waited = started.elapsed();
            if waited >= wait {
                return Err(OpenError::Busy {
                    dir: path.parent().unwrap_or(path).to_owned(),
                    pid: read_pid(&mut file),
                    waited,
                });
            }
            thread::sleep(ASK_EVERY.min(wait - waited));
        }
        // The pid is a courtesy: on a full disk the lock holds without it.
        let _ = write_pid(&mut file);
        Ok(Self { file })
    }
}

/// Who holds the right that a lock file stands for; `None` where nobody does.
pub(crate) fn holder(path: &Path) -> Option<Holder> {
    let mut file = File::open(path).ok()?;
    // Shared, so that two who ask don't take each other for the holder.
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(Holder { pid: read_pid(&mut file) }),
        _ => None,
    }
}

/// A process that holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its id, as far as the lock file tells.
    pub pid: Option<u32>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A pid left behind by a crash is harmless: it is read only while somebody holds the lock.
        let _ = self.file.set_len(0);
        // Closing the file would release the lock too, unless a child process of ours that has just been
        // forked still shares it.
        let _ = self.file.unlock();
    }
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(format!("{}\n", std::process::id()).as_bytes())
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
