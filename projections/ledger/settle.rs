//! Brings what depends on closed trades up to date with an event: days, the order of windows, breakdowns,
//! metrics, and what was left of the loss limit after each later trade of the day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account::{AccountDay, Day};
use super::rows;
use super::running::{ALL_ACCOUNTS, Group, GroupId, Running, WindowKey, latest_closed};
use super::trade::{Status, Trade};
use super::{Work, day_key, trade_key};
use crate::calendar::TradingDate;
use crate::decimal::Dec;
use crate::drawer::Key;
use crate::metrics::Summary;
use crate::moment::Moment;
use crate::performance_metrics;

/// The longest window whose trades are kept in memory; longer ones are read from the shelf.
const RECENT_MAX: usize = 500;

/// What counts of a closed trade: what days, windows and breakdowns are made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of `trades`")]
pub struct Closed {
    pub trade_id: String,
    pub account: String,
    pub exited_at: Moment,
    pub date: TradingDate,
    /// Whether it counts: a voided trade is kept aside, for its own row alone.
    pub counts: bool,
    pub figures: Figures,
    /// Entry and exit slippage together, in ticks, where either is known.
    pub slippage_ticks: Option<Dec>,
    /// Each dimension's value; a trade is under each of its broken rules.
    pub dimensions: Vec<(String, String)>,
}

/// The figures of a closed trade that metrics are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of `trades`")]
pub struct Figures {
    pub net: Dec,
    pub gross: Dec,
    pub fees: Dec,
    pub result_r: Option<Dec>,
    /// mae and mfe, in points.
    pub excursions: Option<(Dec, Dec)>,
    pub held_micros: i64,
    pub rules_broken: u32,
}

impl Closed {
    pub(super) fn window_key(&self) -> WindowKey {
        (self.exited_at, self.trade_id.clone())
    }

    /// Whether only its words differ: its dimensions and its slippage.
    fn differs_in_words(&self, other: &Self) -> bool {
        let words = |closed: &Self| (closed.slippage_ticks, closed.dimensions.clone());
        words(self) != words(other)
            && (&self.trade_id, &self.account, self.exited_at, self.date, self.counts, self.figures)
                == (&other.trade_id, &other.account, other.exited_at, other.date, other.counts, other.figures)
    }
}

/// The dimensions of breakdowns.
pub const DIMENSIONS: [&str; 11] = [
    "all",
    "strategy",
    "regime",
    "strategy_regime",
    "symbol",
    "weekday",
    "hour",
    "exit_reason",
    "mental_state",
    "rule_broken",
    "account",
];

pub(super) fn closed_key(trade: &Closed) -> Key {
    Key::text(&trade.account).signed(trade.exited_at.0).and(&trade.trade_id)
}

