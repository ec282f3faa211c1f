//! `risk_state`: latest: RiskSet's keys, and what is derived from the trades.

use crate::cell::{Cell, Row, Table, text};
use crate::decimal::Dec;
use crate::ledger::account::{Account, RiskSetting};

/// A risk setting or a derived risk figure of an account.
pub static TABLE: Table = Table {
    name: "risk_state",
    sql: include_str!("risk_state.sql"),
    columns: &[
        text("account_id", "account"),
        text("key", "RiskSet.key, or daily_pnl_r, weekly_pnl_r, consecutive_red_days, daily_loss_limit_remaining"),
        text(
            "value",
            "RiskSet.value, or the derived figure in the account's current trading date; NULL where there is no limit",
        ),
        text("updated_at", "occurred_at of the RiskSet; of derived figures, of the account's last event"),
    ],
    key: &["account_id", "key"],
    unique: "account_id, key",
    order: &["account_id", "key"],
    time: Some("updated_at"),
    doc: "A risk setting or a derived risk figure of an account.",
};

/// The keys that are derived from the trades, and that nobody can set.
pub const DERIVED: [&str; 4] = ["daily_pnl_r", "weekly_pnl_r", "consecutive_red_days", "daily_loss_limit_remaining"];

pub(crate) fn rows(account_id: &str, account: &Account) -> Vec<Row> {
    let standing = &account.latest.standing;
    let figures = [
        Some(standing.daily_pnl_r),
        Some(standing.weekly_pnl_r),
        Some(Dec::from_int(i64::from(standing.consecutive_red_days))),
        standing.daily_loss_limit_remaining,
    ];
    let mut rows: Vec<Row> = account.risk.iter().map(|setting| set(account_id, setting)).collect();
    for (key, figure) in DERIVED.into_iter().zip(figures) {
        // Rounded once, as every stored figure is.
        let value = figure.map(|figure| Cell::Real(figure.to_f64()).to_text());
        rows.push(vec![
            account_id.into(),
            key.into(),
            value.into(),
            account.latest.at.into(),
            Cell::seq(account.first_seq),
            Cell::seq(account.latest.seq),
        ]);
    }
    rows
}

fn set(account_id: &str, setting: &RiskSetting) -> Row {
    vec![
        account_id.into(),
        (&setting.key).into(),
        (&setting.value).into(),
        setting.at.into(),
        Cell::seq(setting.first_seq),
        Cell::seq(setting.last_seq),
    ]
}
