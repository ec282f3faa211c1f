//! `market_data`: bars as they were closed.

use crate::cell::{Cell, Row, Table, integer, real, text};
use crate::changes::Rows;
use crate::drawer::{Drawer, Key, Shelf, StateChange};
use crate::event::{BarClosed, Event, Payload};
use crate::projection::{About, Projection};

/// A bar; of several for the same symbol, timeframe and start the latest wins.
pub static TABLE: Table = Table {
    name: "market_data",
    sql: include_str!("market_data.sql"),
    columns: &[
        integer("bar_id", "position of the first event for this bar"),
        text("timestamp", "the bar's start"),
        text("symbol", "instrument"),
        text("timeframe", "as given"),
        real("open_price", "open"),
        real("high_price", "high"),
        real("low_price", "low"),
        real("close_price", "close"),
        real("volume", "volume"),
        real("vwap", "as given"),
        real("adx", "as given"),
        real("atr", "as given"),
        text("regime", "as given"),
    ],
    key: &["bar_id"],
    unique: "bar_id",
    order: &["timestamp", "symbol", "timeframe", "bar_id"],
    time: Some("timestamp"),
    doc: "A bar; of several for the same symbol, timeframe and start the latest wins.",
};

/// Which bar: symbol, timeframe and start.
fn bar_key(bar: &BarClosed) -> Key {
    Key::text(&bar.symbol).and(&bar.timeframe).signed(bar.timestamp.0)
}

/// The fold of bars. It remembers which event made each bar, so that a later one replaces it.
#[derive(Debug)]
pub struct MarketData {
    first_seqs: Drawer<u64>,
    rows: Rows,
}

impl Default for MarketData {
    fn default() -> Self {
        Self { first_seqs: Drawer::new("bars"), rows: Rows::default() }
    }
}

/// The fold of bars, to the world.
pub static ABOUT: About = About {
    name: "market_data",
    version: 1,
    tables: &[&TABLE],
    types: &["BarClosed"],
    streams: &["market"],
    new: || Box::new(MarketData::default()),
};

impl Projection for MarketData {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn apply(&mut self, shelf: &dyn Shelf, event: &Event) {
        if let Payload::BarClosed(bar) = &event.payload {
            let first_seq = *self.first_seqs.entry(shelf, &bar_key(bar), || event.seq);
            self.rows.put(&TABLE, row(first_seq, event.seq, bar));
        }
    }

    fn flush(&mut self, _shelf: &dyn Shelf) -> (Rows, Vec<StateChange>) {
        let mut changes = Vec::new();
        self.first_seqs.flush(&mut changes, |_| false);
        (std::mem::take(&mut self.rows), changes)
    }

    /// A bar is made by one event: there is nothing to follow.
    fn row(&mut self, _shelf: &dyn Shelf, _table: &'static Table, _key: &[Cell]) -> Option<Row> {
        None
    }
}

fn row(first_seq: u64, last_seq: u64, bar: &BarClosed) -> Row {
    vec![
        Cell::seq(first_seq),
        bar.timestamp.into(),
        (&bar.symbol).into(),
        (&bar.timeframe).into(),
        bar.open.into(),
        bar.high.into(),
        bar.low.into(),
        bar.close.into(),
        bar.volume.into(),
        bar.vwap.into(),
        bar.adx.into(),
        bar.atr.into(),
        bar.regime.as_ref().into(),
        Cell::seq(first_seq),
        Cell::seq(last_seq),
    ]
}
