//! Metrics for any window, account and dimension, reckoned from the closed trades the ledger keeps on its
//! shelf: the answers no table holds.

use std::collections::{BTreeMap, VecDeque};

use super::account::Day;
use super::groups::{ALL_ACCOUNTS, group_key};
use super::words::Dimension;
use super::{Closed, Ledger, rows};
use crate::calendar::TradingDate;
use crate::decimal::Dec;
use crate::drawer::{Key, Shelf};
use crate::metrics::{Summary, percentile};

/// What to reckon.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// One account; `None` for all together.
    pub account: Option<String>,
    /// The last N closed trades; 0 for all.
    pub window: u32,
    /// One of [`super::DIMENSIONS`]; `all` for one answer over everything.
    pub dimension: String,
    /// Only trades closed on this trading date of their account or later.
    pub from: Option<TradingDate>,
    /// Only trades closed on this trading date or earlier.
    pub to: Option<TradingDate>,
}

impl Question {
    fn is_about(&self, date: TradingDate) -> bool {
        self.from.is_none_or(|from| date >= from) && self.to.is_none_or(|to| date <= to)
    }

    fn is_about_everything(&self) -> bool {
        self.window == 0 && self.from.is_none() && self.to.is_none() && self.dimension == Dimension::All.name()
    }
}

/// The figures of one value of a dimension.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Sums for every metric of [`crate::metrics::METRICS`].
    pub summary: Summary,
    /// How often each slippage happened.
    slippages: BTreeMap<Dec, usize>,
}

impl Answer {
    fn push(&mut self, trade: &Closed) {
        self.summary.push(&trade.figures);
        if let Some(ticks) = trade.slippage_ticks {
            *self.slippages.entry(ticks).or_default() += 1;
        }
    }

    /// The p-th percentile (0..1) of entry and exit slippage together, in ticks.
    #[must_use]
    pub fn slippage_ticks(&self, p: f64) -> Option<f64> {
        let slippages: Vec<(f64, usize)> =
            self.slippages.iter().map(|(ticks, times)| (ticks.to_f64(), *times)).collect();
        percentile(&slippages, p)
    }
}

/// Answers by value of the dimension. Memory holds one window; a window of 0 is added up as it is read.
#[must_use]
pub fn metrics(shelf: &dyn Shelf, question: &Question) -> BTreeMap<String, Answer> {
    let ledger = Ledger::default();
    let accounts = match &question.account {
        Some(account) => vec![account.clone()],
        None => ledger.state.accounts_known(shelf),
    };
    if question.is_about_everything() {
        return over_everything(&ledger, shelf, question.account.as_deref(), &accounts);
    }
    let mut answers = BTreeMap::new();
    let mut last = VecDeque::new();
    ledger.state.visit_closed(shelf, &accounts, None, |trade| {
        if !question.is_about(trade.date) {
            return;
        }
        if question.window == 0 {
            return answer(&mut answers, &question.dimension, trade);
        }
        last.push_back(trade.clone());
        if last.len() > question.window as usize {
            last.pop_front();
        }
    });
    for trade in &last {
        answer(&mut answers, &question.dimension, trade);
    }
    answers
}

/// The one answer that is kept up to date with each flush, and needs no trade to be read.
fn over_everything(
    ledger: &Ledger,
    shelf: &dyn Shelf,
    account: Option<&str>,
    accounts: &[String],
) -> BTreeMap<String, Answer> {
    let all = Dimension::All;
    let key = group_key(account.unwrap_or(ALL_ACCOUNTS), all, all.name());
    let mut groups = ledger.state.groups.scan(shelf, &key.0, &key.end(), 1);
    let Some((_, group)) = groups.pop() else { return BTreeMap::new() };
    let mut answer = Answer { summary: group.running.total().clone(), slippages: BTreeMap::new() };
    for account in accounts {
        let prefix = Key::text(account);
        for (key, times) in ledger.state.slippages.scan(shelf, &prefix.0, &prefix.end(), usize::MAX) {
            let ticks = Dec::parse(&rows::first_text(&key[prefix.0.len()..])).unwrap_or_default();
            *answer.slippages.entry(ticks).or_default() += times as usize;
        }
    }
    BTreeMap::from([(all.name().to_owned(), answer)])
}

/// A trading date of an account, as far as it has ever mattered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of `daily_pnl`")]
pub struct DayAt {
    pub date: TradingDate,
    /// Whether `daily_pnl` has a row for it now.
    pub has_row: bool,
    /// The position that last changed its row, or took it away; 0 where it never had one.
    pub last_seq: u64,
}

/// The trading dates of an account, in order, those among them that have lost their row.
#[must_use]
pub fn days(shelf: &dyn Shelf, account: &str) -> Vec<DayAt> {
    let prefix = Key::text(account);
    let found = Ledger::default().state.days.scan(shelf, &prefix.0, &prefix.end(), usize::MAX);
    let day_at = |(key, day): (Vec<u8>, Day)| DayAt {
        date: TradingDate::from_key(&key[prefix.0.len()..]),
        has_row: day.has_row(),
        last_seq: day.last_seq,
    };
    found.into_iter().map(day_at).collect()
}

/// The accounts that anything was recorded for, by name.
#[must_use]
pub fn accounts(shelf: &dyn Shelf) -> Vec<String> {
    Ledger::default().state.accounts_known(shelf)
}

/// The position of an account's first event.
#[must_use]
pub fn first_seq(shelf: &dyn Shelf, account: &str) -> Option<u64> {
    Ledger::default().state.accounts.get(shelf, &Key::text(account)).map(|account| account.first_seq)
}

/// The figures of an account's closed trades up to and with each of some dates, which are in order.
#[must_use]
pub fn summaries(shelf: &dyn Shelf, account: &str, dates: &[TradingDate]) -> Vec<Summary> {
    let (mut found, mut sum) = (Vec::with_capacity(dates.len()), Summary::default());
    Ledger::default().state.visit_closed(shelf, &[account.to_owned()], None, |trade| {
        while dates.get(found.len()).is_some_and(|date| *date < trade.date) {
            found.push(sum.clone());
        }
        if found.len() < dates.len() {
            sum.push(&trade.figures);
        }
    });
    found.resize(dates.len(), sum);
    found
}

fn answer(answers: &mut BTreeMap<String, Answer>, dimension: &str, trade: &Closed) {
    let Some(dimension) = Dimension::named(dimension) else { return };
    trade.words.each_of(&trade.account, dimension, |value| {
        answers.entry(value.to_owned()).or_default().push(trade);
    });
}
