//! Owns one step of following the log: a page of events read after the cursors, folded, and committed with
//! them. Live, catch-up and rebuild all take it, by [`page`] or with its parts side by side (`replay`). Nothing
//! here waits, sleeps or starts threads.

use std::error::Error as _;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use projections::cell::{Cell, Row, Table};
use projections::changes::Rows;
use projections::event::Event;
use projections::projection::{About, Projection};
use projections::schema::EventType;
use projections::upcast::{self, DecodeError, Raw};

use super::error::ProjectError;
use crate::log::{EventRef, Hash, Reader};
use crate::tables::{Cursor, Pending, SqlShelf, Stopped, Tables, TablesError};

/// A projection on its way through the log.
pub(crate) struct Fold {
    about: &'static About,
    /// Its memory of what was folded since the last commit; all else is on the shelf. After an error it is
    /// ahead of the tables, and only a new one goes on from there.
    projection: Box<dyn Projection>,
    /// Where the tables are, or will be when the last flush is in them.
    committed: Cursor,
    /// Where the memory is.
    reached: Cursor,
    /// It reads no event beyond this position.
    end: u64,
    /// Where it panicked: a defect of the fold, after which its memory is good for nothing.
    failed_at: Option<u64>,
}

impl Fold {
    /// Goes on from where the tables are. What stopped it is tried again: the program may know it by now.
    pub(crate) fn resume(about: &'static About, tables: &Tables) -> Result<Self, TablesError> {
        let committed = tables.cursor(about)?;
        let reached = Cursor { stopped: None, ..committed };
        Ok(Self { about, projection: (about.new)(), committed, reached, end: u64::MAX, failed_at: None })
    }

    /// The same for several projections.
    pub(crate) fn resume_all(abouts: &[&'static About], tables: &Tables) -> Result<Vec<Self>, TablesError> {
        abouts.iter().map(|about| Self::resume(about, tables)).collect()
    }

    /// What it folds.
    pub(crate) fn about(&self) -> &'static About {
        self.about
    }

    /// Sets the position beyond which it reads no event.
    pub(crate) fn end_at(&mut self, seq: u64) {
        self.end = seq;
    }

    /// Where the tables are, or will be when the last flush is in them.
    pub(crate) fn committed(&self) -> &Cursor {
        &self.committed
    }

    /// Where its memory is.
    pub(crate) fn reached(&self) -> &Cursor {
        &self.reached
    }

    /// Whether it met an event that it cannot read.
    pub(crate) fn is_stopped(&self) -> bool {
        self.reached.stopped.is_some()
    }

    /// Whether there is nothing for it to do up to a position.
    pub(crate) fn has_done(&self, through: u64) -> bool {
        self.is_stopped() || self.reached.position >= through.min(self.end)
    }

    /// Whether an event is still to be folded.
    pub(super) fn wants(&self, seq: u64) -> bool {
        !self.is_stopped() && seq > self.reached.position && seq <= self.end
    }

    /// Whether it panicked since the last commit.
    pub(super) fn has_failed(&self) -> bool {
        self.failed_at.is_some()
    }

    /// Goes past an event, and folds it if it is one that it reads.
    pub(super) fn take(&mut self, shelf: &SqlShelf<'_>, (seq, hash): (u64, Hash), read: Option<&Decoded>) {
        match read {
            Some(Ok(event)) => {
                let projection = &mut self.projection;
                if panic::catch_unwind(AssertUnwindSafe(|| projection.apply(shelf, event))).is_err() {
                    self.failed_at = Some(seq);
                    return;
                }
            }
            Some(Err(error)) => {
                self.reached.stopped = Some(Stopped { at: seq, reason: in_full(error) });
                return;
            }
            None => {}
        }
        (self.reached.position, self.reached.hash) = (seq, hash);
    }

    /// Commits what it did, unless the shelf could not answer it, or it failed.
    pub(super) fn finish(&mut self, reader: &Reader, tables: &Tables, shelf: SqlShelf<'_>) -> Result<(), ProjectError> {
        match self.failed_at {
            Some(seq) => {
                shelf.finish()?;
                self.retreat(reader, tables, seq)
            }
            None => self.commit(tables, shelf),
        }
    }

    fn commit(&mut self, tables: &Tables, shelf: SqlShelf<'_>) -> Result<(), ProjectError> {
        match self.flush(shelf)? {
            Some(flushed) => flushed.commit(tables).map(drop),
            None => Ok(()),
        }
    }

    /// Hands over what it did since the last time, to be committed; `None` where that is nothing.
    pub(super) fn flush(&mut self, shelf: SqlShelf<'_>) -> Result<Option<Flushed>, ProjectError> {
        if self.reached == self.committed {
            shelf.finish()?;
            return Ok(None);
        }
        let (about, projection) = (self.about, &mut self.projection);
        let flushed = panic::catch_unwind(AssertUnwindSafe(|| projection.flush(&shelf)));
        shelf.finish()?;
        let (rows, state) = flushed.map_err(|_| ProjectError::Defect { projection: about.name })?;
        let to = self.reached.clone();
        let from = std::mem::replace(&mut self.committed, to.clone());
        Ok(Some(Flushed { about, from, to, rows, state: Arc::new(Pending::new(state)) }))
    }

