//! Owns what the ledger knows of an account and of each of its trading days. Which trades count towards
//! a day is `settle`'s work; the money of fills is posted by `place`.

use serde::{Deserialize, Serialize};

use crate::calendar::TradingDate;
use crate::decimal::Dec;
use crate::event::AccountOpened;
use crate::moment::Moment;

use super::limits::{Progress, Rules, Tally};
use super::path::Path;
use super::running::WindowKey;

/// The windows of an account that was opened without any: the last 20 trades, and all.
const DEFAULT_WINDOWS: [u32; 2] = [20, 0];

/// An account, from its first event on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) opened: Option<Opening>,
    /// Its last event: what the current date is reckoned from.
    pub(crate) latest: Latest,
    pub(crate) risk: Vec<RiskSetting>,
    /// Starting equity + cash moved + what is realised, to now.
    pub(crate) equity: Dec,
    /// How far its rules are used up; only kept up to date once it is opened.
    pub(crate) progress: Progress,
    /// Where its equity with open trades stands, where its drawdown trails that.
    pub(crate) path: Path,
    pub(crate) first_seq: u64,
    /// Position of the event that last changed its row in `accounts`.
    pub(crate) last_seq: u64,
}

/// The event that opened an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Opening {
    pub(crate) seq: u64,
    pub(crate) terms: AccountOpened,
}

/// The last event of an account and what it made of the derived risk figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latest {
    pub(crate) seq: u64,
    pub(crate) at: Moment,
    pub(crate) standing: Standing,
}

/// A key that RiskSet set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RiskSetting {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) at: Moment,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
}

/// Where an account stands on a date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) daily_pnl_r: Dec,
    pub(crate) weekly_pnl_r: Dec,
    pub(crate) consecutive_red_days: u32,
    pub(crate) daily_loss_limit_remaining: Option<Dec>,
}

impl Account {
    /// The windows its metrics are reckoned over, each once, in the order given.
    pub(crate) fn windows(&self) -> Vec<u32> {
        let given = self.opened.as_ref().and_then(|opened| opened.terms.metrics_windows.clone());
        let mut windows = Vec::new();
        for window in given.unwrap_or_else(|| DEFAULT_WINDOWS.to_vec()) {
            if !windows.contains(&window) {
                windows.push(window);
            }
        }
        windows
    }

    /// The rules it was opened with; `None` before.
    pub(crate) fn rules(&self) -> Option<Rules> {
        self.opened.as_ref().map(|opened| Rules::of(&opened.terms))
    }
}

/// One trading day of an account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Day {
    /// Round trips by the closing fill's date.
    pub(crate) gross: Dec,
    /// Fees by each fill's date.
    pub(crate) fees: Dec,
    pub(crate) fills: u32,
    pub(crate) cash: Vec<CashMove>,
    /// When rules were broken.
    pub(crate) rule_breaks: Vec<Moment>,
    /// Trades by the date of their exit.
    pub(crate) trades: u32,
    pub(crate) wins: u32,
    pub(crate) losses: u32,
    pub(crate) pnl_r: Dec,
    pub(crate) trades_net: Dec,
    /// The last of those trades in window order.
    pub(crate) last_closed: Option<WindowKey>,
    pub(crate) equity_close: Dec,
    /// What the account's rules make of it and of all days before it.
    pub(crate) tally: Tally,
    pub(crate) ratings: Vec<Rating>,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
}

/// A CashMoved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CashMove {
    pub(crate) seq: u64,
    pub(crate) at: Moment,
    pub(crate) amount: Dec,
}

/// A MentalStateRated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rating {
    pub(crate) seq: u64,
    pub(crate) at: Moment,
    pub(crate) score: u8,
}

impl Day {
    /// Whether `daily_pnl` has a row for it: a fill, a closed trade, a rule break or cash moved.
    pub(crate) fn has_row(&self) -> bool {
        self.fills > 0 || self.trades > 0 || !self.rule_breaks.is_empty() || !self.cash.is_empty()
    }

    /// What was realised that day, after fees.
    pub(crate) fn net(&self) -> Dec {
        self.gross - self.fees
    }

    pub(crate) fn is_red(&self) -> bool {
        self.net().is_negative()
    }

    /// What it adds to the account's equity.
    pub(crate) fn equity_change(&self) -> Dec {
        self.net() + self.cash_moved()
    }

    pub(crate) fn cash_moved(&self) -> Dec {
        self.cash.iter().map(|moved| moved.amount).sum()
    }

    /// Takes back one rule break.
    pub(crate) fn forgive(&mut self, at: Moment) {
        if let Some(place) = self.rule_breaks.iter().position(|broken| *broken == at) {
            self.rule_breaks.remove(place);
        }
    }

    /// Takes out what the day holds of single events, leaving what `settle` counts of closed trades.
    pub(crate) fn take_events(&mut self) -> Self {
        Self {
            cash: std::mem::take(&mut self.cash),
            rule_breaks: std::mem::take(&mut self.rule_breaks),
            ratings: std::mem::take(&mut self.ratings),
            gross: std::mem::take(&mut self.gross),
            fees: std::mem::take(&mut self.fees),
            fills: std::mem::take(&mut self.fills),
            ..Self::default()
        }
    }

    /// The latest rating made not later than `entered_at`, of those folded before `seq`.
    pub(crate) fn rating(&self, entered_at: Moment, seq: u64) -> Option<u8> {
        let known = self.ratings.iter().filter(|rating| rating.seq < seq && rating.at <= entered_at);
        known.max_by_key(|rating| (rating.at, rating.seq)).map(|rating| rating.score)
    }
}

/// A trading date of an account.
pub(crate) type AccountDay = (String, TradingDate);
