//! `accounts`: AccountOpened's fields, and equity now.

use crate::calendar::{DEFAULT_DAY_ROLLS_AT, DEFAULT_TIME_ZONE};
use crate::cell::{Cell, Row, Table, real, text};
use crate::event::AccountOpened;
use crate::ledger::account::Account;

/// An account that was opened.
pub static TABLE: Table = Table {
    name: "accounts",
    sql: include_str!("accounts.sql"),
    columns: &[
        text("account_id", "account"),
        text("currency", "currency of all its amounts"),
        real("starting_equity", "AccountOpened.starting_equity"),
        text("kind", "live, sim, evaluation or funded"),
        text("broker", "AccountOpened.broker"),
        text("time_zone", "IANA zone of its trading days"),
        text("day_rolls_at", "local time at which the trading date rolls"),
        real("daily_loss_limit", "as given"),
        real("weekly_loss_limit", "as given"),
        real("trailing_drawdown", "as given"),
        real("profit_target", "as given"),
        text("metrics_windows", "windows of performance_metrics, a JSON list; 0 is all trades"),
        real("equity", "starting equity + cash moved + what is realised, to now"),
        text("attributes", "AccountOpened.attributes, a JSON object"),
    ],
    key: &["account_id"],
    unique: "account_id",
    order: &["account_id"],
    time: None,
    doc: "An account that was opened.",
};

pub(crate) fn row(account: &Account) -> Row {
    let default = AccountOpened::default();
    let terms = account.opened.as_ref().map_or(&default, |opened| &opened.terms);
    vec![
        (&terms.account_id).into(),
        (&terms.currency).into(),
        terms.starting_equity.into(),
        terms.kind.as_ref().into(),
        terms.broker.as_ref().into(),
        terms.time_zone.as_deref().unwrap_or(DEFAULT_TIME_ZONE).into(),
        terms.day_rolls_at.as_deref().unwrap_or(DEFAULT_DAY_ROLLS_AT).into(),
        terms.daily_loss_limit.into(),
        terms.weekly_loss_limit.into(),
        terms.trailing_drawdown.into(),
        terms.profit_target.into(),
        serde_json::Value::from(account.windows()).to_string().into(),
        account.equity.into(),
        terms.attributes.as_ref().map(|attributes| &attributes.0).into(),
        Cell::seq(account.opened.as_ref().map_or(account.first_seq, |opened| opened.seq)),
        Cell::seq(account.last_seq),
    ]
}
