//! Owns one transaction: the batches that waited together, placed one after the other, committed together,
//! and answered only then, refusals too, since each may rest on what another batch of the group added.
//!
//! There are no savepoints: a batch that is refused before it wrote anything leaves nothing to undo, and the
//! rare one that is refused half-way makes the others start over without it.

use std::sync::Arc;

use projections::moment::Moment;
use rusqlite::{CachedStatement, Connection};

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
}

/// Commits groups to one open log.
pub(super) struct Committer<'c> {
    conn: &'c Connection,
    appender: Appender<'c>,
    begin: CachedStatement<'c>,
    commit: CachedStatement<'c>,
    rollback: CachedStatement<'c>,
    data_version: CachedStatement<'c>,
    /// SQLite's count of other connections' commits, as last seen.
    seen: i64,
    committed: Head,
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
    /// Nothing is recorded, or nobody knows; the same answer for all.
    Failed(AppendError, After),
}

impl<'c> Committer<'c> {
    pub(super) fn new(conn: &'c Connection, clock: fn() -> Moment) -> Result<Self, ReadError> {
        let mut data_version = conn.prepare_cached("PRAGMA data_version")?;
        let seen = data_version.query_row([], |row| row.get(0))?;
        let appender = Appender::new(conn, clock)?;
        Ok(Self {
            conn,
            begin: conn.prepare_cached("BEGIN IMMEDIATE")?,
            commit: conn.prepare_cached("COMMIT")?,
            rollback: conn.prepare_cached("ROLLBACK")?,
            data_version,
            seen,
            committed: appender.head(),
            appender,
        })
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
        if let Err(failed) = self.begin() {
            return failed;
        }
        for slot in slots.iter_mut().filter(|slot| !slot.out) {
            let before = self.conn.total_changes();
            match self.appender.place(&slot.job.drafts) {
                Ok(receipt) => slot.outcome = Some(Ok(receipt)),
                Err(Stop::Batch(refusal)) => {
                    slot.outcome = Some(Err(refusal));
                    if self.conn.total_changes() != before {
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

    /// Begins, and looks whether somebody else has written to the log. Nobody may: it would be behind the
    /// writer's lock. What they added is not passed over but looked at, by opening again.
    fn begin(&mut self) -> Result<(), Attempt> {
        self.begin.execute([]).map_err(|error| Attempt::Failed(nothing_recorded(error), After::GoOn))?;
        let looked = self.data_version.query_row([], |row| row.get::<_, i64>(0)).and_then(|version| {
            if version != self.seen {
                self.appender.reset()?;
                self.seen = version;
            }
            Ok(self.appender.head() == self.committed)
        });
        let error = match looked {
            Ok(true) => return Ok(()),
            Ok(false) => AppendError::Damaged { detail: "another program has appended to the log".into() },
            Err(error) => nothing_recorded(error),
        };
        self.undo()?;
        Err(Attempt::Failed(error, After::Reopen))
    }

    fn finish(&mut self) -> Attempt {
        if self.appender.head() == self.committed {
            // Nothing but duplicates and refusals: there is nothing to wait for the disk for.
            return self.undo().map_or_else(|failed| failed, |()| Attempt::Done);
        }
        match self.commit.execute([]) {
            Ok(_) => {
                self.committed = self.appender.head();
                Attempt::Done
            }
            Err(error) => unknown(error),
        }
    }

    /// Rolls back and forgets. An error may have ended the transaction already.
    fn undo(&mut self) -> Result<(), Attempt> {
        if !self.conn.is_autocommit() {
            self.rollback.execute([]).map_err(unknown)?;
        }
        self.appender.reset().map_err(|error| Attempt::Failed(nothing_recorded(error), After::Reopen))
    }
}

/// A commit or rollback that fails leaves it open what a later reader of the file will find.
fn unknown(error: rusqlite::Error) -> Attempt {
    Attempt::Failed(AppendError::Unknown { source: Arc::new(IoCause::Sqlite(error)) }, After::Reopen)
}
