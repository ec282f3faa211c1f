//! `limit_breaches`: history: each limit of an account that was reached, with the event that brought it to light.

use crate::cell::{Cell, Row, Table, real, text};
use crate::ledger::limits::Breach;
use crate::moment::Moment;

/// A loss limit or a drawdown floor that was reached; `first_seq` is the event that brought it to light.
pub static TABLE: Table = Table {
    name: "limit_breaches",
    sql: include_str!("limit_breaches.sql"),
    columns: &[
        text("account_id", "account"),
        text("rule", "daily_loss_limit, weekly_loss_limit or trailing_drawdown"),
        text("date", "trading date on which the limit was reached; of a week its Monday"),
        text("timestamp", "occurred_at of the event that brought it to light"),
        real("threshold", "what was not to be reached: − the loss limit, or the drawdown floor"),
        real("value", "what reached it, as first seen: the net of the date or week, or equity"),
    ],
    key: &["account_id", "rule", "date"],
    unique: "account_id, rule, date",
    order: &["first_seq", "account_id", "rule", "date"],
    time: Some("timestamp"),
    doc: "A loss limit or a drawdown floor that was reached; `first_seq` is the event that brought it to light.",
};

pub(crate) fn row(seq: u64, at: Moment, account: &str, breach: &Breach) -> Row {
    vec![
        account.into(),
        breach.rule.into(),
        breach.date.to_string().into(),
        at.into(),
        breach.threshold.into(),
        breach.value.into(),
        Cell::seq(seq),
        Cell::seq(seq),
    ]
}
