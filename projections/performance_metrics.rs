//! `performance_metrics`: history: a row for each window at each position at which the account's closed trades changed.

use crate::cell::{Cell, Row, Table, integer, real, text};
use crate::metrics::{METRICS, Summary};
use crate::moment::Moment;

/// An account's metrics over one of its windows, as known at a position.
pub static TABLE: Table = Table {
    name: "performance_metrics",
    sql: include_str!("performance_metrics.sql"),
    columns: &[
        text("metric_id", "position, account and window: seq/account/window"),
        text("timestamp", "occurred_at of the event"),
        text("account_id", "account"),
        integer("window_trades", "the last N closed trades; 0 is all"),
        real("profit_factor", "see Metrics"),
        real("expected_r", "see Metrics"),
        real("win_rate", "see Metrics"),
        real("win_rate_wilson_lb", "see Metrics"),
        real("max_drawdown_r", "see Metrics"),
        real("current_drawdown_r", "see Metrics"),
        real("costs_pct", "see Metrics"),
        integer("total_trades", "see Metrics"),
        integer("total_wins", "see Metrics"),
        integer("total_losses", "see Metrics"),
        real("avg_win_r", "see Metrics"),
        real("avg_loss_r", "see Metrics"),
    ],
    key: &["metric_id"],
    unique: "metric_id",
    order: &["first_seq", "account_id", "window_trades"],
    time: Some("timestamp"),
    doc: "An account's metrics over one of its windows, as known at a position.",
};

pub(crate) fn row(seq: u64, at: Moment, account: &str, window: u32, summary: &Summary) -> Row {
    let mut row = Row::with_capacity(TABLE.columns.len() + 2);
    row.extend([
        [&seq.to_string(), account, &window.to_string()].join("/").into(),
        at.into(),
        account.into(),
        window.into(),
    ]);
    row.extend(METRICS.iter().filter(|metric| metric.seed).map(|metric| metric.of(summary).into()));
    row.extend([Cell::seq(seq), Cell::seq(seq)]);
    row
}
