//! Metrics for any window, account and dimension, reckoned from the closed trades the ledger keeps on its
//! shelf: the answers no table holds.

use std::collections::{BTreeMap, VecDeque};

use super::account::Day;
use super::words::Dimension;
use super::{Closed, Ledger};
use crate::calendar::TradingDate;
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
}

/// The figures of one value of a dimension.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Sums for every metric of [`crate::metrics::METRICS`].
    pub summary: Summary,
    slippage_ticks: Vec<f64>,
}

impl Answer {
    fn push(&mut self, trade: &Closed) {
        self.summary.push(&trade.figures);
        self.slippage_ticks.extend(trade.slippage_ticks.map(crate::decimal::Dec::to_f64));
    }

    /// The p-th percentile (0..1) of entry and exit slippage together, in ticks.
    #[must_use]
    pub fn slippage_ticks(&self, p: f64) -> Option<f64> {
        percentile(&mut self.slippage_ticks.clone(), p)
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
    let mut answers = BTreeMap::new();
    let mut last = VecDeque::new();
    ledger.state.visit_closed(shelf, &accounts, None, |trade| {
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