    /// Folds once more what was before the event at which it failed, and stops there: the tables are right up
    /// to it, and the other projections go on.
    fn retreat(&mut self, reader: &Reader, tables: &Tables, seq: u64) -> Result<(), ProjectError> {
        *self = Self { end: seq - 1, ..Self::resume(self.about, tables)? };
        while !self.has_done(seq - 1) {
            page(reader, tables, std::slice::from_mut(self), seq - 1, usize::MAX, |_| false)?;
        }
        if !self.is_stopped() {
            let reason = format!("event {seq}: the fold failed on it, which is a defect of tradefold");
            self.reached.stopped = Some(Stopped { at: seq, reason });
        }
        self.commit(tables, tables.shelf(self.about, None))
    }
}

/// What a page changed.
pub(super) struct Flushed {
    about: &'static About,
    from: Cursor,
    to: Cursor,
    rows: Rows,
    state: Arc<Pending>,
}

impl Flushed {
    /// What has to be seen until it is there.
    pub(super) fn state(&self) -> Arc<Pending> {
        Arc::clone(&self.state)
    }

    /// Puts it into the tables.
    pub(super) fn commit(self, tables: &Tables) -> Result<(), ProjectError> {
        Ok(tables.commit(self.about, &self.from, &self.to, self.rows, &self.state)?)
    }
}

/// An event that was just folded, for who watches.
pub(crate) struct Step<'a, 'c> {
    pub(crate) event: &'a EventRef<'a>,
    folds: &'a mut [Fold],
    shelves: &'a [SqlShelf<'c>],
}

impl Step<'_, '_> {
    /// The row under a key as it stands now, if its fold can tell.
    pub(crate) fn row(&mut self, table: &'static Table, key: &[Cell]) -> Option<Row> {
        let keeps = |fold: &Fold| fold.about.tables.iter().any(|other| other.name == table.name);
        let (fold, shelf) = self.folds.iter_mut().zip(self.shelves).find(|(fold, _)| keeps(fold))?;
        fold.projection.row(shelf, table, key)
    }
}

/// An event as folds read it.
pub(super) type Decoded = Result<Event, DecodeError>;

/// Whether what a page folded is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Commit,
    Forget,
}

/// The same as [`page`] for who only watches the last of a stretch: what was folded is forgotten, unless a fold failed,
/// whose page has to be folded again.
pub(crate) fn watch(
    reader: &Reader,
    tables: &Tables,
    folds: &mut [Fold],
    through: u64,
    each: impl FnMut(&mut Step<'_, '_>) -> bool,
) -> Result<(), ProjectError> {
    fold_page(reader, tables, folds, through, usize::MAX, each, End::Forget).map(drop)
}

/// Folds up to `limit` events, none beyond the position `through`, and commits. `each` sees every event when it is
/// folded, and ends the page early by saying so; what was folded until then is committed too. Returns how
/// many events it read.
pub(crate) fn page(
    reader: &Reader,
    tables: &Tables,
    folds: &mut [Fold],
    through: u64,
    limit: usize,
    each: impl FnMut(&mut Step<'_, '_>) -> bool,
) -> Result<usize, ProjectError> {
    fold_page(reader, tables, folds, through, limit, each, End::Commit)
}

