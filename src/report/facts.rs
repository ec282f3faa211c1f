//! Owns what a report says, as numbers: asked of the tables, the ledger and the past, and reckoned nowhere else.

use std::ops::ControlFlow;

use projections::calendar::TradingDate;
use projections::cell::{Column, Table};
use projections::{accounts, daily_pnl, ledger, limit_breaches, trades};
use uuid::Uuid;

use super::{ReportError, Request};
use crate::calendars::Calendars;
use crate::log::{Reader, hex};
use crate::metrics::{Answer, Question, in_order, on_demand};
use crate::restate::{self, Day as Restated};
use crate::tables::{self, Connection, Filter, TablesError, Value, select};

/// Trades that are listed; of more, the latest.
const TRADES_MAX: usize = 2_000;

/// By what trading is broken down, and what that is called.
const BREAKDOWNS: [(&str, &str); 6] = [
    ("strategy", "Strategy"),
    ("symbol", "Symbol"),
    ("regime", "Regime"),
    ("weekday", "Weekday of entry"),
    ("exit_reason", "Exit"),
    ("rule_broken", "Rule broken"),
];

/// What an account was opened with: names and values.
pub(super) type Terms = Vec<(&'static str, String)>;

/// Everything a page shows.
pub(super) struct Facts {
    pub(super) account: String,
    pub(super) terms: Terms,
    pub(super) currency: String,
    pub(super) limits: Vec<Limit>,
    pub(super) breaches: Vec<Breach>,
    pub(super) from: TradingDate,
    pub(super) to: TradingDate,
    pub(super) days: Vec<Day>,
    pub(super) answer: Option<Answer>,
    pub(super) breakdowns: Vec<Breakdown>,
    pub(super) trades: Vec<Trade>,
    /// Trades that were closed on those dates, listed or not.
    pub(super) trades_in_all: usize,
    pub(super) restated: Vec<Restated>,
    pub(super) journal: Uuid,
    /// Everything up to here is in it.
    pub(super) position: u64,
    /// The chain's hash there.
    pub(super) chain_head: String,
}

/// A rule of the account, as of its last event.
pub(super) struct Limit {
    pub(super) name: &'static str,
    /// What was given.
    pub(super) given: f64,
    /// How much of it is used, or reached.
    pub(super) now: Option<f64>,
    pub(super) now_means: &'static str,
}

/// A row of `limit_breaches`.
pub(super) struct Breach {
    pub(super) rule: String,
    pub(super) date: String,
    pub(super) threshold: Option<f64>,
    pub(super) value: Option<f64>,
    pub(super) seq: u64,
}

/// The rules: what they are called, the columns of `accounts` with what was given and where it stands, and what that is.
const LIMITS: [(&str, &str, &str, &str); 5] = [
    ("Daily loss limit", "daily_loss_limit", "daily_loss_limit_remaining", "left on the last date"),
    ("Weekly loss limit", "weekly_loss_limit", "weekly_loss_limit_remaining", "left in the last week"),
    ("Trailing drawdown", "trailing_drawdown", "drawdown_remaining", "above the floor"),
    ("Profit target", "profit_target", "profit_target_progress", "of it reached (1 is all)"),
    ("Consistency", "consistency_limit", "best_day_share", "share of the best day"),
];

/// A row of `daily_pnl`.
pub(super) struct Day {
    pub(super) date: TradingDate,
    pub(super) r: f64,
    pub(super) trades: u64,
    pub(super) net: f64,
    pub(super) fees: f64,
    pub(super) rules_broken: u64,
    pub(super) equity: f64,
}

/// What came of each value of a dimension.
pub(super) struct Breakdown {
    pub(super) title: &'static str,
    pub(super) values: Vec<(String, Answer)>,
}

/// A row of `trades`, as far as a page has room for it.
pub(super) struct Trade {
    pub(super) id: String,
    pub(super) exited_at: String,
    pub(super) symbol: String,
    pub(super) side: String,
    pub(super) strategy: String,
    pub(super) exit_reason: String,
    pub(super) quantity: Option<f64>,
    pub(super) entry_price: Option<f64>,
    pub(super) exit_price: Option<f64>,
    pub(super) net: Option<f64>,
    pub(super) r: Option<f64>,
    pub(super) corrections: u64,
}

pub(super) fn gather(reader: &Reader, conn: &Connection, request: &Request) -> Result<Facts, ReportError> {
    let account = request.account.clone();
    let days = days(conn, request)?;
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Err(ReportError::NoDays { account, from: request.from, to: request.to });
    };
    let (from, to) = (request.from.unwrap_or(first.date), request.to.unwrap_or(last.date));
    let ask = |dimension: &str| {
        let (account, dimension) = (Some(account.clone()), dimension.to_owned());
        on_demand(conn, &Question { account, dimension, from: Some(from), to: Some(to), ..Question::default() })
    };
    let mut breakdowns = Vec::new();
    for (dimension, title) in BREAKDOWNS {
        breakdowns.push(Breakdown { title, values: in_order(dimension, ask(dimension)?) });
    }
    // One value says nothing that the whole doesn't.
    breakdowns.retain(|breakdown| breakdown.values.len() > 1);
    let question = restate::Question { from, to, account: Some(account.clone()) };
    let mut restated = restate::days(reader, conn, &question)?;
    restated.retain(|day| day.is_restated() && !day.is_open);
    let (terms, currency) = terms(conn, &account)?;
    let (position, chain_head) = origin(conn)?;
    let (trades, trades_in_all) = closed(conn, &account, from, to)?;
    Ok(Facts {
        answer: ask("all")?.into_values().next(),
        terms,
        currency,
        limits: limits(conn, &account)?,
        breaches: breaches(conn, &account, from, to)?,
        from,
        to,
        days,
        breakdowns,
        trades,
        trades_in_all,
        restated,
        journal: reader.identity().uuid,
        position,
        chain_head,
        account,
    })
}

