//! Owns how far an account's rules are used up: the net of its date and week, its high-water mark and the floor
//! below, its best day, and the limits that were reached. Here the mark is moved by whole days, in order of date;
//! `path` moves it by the events within them.

use serde::{Deserialize, Serialize};

use super::account::Day;
use super::{Work, day_key};
use crate::calendar::TradingDate;
use crate::decimal::Dec;
use crate::drawer::Key;
use crate::event::AccountOpened;
use crate::limit_breaches;

/// The mode in which equity with open trades raises the mark.
const INTRADAY: &str = "intraday";
/// The mode of an account that was opened without one.
pub(crate) const END_OF_DAY: &str = "end_of_day";

/// What AccountOpened says of limits, as folding needs it.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) starting_equity: Dec,
    pub(crate) is_intraday: bool,
    pub(super) daily_loss_limit: Option<Dec>,
    weekly_loss_limit: Option<Dec>,
    trailing_drawdown: Option<Dec>,
    locks_at: Option<Dec>,
}

impl Rules {
    pub(crate) fn of(terms: &AccountOpened) -> Self {
        Self {
            starting_equity: terms.starting_equity,
            is_intraday: terms.trailing_drawdown_mode.as_deref() == Some(INTRADAY),
            daily_loss_limit: terms.daily_loss_limit,
            weekly_loss_limit: terms.weekly_loss_limit,
            trailing_drawdown: terms.trailing_drawdown,
            locks_at: terms.trailing_drawdown_locks_at,
        }
    }
}

/// The high-water mark of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) equity: Dec,
    /// The floor below it has risen as far as it ever will, and stays there.
    pub(super) is_locked: bool,
}

impl Mark {
    pub(super) fn at_start(rules: &Rules) -> Self {
        let mut mark = Self { equity: rules.starting_equity, is_locked: false };
        mark.lock(rules);
        mark
    }

    /// Cash moved is neither profit nor loss: the mark goes with equity.
    pub(super) fn move_cash(&mut self, amount: Dec) {
        self.equity += amount;
    }

    pub(super) fn rise(&mut self, equity: Dec, rules: &Rules) {
        self.equity = self.equity.max(equity);
        self.lock(rules);
    }

    fn lock(&mut self, rules: &Rules) {
        let reaches = |(fall, locks_at)| self.equity - fall >= locks_at;
        self.is_locked |= rules.trailing_drawdown.zip(rules.locks_at).is_some_and(reaches);
    }

    /// The equity that is not to be reached.
    pub(crate) fn floor(&self, rules: &Rules) -> Option<Dec> {
        let below = self.equity - rules.trailing_drawdown?;
        Some(match rules.locks_at {
            Some(locks_at) if self.is_locked => locks_at,
            Some(locks_at) => below.min(locks_at),
            None => below,
        })
    }

    /// The floor, where equity has fallen to it.
    pub(super) fn reached_by(&self, equity: Dec, rules: &Rules) -> Option<Dec> {
        self.floor(rules).filter(|floor| equity <= *floor && (self.is_locked || equity < self.equity))
    }
}

/// What an account's days up to and with one of them come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(super) cash: Dec,
    /// The best net of a date with a fill.
    pub(super) best_net: Option<Dec>,
    /// The mark once the day is over, by closing equity.
    pub(super) mark: Mark,
}

impl Tally {
    pub(super) fn at_start(rules: &Rules) -> Self {
        Self { mark: Mark::at_start(rules), ..Self::default() }
    }

    /// Goes on over a day that ended with `equity`; answers the limits it reached.
    pub(super) fn close(&mut self, date: TradingDate, day: &Day, equity: Dec, rules: &Rules) -> Vec<Breach> {
        let net = day.net();
        let cash = day.cash_moved();
        self.cash += cash;
        if day.fills > 0 {
            self.best_net = self.best_net.max(Some(net));
        }
        let mut reached = Vec::new();
        reached.extend(loss_at(rules.daily_loss_limit, net).map(|threshold| Breach {
            rule: "daily_loss_limit",
            date,
            threshold,
            value: net,
        }));
        self.mark.move_cash(cash);
        if !rules.is_intraday {
            let floor = self.mark.reached_by(equity, rules);
            reached.extend(floor.map(|threshold| Breach::of_drawdown(date, threshold, equity)));
        }
        self.mark.rise(equity, rules);
        reached
    }
}

/// The net at which a loss limit is reached, where a net has come to it.
fn loss_at(limit: Option<Dec>, net: Dec) -> Option<Dec> {
    limit.map(|limit| -limit).filter(|threshold| net.is_negative() && net <= *threshold)
}

/// A limit that was reached.
#[derive(Clone, Debug)]
pub(crate) struct Breach {
    pub(crate) rule: &'static str,
    pub(crate) date: TradingDate,
    pub(crate) threshold: Dec,
    pub(crate) value: Dec,
}

