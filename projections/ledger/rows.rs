//! Turns what a flush changed into rows: trades and their round trips, days, accounts with their risk
//! figures, and breakdowns. Rows of single events are written where the event is folded.

use super::State;
use super::account::Account;
use super::trade::{Status, Trade};
use crate::calendar::TradingDate;
use crate::cell::Cell;
use crate::changes::Rows;
use crate::drawer::Key;
use crate::{accounts, daily_pnl, performance_breakdown, risk_state, round_trips, trades};

/// Writes a row for everything in the drawers that changed since the last flush.
pub(super) fn write(state: &mut State, rows: &mut Rows) {
    write_trades(state, rows);
    write_days(state, rows);
    for (key, account) in state.accounts.changed() {
        if let Some(account) = account {
            write_account(rows, &first_text(key), account);
        }
    }
    for (key, group) in state.groups.changed() {
        let key = texts(key).into_iter().map(Cell::from).collect();
        match group {
            Some(group) => rows.put(&performance_breakdown::TABLE, performance_breakdown::row(key, group)),
            None => rows.delete(&performance_breakdown::TABLE, key),
        }
    }
}

fn write_trades(state: &mut State, rows: &mut Rows) {
    for (key, trade) in state.trades.changed() {
        let Some(trade) = trade else {
            rows.delete(&trades::TABLE, vec![first_text(key).into()]);
            continue;
        };
        rows.put(&trades::TABLE, trades::row(trade));
        if trade.status == Status::Voided {
            // It counts nowhere: a broker's view has no line for it.
            continue;
        }
        for trip in &trade.position.round_trips[trade.round_trips_written..] {
            rows.put(&round_trips::TABLE, round_trips::row(trade, trip));
        }
    }
    state.trades.visit_changed(|trade| trade.round_trips_written = trade.position.round_trips.len());
}

fn write_days(state: &State, rows: &mut Rows) {
    for (key, day) in state.days.changed() {
        let account = first_text(key);
        let date = TradingDate::from_key(&key[account.len() + 1..]);
        match day.filter(|day| day.has_row()) {
            Some(day) => rows.put(&daily_pnl::TABLE, daily_pnl::row(&account, date, day)),
            None => rows.delete(&daily_pnl::TABLE, vec![date.to_string().into(), account.into()]),
        }
    }
}

fn write_account(rows: &mut Rows, account_id: &str, account: &Account) {
    if account.opened.is_some() {
        rows.put(&accounts::TABLE, accounts::row(account));
    }
    for row in risk_state::rows(account_id, account) {
        rows.put(&risk_state::TABLE, row);
    }
}

/// The text a key begins with.
pub(super) fn first_text(key: &[u8]) -> String {
    let end = key.iter().position(|byte| *byte == 0).unwrap_or(key.len());
    String::from_utf8_lossy(&key[..end]).into_owned()
}

fn texts(key: &[u8]) -> Vec<String> {
    key.split(|byte| *byte == 0)
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

/// Whether two tellings of a trade give the same row, whoever wrote it when.
pub(super) fn same_figures(one: &Trade, other: &Trade) -> bool {
    let corrections = trades::TABLE.position("corrections");
    let figures = trades::TABLE.columns.len();
    let pairs = trades::row(one).into_iter().zip(trades::row(other)).take(figures).enumerate();
    pairs.filter(|(at, _)| Some(*at) != corrections).all(|(_, (one, other))| one == other)
}

/// The strategy of a trade; `None` where nobody named one.
pub(crate) fn strategy(trade: &Trade) -> Option<&str> {
    trade.opened().map(|opened| opened.strategy.as_str()).filter(|strategy| !strategy.is_empty())
}

/// The words of `trades.win_loss`, once a trade is closed.
pub(crate) fn win_loss(trade: &Trade) -> Option<&'static str> {
    trade.exited_at()?;
    let net = trade.position.net();
    Some(if net.is_positive() {
        "Win"
    } else if net.is_negative() {
        "Loss"
    } else {
        "Breakeven"
    })
}

/// TradeOpened's notes, then those of NoteAdded and TradeExited in order, a line each.
pub(crate) fn notes(trade: &Trade) -> Option<String> {
    use crate::event::Payload;
    let opening = trade.opened().and_then(|opened| opened.notes.clone());
    let later = trade.facts.iter().filter_map(|fact| match &fact.payload {
        Payload::NoteAdded(note) => Some(note.text.clone()),
        Payload::TradeExited(exit) if exit.trade_id == trade.trade_id => exit.notes.clone(),
        _ => None,
    });
    let all: Vec<String> = opening.into_iter().chain(later).collect();
    (!all.is_empty()).then(|| all.join("\n"))
}

/// TradeOpened's tags, then those of NoteAdded in order, as a JSON list.
pub(crate) fn tags(trade: &Trade) -> Option<String> {
    use crate::event::Payload;
    let opening = trade.opened().and_then(|opened| opened.tags.clone()).unwrap_or_default();
    let later = trade.facts.iter().filter_map(|fact| match &fact.payload {
        Payload::NoteAdded(note) => note.tags.clone(),
        _ => None,
    });
    let all: Vec<String> = opening.into_iter().chain(later.flatten()).collect();
    (!all.is_empty()).then(|| json_list(&all))
}

pub(crate) fn json_list(words: &[String]) -> String {
    serde_json::Value::from(words.to_vec()).to_string()
}

/// Whether the trade's results are final: it went flat, and may have been voided since.
pub(crate) fn is_final(trade: &Trade) -> bool {
    trade.status != Status::Open && trade.exited_at().is_some()
}

impl TradingDate {
    /// The date at the end of a key of the drawer of days.
    pub(crate) fn from_key(bytes: &[u8]) -> Self {
        let days = Key::read_signed(bytes).unwrap_or_default();
        Self(i32::try_from(days).unwrap_or_default())
    }
}