impl Work<'_> {
    /// Settles the trades this event touched.
    pub(super) fn settle(&mut self) {
        let mut gone = Vec::new();
        let mut come = Vec::new();
        let mut closed_now = Vec::new();
        for trade_id in std::mem::take(&mut self.touched) {
            let figures = self.reckon(&trade_id);
            let Some(trade) = self.state.trades.get_mut(self.shelf, &trade_key(&trade_id)) else {
                gone.extend(self.taken_out.get(&trade_id).and_then(|before| before.posted.clone()));
                continue;
            };
            if figures == trade.posted {
                continue;
            }
            if let (Some(before), Some(after)) = (&trade.posted, &figures)
                && before.differs_in_words(after)
            {
                let (before, after) = (before.clone(), after.clone());
                trade.posted = figures;
                self.regroup(&before, &after);
                continue;
            }
            let closes = trade.posted.is_none() && trade.status == Status::Closed;
            closed_now.extend(figures.as_ref().filter(|_| closes).map(|closed| closed.account.clone()));
            gone.extend(std::mem::replace(&mut trade.posted, figures.clone()));
            come.extend(figures);
        }
        come.sort_by_key(Closed::window_key);
        for trade in &gone {
            self.withdraw(trade);
        }
        for trade in &come {
            self.post(trade);
        }
        self.carry_day_net(&gone, &come);
        self.carry_equity();
        let mut accounts = if self.is_correction { self.accounts_corrected(&gone, &come) } else { closed_now };
        accounts.sort();
        accounts.dedup();
        for account in accounts {
            self.write_metrics(&account);
        }
        self.stamp_days();
    }

    /// What a trade that went flat counts for now; `None` while it is open.
    fn reckon(&mut self, trade_id: &str) -> Option<Closed> {
        let trade = self.state.trades.get(self.shelf, &trade_key(trade_id))?;
        if trade.status == Status::Open {
            return None;
        }
        let (exited_at, entered_at, account) = (trade.exited_at()?, trade.entered_at()?, trade.account.clone());
        let date = self.date(&account, exited_at);
        let (weekday, hour) = self.calendar(&account).weekday_and_hour(entered_at);
        let trade = self.state.trades.get(self.shelf, &trade_key(trade_id))?;
        Some(Closed {
            trade_id: trade.trade_id.clone(),
            account,
            exited_at,
            date,
            counts: trade.status == Status::Closed,
            figures: Figures {
                net: trade.position.net(),
                gross: trade.position.gross,
                fees: trade.position.fees,
                result_r: trade.result_r(),
                excursions: trade.excursions(),
                held_micros: exited_at.0 - entered_at.0,
                rules_broken: u32::try_from(trade.rules_broken().count()).unwrap_or(u32::MAX),
            },
            slippage_ticks: slippage_ticks(trade),
            dimensions: dimensions(trade, weekday, hour),
        })
    }

    fn withdraw(&mut self, trade: &Closed) {
        if !trade.counts {
            self.state.voided.remove(self.shelf, &closed_key(trade));
            return;
        }
        self.state.closed.remove(self.shelf, &closed_key(trade));
        let day = self.day(&trade.account, trade.date);
        day.trades -= 1;
        day.trades_net -= trade.figures.net;
        day.pnl_r -= trade.figures.result_r.unwrap_or(Dec::ZERO);
        day.wins -= u32::from(trade.figures.net.is_positive());
        day.losses -= u32::from(trade.figures.net.is_negative());
        if day.trades == 0 {
            // Decimals that were cut at 28 digits may leave a last one behind.
            (day.trades_net, day.pnl_r) = (Dec::ZERO, Dec::ZERO);
        }
        for id in groups_of(trade) {
            self.leave_group(&id, trade);
        }
        self.forget_recent(trade);
    }

    fn post(&mut self, trade: &Closed) {
        if !trade.counts {
            return self.state.voided.put(closed_key(trade), trade.clone());
        }
        self.state.closed.put(closed_key(trade), trade.clone());
        let day = self.day(&trade.account, trade.date);
        day.trades += 1;
        day.trades_net += trade.figures.net;
        day.pnl_r += trade.figures.result_r.unwrap_or(Dec::ZERO);
        day.wins += u32::from(trade.figures.net.is_positive());
        day.losses += u32::from(trade.figures.net.is_negative());
        for id in groups_of(trade) {
            self.join_group(id, trade);
        }
        self.remember_recent(trade);
    }

    fn leave_group(&mut self, id: &GroupId, trade: &Closed) {
        let now = self.now;
        let Some(group) = self.state.groups.get_mut(self.shelf, &id.key()) else { return };
        group.trades -= 1;
        group.running.take_back(trade);
        group.last_seq = now;
        if group.trades == 0 {
            self.state.groups.remove(self.shelf, &id.key());
        }
    }

    fn join_group(&mut self, id: GroupId, trade: &Closed) {
        let (now, key, recent) = (self.now, id.key(), id.recent());
        let born = || Group { id, trades: 0, running: Running::default(), first_seq: now, last_seq: now };
        let group = self.state.groups.entry(self.shelf, &key, born);
        group.trades += 1;
        group.running.push(trade, recent);
        group.last_seq = now;
    }

    /// A trade whose figures stay and whose words changed (its exit's reason came after its last fill): only
    /// the groups it leaves and joins change.
    fn regroup(&mut self, before: &Closed, after: &Closed) {
        if !after.counts {
            return self.state.voided.put(closed_key(after), after.clone());
        }
        self.state.closed.put(closed_key(after), after.clone());
        let (left, joined) = (groups_of(before), groups_of(after));
        for id in left.iter().filter(|id| !joined.contains(id)) {
            self.leave_group(id, before);
        }
        for id in joined.into_iter().filter(|id| !left.contains(id)) {
            self.join_group(id, after);
        }
    }

    fn remember_recent(&mut self, trade: &Closed) {
        let key = trade.window_key();
        let account = self.account(&trade.account);
        let longest = longest_window(&account.windows());
        if account.recent.last().is_some_and(|(last, _)| *last >= key) {
            return self.reread_recent(&trade.account);
        }
        account.recent.push((key, trade.figures));
        if account.recent.len() > longest {
            account.recent.remove(0);
        }
    }

    fn forget_recent(&mut self, trade: &Closed) {
        let key = trade.window_key();
        if self.account(&trade.account).recent.iter().any(|(known, _)| *known == key) {
            self.reread_recent(&trade.account);
        }
    }

    pub(super) fn reread_recent(&mut self, account: &str) {
        let longest = longest_window(&self.account(account).windows());
        let recent = latest_closed(self.state, self.shelf, account, longest);
        self.account(account).recent = recent;
    }

    /// Sets what each affected trade of a day found the day's net to be, up to and with itself.
    fn carry_day_net(&mut self, gone: &[Closed], come: &[Closed]) {
        if let ([], [only]) = (gone, come)
            && only.counts
        {
            let day = self.day(&only.account, only.date);
            let key = only.window_key();
            if day.last_closed.as_ref().is_none_or(|last| *last < key) {
                day.last_closed = Some(key);
                let net = day.trades_net;
                return self.set_day_net(&only.trade_id, net);
            }
        }
        let mut days: BTreeMap<AccountDay, WindowKey> = BTreeMap::new();
        for trade in gone.iter().chain(come) {
            let key = trade.window_key();
            let from = days.entry((trade.account.clone(), trade.date)).or_insert_with(|| key.clone());
            *from = key.min(from.clone());
        }
        for ((account, date), from) in days {
            self.carry_day_net_from(&account, date, &from);
        }
    }

    /// Adds up a day's net from one of its trades on: the trades before it found what they found.
    fn carry_day_net_from(&mut self, account: &str, date: TradingDate, from: &WindowKey) {
        let prefix = Key::text(account);
        let start = prefix.clone().signed(from.0.0).and(&from.1);
        let before = self.state.closed.scan_back(self.shelf, &prefix.0, &start.0, 1);
        let before = before.into_iter().map(|(_, trade)| trade).find(|trade| trade.date == date);
        let mut net = Dec::ZERO;
        let mut last = None;
        if let Some(before) = before {
            let known = self.state.trades.get(self.shelf, &trade_key(&before.trade_id));
            net = known.and_then(|known| known.day_net).unwrap_or_default();
            last = Some(before.window_key());
        }
        // A date's trades lie within its own local day, so within three UTC days of its number.
        let end = prefix.signed(Moment::from_day(i64::from(date.0) + 3).0);
        let mut closed = self.state.closed.scan(self.shelf, &start.0, &end.0, usize::MAX);
        closed.extend(self.state.voided.scan(self.shelf, &start.0, &end.0, usize::MAX));
        closed.sort_by(|one, other| one.0.cmp(&other.0));
        for (_, trade) in closed.into_iter().filter(|(_, trade)| trade.date == date) {
            self.set_day_net(&trade.trade_id, net + trade.figures.net);
            if trade.counts {
                net += trade.figures.net;
                last = Some(trade.window_key());
            }
        }
        self.day(account, date).last_closed = last;
    }

    fn set_day_net(&mut self, trade_id: &str, net: Dec) {
        let now = self.now;
        let Some(trade) = self.state.trades.get(self.shelf, &trade_key(trade_id)) else { return };
        if trade.day_net == Some(net) {
            return;
        }
        let Some(trade) = self.state.trades.get_mut(self.shelf, &trade_key(trade_id)) else { return };
        let before = trade.daily_loss_limit_remaining();
        trade.day_net = Some(net);
        if trade.daily_loss_limit_remaining() != before {
            trade.last_seq = now;
        }
    }

    /// Adds up the equity of each account from the first day whose money changed.
    fn carry_equity(&mut self) {
        for (account, from) in std::mem::take(&mut self.equity_from) {
            let prefix = Key::text(&account);
            let start = day_key(&account, from);
            let before = self.state.days.scan_back(self.shelf, &prefix.0, &start.0, 1);
            let starting = self.account(&account).starting_equity();
            let mut equity = before.first().map_or(starting, |(_, day)| day.equity_close);
            for (key, day) in self.state.days.scan(self.shelf, &start.0, &prefix.end(), usize::MAX) {
                equity += day.equity_change();
                if day.equity_close != equity {
                    self.day(&account, TradingDate::from_key(&key[prefix.0.len()..])).equity_close = equity;
                }
            }
            let now = self.now;
            let known = self.account(&account);
            if known.equity != equity {
                (known.equity, known.last_seq) = (equity, now);
            }
        }
    }

    /// Stamps the days that this event changed.
    fn stamp_days(&mut self) {
        for ((account, date), before) in std::mem::take(&mut self.days_before) {
            let now = self.now;
            let Some(day) = self.state.days.get_mut(self.shelf, &day_key(&account, date)) else { continue };
            if !before.has_row() && day.has_row() {
                day.first_seq = now;
            }
            if !same_row(day, &before) {
                day.last_seq = now;
                self.days_changed.insert(account);
            }
        }
    }

    /// The accounts in which a correction changed, added or took away a closed trade.
    fn accounts_corrected(&mut self, gone: &[Closed], come: &[Closed]) -> Vec<String> {
        let mut accounts: Vec<String> =
            gone.iter().chain(come).filter(|trade| trade.counts).map(|trade| trade.account.clone()).collect();
        for (trade_id, before) in std::mem::take(&mut self.taken_out) {
            let after = self.state.trades.get(self.shelf, &trade_key(&trade_id));
            let same = after.is_some_and(|after| rows::same_figures(after, &before));
            if same {
                continue;
            }
            let counted = after.into_iter().chain([&before]).filter(|trade| trade.status == Status::Closed);
            accounts.extend(counted.map(|trade| trade.account.clone()));
        }
        accounts
    }

    fn write_metrics(&mut self, account: &str) {
        for window in self.account(account).windows() {
            let summary = self.summary(account, window);
            let row = performance_metrics::row(self.now, self.at, account, window, &summary);
            self.rows.put(&performance_metrics::TABLE, row);
        }
    }

    fn summary(&mut self, account: &str, window: u32) -> Summary {
        if window == 0 {
            return self.summary_of_all(account);
        }
        let length = window as usize;
        let read;
        let recent = if length <= RECENT_MAX {
            &self.account(account).recent
        } else {
            read = latest_closed(self.state, self.shelf, account, length);
            &read
        };
        let mut summary = Summary::default();
        for (_, figures) in &recent[recent.len().saturating_sub(length)..] {
            summary.push(figures);
        }
        summary
    }

    fn summary_of_all(&mut self, account: &str) -> Summary {
        let id = GroupId::all(account);
        let stale = self.state.groups.get(self.shelf, &id.key()).is_some_and(|group| group.running.is_stale());
        if stale {
            self.state.refresh(self.shelf, vec![id.clone()]);
        }
        let group = self.state.groups.get(self.shelf, &id.key());
        group.map(|group| group.running.total().clone()).unwrap_or_default()
    }
}

