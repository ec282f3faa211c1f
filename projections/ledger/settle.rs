//! Brings what depends on closed trades up to date with an event: days, the order of windows, breakdowns,
//! metrics, and what was left of the loss limit after each later trade of the day.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::account::{AccountDay, Day};
use super::groups::{Change, group_key};
use super::limits::Tally;
use super::recount::latest_closed;
use super::rows;
use super::running::WindowKey;
use super::trade::{Status, Trade};
use super::words::{Dimension, Words};
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
    pub words: Words,
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

impl Figures {
    /// The square of its R.
    pub(crate) fn square(&self) -> Option<Dec> {
        self.result_r.map(|r| r * r)
    }
}

impl Closed {
    pub(super) fn window_key(&self) -> WindowKey {
        (self.exited_at, self.trade_id.clone())
    }

    /// Its place in window order.
    pub(super) fn place(&self) -> (Moment, &str) {
        (self.exited_at, &self.trade_id)
    }

    pub(super) fn key(&self) -> Key {
        closed_key(&self.account, self.exited_at, &self.trade_id)
    }

    /// Whether only its words differ: its dimensions and its slippage.
    fn differs_in_words(&self, other: &Self) -> bool {
        (self.slippage_ticks, &self.words) != (other.slippage_ticks, &other.words)
            && (&self.trade_id, &self.account, self.exited_at, self.date, self.counts, self.figures)
                == (&other.trade_id, &other.account, other.exited_at, other.date, other.counts, other.figures)
    }
}

/// Where what counts of a trade is kept: its account and its exit, and whether it counts, then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Posted {
    account: String,
    exited_at: Moment,
    counts: bool,
}

impl Posted {
    fn of(closed: &Closed) -> Self {
        Self { account: closed.account.clone(), exited_at: closed.exited_at, counts: closed.counts }
    }
}

fn closed_key(account: &str, exited_at: Moment, trade_id: &str) -> Key {
    Key::text(account).signed(exited_at.0).and(trade_id)
}

