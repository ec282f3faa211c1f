//! Owns the groups of breakdowns: the closed trades of a scope that share a value of a dimension. What came to them and
//! left them is kept until a flush and told to them at once, so that a trade that changes its group as soon as its exit
//! has a reason is added up once. Only a scope's group of all follows at once: metrics are reckoned from it at each close.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::State;
use super::running::{Marks, Move, Running};
use super::settle::Closed;
use super::words::{ByValue, Dimension, Words};
use crate::decimal::Dec;
use crate::drawer::{Drawer, Key, Shelf};

/// The scope of a group over all accounts together.
pub(crate) const ALL_ACCOUNTS: &str = "*";

/// One row of `performance_breakdown` in the making.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) trades: u32,
    pub(crate) running: Running,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
}

/// The key of a group: a scope (an account or `*`), a dimension, and a value of it.
pub(super) fn group_key(scope: &str, dimension: Dimension, value: &str) -> Key {
    let dimension = dimension.name();
    Key::text(scope).and(dimension).and(value)
}

/// What became of a closed trade.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Came(Closed),
    Left(Closed),
    /// Its words changed and its figures stay: only the groups it leaves and joins change.
    Renamed {
        trade: Closed,
        before: Words,
    },
}

impl Change {
    pub(super) fn trade(&self) -> &Closed {
        match self {
            Self::Came(trade) | Self::Left(trade) | Self::Renamed { trade, .. } => trade,
        }
    }

    /// Visits each value of a dimension to which the trade comes (`true`) or which it leaves.
    fn each(&self, mut visit: impl FnMut(bool, Dimension, &str)) {
        let Closed { account, words, .. } = self.trade();
        match self {
            Self::Came(_) => words.each(account, |dimension, value| visit(true, dimension, value)),
            Self::Left(_) => words.each(account, |dimension, value| visit(false, dimension, value)),
            Self::Renamed { before, .. } => {
                before.each(account, |dimension, value| {
                    if !words.has(account, dimension, value) {
                        visit(false, dimension, value);
                    }
                });
                words.each(account, |dimension, value| {
                    if !before.has(account, dimension, value) {
                        visit(true, dimension, value);
                    }
                });
            }
        }
    }
}

/// A change that groups have not followed yet.
struct Due<'a> {
    seq: u64,
    /// The square of the trade's R.
    square: Option<Dec>,
    change: &'a Change,
}

impl<'a> Due<'a> {
    fn of(seq: u64, change: &'a Change) -> Self {
        Self { seq, square: change.trade().figures.square(), change }
    }
}

/// A group and what came to it and left it since the last flush.
struct Turnover<'a> {
    key: Key,
    trades: u32,
    first_seq: u64,
    last_seq: u64,
    /// It was made, perhaps not for the first time: nothing of what it was before counts.
    is_new: bool,
    moves: Vec<Move<'a>>,
}

impl<'a> Turnover<'a> {
    fn of(group: Option<&Group>, key: Key) -> Self {
        let (trades, first_seq, last_seq) =
            group.map_or((0, 0, 0), |group| (group.trades, group.first_seq, group.last_seq));
        Self { key, trades, first_seq, last_seq, is_new: false, moves: Vec::new() }
    }

    fn tell(&mut self, seq: u64, told: Move<'a>) {
        match (told.comes, self.trades) {
            (true, 0) => {
                (self.is_new, self.first_seq, self.trades) = (true, seq, 1);
                self.moves.clear();
            }
            (true, _) => self.trades += 1,
            (false, 0) => return,
            (false, _) => self.trades -= 1,
        }
        self.last_seq = seq;
        self.moves.push(told);
    }

    fn write(self, groups: &mut Drawer<Group>, shelf: &dyn Shelf, marks: &Marks) {
        let group = groups.entry(shelf, &self.key, Group::default);
        if self.is_new {
            group.running = Running::empty(marks);
        }
        (group.trades, group.first_seq, group.last_seq) = (self.trades, self.first_seq, self.last_seq);
        if group.trades == 0 {
            groups.remove(shelf, &self.key);
            return;
        }
        group.running.follow_moves(self.moves, marks);
    }
}

impl State {
    /// Keeps what became of a closed trade for the next flush.
    pub(super) fn regroup(&mut self, shelf: &dyn Shelf, seq: u64, change: Change) {
        match &change {
            Change::Came(trade) => self.tell_all(shelf, seq, trade, true),
            Change::Left(trade) => self.tell_all(shelf, seq, trade, false),
            Change::Renamed { .. } => {}
        }
        self.arrears.push((seq, change));
    }

    /// Brings the group of all an account's trades up to date with one of them.
    fn tell_all(&mut self, shelf: &dyn Shelf, seq: u64, trade: &Closed, comes: bool) {
        let unmarked = Marks::default();
        let marks = self.marks.get(shelf, &Key::text(&trade.account)).unwrap_or(&unmarked);
        let key = group_key(&trade.account, Dimension::All, "all");
        let mut all = Turnover::of(self.groups.get(shelf, &key), key);
        all.tell(seq, Move { trade, square: trade.figures.square(), comes });
        all.write(&mut self.groups, shelf, marks);
    }

