//! Owns `_tradefold.Events`: the log after a position, page by page, and on as it grows. The log is the queue: what is
//! read next follows from a position alone, and a doorbell only ends a wait early.

use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use crossbeam_channel::Receiver;
use projections::draft::Stored;
use projections::schema;
use projections::validate::{nearest, to_edge};
use pyo3::prelude::*;
use tradefold::log::{EventRef, Reader};

use crate::home::{Counted, Home, Lock};
use crate::patience::{seconds, wait};
use crate::raise::Raise;

/// Events of a page.
const PAGE: usize = 512;

/// How often the head is looked at where another process records.
const LOOK: Duration = Duration::from_millis(10);

struct Place {
    log: Reader,
    /// Everything up to here was handed out or passed over.
    read: u64,
    _counted: Counted,
}

/// Events after a position.
#[pyclass(frozen, module = "tradefold._tradefold")]
pub(crate) struct Events {
    place: Home<Lock<Place>>,
    through: Option<u64>,
    types: Option<Vec<String>>,
    stream: Option<String>,
    bell: Option<Receiver<()>>,
}

impl Events {
    pub(crate) fn new(
        log: Reader,
        after: u64,
        through: Option<u64>,
        types: Option<Vec<String>>,
        stream: Option<String>,
        bell: Option<Receiver<()>>,
    ) -> Result<Self, Raise> {
        for kind in types.iter().flatten() {
            refuse_unknown_type(&log, kind)?;
        }
        Ok(Self {
            place: Home::new(Lock::new(Place { log, read: after, _counted: Counted::new()? })),
            through,
            types,
            stream,
            bell,
        })
    }

    fn is_wanted(&self, event: &EventRef<'_>) -> bool {
        self.types.as_ref().is_none_or(|types| types.iter().any(|kind| kind == event.kind))
    }

    /// The next page, up to the head of now: its lines, and the position until which everything has been read.
    fn page(&self) -> Result<(Vec<String>, u64), Raise> {
        let mut place = self.place.get()?.enter();
        let head = self.through.unwrap_or(u64::MAX).min(place.log.head()?.seq);
        let (mut lines, after) = (Vec::new(), place.read);
        let mut last = head.max(after);
        let mut each = |event: EventRef<'_>| {
            if self.is_wanted(&event) {
                let seq = event.seq;
                lines.push(to_edge(&Stored::from(event)));
                if lines.len() == PAGE {
                    last = seq;
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        };
        match &self.stream {
            // A stream has an index of its own; its positions are rising, too.
            Some(stream) => place.log.stream(stream, 0, |event| match event.seq {
                seq if seq <= after => ControlFlow::Continue(()),
                seq if seq > head => ControlFlow::Break(()),
                _ => each(event),
            })?,
            None => place.log.scan(after, head, each).map(drop)?,
        }
        place.read = last;
        Ok((lines, last))
    }
}

/// A mistyped type would find nothing and look like an answer. One that only a newer program knows may be in the log
/// all the same.
fn refuse_unknown_type(log: &Reader, kind: &str) -> Result<(), Raise> {
    let known = || schema::TYPES.iter().map(|known| known.name);
    if known().any(|name| name == kind) || log.counts_by_type()?.iter().any(|(name, _)| name == kind) {
        return Ok(());
    }
    let meant = match nearest(kind, known()) {
        Some(name) => format!("did you mean {name}?"),
        None => format!("known are {}", known().collect::<Vec<_>>().join(", ")),
    };
    Err(Raise::question(format!("there is no event type `{kind}`; {meant}")))
}

#[pymethods]
impl Events {
    /// The next page of lines and the position it reaches to; no lines where there are no more for now.
    fn next(&self, py: Python<'_>) -> PyResult<(Vec<String>, u64)> {
        Ok(py.detach(|| {
            loop {
                let (lines, last) = self.page()?;
                let head = self.through.unwrap_or(u64::MAX).min(self.place.get()?.enter().log.head()?.seq);
                if !lines.is_empty() || last >= head {
                    return Ok::<_, Raise>((lines, last));
                }
            }
        })?)
    }

    /// Waits until there may be more, for at most so long.
    fn rest(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let more = wait(py, seconds(timeout)?, |most| {
            let is_behind = {
                let place = self.place.get()?.enter();
                place.log.head()?.seq > place.read
            };
            if is_behind {
                return Ok(Some(()));
            }
            match &self.bell {
                // Rung or not, the next look decides; without the writer nobody rings any more.
                Some(bell) => match bell.recv_timeout(most) {
                    Err(crossbeam_channel::RecvTimeoutError::Disconnected) => return Err(Raise::closed()),
                    _ => return Ok(None),
                },
                None => thread::sleep(most.min(LOOK)),
            }
            Ok(None)
        })?;
        Ok(more.is_some())
    }
}
