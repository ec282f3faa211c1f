//! How one trade's row changed, event by event: the ledger folded again, looking at that trade alone.

use super::Ledger;
use crate::cell::{Cell, Row};
use crate::drawer::MemoryShelf;
use crate::event::Event;
use crate::projection::Projection;
use crate::trades;

/// Events folded before what is not open leaves memory.
const FLUSH_EVERY: u64 = 4_096;

/// A column that an event changed.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Change {
    pub column: &'static str,
    pub before: Cell,
    pub after: Cell,
}

/// Follows one trade through a replay.
#[derive(Debug)]
pub struct Trace {
    trade_id: String,
    ledger: Ledger,
    shelf: MemoryShelf,
    row: Option<Row>,
    /// The row's `last_seq`: while it stays, so does the row.
    stamp: Option<u64>,
    folded: u64,
}

impl Trace {
    /// Nothing folded yet.
    #[must_use]
    pub fn new(trade_id: &str) -> Self {
        Self {
            trade_id: trade_id.to_owned(),
            ledger: Ledger::default(),
            shelf: MemoryShelf::default(),
            row: None,
            stamp: None,
            folded: 0,
        }
    }

    /// Folds the next event; the columns of the trade's row that it changed.
    pub fn step(&mut self, event: &Event) -> Vec<Change> {
        self.ledger.apply(&self.shelf, event);
        self.folded += 1;
        if self.folded.is_multiple_of(FLUSH_EVERY) {
            let (_, changes) = self.ledger.flush(&self.shelf);
            self.shelf.keep(changes);
        }
        let stamp = self.ledger.trade_stamp(&self.shelf, &self.trade_id);
        if std::mem::replace(&mut self.stamp, stamp) == stamp {
            return Vec::new();
        }
        let row = self.ledger.trade_row(&self.shelf, &self.trade_id);
        let before = std::mem::replace(&mut self.row, row);
        if before == self.row {
            return Vec::new();
        }
        let blank: Row = vec![Cell::Null; trades::TABLE.columns.len()];
        let cells = |row: &Option<Row>| row.clone().unwrap_or_else(|| blank.clone());
        let pairs = cells(&before).into_iter().zip(cells(&self.row));
        let named = trades::TABLE.columns.iter().zip(pairs).filter(|(_, (before, after))| before != after);
        named.map(|(column, (before, after))| Change { column: column.name, before, after }).collect()
    }

    /// The row as it stands, in the order of the columns of `trades`.
    #[must_use]
    pub fn row(&self) -> Option<&Row> {
        self.row.as_ref()
    }
}