    /// Brings all groups up to date, and moves the marks on.
    pub(super) fn settle_groups(&mut self, shelf: &dyn Shelf) {
        let arrears = std::mem::take(&mut self.arrears);
        let due: Vec<Due<'_>> = arrears.iter().map(|(seq, change)| Due::of(*seq, change)).collect();
        let mut scopes: BTreeMap<&str, Vec<&Due<'_>>> = BTreeMap::new();
        for due in &due {
            scopes.entry(&due.change.trade().account).or_default().push(due);
        }
        for (account, due) in scopes {
            self.settle_scope(shelf, account, due);
        }
        self.settle_scope(shelf, ALL_ACCOUNTS, &due);
        self.refresh_groups(shelf);
        self.marks.visit_changed(Marks::move_on);
    }

    fn settle_scope<'a>(&mut self, shelf: &dyn Shelf, scope: &str, due: impl IntoIterator<Item = &'a Due<'a>>) {
        let marks_key = Key::text(scope);
        let (mut places, mut turnovers) = (ByValue::default(), Vec::<Turnover<'a>>::new());
        for Due { seq, square, change } in due {
            if let Change::Came(trade) = change {
                self.marks.entry(shelf, &marks_key, Marks::default).count(trade);
            }
            change.each(|comes, dimension, value| {
                if dimension == Dimension::All && scope != ALL_ACCOUNTS {
                    return;
                }
                let place = places.entry(dimension, value, || {
                    let key = group_key(scope, dimension, value);
                    turnovers.push(Turnover::of(self.groups.get(shelf, &key), key));
                    turnovers.len() - 1
                });
                turnovers[place].tell(*seq, Move { trade: change.trade(), square: *square, comes });
            });
        }
        let unmarked = Marks::default();
        let marks = self.marks.get(shelf, &marks_key).unwrap_or(&unmarked);
        for turnover in turnovers {
            turnover.write(&mut self.groups, shelf, marks);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ledger;
    use super::super::settle::Figures;
    use super::*;
    use crate::calendar::TradingDate;
    use crate::drawer::MemoryShelf;
    use crate::metrics::Summary;
    use crate::moment::Moment;

    /// A journal's closed trades, told to a ledger's groups, and kept aside to be added up by themselves.
    struct Journal {
        shelf: MemoryShelf,
        state: State,
        trades: Vec<Closed>,
        seed: u64,
    }

    impl Journal {
        fn random(&mut self, below: usize) -> usize {
            self.seed = self.seed.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
            usize::try_from(self.seed >> 33).unwrap() % below
        }

        /// A trade that closes now, or, once in a while, long ago.
        fn close(&mut self, number: usize) {
            let account = ["a", "b"][self.random(2)];
            self.state.accounts.entry(&self.shelf, &Key::text(account), Default::default);
            let age = if self.random(6) == 0 { self.random(number + 1) } else { 0 };
            let net = Dec::from_int(i64::try_from(self.random(9)).unwrap() - 4);
            let figures = Figures { net, result_r: net.ratio(Dec::from_int(7)), ..Figures::default() };
            let trade = Closed {
                trade_id: format!("T{number}"),
                account: account.to_owned(),
                exited_at: Moment(i64::try_from(number - age).unwrap()),
                date: TradingDate(0),
                counts: true,
                figures,
                slippage_ticks: None,
                words: Words::of_strategy(["x", "y", "z"][self.random(3)]),
            };
            self.state.closed.put(&trade.key(), trade.clone());
            self.state.regroup(&self.shelf, 1, Change::Came(trade.clone()));
            self.trades.push(trade);
        }

        /// A correction takes a trade away: mostly one of the last.
        fn take_away(&mut self) {
            let count = self.trades.len();
            let back = if self.random(4) == 0 { self.random(count) } else { self.random(count.min(3)) };
            let trade = self.trades.remove(count - 1 - back);
            self.state.closed.remove(&self.shelf, &trade.key());
            self.state.regroup(&self.shelf, 1, Change::Left(trade));
        }

        fn flush(&mut self) {
            self.state.settle_groups(&self.shelf);
            let mut changes = Vec::new();
            self.state.closed.flush(&mut changes, |_| false);
            self.state.accounts.write(&mut changes);
            self.state.groups.write(&mut changes);
            self.state.marks.write(&mut changes);
            self.shelf.keep(changes);
            if self.random(3) == 0 {
                self.state = Ledger::default().state;
            }
        }

        /// Every group there is has the figures of its trades added up in window order, and no other group is.
        fn check(&mut self) {
            let mut expected: BTreeMap<Vec<u8>, Summary> = BTreeMap::new();
            self.trades.sort_by_key(Closed::window_key);
            for trade in &self.trades {
                for scope in [trade.account.as_str(), ALL_ACCOUNTS] {
                    trade.words.each(&trade.account, |dimension, value| {
                        let key = group_key(scope, dimension, value);
                        expected.entry(key.0.to_vec()).or_default().push(&trade.figures);
                    });
                }
            }
            let known = self.state.groups.scan(&self.shelf, &[], &[0xFF], usize::MAX);
            let totals: BTreeMap<_, _> =
                known.into_iter().map(|(key, group)| (key, group.running.total().clone())).collect();
            assert_eq!(totals, expected);
        }
    }

    #[test]
    fn groups_have_the_figures_of_their_trades_whatever_comes_and_goes() {
        for seed in 0..40 {
            let state = Ledger::default().state;
            let mut journal = Journal { shelf: MemoryShelf::default(), state, trades: Vec::new(), seed };
            for number in 0..250 {
                journal.close(number);
                if journal.random(4) == 0 {
                    journal.take_away();
                }
                if journal.random(5) == 0 {
                    journal.flush();
                    journal.check();
                }
            }
        }
    }
}
