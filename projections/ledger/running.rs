//! Owns the running figures of breakdowns: each is a sequence of closed trades in window order, appended to as
//! trades close. What comes or goes out of order is added up again, and only from where it matters: the closed
//! trades of a scope have two marks, a few hundred trades apart, up to which each group remembers its figures.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::State;
use super::settle::{Closed, Figures};
use crate::decimal::Dec;
use crate::drawer::{Key, Shelf};
use crate::metrics::Summary;
use crate::moment::Moment;

/// The scope of a group over all accounts together.
pub(crate) const ALL_ACCOUNTS: &str = "*";

/// Trades read at a time while sequences are added up again.
const PAGE: usize = 1_024;

/// How many trades of a scope lie between two marks, at least; few in tests, so that they pass many.
const MARK_EVERY: u32 = if cfg!(test) { 8 } else { 256 };

/// A place in window order.
pub(crate) type WindowKey = (Moment, String);

/// The marks of a scope: two places in its closed trades.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Marks {
    older: Option<WindowKey>,
    newer: Option<WindowKey>,
    /// How often they were moved.
    moved: u64,
    /// The last trade there ever was, and how many came since the newer mark was set.
    last: Option<WindowKey>,
    since: u32,
}

impl Marks {
    fn count(&mut self, trade: &Closed) {
        self.since += 1;
        if !follows(trade, self.last.as_ref()) {
            return;
        }
        self.last = Some(trade.window_key());
    }

    /// Moves on, once enough trades came; groups follow when they are next touched.
    fn move_on(&mut self) {
        if self.since >= MARK_EVERY {
            self.older = std::mem::replace(&mut self.newer, self.last.clone());
            self.moved += 1;
            self.since = 0;
        }
    }
}

/// Whether a trade comes after a place.
fn follows(trade: &Closed, place: Option<&WindowKey>) -> bool {
    place.is_none_or(|(at, trade_id)| (*at, trade_id) < (trade.exited_at, &trade.trade_id))
}

/// The figures of a sequence of trades in window order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Running {
    total: Summary,
    last: Option<WindowKey>,
    /// What there was before the last trade: that one often leaves again at once, as soon as its exit has a reason.
    before_last: Option<(Summary, Option<WindowKey>)>,
    /// The figures up to the marks of its scope.
    older: Summary,
    newer: Summary,
    /// How often the marks had been moved when `older` and `newer` were taken.
    moved: u64,
    /// From where on it must be added up again; until then `total` is not right.
    stale_from: Option<WindowKey>,
}

impl Running {
    fn push(&mut self, trade: &Closed, square: Option<Dec>, marks: &Marks) {
        self.follow(marks);
        if self.is_stale() || !follows(trade, self.last.as_ref()) || !follows(trade, marks.newer.as_ref()) {
            return self.spoil(trade);
        }
        // The place before the last one is of no use any more: its text has room for the new one.
        let mut place = self.before_last.take().and_then(|(_, last)| last).unwrap_or_default();
        place.0 = trade.exited_at;
        place.1.clone_from(&trade.trade_id);
        self.before_last = Some((self.total.clone(), self.last.replace(place)));
        self.total.push_squared(&trade.figures, square);
    }

    fn take_back(&mut self, trade: &Closed, marks: &Marks) {
        self.follow(marks);
        let is_last = self.last.as_ref().is_some_and(|(_, trade_id)| *trade_id == trade.trade_id);
        if !is_last || self.is_stale() || !follows(trade, marks.newer.as_ref()) {
            return self.spoil(trade);
        }
        match self.before_last.take() {
            Some((total, last)) => (self.total, self.last) = (total, last),
            None => self.spoil(trade),
        }
    }

    fn spoil(&mut self, trade: &Closed) {
        if self.stale_from.is_none() || !follows(trade, self.stale_from.as_ref()) {
            self.stale_from = Some(trade.window_key());
        }
    }

