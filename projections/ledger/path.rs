//! Owns an account's path: its equity with open trades after each position that moved it, in the order of the log.
//! Kept for accounts whose drawdown trails that equity, and for no other. A trade adds to it what it is worth: what it
//! has realised, and what is open at its last known price. A correction takes the moves of a trade out and adds them
//! again; what came after is gone along once more, which costs what came since to that account.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::limits::{Breach, Mark, Rules};
use super::trade::{Status, Trade};
use super::{Work, trade_key};
use crate::decimal::Dec;
use crate::drawer::Key;
use crate::moment::Moment;

/// Steps read at a time.
const PAGE: usize = 1_000;

/// Where a path has come to; at position 0 it has not begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Path {
    pub(super) seq: u64,
    pub(super) equity: Dec,
    pub(super) mark: Mark,
}

impl Path {
    pub(super) fn or_start(self, rules: &Rules) -> Self {
        if self.seq > 0 {
            return self;
        }
        Self { seq: 0, equity: rules.starting_equity, mark: Mark::at_start(rules) }
    }
}

/// What one event did to a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    at: Moment,
    /// Of each trade concerned, against what it was worth before.
    moves: BTreeMap<String, Move>,
    cash: Dec,
    /// Where it led.
    after: Path,
}

/// How a trade's worth moved: to the low of the event's prices, to their high, and to where it stayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Move {
    at_low: Dec,
    at_high: Dec,
    stays: Dec,
}

/// The prices of an event of a trade; an excursion has no last one.
#[derive(Clone, Copy)]
pub(super) struct Prices {
    pub(super) low: Dec,
    pub(super) high: Dec,
    pub(super) last: Option<Dec>,
}

impl Step {
    fn at(at: Moment) -> Self {
        Self { at, moves: BTreeMap::new(), cash: Dec::ZERO, after: Path::default() }
    }

    /// Goes on from where the path was; answers the floor and the equity that reached it.
    fn take(&mut self, seq: u64, before: Path, rules: &Rules) -> Option<(Dec, Dec)> {
        let Path { equity, mut mark, .. } = before;
        let equity = equity + self.cash;
        mark.move_cash(self.cash);
        let sum = |of: fn(&Move) -> Dec| equity + self.moves.values().map(of).sum();
        let (at_low, at_high) = (sum(|moved| moved.at_low), sum(|moved| moved.at_high));
        let lowest = at_low.min(at_high);
        let reached = mark.reached_by(lowest, rules).map(|floor| (floor, lowest));
        mark.rise(at_low.max(at_high), rules);
        self.after = Path { seq, equity: sum(|moved| moved.stays), mark };
        reached
    }
}

/// What a trade has realised, with what is open at a price.
fn worth(trade: &Trade, price: Dec) -> Dec {
    trade.position.net() + trade.position.open_profit(trade.direction, trade.tick, price)
}