fn longest_window(windows: &[u32]) -> usize {
    windows.iter().map(|window| *window as usize).filter(|window| *window <= RECENT_MAX).max().unwrap_or(0)
}

fn same_row(day: &Day, before: &Day) -> bool {
    let row = |day: &Day| Day { ratings: Vec::new(), last_closed: None, first_seq: 0, last_seq: 0, ..day.clone() };
    row(day) == row(before)
}

fn slippage_ticks(trade: &Trade) -> Option<Dec> {
    let legs = [&trade.position.entries, &trade.position.exits];
    legs.into_iter().filter_map(|leg| leg.slippage_ticks.mean()).reduce(|entry, exit| entry + exit)
}

/// The groups a trade counts in: each of its dimensions, in its account and over all.
fn groups_of(trade: &Closed) -> Vec<GroupId> {
    let scopes = [trade.account.as_str(), ALL_ACCOUNTS];
    let group = |scope: &str, (dimension, value): &(String, String)| GroupId {
        scope: scope.to_owned(),
        dimension: dimension.clone(),
        value: value.clone(),
    };
    scopes.iter().flat_map(|scope| trade.dimensions.iter().map(move |entry| group(scope, entry))).collect()
}

const NONE: &str = "none";

fn dimensions(trade: &Trade, weekday: &str, hour: u32) -> Vec<(String, String)> {
    let opened = trade.opened();
    let strategy = rows::strategy(trade).unwrap_or(NONE);
    let regime = opened.and_then(|opened| opened.regime.as_deref()).unwrap_or(NONE);
    let mental_state = trade.mental_state().map_or_else(|| NONE.to_owned(), |score| score.to_string());
    let mut all = vec![
        ("all", "all".to_owned()),
        ("strategy", strategy.to_owned()),
        ("regime", regime.to_owned()),
        ("strategy_regime", format!("{strategy} / {regime}")),
        ("symbol", trade.symbol.clone()),
        ("weekday", weekday.to_owned()),
        ("hour", format!("{hour:02}")),
        ("exit_reason", trade.exit_reason().unwrap_or(NONE).to_owned()),
        ("mental_state", mental_state),
        ("account", trade.account.clone()),
    ];
    let mut rules: Vec<&str> = trade.rules_broken().collect();
    rules.sort_unstable();
    rules.dedup();
    if rules.is_empty() {
        rules.push(NONE);
    }
    all.extend(rules.into_iter().map(|rule| ("rule_broken", rule.to_owned())));
    all.into_iter().map(|(dimension, value)| (dimension.to_owned(), value)).collect()
}