    /// Takes its figures up to marks that were moved since it was last touched.
    fn follow(&mut self, marks: &Marks) {
        if self.moved == marks.moved {
            return;
        }
        let newer = std::mem::replace(&mut self.newer, self.total.clone());
        self.older = if self.moved + 1 == marks.moved { newer } else { self.total.clone() };
        self.moved = marks.moved;
    }

    pub(crate) fn is_stale(&self) -> bool {
        self.stale_from.is_some()
    }

    /// The figures; only right while not stale.
    pub(crate) fn total(&self) -> &Summary {
        &self.total
    }
}

/// One row of `performance_breakdown` in the making.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) trades: u32,
    pub(crate) running: Running,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
}

/// The key of a group: a scope (an account or `*`), a dimension, and a value of it.
pub(super) fn group_key(scope: &str, dimension: &str, value: &str) -> Key {
    Key::text(scope).and(dimension).and(value)
}

/// A group that is being added up again.
struct Recount {
    key: Key,
    dimension: String,
    value: String,
    group: Group,
    /// Where it begins: what comes up to here is in its figures already.
    from: Option<WindowKey>,
    sum: Summary,
    last: Option<WindowKey>,
    /// How many of the marks it has passed.
    passed: u8,
}

impl Recount {
    fn begin(key: Key, mut group: Group, marks: &Marks) -> Option<Self> {
        let mut parts = key.0.split(|byte| *byte == 0).skip(1);
        let mut text = || parts.next().and_then(|part| String::from_utf8(part.to_vec()).ok());
        let (dimension, value) = (text()?, text()?);
        group.running.follow(marks);
        let running = &group.running;
        let stale = running.stale_from.as_ref()?;
        let (from, sum, passed) = if marks.newer.as_ref().is_some_and(|mark| mark < stale) {
            (marks.newer.clone(), running.newer.clone(), 2)
        } else if marks.older.as_ref().is_some_and(|mark| mark < stale) {
            (marks.older.clone(), running.older.clone(), 1)
        } else {
            (None, Summary::default(), 0)
        };
        Some(Self { key, dimension, value, group, from, sum, last: None, passed })
    }

    fn push(&mut self, trade: &Closed, square: Option<Dec>, marks: &Marks) {
        if !follows(trade, self.from.as_ref()) {
            return;
        }
        self.pass(marks, |mark| follows(trade, Some(mark)));
        self.sum.push_squared(&trade.figures, square);
        let (at, trade_id) = self.last.get_or_insert_default();
        *at = trade.exited_at;
        trade_id.clone_from(&trade.trade_id);
    }

    /// Keeps the figures up to each mark that is behind.
    fn pass(&mut self, marks: &Marks, is_behind: impl Fn(&WindowKey) -> bool) {
        if self.passed == 0 && marks.older.as_ref().is_none_or(&is_behind) {
            self.group.running.older = self.sum.clone();
            self.passed = 1;
        }
        if self.passed == 1 && marks.newer.as_ref().is_none_or(&is_behind) {
            self.group.running.newer = self.sum.clone();
            self.passed = 2;
        }
    }

    fn end(mut self, marks: &Marks) -> (Key, Group) {
        self.pass(marks, |_| true);
        let running = &mut self.group.running;
        (running.total, running.before_last, running.stale_from) = (self.sum, None, None);
        // With no trade after the mark it began at there is no last place: whatever comes is held against that mark.
        running.last = self.last;
        (self.key, self.group)
    }
}

impl State {
    /// Puts a trade that closed into its groups of a scope.
    pub(super) fn join_groups(&mut self, shelf: &dyn Shelf, scope: &str, trade: &Closed, now: u64) {
        self.marks.entry(shelf, &Key::text(scope), Marks::default).count(trade);
        let square = trade.figures.square();
        trade.words.each(&trade.account, |dimension, value| {
            self.join_group(shelf, scope, (dimension, value), trade, square, now);
        });
    }

