//! Owns the words by which closed trades are broken down: the dimensions, and a trade's value of each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rows;
use super::trade::Trade;
use crate::calendar::WEEKDAYS;

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

/// One of [`DIMENSIONS`], by its place among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dimension {
    All,
    Strategy,
    Regime,
    StrategyRegime,
    Symbol,
    Weekday,
    Hour,
    ExitReason,
    MentalState,
    RuleBroken,
    Account,
}

impl Dimension {
    pub(super) const EVERY: [Self; DIMENSIONS.len()] = [
        Self::All,
        Self::Strategy,
        Self::Regime,
        Self::StrategyRegime,
        Self::Symbol,
        Self::Weekday,
        Self::Hour,
        Self::ExitReason,
        Self::MentalState,
        Self::RuleBroken,
        Self::Account,
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|dimension| dimension.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        DIMENSIONS[self as usize]
    }
}

/// The value of an absent word.
const NONE: &str = "none";

/// The hours of a day: spelled out here once, not for each trade.
const HOURS: [&str; 24] = [
    "00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16", "17", "18",
    "19", "20", "21", "22", "23",
];

/// Places of something by value of a dimension.
#[derive(Default)]
pub(super) struct ByValue {
    dimensions: [BTreeMap<String, usize>; DIMENSIONS.len()],
}

impl ByValue {
    pub(super) fn has_any(&self, dimension: Dimension) -> bool {
        !self.dimensions[dimension as usize].is_empty()
    }

    pub(super) fn get(&self, dimension: Dimension, value: &str) -> Option<usize> {
        self.dimensions[dimension as usize].get(value).copied()
    }

    /// The place of a value, given by `next` where it had none.
    pub(super) fn entry(&mut self, dimension: Dimension, value: &str, next: impl FnOnce() -> usize) -> usize {
        let known = self.get(dimension, value);
        known.unwrap_or_else(|| *self.dimensions[dimension as usize].entry(value.to_owned()).or_insert_with(next))
    }
}

/// What a closed trade's dimensions are made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Words {
    strategy: Option<String>,
    regime: Option<String>,
    symbol: String,
    weekday: u8,
    hour: u8,
    exit_reason: Option<String>,
    mental_state: Option<u8>,
    /// Each rule broken in it, once, in order.
    rules: Vec<String>,
}

impl Words {
    /// The words of a trade that was entered on this weekday, at this hour.
    pub(super) fn of(trade: &Trade, (weekday, hour): (u8, u8)) -> Self {
        let mut rules: Vec<String> = trade.rules_broken().map(str::to_owned).collect();
        rules.sort_unstable();
        rules.dedup();
        Self {
            strategy: rows::strategy(trade).map(str::to_owned),
            regime: trade.opened().and_then(|opened| opened.regime.clone()),
            symbol: trade.symbol.clone(),
            weekday,
            hour,
            exit_reason: trade.exit_reason().map(str::to_owned),
            mental_state: trade.mental_state(),
            rules,
        }
    }

    /// Words of which one differs from trade to trade.
    #[cfg(test)]
    pub(super) fn of_strategy(strategy: &str) -> Self {
        Self {
            strategy: Some(strategy.to_owned()),
            regime: None,
            symbol: "MES".to_owned(),
            weekday: 0,
            hour: 9,
            exit_reason: None,
            mental_state: None,
            rules: Vec::new(),
        }
    }

    /// Visits each dimension with its value; a trade is under each of its broken rules.
    pub(super) fn each(&self, account: &str, mut visit: impl FnMut(Dimension, &str)) {
        for dimension in Dimension::EVERY {
            self.each_of(account, dimension, |value| visit(dimension, value));
        }
    }

    /// Visits the value of a dimension, or each where there are several.
    pub(super) fn each_of(&self, account: &str, dimension: Dimension, mut visit: impl FnMut(&str)) {
        let strategy = self.strategy.as_deref().unwrap_or(NONE);
        let regime = self.regime.as_deref().unwrap_or(NONE);
        match dimension {
            Dimension::All => visit("all"),
            Dimension::Strategy => visit(strategy),
            Dimension::Regime => visit(regime),
            Dimension::StrategyRegime => visit(&[strategy, " / ", regime].concat()),
            Dimension::Symbol => visit(&self.symbol),
            Dimension::Weekday => visit(self.weekday_name()),
            Dimension::Hour => visit(self.hour_name()),
            Dimension::ExitReason => visit(self.exit_reason.as_deref().unwrap_or(NONE)),
            Dimension::MentalState => match self.mental_state {
                Some(score) => visit(&score.to_string()),
                None => visit(NONE),
            },
            Dimension::RuleBroken if self.rules.is_empty() => visit(NONE),
            Dimension::RuleBroken => self.rules.iter().for_each(|rule| visit(rule)),
            Dimension::Account => visit(account),
        }
    }

    /// Whether a trade is under a value of a dimension, without spelling out all the others.
    pub(super) fn has(&self, account: &str, dimension: Dimension, value: &str) -> bool {
        let strategy = self.strategy.as_deref().unwrap_or(NONE);
        let regime = self.regime.as_deref().unwrap_or(NONE);
        match dimension {
            Dimension::All => true,
            Dimension::Strategy => value == strategy,
            Dimension::Regime => value == regime,
            Dimension::StrategyRegime => {
                value.strip_prefix(strategy).and_then(|rest| rest.strip_prefix(" / ")) == Some(regime)
            }
            Dimension::Symbol => value == self.symbol,
            Dimension::Weekday => value == self.weekday_name(),
            Dimension::Hour => value == self.hour_name(),
            Dimension::ExitReason => value == self.exit_reason.as_deref().unwrap_or(NONE),
            Dimension::MentalState => value.parse().ok() == self.mental_state,
            Dimension::RuleBroken if self.rules.is_empty() => value == NONE,
            Dimension::RuleBroken => self.rules.iter().any(|rule| rule == value),
            Dimension::Account => value == account,
        }
    }

    fn weekday_name(&self) -> &'static str {
        WEEKDAYS[usize::from(self.weekday) % WEEKDAYS.len()]
    }

    fn hour_name(&self) -> &'static str {
        HOURS[usize::from(self.hour) % HOURS.len()]
    }
}