const TRAILING_DRAWDOWN: &str = "trailing_drawdown";

impl Breach {
    pub(super) fn of_drawdown(date: TradingDate, threshold: Dec, value: Dec) -> Self {
        Self { rule: TRAILING_DRAWDOWN, date, threshold, value }
    }
}

/// What an account's days say on its current date.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Today {
    net: Dec,
    week_net: Dec,
    /// By the days that are over, and the cash of this one.
    mark: Mark,
    cash: Dec,
    best_net: Option<Dec>,
}

/// How far an account's rules are used up: what `accounts` says beside its terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) day_net: Dec,
    pub(crate) week_net: Dec,
    pub(crate) mark: Mark,
    /// What is held against the floor: in intraday mode with open trades.
    pub(crate) equity: Dec,
    /// Net of everything, cash moved aside.
    pub(crate) realised: Dec,
    pub(crate) best_net: Option<Dec>,
}

impl Work<'_> {
    /// Lists the limits an account reached that were not listed yet.
    pub(super) fn list_breaches(&mut self, account: &str, reached: &[Breach]) {
        for breach in reached {
            let key = Key::text(account).and(breach.rule);
            // A floor that is reached ends the account; days and weeks begin again.
            let key = if breach.rule == TRAILING_DRAWDOWN { key } else { key.signed(i64::from(breach.date.0)) };
            if self.state.breached.get(self.shelf, &key).is_none() {
                self.state.breached.put(&key, ());
                self.rows.put(&limit_breaches::TABLE, limit_breaches::row(self.now, self.at, account, breach));
            }
        }
    }

    /// The weeks from a date on that lost as much as they may.
    pub(super) fn weeks_lost(&self, account: &str, from: TradingDate, rules: &Rules) -> Vec<Breach> {
        if rules.weekly_loss_limit.is_none() {
            return Vec::new();
        }
        let (start, end) = (day_key(account, from.week_start()), Key::text(account).end());
        let mut weeks: Vec<(TradingDate, Dec)> = Vec::new();
        for (key, day) in self.state.days.held(&start.0, &end) {
            let monday = TradingDate::from_key(&key[account.len() + 1..]).week_start();
            match weeks.last_mut().filter(|(known, _)| *known == monday) {
                Some((_, net)) => *net += day.net(),
                None => weeks.push((monday, day.net())),
            }
        }
        let lost = |(date, value): (TradingDate, Dec)| {
            let threshold = loss_at(rules.weekly_loss_limit, value)?;
            Some(Breach { rule: "weekly_loss_limit", date, threshold, value })
        };
        weeks.into_iter().filter_map(lost).collect()
    }

    /// What an account's days say on a date. They are all in memory.
    pub(super) fn today(&self, account: &str, date: TradingDate, week_net: Dec, rules: &Rules) -> Today {
        let (all, end) = (Key::text(account), Key::text(account).end());
        let days = |from: &[u8], to: &[u8]| self.state.days.held(from, to);
        let last = days(&all.0, &end).next_back();
        let last_row = days(&all.0, &end).rev().find(|(_, day)| day.has_row());
        let last_date = last_row.map(|(key, _)| TradingDate::from_key(&key[all.0.len()..]));
        // A late event does not take back that a day is over.
        let going_on = day_key(account, last_date.map_or(date, |last| last.max(date)));
        let over = days(&all.0, &going_on.0).next_back();
        let mut mark = over.map_or_else(|| Mark::at_start(rules), |(_, day)| day.tally.mark);
        mark.move_cash(last.filter(|(key, _)| **key == *going_on.0).map_or(Dec::ZERO, |(_, day)| day.cash_moved()));
        let net = days(&day_key(account, date).0, &day_key(account, TradingDate(date.0 + 1)).0).next();
        let tally = last.map(|(_, day)| day.tally).unwrap_or_default();
        let net = net.map_or(Dec::ZERO, |(_, day)| day.net());
        Today { net, week_net, mark, cash: tally.cash, best_net: tally.best_net }
    }

    /// Brings what `accounts` says of an account's rules up to this event.
    pub(super) fn progress(&mut self, account: &str, today: Option<Today>) {
        let now = self.now;
        let known = self.account(account);
        let (Some(rules), Some(today)) = (known.rules(), today) else { return };
        let path = known.path.or_start(&rules);
        let (mark, equity) = if rules.is_intraday { (path.mark, path.equity) } else { (today.mark, known.equity) };
        let progress = Progress {
            day_net: today.net,
            week_net: today.week_net,
            mark,
            equity,
            realised: known.equity - rules.starting_equity - today.cash,
            best_net: today.best_net,
        };
        if known.progress != progress {
            (known.progress, known.last_seq) = (progress, now);
        }
    }
}