fn fold_page(
    reader: &Reader,
    tables: &Tables,
    folds: &mut [Fold],
    through: u64,
    limit: usize,
    mut each: impl FnMut(&mut Step<'_, '_>) -> bool,
    end: End,
) -> Result<usize, ProjectError> {
    let Some(after) = next(folds, through) else { return Ok(0) };
    let shelves: Vec<SqlShelf<'_>> = folds.iter().map(|fold| tables.shelf(fold.about, None)).collect();
    let mut read = 0;
    reader.scan(after, through, |event| {
        read += 1;
        let known_type = EventType::named(event.kind).is_some();
        let mut decoded = None;
        for (fold, shelf) in folds.iter_mut().zip(&shelves).filter(|(fold, _)| fold.wants(event.seq)) {
            let reads = fold.about.reads(event.kind, event.stream, known_type);
            let read = reads.then(|| &*decoded.get_or_insert_with(|| decode(&event)));
            fold.take(shelf, (event.seq, event.hash), read);
        }
        let failed = cannot_go_on(folds, &shelves);
        let ended = each(&mut Step { event: &event, folds, shelves: &shelves });
        let done = failed || read >= limit || ended;
        if done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    for (fold, shelf) in folds.iter_mut().zip(shelves) {
        match end {
            End::Forget if fold.failed_at.is_none() => shelf.finish()?,
            _ => fold.finish(reader, tables, shelf)?,
        }
    }
    Ok(read)
}

/// After which position there is something to do; `None` where there is nothing up to `through`.
pub(super) fn next(folds: &[Fold], through: u64) -> Option<u64> {
    folds.iter().filter(|fold| !fold.has_done(through)).map(|fold| fold.reached.position).min()
}

/// Whether a page has to end here: one failed, or none goes on.
pub(super) fn cannot_go_on(folds: &[Fold], shelves: &[SqlShelf<'_>]) -> bool {
    folds.iter().any(Fold::has_failed) || shelves.iter().any(SqlShelf::has_failed) || folds.iter().all(Fold::is_stopped)
}

pub(super) fn decode(event: &EventRef<'_>) -> Decoded {
    upcast::decode_raw(&Raw {
        seq: event.seq,
        id: event.id,
        occurred_at: event.occurred_at,
        kind: event.kind,
        schema_version: event.schema_version,
        data: event.data,
    })
}

fn in_full(error: &DecodeError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use projections::changes::Rows;
    use projections::draft::{Draft, Stream};
    use projections::drawer::{Shelf, StateChange};
    use projections::moment::Moment;
    use projections::{ledger, market_data};

    use super::*;
    use crate::log::{Writer, WriterOptions};
    use crate::projector::Pace;
    use crate::projector::replay::replay;

    /// A fold of bars with a defect: it cannot bear the seventh event.
    struct Brittle(Box<dyn Projection>);

    static BRITTLE: About = About { new: || Box::new(Brittle((market_data::ABOUT.new)())), ..market_data::ABOUT };

    impl Projection for Brittle {
        fn about(&self) -> &'static About {
            &BRITTLE
        }

        fn apply(&mut self, shelf: &dyn Shelf, event: &Event) {
            assert!(event.seq != 7, "a defect");
            self.0.apply(shelf, event);
        }

        fn flush(&mut self, shelf: &dyn Shelf) -> (Rows, Vec<StateChange>) {
            self.0.flush(shelf)
        }

        fn row(&mut self, _: &dyn Shelf, _: &'static Table, _: &[Cell]) -> Option<Row> {
            None
        }
    }

    fn bar(minute: i64) -> Draft {
        let timestamp = Moment(1_772_461_860_000_000 + minute * 60_000_000);
        let data = format!(
            r#"{{"symbol":"ES","timeframe":"1m","timestamp":"{timestamp}","open":"1","high":"1","low":"1","close":"1","volume":"1"}}"#
        );
        Draft {
            id: None,
            kind: "BarClosed".to_owned(),
            schema_version: 1,
            occurred_at: timestamp,
            stream: Stream::Named("market/ES/1m".to_owned()),
            data,
            meta: None,
            expected_version: None,
        }
    }

    /// Records ten bars, has `fold` fold them by a fold with a defect among others, and looks at what came of it.
    fn check_stop(fold: impl FnOnce(&Reader, &Tables, &mut [Fold])) {
        let folder = tempfile::tempdir().unwrap();
        let (dir, options) = (folder.path().join("journal"), WriterOptions::default());
        crate::log::create(&dir, options.lock_wait).unwrap();
        Writer::open(&dir, options).unwrap().append((1..=10).map(bar).collect()).unwrap();
        let (reader, tables) =
            (Reader::open(&dir).unwrap(), Tables::open(&dir, crate::tables::Spacing::default()).unwrap());
        let mut folds = Fold::resume_all(&[&BRITTLE, &ledger::ABOUT], &tables).unwrap();
        fold(&reader, &tables, &mut folds);
        let cursor = tables.cursor(&BRITTLE).unwrap();
        assert_eq!((&cursor, cursor.position), (folds[0].committed(), 6));
        let stopped = cursor.stopped.unwrap();
        assert_eq!(stopped.at, 7);
        assert!(stopped.reason.contains("a defect of tradefold"), "{}", stopped.reason);
        assert!(folds[0].has_done(10));
        assert_eq!(tables.cursor(&ledger::ABOUT).unwrap(), *folds[1].committed());
        assert_eq!(folds[1].committed().position, 10);
        // Mended, it goes on from there.
        let mut mended = [Fold::resume(&market_data::ABOUT, &tables).unwrap()];
        page(&reader, &tables, &mut mended, 10, 100, |_| false).unwrap();
        assert_eq!(tables.cursor(&market_data::ABOUT).unwrap().position, 10);
        let rows: i64 = Tables::read_only(&dir)
            .unwrap()
            .query_row("SELECT count(*) FROM market_data", (), |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 10);
    }

    #[test]
    fn a_fold_that_panics_stops_before_the_event_with_all_before_it_committed() {
        check_stop(|reader, tables, folds| {
            while next(folds, 10).is_some() {
                page(reader, tables, folds, 10, 100, |_| false).unwrap();
            }
        });
    }

    #[test]
    fn so_does_one_whose_pages_are_written_beside_it() {
        for page_events in 1..10 {
            let pace = Pace { page_events, ..Pace::default() };
            check_stop(|reader, tables, folds| replay(reader, tables, folds, 10, pace, &mut |_, _| {}).unwrap());
        }
    }
}
