//! Owns one transaction: the batches that waited together, placed one after the other, committed together,
//! and answered only then, refusals too, since each may rest on what another batch of the group added.
//!
//! There are no savepoints: a batch that is refused before it wrote anything leaves nothing to undo, and the
//! rare one that is refused half-way makes the others start over without it.

use std::sync::Arc;

use projections::moment::Moment;
use rusqlite::Connection;

use super::super::Head;
use super::super::error::{AppendError, IoCause, ReadError};
use super::batch::{Appender, Stop, nothing_recorded};
use super::{Job, Outcome};

/// What to do after a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Go on.
    GoOn,
    /// This connection is not to be trusted any more.
    Reopen,
    /// Somebody else has appended to the log. Nobody was answered; open it again, look, and try again.
    Stale,
}

/// Commits groups to one open log.
#[derive(Debug)]
pub(super) struct Committer {
    conn: Connection,
    appender: Appender,
    committed: Head,
    /// SQLite's count of other connections' commits, as last seen.
    seen: i64,
}

/// A batch in the group and what became of it.
struct Slot<'j> {
    job: &'j Job,
    outcome: Option<Outcome>,
    /// Refused half-way in an earlier attempt: its answer stands.
    out: bool,
}

enum Attempt {
    /// All answers are final.
    Done,
    /// Rolled back because of one batch, which is out now.
    Again,
    /// Rolled back: the log has moved on without this writer.
    Stale,
    /// Nothing is recorded, or nobody knows; the same answer for all.
    Failed(AppendError, After),
}

impl Committer {
    pub(super) fn new(conn: Connection, clock: fn() -> Moment) -> Result<Self, ReadError> {
        // Every statement of the writer stays prepared.
        conn.set_prepared_statement_cache_capacity(32);
        let seen = data_version(&conn)?;
        let appender = Appender::load(&conn, clock)?;
        Ok(Self { committed: appender.head(), conn, appender, seen })
    }

    /// The end of what is committed.
    pub(super) fn committed(&self) -> Head {
        self.committed
    }

    /// Commits the group and answers it.
    pub(super) fn settle(&mut self, jobs: &[Job]) -> After {
        let mut slots: Vec<Slot<'_>> = jobs.iter().map(|job| Slot { job, outcome: None, out: false }).collect();
        loop {
            match self.attempt(&mut slots) {
                Attempt::Done => break,
                Attempt::Again => {}
                Attempt::Stale => return After::Stale,
                Attempt::Failed(error, after) => {
                    jobs.iter().for_each(|job| job.answer(Err(error.clone())));
                    return after;
                }
            }
        }
        for slot in slots {
            slot.job.answer(slot.outcome.unwrap_or(Err(AppendError::Closed)));
        }
        After::GoOn
    }

    fn attempt(&mut self, slots: &mut [Slot<'_>]) -> Attempt {
        if let Err(stop) = self.begin() {
            return stop;
        }
        for slot in slots.iter_mut().filter(|slot| !slot.out) {
            let before = self.progress();
            match self.appender.place(&self.conn, &slot.job.drafts) {
                Ok(receipt) => slot.outcome = Some(Ok(receipt)),
                Err(Stop::Batch(refusal)) => {
                    slot.outcome = Some(Err(refusal));
                    if self.progress() != before {
                        slot.out = true;
                        return self.undo().map_or_else(|failed| failed, |()| Attempt::Again);
                    }
                }
                Err(Stop::Log(error)) => {
                    let failed = Attempt::Failed(nothing_recorded(error), After::Reopen);
                    return self.undo().map_or_else(|worse| worse, |()| failed);
                }
            }
        }
        self.finish()
    }

    /// Begins, and looks whether somebody else has written to the log, behind the lock. What they did is not
    /// passed over but looked at, by opening again.
    fn begin(&mut self) -> Result<(), Attempt> {
        self.run("BEGIN IMMEDIATE").map_err(|error| {
            let error = nothing_recorded(error);
            let after = if matches!(error, AppendError::Busy) { After::GoOn } else { After::Reopen };
            Attempt::Failed(error, after)
        })?;
        let is_ours = data_version(&self.conn).and_then(|version| {
            if version == self.seen {
                return Ok(true);
            }
            self.seen = version;
            self.appender.reset(&self.conn)?;
            Ok(self.appender.head() == self.committed)
        });
        let stop = match is_ours {
            Ok(true) => return Ok(()),
            Ok(false) => Attempt::Stale,
            Err(error) => Attempt::Failed(nothing_recorded(error), After::Reopen),
        };
        self.undo()?;
        Err(stop)
    }

    fn finish(&mut self) -> Attempt {
        if self.appender.head() == self.committed {
            // Nothing but duplicates and refusals: there is nothing to wait for the disk for.
            return self.run("ROLLBACK").map_or_else(unknown, |()| Attempt::Done);
        }
        match self.run("COMMIT") {
            Ok(()) => {
                self.committed = self.appender.head();
                Attempt::Done
            }
            Err(error) => unknown(error),
        }
    }

    /// Moves with everything that a refusal would leave behind.
    fn progress(&self) -> (u64, u64) {
        (self.appender.head().seq, self.conn.total_changes())
    }

    fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.conn.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// Rolls back and forgets. An error may have ended the transaction already.
    fn undo(&mut self) -> Result<(), Attempt> {
        if !self.conn.is_autocommit() {
            self.run("ROLLBACK").map_err(unknown)?;
        }
        self.appender.reset(&self.conn).map_err(|error| Attempt::Failed(nothing_recorded(error), After::Reopen))
    }
}

fn data_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// A commit or rollback that fails leaves it open what a later reader of the file will find.
fn unknown(error: rusqlite::Error) -> Attempt {
    Attempt::Failed(AppendError::Unknown { source: Arc::new(IoCause::Sqlite(error)) }, After::Reopen)
}
