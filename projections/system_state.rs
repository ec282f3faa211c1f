//! `system_state`: history: one row a StateChanged; nothing is carried over.

use crate::cell::{Cell, Row, Table, integer, real, text};
use crate::event::StateChanged;
use crate::ledger::account::Standing;
use crate::moment::Moment;

/// A StateChanged, with where its account stood at that position.
pub static TABLE: Table = Table {
    name: "system_state",
    sql: include_str!("system_state.sql"),
    columns: &[
        integer("state_id", "position of the event"),
        text("timestamp", "occurred_at"),
        text("system_state", "StateChanged.state"),
        text("current_regime", "StateChanged.regime"),
        text("active_strategy", "StateChanged.strategy"),
        real("daily_pnl_r", "R of the account's trades closed on the current trading date; 0 where none"),
        real("weekly_pnl_r", "R of those closed in its week, from Monday; 0 where none"),
        real("current_r", "StateChanged.current_r"),
        integer(
            "consecutive_red_days",
            "run of red days that ends with the latest before the current date, over days on which trades closed",
        ),
        text("account_id", "account"),
    ],
    key: &["state_id"],
    unique: "state_id",
    order: &["state_id"],
    time: Some("timestamp"),
    doc: "A StateChanged, with where its account stood at that position.",
};

pub(crate) fn row(seq: u64, at: Moment, account: &str, changed: &StateChanged, standing: &Standing) -> Row {
    vec![
        Cell::seq(seq),
        at.into(),
        (&changed.state).into(),
        changed.regime.as_ref().into(),
        changed.strategy.as_ref().into(),
        standing.daily_pnl_r.into(),
        standing.weekly_pnl_r.into(),
        changed.current_r.into(),
        standing.consecutive_red_days.into(),
        account.into(),
        Cell::seq(seq),
        Cell::seq(seq),
    ]
}
