//! Owns folding much of the log at once. What is more than a page goes through three threads side by side: one
//! reads and decodes ahead, one folds, one writes what the page before changed. The tables are never ahead of
//! what was folded nor more than a page behind it, and each commit is one of `fold`'s own: wherever this ends or
//! dies, they are those of some page's end.

use std::ops::ControlFlow;
use std::panic;
use std::sync::Arc;
use std::thread::{self, Scope, ScopedJoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};
use projections::projection::About;
use projections::schema::EventType;

use super::Pace;
use super::error::ProjectError;
use super::fold::{self, Decoded, Flushed, Fold};
use crate::log::{Hash, ReadError, Reader};
use crate::tables::{Pending, SqlShelf, Tables};

/// How often a replay says how far it is.
const REPORT_EVERY: u64 = 1_000;

/// How many events are handed over at once by the thread that reads ahead.
const CHUNK_EVENTS: usize = 256;

/// How many such chunks may wait.
const CHUNKS_WAITING: usize = 4;

/// Who is told (events done, events in all).
pub(crate) type Report<'a> = &'a mut dyn FnMut(u64, u64);

/// Folds everything up to a position.
pub(crate) fn replay(
    reader: &Reader,
    tables: &Tables,
    folds: &mut [Fold],
    through: u64,
    pace: Pace,
    report: Report<'_>,
) -> Result<(), ProjectError> {
    let Some(after) = fold::next(folds, through) else { return Ok(()) };
    report(after, through);
    let mut done = after;
    let mut progress = || {
        done += 1;
        if done.is_multiple_of(REPORT_EVERY) && done < through {
            report(done, through);
        }
    };
    if through - after > pace.page_events as u64 {
        side_by_side(reader, tables, folds, (after, through), pace.page_events, &mut progress)?;
    }
    // What is left, such as by a fold that failed while others go on.
    while fold::next(folds, through).is_some() {
        let page = |_: &mut fold::Step<'_, '_>| {
            progress();
            false
        };
        fold::page(reader, tables, folds, through, pace.page_events, page)?;
    }
    report(through, through);
    Ok(())
}

/// An event that was read ahead.
struct Ahead {
    at: (u64, Hash),
    /// Which folds read it, a bit each.
    readers: u64,
    /// `None` where none does.
    event: Option<Decoded>,
}

fn side_by_side(
    reader: &Reader,
    tables: &Tables,
    folds: &mut [Fold],
    (after, through): (u64, u64),
    page_events: usize,
    progress: &mut dyn FnMut(),
) -> Result<(), ProjectError> {
    let other_reader = Reader::open(reader.dir())?;
    let abouts: Vec<_> = folds.iter().map(Fold::about).collect();
    let (sender, chunks) = bounded(CHUNKS_WAITING);
    thread::scope(|scope| {
        let reading = scope.spawn(move || read_ahead(&other_reader, &abouts, (after, through), &sender));
        let pages = Pages { scope, reader, tables, page_events, pending: Vec::new(), writing: None };
        // It takes the receiver along, without which nobody reads ahead any more.
        let folded = pages.fold(folds, chunks, progress);
        let read = join(reading);
        folded.and_then(|()| Ok(read?))
    })
}

fn read_ahead(
    reader: &Reader,
    abouts: &[&'static About],
    (after, through): (u64, u64),
    sender: &Sender<Vec<Ahead>>,
) -> Result<(), ReadError> {
    let mut chunk = Vec::with_capacity(CHUNK_EVENTS);
    reader.scan(after, through, |event| {
        let known_type = EventType::named(event.kind).is_some();
        let reads = |about: &&'static About| about.reads(event.kind, event.stream, known_type);
        let readers = abouts.iter().enumerate().filter(|(_, about)| reads(about)).map(|(at, _)| 1 << at).sum();
        let decoded = (readers != 0).then(|| fold::decode(&event));
        chunk.push(Ahead { at: (event.seq, event.hash), readers, event: decoded });
        if chunk.len() < CHUNK_EVENTS {
            return ControlFlow::Continue(());
        }
        match sender.send(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_EVENTS))) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    // Nobody may be interested any more.
    let _ = sender.send(chunk);
    Ok(())
}

/// Page after page, each folded while the one before is written.
struct Pages<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    reader: &'env Reader,
    tables: &'env Tables,
    page_events: usize,
    /// The fold state that is being written, by fold.
    pending: Vec<Arc<Pending>>,
    writing: Option<ScopedJoinHandle<'scope, Result<(), ProjectError>>>,
}

impl Pages<'_, '_> {
    fn fold(
        mut self,
        folds: &mut [Fold],
        chunks: Receiver<Vec<Ahead>>,
        progress: &mut dyn FnMut(),
    ) -> Result<(), ProjectError> {
        self.pending = folds.iter().map(|_| Arc::default()).collect();
        let mut events = chunks.into_iter().flatten().peekable();
        while !folds.iter().all(Fold::is_stopped) && events.peek().is_some() {
            let pending = std::mem::take(&mut self.pending);
            let shelf = |(fold, pending): (&Fold, _)| self.tables.shelf(fold.about(), pending);
            let shelves: Vec<SqlShelf<'_>> =
                folds.iter().zip(pending.iter().map(|each| Some(&**each))).map(shelf).collect();
            for event in events.by_ref().take(self.page_events) {
                take(folds, &shelves, &event);
                progress();
                if fold::cannot_go_on(folds, &shelves) {
                    break;
                }
            }
            self.hand_over(folds, shelves)?;
        }
        self.wait()
    }

    /// Has what a page changed written, once the page before is.
    fn hand_over(&mut self, folds: &mut [Fold], shelves: Vec<SqlShelf<'_>>) -> Result<(), ProjectError> {
        if folds.iter().any(Fold::has_failed) {
            // It is folded again from what is in the tables, and for that all has to be there.
            self.wait()?;
            self.pending = folds.iter().map(|_| Arc::default()).collect();
            let mut each = folds.iter_mut().zip(shelves);
            return each.try_for_each(|(fold, shelf)| fold.finish(self.reader, self.tables, shelf));
        }
        let flush = |(fold, shelf): (&mut Fold, _)| fold.flush(shelf);
        let flushed = folds.iter_mut().zip(shelves).map(flush).collect::<Result<Vec<_>, _>>()?;
        self.wait()?;
        self.pending = flushed.iter().map(|each| each.as_ref().map(Flushed::state).unwrap_or_default()).collect();
        let tables = self.tables;
        let write = move || flushed.into_iter().flatten().try_for_each(|flushed| flushed.commit(tables));
        self.writing = Some(self.scope.spawn(write));
        Ok(())
    }

    fn wait(&mut self) -> Result<(), ProjectError> {
        self.writing.take().map_or(Ok(()), join)
    }
}

fn take(folds: &mut [Fold], shelves: &[SqlShelf<'_>], event: &Ahead) {
    for (at, (fold, shelf)) in folds.iter_mut().zip(shelves).enumerate() {
        if fold.wants(event.at.0) {
            let is_reader = event.readers & 1 << at != 0;
            fold.take(shelf, event.at, event.event.as_ref().filter(|_| is_reader));
        }
    }
}

/// What a thread came to; its panic goes on here.
pub(super) fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
}