/// Up to where the tables are folded, and the chain's hash there.
fn origin(conn: &Connection) -> Result<(u64, String), TablesError> {
    let kept = tables::cursors(conn)?.into_iter().find(|kept| kept.name == ledger::ABOUT.name);
    Ok(kept.map_or((0, String::new()), |kept| (kept.cursor.position, hex(&kept.cursor.hash))))
}

/// Some columns of a table's rows, each handed over as far as it was asked for.
fn read(
    conn: &Connection,
    table: &'static Table,
    names: &[&str],
    filters: &[Filter],
    mut each: impl FnMut(&[Value<'_>]),
) -> Result<(), TablesError> {
    let column = |name: &&str| table.all_columns().find(|column| column.name == *name);
    let columns: Vec<Column> = names.iter().filter_map(column).collect();
    debug_assert_eq!(columns.len(), names.len(), "columns of {}", table.name);
    select(conn, table, &columns, filters, |row| {
        each(row);
        ControlFlow::Continue(())
    })
}

fn of_account(account: &str) -> Filter {
    Filter::text_is("account_id", account.to_owned())
}

fn text(value: Value<'_>) -> String {
    value.as_text().unwrap_or_default().to_owned()
}

fn days(conn: &Connection, request: &Request) -> Result<Vec<Day>, TablesError> {
    let mut filters = vec![of_account(&request.account)];
    filters.extend(request.from.map(|from| Filter::at_least("date", from.to_string())));
    filters.extend(request.to.map(|to| Filter::below("date", TradingDate(to.0.saturating_add(1)).to_string())));
    let mut days = Vec::new();
    let columns = ["date", "pnl_r", "trades_count", "pl_net", "fees", "rule_breaks", "equity_close"];
    read(conn, &daily_pnl::TABLE, &columns, &filters, |row| {
        let Some(date) = row[0].as_text().and_then(TradingDate::parse) else { return };
        let number = |at: usize| row[at].as_f64().unwrap_or(0.0);
        days.push(Day {
            date,
            r: number(1),
            trades: row[2].as_count().unwrap_or(0),
            net: number(3),
            fees: number(4),
            rules_broken: row[5].as_count().unwrap_or(0),
            equity: number(6),
        });
    })?;
    days.sort_by_key(|day| day.date);
    Ok(days)
}

/// What the account was opened with, in words, and its currency.
fn terms(conn: &Connection, account: &str) -> Result<(Terms, String), TablesError> {
    let columns = ["broker", "kind", "currency", "time_zone", "day_rolls_at"];
    let (mut terms, mut currency) = (Vec::new(), String::new());
    read(conn, &accounts::TABLE, &columns, &[of_account(account)], |row| {
        currency = text(row[2]);
        let days = format!("roll at {} {}", text(row[4]), text(row[3]));
        terms.extend([("Broker", text(row[0])), ("Kind", text(row[1])), ("Currency", text(row[2])), ("Days", days)]);
    })?;
    terms.retain(|(_, value)| !value.is_empty());
    Ok((terms, currency))
}

fn limits(conn: &Connection, account: &str) -> Result<Vec<Limit>, TablesError> {
    let columns: Vec<&str> = LIMITS.iter().flat_map(|(_, given, now, _)| [*given, *now]).collect();
    let mut limits = Vec::new();
    read(conn, &accounts::TABLE, &columns, &[of_account(account)], |row| {
        for ((name, _, _, now_means), pair) in LIMITS.into_iter().zip(row.chunks(2)) {
            if let Some(given) = pair[0].as_f64() {
                limits.push(Limit { name, given, now: pair[1].as_f64(), now_means });
            }
        }
    })?;
    Ok(limits)
}

fn breaches(conn: &Connection, account: &str, from: TradingDate, to: TradingDate) -> Result<Vec<Breach>, TablesError> {
    // A week's breach bears the date of its Monday.
    let filters = [
        of_account(account),
        Filter::at_least("date", from.week_start().to_string()),
        Filter::below("date", TradingDate(to.0.saturating_add(1)).to_string()),
    ];
    let mut breaches = Vec::new();
    read(conn, &limit_breaches::TABLE, &["rule", "date", "threshold", "value", "first_seq"], &filters, |row| {
        breaches.push(Breach {
            rule: text(row[0]),
            date: text(row[1]),
            threshold: row[2].as_f64(),
            value: row[3].as_f64(),
            seq: row[4].as_count().unwrap_or(0),
        });
    })?;
    breaches.retain(|breach| breach.rule == "weekly_loss_limit" || breach.date >= from.to_string());
    Ok(breaches)
}

/// The trades closed on those dates, in the order in which they closed, and how many there are.
fn closed(
    conn: &Connection,
    account: &str,
    from: TradingDate,
    to: TradingDate,
) -> Result<(Vec<Trade>, usize), TablesError> {
    let calendars = Calendars::read(conn)?;
    let begins = |date| calendars.of(account).begins(date).to_string();
    let filters = [
        of_account(account),
        Filter::text_is("status", "closed".to_owned()),
        Filter::at_least("timestamp_exit", begins(from)),
        Filter::below("timestamp_exit", begins(TradingDate(to.0.saturating_add(1)))),
    ];
    let columns = [
        "trade_id",
        "timestamp_exit",
        "symbol",
        "trade_type",
        "strategy_used",
        "exit_reason",
        "position_size",
        "entry_price",
        "exit_price",
        "pl_amount_net",
        "result_r",
        "corrections",
    ];
    let mut found = Vec::new();
    read(conn, &trades::TABLE, &columns, &filters, |row| {
        found.push(Trade {
            id: text(row[0]),
            exited_at: text(row[1]),
            symbol: text(row[2]),
            side: text(row[3]),
            strategy: text(row[4]),
            exit_reason: text(row[5]),
            quantity: row[6].as_f64(),
            entry_price: row[7].as_f64(),
            exit_price: row[8].as_f64(),
            net: row[9].as_f64(),
            r: row[10].as_f64(),
            corrections: row[11].as_count().unwrap_or(0),
        });
    })?;
    found.sort_by(|one, other| (&one.exited_at, &one.id).cmp(&(&other.exited_at, &other.id)));
    let in_all = found.len();
    Ok((found.split_off(in_all.saturating_sub(TRADES_MAX)), in_all))
}
