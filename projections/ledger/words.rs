//! Owns the words by which closed trades are broken down: the dimensions, and a trade's value of each.

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

/// The value of an absent word.
const NONE: &str = "none";

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
    pub(super) fn each(&self, account: &str, mut visit: impl FnMut(&'static str, &str)) {
        let strategy = self.strategy.as_deref().unwrap_or(NONE);
        let regime = self.regime.as_deref().unwrap_or(NONE);
        visit("all", "all");
        visit("strategy", strategy);
        visit("regime", regime);
        visit("strategy_regime", &[strategy, " / ", regime].concat());
        visit("symbol", &self.symbol);
        visit("weekday", self.weekday_name());
        visit("hour", &format!("{:02}", self.hour));
        visit("exit_reason", self.exit_reason.as_deref().unwrap_or(NONE));
        match self.mental_state {
            Some(score) => visit("mental_state", &score.to_string()),
            None => visit("mental_state", NONE),
        }
        visit("account", account);
        if self.rules.is_empty() {
            visit("rule_broken", NONE);
        }
        for rule in &self.rules {
            visit("rule_broken", rule);
        }
    }

    /// Whether a trade is under a value of a dimension, without spelling out all the others.
    pub(super) fn has(&self, account: &str, dimension: &str, value: &str) -> bool {
        let strategy = self.strategy.as_deref().unwrap_or(NONE);
        let regime = self.regime.as_deref().unwrap_or(NONE);
        match dimension {
            "all" => true,
            "strategy" => value == strategy,
            "regime" => value == regime,
            "strategy_regime" => value.strip_prefix(strategy).and_then(|rest| rest.strip_prefix(" / ")) == Some(regime),
            "symbol" => value == self.symbol,
            "weekday" => value == self.weekday_name(),
            "hour" => value.parse() == Ok(self.hour),
            "exit_reason" => value == self.exit_reason.as_deref().unwrap_or(NONE),
            "mental_state" => value.parse().ok() == self.mental_state,
            "rule_broken" if self.rules.is_empty() => value == NONE,
            "rule_broken" => self.rules.iter().any(|rule| rule == value),
            _ => value == account,
        }
    }

    fn weekday_name(&self) -> &'static str {
        WEEKDAYS[usize::from(self.weekday) % WEEKDAYS.len()]
    }
}