impl Work<'_> {
    /// Settles the trades this event touched.
    pub(super) fn settle(&mut self) {
        let mut gone = Vec::new();
        let mut come = Vec::new();
        let mut closed_now = Vec::new();
        for trade_id in std::mem::take(&mut self.touched) {
            let standing = self.state.trades.get(self.shelf, &trade_key(&trade_id));
            if standing.is_some_and(|trade| trade.status == Status::Open && trade.posted.is_none()) {
                continue;
            }
            let after = self.reckon(&trade_id);
            let (before, after) = match (self.posted(&trade_id), after) {
                (before, after) if before == after.as_ref() => continue,
                (Some(before), Some(after)) if before.differs_in_words(&after) => {
                    let (before, slipped) = (before.words.clone(), before.slippage_ticks);
                    if after.counts {
                        self.count_slippage(&after.account, slipped, after.slippage_ticks);
                    }
                    self.rename(before, after);
                    continue;
                }
                (before, after) => (before.cloned(), after),
            };
            if let (None, Some(after)) = (&before, &after)
                && after.counts
            {
                closed_now.push(after.account.clone());
            }
            if let Some(trade) = self.state.trades.get_mut(self.shelf, &trade_key(&trade_id)) {
                trade.posted = after.as_ref().map(Posted::of);
            }
            gone.extend(before);
            come.extend(after);
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
        let changes = gone.into_iter().map(Change::Left).chain(come.into_iter().map(Change::Came));
        for change in changes.filter(|change| change.trade().counts) {
            self.state.regroup(self.shelf, self.now, change);
        }
        for account in accounts {
            self.write_metrics(&account);
        }
        self.stamp_days();
    }

    /// Counts how often each slippage happened, for percentiles over everything: one less of what was, one more of
    /// what is.
    fn count_slippage(&mut self, account: &str, was: Option<Dec>, is: Option<Dec>) {
        if was == is {
            return;
        }
        let key = |ticks: Dec| Key::text(account).and(&ticks.to_string());
        if let Some(key) = was.map(key) {
            let times = self.state.slippages.entry(self.shelf, &key, || 1);
            *times -= 1;
            if *times == 0 {
                self.state.slippages.remove(self.shelf, &key);
            }
        }
        if let Some(key) = is.map(key) {
            *self.state.slippages.entry(self.shelf, &key, || 0) += 1;
        }
    }

    /// What days, windows and breakdowns hold of a trade.
    fn posted(&mut self, trade_id: &str) -> Option<&Closed> {
        let standing = self.state.trades.get(self.shelf, &trade_key(trade_id));
        let posted = standing.or_else(|| self.taken_out.get(trade_id))?.posted.as_ref()?;
        let kept = if posted.counts { &mut self.state.closed } else { &mut self.state.voided };
        kept.get(self.shelf, &closed_key(&posted.account, posted.exited_at, trade_id))
    }

    /// What a trade that went flat counts for now; `None` while it is open.
    fn reckon(&mut self, trade_id: &str) -> Option<Closed> {
        let trade = self.state.trades.get(self.shelf, &trade_key(trade_id))?;
        if trade.status == Status::Open {
            return None;
        }
        let (exited_at, entered_at, account) = (trade.exited_at()?, trade.entered_at()?, trade.account.clone());
        let date = self.date(&account, exited_at);
        let wall_clock = self.calendar(&account).weekday_and_hour(entered_at);
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
            words: Words::of(trade, wall_clock),
        })
    }

    fn withdraw(&mut self, trade: &Closed) {
        if !trade.counts {
            self.state.voided.remove(self.shelf, &trade.key());
            return;
        }
        self.state.closed.remove(self.shelf, &trade.key());
        self.count_slippage(&trade.account, trade.slippage_ticks, None);
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
        self.forget_recent(&trade.account);
    }

    fn post(&mut self, trade: &Closed) {
        if !trade.counts {
            return self.state.voided.put(&trade.key(), trade.clone());
        }
        self.state.closed.put(&trade.key(), trade.clone());
        self.count_slippage(&trade.account, None, trade.slippage_ticks);
        let day = self.day(&trade.account, trade.date);
        day.trades += 1;
        day.trades_net += trade.figures.net;
        day.pnl_r += trade.figures.result_r.unwrap_or(Dec::ZERO);
        day.wins += u32::from(trade.figures.net.is_positive());
        day.losses += u32::from(trade.figures.net.is_negative());
        self.remember_recent(trade);
    }

    /// A trade whose figures stay and whose words changed (its exit's reason came after its last fill): only
    /// the groups it leaves and joins change.
    fn rename(&mut self, before: Words, after: Closed) {
        if !after.counts {
            return self.state.voided.put(&after.key(), after);
        }
        self.state.closed.put(&after.key(), after.clone());
        self.state.regroup(self.shelf, self.now, Change::Renamed { trade: after, before });
    }

    fn remember_recent(&mut self, trade: &Closed) {
        let longest = longest_window(&self.account(&trade.account).windows());
        let Some(recent) = self.state.recent.get_mut(&trade.account) else { return };
        let key = trade.window_key();
        if recent.back().is_some_and(|(last, _)| *last >= key) {
            return self.forget_recent(&trade.account);
        }
        recent.push_back((key, trade.figures));
        if recent.len() > longest {
            recent.pop_front();
        }
    }

    /// Lets an account's latest trades be read anew.
    pub(super) fn forget_recent(&mut self, account: &str) {
        self.state.recent.remove(account);
    }

    /// The closed trades that an account's windows may need, oldest first.
    fn recent(&mut self, account: &str, longest: usize) -> &VecDeque<(WindowKey, Figures)> {
        if !self.state.recent.contains_key(account) {
            let recent = latest_closed(self.state, self.shelf, account, longest).into();
            self.state.recent.insert(account.to_owned(), recent);
        }
        self.state.recent.entry(account.to_owned()).or_default()
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
            let (prefix, start) = (Key::text(&account), day_key(&account, from));
            self.state.days.hold(self.shelf, &prefix);
            let rules = self.account(&account).rules();
            let before = self.state.days.held(&prefix.0, &start.0).next_back();
            let at_start =
                || rules.map_or_else(Default::default, |rules| (rules.starting_equity, Tally::at_start(&rules)));
            let (mut equity, mut tally) = before.map_or_else(at_start, |(_, day)| (day.equity_close, day.tally));
            let (mut changed, mut reached) = (Vec::new(), Vec::new());
            for (key, day) in self.state.days.held(&start.0, &prefix.end()) {
                let date = TradingDate::from_key(&key[prefix.0.len()..]);
                equity += day.equity_change();
                if let Some(rules) = &rules {
                    reached.extend(tally.close(date, day, equity, rules));
                }
                if day.equity_close != equity || day.tally != tally {
                    changed.push((date, equity, tally));
                }
            }
            for (date, equity, tally) in changed {
                let day = self.day(&account, date);
                (day.equity_close, day.tally) = (equity, tally);
            }
            reached.extend(rules.iter().flat_map(|rules| self.weeks_lost(&account, from, rules)));
            self.list_breaches(&account, &reached);
            let now = self.now;
            let known = self.account(&account);
            if known.equity != equity {
                (known.equity, known.last_seq) = (equity, now);
            }
        }
    }

    /// Stamps the days that this event changed.
    fn stamp_days(&mut self) {
        for (key, before) in std::mem::take(&mut self.days_before) {
            let now = self.now;
            let account = rows::first_text(&key.0);
            let Some(day) = self.state.days.get_mut(self.shelf, &key) else { continue };
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
        let windows = self.account(account).windows();
        for window in &windows {
            let summary = self.summary(account, *window as usize, longest_window(&windows));
            let row = performance_metrics::row(self.now, self.at, account, *window, &summary);
            self.rows.put(&performance_metrics::TABLE, row);
        }
    }

    fn summary(&mut self, account: &str, window: usize, longest: usize) -> Summary {
        if window == 0 {
            return self.summary_of_all(account);
        }
        let mut summary = Summary::default();
        if window <= longest {
            let recent = self.recent(account, longest);
            recent.range(recent.len().saturating_sub(window)..).for_each(|(_, figures)| summary.push_seed(figures));
        } else {
            let latest = latest_closed(self.state, self.shelf, account, window);
            latest.iter().for_each(|(_, figures)| summary.push_seed(figures));
        }
        summary
    }

    fn summary_of_all(&mut self, account: &str) -> Summary {
        let key = group_key(account, Dimension::All, "all");
        let stale = self.state.groups.get(self.shelf, &key).is_some_and(|group| group.running.is_stale());
        if stale {
            self.state.refresh(self.shelf, vec![key.clone()]);
        }
        let group = self.state.groups.get(self.shelf, &key);
        group.map(|group| group.running.total().clone()).unwrap_or_default()
    }
}

fn longest_window(windows: &[u32]) -> usize {
    windows.iter().map(|window| *window as usize).filter(|window| *window <= RECENT_MAX).max().unwrap_or(0)
}

fn same_row(day: &Day, before: &Day) -> bool {
    let counts = |day: &Day| (day.fills, day.trades, day.wins, day.losses);
    let sums = |day: &Day| [day.gross, day.fees, day.pnl_r, day.trades_net, day.equity_close];
    counts(day) == counts(before)
        && sums(day) == sums(before)
        && (&day.cash, &day.rule_breaks) == (&before.cash, &before.rule_breaks)
}

fn slippage_ticks(trade: &Trade) -> Option<Dec> {
    let legs = [&trade.position.entries, &trade.position.exits];
    legs.into_iter().filter_map(|leg| leg.slippage_ticks.mean()).reduce(|entry, exit| entry + exit)
}
