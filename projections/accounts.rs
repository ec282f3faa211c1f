//! `accounts`: AccountOpened's fields, equity now, and how far its rules are used up.

use crate::calendar::{DEFAULT_DAY_ROLLS_AT, DEFAULT_TIME_ZONE};
use crate::cell::{Cell, Row, Table, real, text};
use crate::event::AccountOpened;
use crate::ledger::account::Account;
use crate::ledger::limits::{END_OF_DAY, Progress, Rules};

/// An account that was opened, and how far its rules are used up.
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
        text("trailing_drawdown_mode", "what raises high_water_mark: end_of_day or intraday"),
        real("trailing_drawdown_locks_at", "equity above which drawdown_floor does not rise, as given"),
        real("consistency_limit", "the largest share of the profit that the best day may have, as given"),
        real("day_net", "pl_net of the current trading date"),
        real("daily_loss_limit_remaining", "daily_loss_limit + day_net"),
        real("week_net", "sum of pl_net in the week of the current date, from Monday"),
        real("weekly_loss_limit_remaining", "weekly_loss_limit + week_net"),
        real("high_water_mark", "the largest equity so far, by its mode; cash moved moves it alike"),
        real("drawdown_floor", "high_water_mark − trailing_drawdown, never above trailing_drawdown_locks_at"),
        real("drawdown_remaining", "equity (intraday: with open trades) − drawdown_floor"),
        real("profit_target_progress", "net realised since the start / profit_target; 1 is reached"),
        real("best_day_net", "the largest pl_net of a date with a fill; NULL before any"),
        real("best_day_share", "best_day_net / net realised since the start; NULL where that is not above 0"),
    ],
    key: &["account_id"],
    unique: "account_id",
    order: &["account_id"],
    time: None,
    doc: "An account that was opened, and how far its rules are used up: see Loss limits, drawdown and targets.",
};

pub(crate) fn row(account: &Account) -> Row {
    let default = AccountOpened::default();
    let terms = account.opened.as_ref().map_or(&default, |opened| &opened.terms);
    let mut row = as_opened(account, terms);
    row.extend(progress(account, terms));
    row.extend([
        Cell::seq(account.opened.as_ref().map_or(account.first_seq, |opened| opened.seq)),
        Cell::seq(account.last_seq),
    ]);
    row
}

fn as_opened(account: &Account, terms: &AccountOpened) -> Row {
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
    ]
}

fn progress(account: &Account, terms: &AccountOpened) -> [Cell; 13] {
    let Progress { day_net, week_net, mark, equity, realised, best_net } = account.progress;
    let floor = mark.floor(&Rules::of(terms));
    let profit = Some(realised).filter(|realised| realised.is_positive());
    [
        terms.trailing_drawdown_mode.as_deref().unwrap_or(END_OF_DAY).into(),
        terms.trailing_drawdown_locks_at.into(),
        terms.consistency_limit.into(),
        day_net.into(),
        terms.daily_loss_limit.map(|limit| limit + day_net).into(),
        week_net.into(),
        terms.weekly_loss_limit.map(|limit| limit + week_net).into(),
        mark.equity.into(),
        floor.into(),
        floor.map(|floor| equity - floor).into(),
        terms.profit_target.and_then(|target| realised.ratio(target)).into(),
        best_net.into(),
        best_net.zip(profit).and_then(|(best, profit)| best.ratio(profit)).into(),
    ]
}
