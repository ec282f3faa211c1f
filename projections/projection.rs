//! Owns what the world needs to know of a fold to run it: its name, its tables, what it reads, and the two
//! steps of folding. The world knows nothing else of any fold.

use crate::cell::{Cell, Row, Table};
use crate::changes::Rows;
use crate::drawer::{Shelf, StateChange};
use crate::event::Event;
use crate::{TABLES, ledger, market_data};

/// A fold with the tables it keeps: it follows the log from a cursor of its own.
pub trait Projection: Send {
    /// What it is and reads.
    fn about(&self) -> &'static About;
    /// Folds one event. Cannot fail: what is surprising is listed in `anomalies`.
    fn apply(&mut self, shelf: &dyn Shelf, event: &Event);
    /// What changed since the last flush; the world commits both together with the cursor.
    fn flush(&mut self, shelf: &dyn Shelf) -> (Rows, Vec<StateChange>);
    /// The row under a key as it stands between flushes, of the tables whose rows are followed event by event;
    /// `None` where there is none, and for all other tables.
    fn row(&mut self, shelf: &dyn Shelf, table: &'static Table, key: &[Cell]) -> Option<Row>;
}

/// What a projection is.
#[derive(Debug)]
pub struct About {
    /// Its name in `status`.
    pub name: &'static str,
    /// Raised with every change of what it makes of the same events: tables of another version are refolded.
    pub version: u32,
    /// Its tables.
    pub tables: &'static [&'static Table],
    /// The event types it reads.
    pub types: &'static [&'static str],
    /// The first words of streams in which an event of a type it doesn't know stops it: skipping it could
    /// falsify a table.
    pub streams: &'static [&'static str],
    /// Makes it, with nothing folded yet; its memory is on the shelf.
    pub new: fn() -> Box<dyn Projection>,
}

impl About {
    /// Whether an event concerns it. Events of unknown types concern whoever follows their stream.
    #[must_use]
    pub fn reads(&self, kind: &str, stream: &str, known_type: bool) -> bool {
        if known_type {
            return self.types.contains(&kind);
        }
        let word = stream.split('/').next().unwrap_or_default();
        self.streams.contains(&word) || !STREAMS.contains(&word)
    }
}

/// The first words of all streams there are.
const STREAMS: [&str; 5] = ["account", "instrument", "trade", "market", "system"];

/// Every projection there is.
pub static PROJECTIONS: [&About; 2] = [&ledger::ABOUT, &market_data::ABOUT];

/// The projection that keeps a table.
#[must_use]
pub fn keeper_of(table: &str) -> Option<&'static About> {
    PROJECTIONS.into_iter().find(|about| about.tables.iter().any(|kept| kept.name == table))
}

/// A table by name.
#[must_use]
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.into_iter().find(|table| table.name == name)
}