    /// Takes a trade out of its groups of a scope.
    pub(super) fn leave_groups(&mut self, shelf: &dyn Shelf, scope: &str, trade: &Closed, now: u64) {
        trade.words.each(&trade.account, |dimension, value| {
            self.leave_group(shelf, scope, (dimension, value), trade, now);
        });
    }

    /// Puts a trade into one group; `square` is that of its R.
    pub(super) fn join_group(
        &mut self,
        shelf: &dyn Shelf,
        scope: &str,
        id: (&str, &str),
        trade: &Closed,
        square: Option<Dec>,
        now: u64,
    ) {
        let Some(marks) = self.marks.get(shelf, &Key::text(scope)) else { return };
        let running = || Running { moved: marks.moved, ..Running::default() };
        let born = || Group { trades: 0, running: running(), first_seq: now, last_seq: now };
        let group = self.groups.entry(shelf, &group_key(scope, id.0, id.1), born);
        group.trades += 1;
        group.running.push(trade, square, marks);
        group.last_seq = now;
    }

    pub(super) fn leave_group(&mut self, shelf: &dyn Shelf, scope: &str, id: (&str, &str), trade: &Closed, now: u64) {
        let Some(marks) = self.marks.get(shelf, &Key::text(scope)) else { return };
        let key = group_key(scope, id.0, id.1);
        let Some(group) = self.groups.get_mut(shelf, &key) else { return };
        group.trades -= 1;
        group.running.take_back(trade, marks);
        group.last_seq = now;
        if group.trades == 0 {
            self.groups.remove(shelf, &key);
        }
    }

    /// Adds up again every group in which something came or went out of order, and moves the marks on.
    pub(super) fn refresh_groups(&mut self, shelf: &dyn Shelf) {
        let stale: Vec<Key> = self
            .groups
            .changed()
            .filter_map(|(key, group)| group.filter(|group| group.running.is_stale()).map(|_| Key::from(key)))
            .collect();
        self.refresh(shelf, stale);
        self.marks.visit_changed(Marks::move_on);
    }

    /// Adds up again the groups named, those of one scope in one pass over its closed trades.
    pub(super) fn refresh(&mut self, shelf: &dyn Shelf, stale: Vec<Key>) {
        let mut scopes: BTreeMap<Vec<u8>, Vec<Key>> = BTreeMap::new();
        for key in stale {
            let scope = key.0.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
            scopes.entry(scope).or_default().push(key);
        }
        for (scope, keys) in scopes {
            if let Ok(scope) = String::from_utf8(scope) {
                self.refresh_scope(shelf, &scope, keys);
            }
        }
    }

    fn refresh_scope(&mut self, shelf: &dyn Shelf, scope: &str, keys: Vec<Key>) {
        let marks = self.marks.get(shelf, &Key::text(scope)).cloned().unwrap_or_default();
        let known = keys.into_iter().filter_map(|key| Some((self.groups.get(shelf, &key)?.clone(), key)));
        let mut recounts: Vec<Recount> = known.filter_map(|(group, key)| Recount::begin(key, group, &marks)).collect();
        let Some(from) = recounts.iter().map(|recount| recount.from.clone()).min() else { return };
        let accounts = if scope == ALL_ACCOUNTS { self.accounts_known(shelf) } else { vec![scope.to_owned()] };
        self.visit_closed(shelf, &accounts, from.as_ref(), |trade| {
            let square = trade.figures.square();
            let holds = |recount: &&mut Recount| trade.words.has(&trade.account, &recount.dimension, &recount.value);
            for recount in recounts.iter_mut().filter(holds) {
                recount.push(trade, square, &marks);
            }
        });
        for recount in recounts {
            let (key, group) = recount.end(&marks);
            self.groups.put(&key, group);
        }
    }

    pub(super) fn accounts_known(&self, shelf: &dyn Shelf) -> Vec<String> {
        let known = self.accounts.scan(shelf, &[], &[0xFF], usize::MAX);
        known
            .into_iter()
            .filter_map(|(key, _)| String::from_utf8(key).ok())
            .map(|key| key.trim_end_matches('\0').to_owned())
            .collect()
    }

