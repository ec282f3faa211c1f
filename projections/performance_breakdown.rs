//! `performance_breakdown`: latest: what each strategy, regime, weekday, mood and rule break pays or costs.

use crate::cell::{Cell, Row, Table, integer, real, text};
use crate::ledger::groups::Group;
use crate::metrics::METRICS;

/// The metrics of all closed trades that share a dimension's value, in an account or over all.
pub static TABLE: Table = Table {
    name: "performance_breakdown",
    sql: include_str!("performance_breakdown.sql"),
    columns: &[
        text("account_id", "account, or * for all together"),
        text(
            "dimension",
            "all, strategy, regime, strategy_regime, symbol, weekday, hour, exit_reason, mental_state, rule_broken or account",
        ),
        text("value", "the dimension's value; none where absent"),
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
        real("payoff_ratio", "see Metrics"),
        real("sqn", "see Metrics"),
        real("sharpe_r", "see Metrics"),
        real("sortino_r", "see Metrics"),
        real("largest_win_r", "see Metrics"),
        real("largest_loss_r", "see Metrics"),
        integer("win_streak", "see Metrics"),
        integer("loss_streak", "see Metrics"),
        real("avg_mae", "see Metrics"),
        real("avg_mfe", "see Metrics"),
        real("avg_holding_minutes", "see Metrics"),
        real("kelly_fraction", "see Metrics"),
        real("recovery_factor", "see Metrics"),
        integer("rule_breaks", "see Metrics"),
    ],
    key: &["account_id", "dimension", "value"],
    unique: "account_id, dimension, value",
    order: &["account_id", "dimension", "value"],
    time: None,
    doc: "The metrics of all closed trades that share a dimension's value, in an account or over all.",
};

pub(crate) fn row(key: Vec<Cell>, group: &Group) -> Row {
    let mut row = Row::with_capacity(TABLE.columns.len() + 2);
    row.extend(key);
    row.extend(METRICS.iter().map(|metric| metric.of(group.running.total()).into()));
    row.extend([Cell::seq(group.first_seq), Cell::seq(group.last_seq)]);
    row
}
