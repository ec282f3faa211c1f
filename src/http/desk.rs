//! Owns the connections that read: a bounded number, used by threads that may wait for a disk. Each is for one reader at
//! a time and goes back when it is done, unless something went wrong with it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::params::When;
use super::problem::Problem;
use crate::as_of::tables_as_of;
use crate::log::Reader;
use crate::tables::{self, Connection, Tables};

/// How many read at a time. There are not many more cores, and disks, that would make more of them quicker.
const SEATS: usize = 4;

/// How many tables of the past may be put together at a time: each is as much work as a reader can ask for.
const PASTS: usize = 1;

/// How long a past that was put together is kept for the next question: a page about a day asks several at once. It holds the
/// live tables' write-ahead log, which cannot begin anew meanwhile.
const PAST_KEPT: Duration = Duration::from_secs(5);

/// How long to wait for a seat.
const PATIENCE: Duration = Duration::from_secs(10);

/// The log and the tables, opened for reading.
pub(super) struct Seat {
    pub(super) log: Reader,
    pub(super) tables: Connection,
}

impl Seat {
    pub(super) fn open(dir: &Path) -> Result<Self, Problem> {
        let (log, tables) = (Reader::open(dir)?, Tables::read_only(dir)?);
        if !tables::is_current(&tables)? {
            return Err(Problem::not_now("tables-not-ready", "the tables are being made anew by this version"));
        }
        Ok(Self { log, tables })
    }
}

/// Tables as they were.
struct Past {
    position: u64,
    tables: Connection,
    asked: Instant,
}

/// The desk at which readers sit.
#[derive(Clone)]
pub(super) struct Desk(Arc<Room>);

struct Room {
    dir: PathBuf,
    free: Mutex<Vec<Seat>>,
    seats: Arc<Semaphore>,
    pasts: Arc<Semaphore>,
    /// What was put together last.
    past: Mutex<Option<Past>>,
}

impl Desk {
    pub(super) fn new(dir: PathBuf) -> Self {
        let (seats, pasts) = (Arc::new(Semaphore::new(SEATS)), Arc::new(Semaphore::new(PASTS)));
        Self(Arc::new(Room { dir, free: Mutex::default(), seats, pasts, past: Mutex::default() }))
    }

    pub(super) fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// Reads, as soon as there is a seat.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Seat) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.sit(&self.0.seats, read).await
    }

    /// Reads what takes a while: the past, an audit, a restatement.
    pub(super) async fn read_long<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Seat) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.sit(&self.0.pasts, read).await
    }

    /// Reads the tables as they were.
    pub(super) async fn read_past<T: Send + 'static>(
        &self,
        when: When,
        read: impl FnOnce(&Connection) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let room = Arc::clone(&self.0);
        let answer = self.read_long(move |seat| {
            let position = when.position(&seat.log)?;
            let kept = room.past().take().filter(|past| past.position == position);
            let tables =
                kept.map_or_else(|| tables_as_of(&seat.log, position, &mut |_, _| {}), |past| Ok(past.tables))?;
            let answer = read(&tables);
            *room.past() = Some(Past { position, tables, asked: Instant::now() });
            answer
        });
        let answer = answer.await;
        self.forget_past();
        answer
    }

    /// Lets the past go, once nobody has asked for a while.
    fn forget_past(&self) {
        let room = Arc::clone(&self.0);
        tokio::spawn(async move {
            tokio::time::sleep(PAST_KEPT).await;
            room.past().take_if(|past| past.asked.elapsed() >= PAST_KEPT);
        });
    }

    async fn sit<T: Send + 'static>(
        &self,
        seats: &Arc<Semaphore>,
        read: impl FnOnce(&mut Seat) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let permit = seat_at(seats).await?;
        let room = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            // Held until the thread is done, whatever becomes of who asked.
            let _permit = permit;
            let kept = room.free().pop();
            let mut seat = kept.map_or_else(|| Seat::open(&room.dir), Ok)?;
            let answer = read(&mut seat);
            // One with which something went wrong is not used again; a question that was wrong is no such thing.
            if answer.as_ref().err().is_none_or(|problem| problem.status() < 500) {
                room.free().push(seat);
            }
            answer
        });
        done.await.unwrap_or_else(|_| Err(Problem::broken("the question ended in a defect of tradefold")))
    }
}

impl Room {
    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Seat>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn past(&self) -> std::sync::MutexGuard<'_, Option<Past>> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn seat_at(seats: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let busy = || Problem::not_now("busy", "too many are reading");
    match timeout(PATIENCE, Arc::clone(seats).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(busy()),
    }
}