impl Work<'_> {
    fn has_path(&mut self, account: &str) -> bool {
        let known = self.state.accounts.get(self.shelf, &Key::text(account));
        known.and_then(super::account::Account::rules).is_some_and(|rules| rules.is_intraday)
    }

    /// Moves the path of a trade's account by prices the trade has met.
    pub(super) fn trace(&mut self, account: &str, trade_id: &str, seq: u64, at: Moment, prices: Prices) {
        if !self.has_path(account) {
            return;
        }
        let key = trade_key(trade_id);
        let Some(trade) = self.state.trades.get(self.shelf, &key).filter(|trade| trade.status != Status::Voided) else {
            return;
        };
        let was = trade.worth;
        let (at_low, at_high) = (worth(trade, prices.low) - was, worth(trade, prices.high) - was);
        let stays = prices.last.map_or(Dec::ZERO, |price| worth(trade, price) - was);
        if let Some(trade) = self.state.trades.get_mut(self.shelf, &key) {
            trade.worth = was + stays;
        }
        let moved = self.step(account, seq, at).moves.entry(trade_id.to_owned()).or_default();
        let before = moved.stays;
        *moved = Move { at_low: before + at_low, at_high: before + at_high, stays: before + stays };
    }

    pub(super) fn trace_cash(&mut self, account: &str, seq: u64, at: Moment, amount: Dec) {
        if self.has_path(account) {
            self.step(account, seq, at).cash = amount;
        }
    }

    /// Begins the path of an account that is opened now. What it did before is placed again, so that it leaves its steps.
    pub(super) fn begin_path(&mut self, account: &str) {
        if !self.has_path(account) {
            return;
        }
        let prefix = Key::text(account);
        let days = self.state.days.scan(self.shelf, &prefix.0, &prefix.end(), usize::MAX);
        for moved in days.into_iter().flat_map(|(_, day)| day.cash) {
            self.trace_cash(account, moved.seq, moved.at, moved.amount);
        }
        let trades = self.trades_of(account);
        let trades: Vec<&str> = trades.iter().map(String::as_str).collect();
        self.refold(&[], &trades, |_| {});
        self.finish(&[]);
        // Nothing was corrected: no figure of a closed trade is another for it.
        self.is_correction = false;
    }

    fn step(&mut self, account: &str, seq: u64, at: Moment) -> &mut Step {
        self.path_changes(account, seq);
        self.state.path.entry(self.shelf, &Key::text(account).seq(seq), || Step::at(at))
    }

    fn path_changes(&mut self, account: &str, seq: u64) {
        match self.path_from.get_mut(account) {
            Some(from) => *from = seq.min(*from),
            None => drop(self.path_from.insert(account.to_owned(), seq)),
        }
    }

    /// Takes what a trade did out of its account's path.
    pub(super) fn untrace(&mut self, trade: &Trade) {
        if !self.has_path(&trade.account) {
            return;
        }
        let account = Key::text(&trade.account);
        let mut from = trade.first_seq;
        loop {
            let found = self.state.path.scan(self.shelf, &account.clone().seq(from).0, &account.end(), PAGE);
            let is_last_page = found.len() < PAGE;
            for (key, mut step) in found {
                let seq = seq_of(&key);
                from = seq + 1;
                if step.moves.remove(&trade.trade_id).is_none() {
                    continue;
                }
                self.path_changes(&trade.account, seq);
                let key = Key::from(key.as_slice());
                if step.moves.is_empty() {
                    self.state.path.remove(self.shelf, &key);
                } else {
                    self.state.path.put(&key, step);
                }
            }
            if is_last_page {
                return;
            }
        }
    }

    /// Goes along the paths that changed; answers whose.
    pub(super) fn walk_paths(&mut self) -> Vec<String> {
        let changed = std::mem::take(&mut self.path_from);
        for (account, from) in &changed {
            let Some(rules) = self.account(account).rules() else { continue };
            self.walk_path(account, *from, &rules);
        }
        changed.into_keys().collect()
    }

    fn walk_path(&mut self, account: &str, mut from: u64, rules: &Rules) {
        let mut path = self.account(account).path;
        let is_next = path.seq < from && from == self.now;
        if path.seq >= from {
            let (prefix, from) = (Key::text(account), Key::text(account).seq(from));
            let before = self.state.path.scan_back(self.shelf, &prefix.0, &from.0, 1);
            path = before.first().map(|(_, step)| step.after).unwrap_or_default();
        }
        path = path.or_start(rules);
        let mut reached = None;
        loop {
            let found = self.steps(account, from, is_next);
            let is_last_page = found.len() < PAGE;
            for (key, mut step) in found {
                let (seq, known) = (seq_of(&key), step.after);
                from = seq + 1;
                let fell = step.take(seq, path, rules);
                reached = reached.or_else(|| fell.map(|fell| (step.at, fell)));
                path = step.after;
                if path != known {
                    self.state.path.put(&Key::from(key.as_slice()), step);
                }
            }
            if is_last_page {
                break;
            }
        }
        self.account(account).path = path;
        if let Some((at, (floor, equity))) = reached {
            let date = self.date(account, at);
            self.list_breaches(account, &[Breach::of_drawdown(date, floor, equity)]);
        }
    }

    /// A page of steps from a position on. The step that just came is in memory and the last: no need to ask the shelf.
    fn steps(&mut self, account: &str, from: u64, is_next: bool) -> Vec<(Vec<u8>, Step)> {
        let key = Key::text(account).seq(from);
        if is_next {
            let step = self.state.path.get(self.shelf, &key).cloned();
            return step.map(|step| (key.0.to_vec(), step)).into_iter().collect();
        }
        self.state.path.scan(self.shelf, &key.0, &Key::text(account).end(), PAGE)
    }
}

fn seq_of(key: &[u8]) -> u64 {
    Key::read_seq(&key[key.len() - 8..]).unwrap_or_default()
}
