//! `anomalies`: what a trader should look at.

use crate::cell::{Cell, Row, Table, integer, text};

/// Something surprising about a fact: recorded, folded sensibly, and listed here.
pub static TABLE: Table = Table {
    name: "anomalies",
    sql: include_str!("anomalies.sql"),
    columns: &[
        integer("seq", "position of the event"),
        text("kind", "unknown_trade, trade_reopened, exit_exceeds_position, repeated_fill and others"),
        text("trade_id", "trade concerned"),
        text("fill_id", "fill concerned"),
        text("detail", "what was surprising, and what was made of it"),
    ],
    key: &["seq", "kind", "fill_id"],
    unique: "seq, kind, ifnull(fill_id, '')",
    order: &["seq", "kind", "fill_id"],
    time: None,
    doc: "Something surprising about a fact: recorded, folded sensibly, and listed here.",
};

/// The row of what was found out about the event at `seq` when the one at `now` was folded: the same, or a later one
/// that corrected it.
pub(crate) fn row(seq: u64, now: u64, kind: &str, trade: Option<&str>, fill: Option<&str>, detail: &str) -> Row {
    vec![Cell::seq(seq), kind.into(), trade.into(), fill.into(), detail.into(), Cell::seq(seq), Cell::seq(now)]
}
