//! `round_trips`: the view a broker prints; gross sums equal those of the trades.

use crate::cell::{Cell, Row, Table, real, text};
use crate::ledger::position::RoundTrip;
use crate::ledger::trade::Trade;

/// An entry fill and an exit fill of a trade, paired first in, first out.
pub static TABLE: Table = Table {
    name: "round_trips",
    sql: include_str!("round_trips.sql"),
    columns: &[
        text("entry_fill_id", "fill that entered"),
        text("exit_fill_id", "fill that exited"),
        text("trade_id", "trade"),
        text("account_id", "account"),
        text("symbol", "instrument"),
        text("side", "long or short"),
        real("quantity", "quantity paired"),
        real("entry_price", "price of the entry fill"),
        real("exit_price", "price of the exit fill"),
        text("timestamp_entry", "occurred_at of the entry fill"),
        text("timestamp_exit", "occurred_at of the exit fill"),
        real("pl_gross", "price difference × quantity × point value, signed by side"),
        real("fees", "shares of both fills' fees by quantity, the remainder on a fill's last pair"),
    ],
    key: &["trade_id", "entry_fill_id", "exit_fill_id"],
    unique: "trade_id, entry_fill_id, exit_fill_id",
    order: &["timestamp_exit", "trade_id", "entry_fill_id", "exit_fill_id"],
    time: Some("timestamp_exit"),
    doc: "An entry fill and an exit fill of a trade, paired first in, first out.",
};

pub(crate) fn key(trade_id: &str, trip: &RoundTrip) -> Vec<Cell> {
    vec![trade_id.into(), (&trip.entry_fill_id).into(), (&trip.exit_fill_id).into()]
}

pub(crate) fn row(trade: &Trade, trip: &RoundTrip) -> Row {
    vec![
        (&trip.entry_fill_id).into(),
        (&trip.exit_fill_id).into(),
        (&trade.trade_id).into(),
        (&trade.account).into(),
        (&trade.symbol).into(),
        trade.direction.name().into(),
        trip.quantity.into(),
        trip.entry_price.into(),
        trip.exit_price.into(),
        trip.entered_at.into(),
        trip.exited_at.into(),
        trip.gross.into(),
        trip.fees.into(),
        Cell::seq(trip.first_seq),
        Cell::seq(trip.last_seq),
    ]
}