    /// Visits the closed trades of some accounts from a place on, in window order, a page at a time.
    pub(super) fn visit_closed(
        &self,
        shelf: &dyn Shelf,
        accounts: &[String],
        from: Option<&WindowKey>,
        mut visit: impl FnMut(&Closed),
    ) {
        let mut cursors: Vec<Cursor<'_>> = accounts.iter().map(|account| Cursor::new(account, from)).collect();
        loop {
            for cursor in &mut cursors {
                cursor.fill(self, shelf);
            }
            let next =
                cursors.iter_mut().filter(|cursor| cursor.peek().is_some()).min_by(|one, other| one.order(other));
            let Some(trade) = next.and_then(Cursor::pop) else { return };
            visit(&trade);
        }
    }
}

/// Reads one account's closed trades in window order, a page at a time.
struct Cursor<'a> {
    account: &'a str,
    next: Vec<u8>,
    page: std::vec::IntoIter<(Vec<u8>, Closed)>,
    done: bool,
}

impl<'a> Cursor<'a> {
    fn new(account: &'a str, from: Option<&WindowKey>) -> Self {
        let start = Key::text(account);
        let start = match from {
            Some((at, trade_id)) => start.signed(at.0).and(trade_id),
            None => start,
        };
        Self { account, next: start.0.to_vec(), page: Vec::new().into_iter(), done: false }
    }

    fn fill(&mut self, state: &State, shelf: &dyn Shelf) {
        if self.done || !self.page.as_slice().is_empty() {
            return;
        }
        let read = state.closed.scan(shelf, &self.next, &Key::text(self.account).end(), PAGE);
        self.done = read.len() < PAGE;
        if let Some((key, _)) = read.last() {
            self.next = key.iter().copied().chain([0]).collect();
        }
        self.page = read.into_iter();
    }

    fn peek(&self) -> Option<&Closed> {
        self.page.as_slice().first().map(|(_, trade)| trade)
    }

    fn order(&self, other: &Self) -> Ordering {
        let place = |cursor: &Self| cursor.peek().map(Closed::window_key);
        place(self).cmp(&place(other))
    }

    fn pop(&mut self) -> Option<Closed> {
        self.page.next().map(|(_, trade)| trade)
    }
}

/// The figures of an account's latest closed trades, oldest first.
pub(super) fn latest_closed(
    state: &State,
    shelf: &dyn Shelf,
    account: &str,
    count: usize,
) -> Vec<(WindowKey, Figures)> {
    let prefix = Key::text(account);
    let latest = state.closed.scan_back(shelf, &prefix.0, &prefix.end(), count);
    latest.into_iter().rev().map(|(_, trade)| (trade.window_key(), trade.figures)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Ledger;
    use super::*;
    use crate::calendar::TradingDate;
    use crate::drawer::MemoryShelf;

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
                words: super::super::words::Words::of_strategy(["x", "y", "z"][self.random(3)]),
            };
            self.state.closed.put(&trade.key(), trade.clone());
            for scope in [account, ALL_ACCOUNTS] {
                self.state.join_groups(&self.shelf, scope, &trade, 1);
            }
            self.trades.push(trade);
        }

        /// A correction takes a trade away: mostly one of the last.
        fn take_away(&mut self) {
            let count = self.trades.len();
            let back = if self.random(4) == 0 { self.random(count) } else { self.random(count.min(3)) };
            let trade = self.trades.remove(count - 1 - back);
            self.state.closed.remove(&self.shelf, &trade.key());
            for scope in [trade.account.as_str(), ALL_ACCOUNTS] {
                self.state.leave_groups(&self.shelf, scope, &trade, 1);
            }
        }

        fn flush(&mut self) {
            self.state.refresh_groups(&self.shelf);
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
