//! Adds sequences up again that something came to or left out of order, from the last mark before it, and reads the
//! closed trades that takes, a page at a time.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::State;
use super::groups::{ALL_ACCOUNTS, Group};
use super::running::{Marks, WindowKey, follows};
use super::settle::{Closed, Figures};
use super::words::{ByValue, Dimension};
use crate::decimal::Dec;
use crate::drawer::{Found, Key, Shelf};
use crate::metrics::Summary;

/// Trades read at a time while sequences are added up again.
const PAGE: usize = 1_024;

/// A group that is being added up again.
struct Recount {
    key: Key,
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
        Some(Self { key, group, from, sum, last: None, passed })
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

    /// The dimension and the value that its trades share.
    fn id(&self) -> Option<(Dimension, &str)> {
        let mut parts = self.key.0.split(|byte| *byte == 0).skip(1);
        let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
        Some((Dimension::named(text()?)?, text()?))
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
    /// Adds up again every group in which something came or went out of order.
    pub(super) fn refresh_groups(&mut self, shelf: &dyn Shelf) {
        let stale: Vec<Key> = self
            .groups
            .changed()
            .filter_map(|(key, group)| group.filter(|group| group.running.is_stale()).map(|_| Key::from(key)))
            .collect();
        self.refresh(shelf, stale);
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
        let mut places = ByValue::default();
        for (place, recount) in recounts.iter().enumerate() {
            if let Some((dimension, value)) = recount.id() {
                places.entry(dimension, value, || place);
            }
        }
        let dimensions =
            Dimension::EVERY.into_iter().filter(|dimension| places.has_any(*dimension)).collect::<Vec<_>>();
        self.visit_closed(shelf, &accounts, from.as_ref(), |trade| {
            let square = trade.figures.square();
            for dimension in &dimensions {
                trade.words.each_of(&trade.account, *dimension, |value| {
                    if let Some(place) = places.get(*dimension, value) {
                        recounts[place].push(trade, square, &marks);
                    }
                });
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
    page: std::vec::IntoIter<Found<'a, Closed>>,
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

    fn fill(&mut self, state: &'a State, shelf: &dyn Shelf) {
        if self.done || !self.page.as_slice().is_empty() {
            return;
        }
        let read = state.closed.look(shelf, &self.next, &Key::text(self.account).end(), PAGE);
        self.done = read.len() < PAGE;
        if let Some((key, _)) = read.last() {
            self.next = key.iter().copied().chain([0]).collect();
        }
        self.page = read.into_iter();
    }

    fn peek(&self) -> Option<&Closed> {
        self.page.as_slice().first().map(|(_, trade)| &**trade)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.peek().map(Closed::place).cmp(&other.peek().map(Closed::place))
    }

    fn pop(&mut self) -> Option<Cow<'a, Closed>> {
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
