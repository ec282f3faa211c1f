//! Owns what the service knows of how far things are: the log's head, and each projection, with when it last got on. Two
//! threads wait for the journal's doorbells and tell whoever waits here. A bell carries nothing: who hears it looks.

use std::ops::ControlFlow;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use projections::cell::Table;
use projections::projection::keeper_of;
use tokio::sync::watch;

use axum::http::StatusCode;

use super::desk::{Desk, Seat};
use super::problem::Problem;
use crate::journal::Journal;
use crate::log::{self, Reader};
use crate::projector::{ProjectionState, Role};

/// How long a look lasts at most: by then whoever stops the service is noticed.
const LOOK: Duration = Duration::from_millis(200);

/// Where the projections are.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) states: Vec<ProjectionState>,
    /// When each last got on.
    pub(super) moved: Vec<Instant>,
    pub(super) role: Role,
}

impl Standing {
    fn beyond(&self, states: Vec<ProjectionState>, role: Role) -> Self {
        let now = Instant::now();
        let moved = states.iter().enumerate().map(|(at, state)| match (self.states.get(at), self.moved.get(at)) {
            (Some(before), Some(moved)) if before.cursor.position == state.cursor.position => *moved,
            _ => now,
        });
        Self { moved: moved.collect(), states, role }
    }

    /// The position that is in each of some tables.
    pub(super) fn position_of(&self, tables: &[&'static Table]) -> u64 {
        let keeps = |state: &&ProjectionState| {
            tables.iter().any(|table| keeper_of(table.name).is_some_and(|about| about.name == state.name))
        };
        self.states.iter().filter(keeps).map(|state| state.cursor.position).min().unwrap_or(0)
    }

    /// The position that is in every table.
    pub(super) fn position(&self) -> u64 {
        self.states.iter().map(|state| state.cursor.position).min().unwrap_or(0)
    }
}

/// How far a projection is behind the log.
#[derive(Clone, Debug)]
pub(super) struct Lag {
    pub(super) state: ProjectionState,
    pub(super) events: u64,
    /// Since the first event that is not in its tables was recorded; 0 where there is none.
    pub(super) seconds: f64,
    /// Since it last got on.
    still: Duration,
}

impl Lag {
    /// Whether it had something to do for so long, and did nothing.
    pub(super) fn is_stale(&self, after: Duration) -> bool {
        self.still > after && self.seconds > after.as_secs_f64()
    }
}

/// The doorbells.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    pub(super) head: watch::Receiver<u64>,
    pub(super) standing: watch::Receiver<Standing>,
}

impl Progress {
    /// Begins to follow a journal, until it is dropped.
    pub(super) fn follow(journal: &Arc<Journal>, reader: Reader) -> std::io::Result<Self> {
        let (ring, bell) = bounded(1);
        // Before the head is read, so that nothing is recorded unheard.
        journal.writer().subscribe(ring);
        let (told, head) = watch::channel(reader.head().map_or(0, |head| head.seq));
        thread::Builder::new().name("http-log".to_owned()).spawn(move || {
            while bell.recv().is_ok() {
                // What can't be read now is looked at with the next ring.
                if let Ok(head) = reader.head() {
                    told.send_replace(head.seq);
                }
            }
        })?;
        let states = journal.states_beyond(&[], Duration::ZERO);
        let first = Standing { moved: vec![Instant::now(); states.len()], states, role: journal.role() };
        let (told, standing) = watch::channel(first);
        let journal = Arc::downgrade(journal);
        thread::Builder::new().name("http-tables".to_owned()).spawn(move || watch_tables(&journal, &told))?;
        Ok(Self { head, standing })
    }

    /// How far each projection is behind now.
    pub(super) async fn lags(&self, desk: &Desk) -> Result<Vec<Lag>, Problem> {
        let standing = self.standing.borrow().clone();
        let read = move |seat: &mut Seat| {
            let (head, now) = (seat.log.head()?.seq, log::now());
            let mut lags = Vec::new();
            for (state, moved) in standing.states.into_iter().zip(standing.moved) {
                let mut recorded = None;
                seat.log.by_seqs(&[state.cursor.position + 1], |event| {
                    recorded = Some(event.recorded_at);
                    ControlFlow::Continue(())
                })?;
                let micros = recorded.map_or(0, |at| u64::try_from(now.0 - at.0).unwrap_or(0));
                let events = head.saturating_sub(state.cursor.position);
                let seconds = Duration::from_micros(micros).as_secs_f64();
                lags.push(Lag { state, events, seconds, still: moved.elapsed() });
            }
            Ok(lags)
        };
        desk.read(read).await
    }

    /// Waits until everything up to a position is in every table. What nobody has recorded yet is nobody's own write.
    pub(super) async fn wait_for(&self, desk: &Desk, seq: u64, longest: Duration) -> Result<(), Problem> {
        // The doorbell may be late: the log itself is asked.
        if seq > *self.head.borrow() {
            let head = desk.read(|seat| Ok(seat.log.head()?.seq)).await?;
            if seq > head {
                return Err(Problem::question(format!("wait_for {seq}: the log ends at position {head}")));
            }
        }
        let mut standing = self.standing.clone();
        let settled = |standing: &Standing| {
            let is_settled = |state: &ProjectionState| state.has_reached(seq) || state.is_stopped();
            standing.states.iter().all(is_settled)
        };
        let position = |standing: &Standing| standing.position();
        let Ok(waited) = tokio::time::timeout(longest, standing.wait_for(settled)).await else {
            let at = position(&self.standing.borrow());
            let detail = format!("position {seq} did not come in time; the tables are at {at}");
            return Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, "not-there-yet", detail).with("position", at));
        };
        let Ok(found) = waited else { return Err(Problem::not_now("stopping", "the service is stopping")) };
        match found.states.iter().find(|state| !state.has_reached(seq)) {
            None => Ok(()),
            Some(state) => {
                let reason = state.cursor.stopped.as_ref().map_or("", |stop| stop.reason.as_str());
                let detail = format!("{} is stopped at position {}: {reason}", state.name, state.cursor.position);
                Err(Problem::not_now("stopped", detail).with("position", position(&found)))
            }
        }
    }
}

fn watch_tables(journal: &Weak<Journal>, told: &watch::Sender<Standing>) {
    loop {
        let Some(journal) = journal.upgrade() else { return };
        let before = told.borrow().clone();
        let states = journal.states_beyond(&before.states, LOOK);
        let role = journal.role();
        drop(journal);
        if states != before.states || role != before.role {
            told.send_replace(before.beyond(states, role));
        }
        if told.is_closed() {
            return;
        }
    }
}
