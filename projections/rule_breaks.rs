//! `rule_breaks`: each rule break.

use crate::cell::{Cell, Row, Table, integer, text};
use crate::event::RuleBroken;
use crate::moment::Moment;

/// A RuleBroken.
pub static TABLE: Table = Table {
    name: "rule_breaks",
    sql: include_str!("rule_breaks.sql"),
    columns: &[
        integer("rule_break_id", "position of the event"),
        text("timestamp", "occurred_at"),
        text("rule", "RuleBroken.rule"),
        text("severity", "info, minor or major"),
        text("trade_id", "trade it names"),
        text("account_id", "account: as given, else the trade's"),
        text("detail", "RuleBroken.detail"),
    ],
    key: &["rule_break_id"],
    unique: "rule_break_id",
    order: &["rule_break_id"],
    time: Some("timestamp"),
    doc: "A RuleBroken.",
};

/// The row of the event at `seq`, written when the one at `now` was folded: the same, or a correction that placed it
/// again.
pub(crate) fn row(seq: u64, now: u64, at: Moment, account: &str, broken: &RuleBroken) -> Row {
    vec![
        Cell::seq(seq),
        at.into(),
        (&broken.rule).into(),
        broken.severity.as_ref().into(),
        broken.trade_id.as_ref().into(),
        account.into(),
        broken.detail.as_ref().into(),
        Cell::seq(seq),
        Cell::seq(now),
    ]
}
