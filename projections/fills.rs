//! `fills`: each fill, and where it went.

use crate::cell::{Cell, Row, Table, real, text};
use crate::ledger::book::FillRef;
use crate::ledger::position::Fill;

/// A fill as it stands after corrections.
pub static TABLE: Table = Table {
    name: "fills",
    sql: include_str!("fills.sql"),
    columns: &[
        text("fill_id", "FillRecorded.fill_id; of an exit's fill, its event's id"),
        text("timestamp", "occurred_at"),
        text("account_id", "account"),
        text("symbol", "instrument"),
        text("side", "buy or sell"),
        real("quantity", "whole quantity"),
        real("price", "price"),
        real("fees", "fees; negative is a rebate"),
        text("trade_id", "the first trade that got a part of it; of a busted fill, the trade it named"),
        text("order_id", "FillRecorded.order_id"),
        text("order_type", "order type"),
        real("intended_price", "price the order was meant for"),
        real("slippage_ticks", "as given"),
        real("latency_ms", "as given"),
        text("liquidity", "maker or taker"),
        text("status", "live, corrected or busted"),
    ],
    key: &["fill_id"],
    unique: "fill_id",
    order: &["timestamp", "fill_id"],
    time: Some("timestamp"),
    doc: "A fill as it stands after corrections.",
};

pub(crate) fn row(fill: &Fill, filed: &FillRef) -> Row {
    vec![
        (&fill.fill_id).into(),
        fill.at.into(),
        (&fill.book.account).into(),
        (&fill.book.symbol).into(),
        fill.side.name().into(),
        fill.quantity.into(),
        fill.price.into(),
        fill.fees.into(),
        filed.trades.first().into(),
        fill.order_id.as_ref().into(),
        fill.order_type.as_ref().into(),
        fill.intended_price.into(),
        fill.slippage_ticks.into(),
        fill.latency_ms.into(),
        fill.liquidity.as_ref().into(),
        filed.status.name().into(),
        Cell::seq(filed.seq),
        Cell::seq(filed.last_seq),
    ]
}
