//! Owns one step of following the log: a page of events read after the cursors, folded, and committed with
//! them. Live, catch-up and rebuild all go through [`page`]; they differ in when they call it. Nothing here
//! waits, sleeps or starts threads.

use std::error::Error as _;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};

use projections::cell::{Cell, Row, Table};
use projections::event::Event;
use projections::projection::{About, Projection};
use projections::schema::EventType;
use projections::upcast::{self, DecodeError, Raw};

use super::error::ProjectError;
use crate::log::{EventRef, Reader};
use crate::tables::{Cursor, SqlShelf, Stopped, Tables, TablesError};

/// A projection on its way through the log.
pub(crate) struct Fold {
    about: &'static About,
    /// Its memory of what was folded since the last commit; all else is on the shelf. After an error it is
    /// ahead of the tables, and only a new one goes on from there.
    projection: Box<dyn Projection>,
    /// Where the tables are.
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

    /// Where the tables are.
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

    fn wants(&self, seq: u64) -> bool {
        !self.is_stopped() && seq > self.reached.position && seq <= self.end
    }

    fn take(&mut self, shelf: &SqlShelf<'_>, event: &EventRef<'_>, known_type: bool, decoded: &mut Decoded) {
        if self.about.reads(event.kind, event.stream, known_type) {
            match decoded.get_or_insert_with(|| decode(event)) {
                Ok(event) => {
                    let (projection, failed) = (&mut self.projection, &mut self.failed_at);
                    if panic::catch_unwind(AssertUnwindSafe(|| projection.apply(shelf, event))).is_err() {
                        *failed = Some(event.seq);
                        return;
                    }
                }
                Err(error) => {
                    self.reached.stopped = Some(Stopped { at: event.seq, reason: in_full(error) });
                    return;
                }
            }
        }
        (self.reached.position, self.reached.hash) = (event.seq, event.hash);
    }

    /// Commits what it did, unless the shelf could not answer it, or it failed.
    fn finish(&mut self, reader: &Reader, tables: &Tables, shelf: SqlShelf<'_>) -> Result<(), ProjectError> {
        match self.failed_at {
            Some(seq) => {
                shelf.finish()?;
                self.retreat(reader, tables, seq)
            }
            None => self.commit(tables, shelf),
        }
    }

    fn commit(&mut self, tables: &Tables, shelf: SqlShelf<'_>) -> Result<(), ProjectError> {
        if self.reached == self.committed {
            return Ok(());
        }
        let projection = &mut self.projection;
        let flushed = panic::catch_unwind(AssertUnwindSafe(|| projection.flush(&shelf)));
        shelf.finish()?;
        let about = self.about;
        let (rows, state) = flushed.map_err(|_| ProjectError::Defect { projection: about.name })?;
        tables.commit(about, &self.committed, &self.reached, rows, &state)?;
        self.committed = self.reached.clone();
        Ok(())
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
        self.commit(tables, tables.shelf(self.about))
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

/// An event decoded for the first fold that reads it.
type Decoded = Option<Result<Event, DecodeError>>;

/// Folds up to `limit` events, none beyond the position `through`, and commits. `each` sees every event when it is
/// folded, and ends the page early by saying so; what was folded until then is committed too. Returns how
/// many events it read.
pub(crate) fn page(
    reader: &Reader,
    tables: &Tables,
    folds: &mut [Fold],
    through: u64,
    limit: usize,
    mut each: impl FnMut(&mut Step<'_, '_>) -> bool,
) -> Result<usize, ProjectError> {
    let going = folds.iter().filter(|fold| !fold.has_done(through));
    let Some(after) = going.map(|fold| fold.reached.position).min() else { return Ok(0) };
    let shelves: Vec<SqlShelf<'_>> = folds.iter().map(|fold| tables.shelf(fold.about)).collect();
    let mut read = 0;
    reader.scan(after, through, |event| {
        read += 1;
        let known_type = EventType::named(event.kind).is_some();
        let mut decoded = None;
        for (fold, shelf) in folds.iter_mut().zip(&shelves).filter(|(fold, _)| fold.wants(event.seq)) {
            fold.take(shelf, &event, known_type, &mut decoded);
        }
        let failed = folds.iter().any(|fold| fold.failed_at.is_some()) || shelves.iter().any(SqlShelf::has_failed);
        let ended = each(&mut Step { event: &event, folds, shelves: &shelves });
        let done = failed || read >= limit || ended || folds.iter().all(Fold::is_stopped);
        if done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    for (fold, shelf) in folds.iter_mut().zip(shelves) {
        fold.finish(reader, tables, shelf)?;
    }
    Ok(read)
}

fn decode(event: &EventRef<'_>) -> Result<Event, DecodeError> {
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
    use projections::market_data;
    use projections::moment::Moment;

    use super::*;
    use crate::log::{Writer, WriterOptions};

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

    #[test]
    fn a_fold_that_panics_stops_before_the_event_with_all_before_it_committed() {
        let folder = tempfile::tempdir().unwrap();
        let (dir, options) = (folder.path().join("journal"), WriterOptions::default());
        crate::log::create(&dir, options.lock_wait).unwrap();
        Writer::open(&dir, options).unwrap().append((1..=10).map(bar).collect()).unwrap();
        let (reader, tables) =
            (Reader::open(&dir).unwrap(), Tables::open(&dir, crate::tables::Spacing::default()).unwrap());
        let fold = |about| [Fold::resume(about, &tables).unwrap()];
        let mut brittle = fold(&BRITTLE);
        page(&reader, &tables, &mut brittle, 10, 100, |_| false).unwrap();
        let cursor = tables.cursor(&BRITTLE).unwrap();
        assert_eq!((&cursor, cursor.position), (brittle[0].committed(), 6));
        let stopped = cursor.stopped.unwrap();
        assert_eq!(stopped.at, 7);
        assert!(stopped.reason.contains("a defect of tradefold"), "{}", stopped.reason);
        assert!(brittle[0].has_done(10));
        // Mended, it goes on from there.
        page(&reader, &tables, &mut fold(&market_data::ABOUT), 10, 100, |_| false).unwrap();
        assert_eq!(tables.cursor(&market_data::ABOUT).unwrap().position, 10);
        let rows: i64 = Tables::read_only(&dir)
            .unwrap()
            .query_row("SELECT count(*) FROM market_data", (), |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 10);
    }
}
