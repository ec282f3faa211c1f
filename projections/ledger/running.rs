//! Owns the running figures of one sequence of closed trades: appended to in order, and told when a trade
//! came or went out of order, so that they are added up again only then, and only from where it matters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::State;
use super::settle::{Closed, closed_key};
use crate::drawer::{Key, Shelf};
use crate::metrics::Summary;
use crate::moment::{DAY_MICROS, Moment};

/// The scope of a group over all accounts together.
pub(crate) const ALL_ACCOUNTS: &str = "*";

/// Trades read at a time while a sequence is added up again.
const PAGE: usize = 4_096;

/// A place in window order.
pub(crate) type WindowKey = (Moment, String);

/// The figures of a sequence of trades in window order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Running {
    total: Summary,
    last: Option<WindowKey>,
    /// `total` and `last` before the latest trade, which alone can be taken back at once.
    undo: Option<Box<(Summary, Option<WindowKey>)>>,
    /// `total` at the start of the UTC day of the latest trade.
    sealed: Summary,
    sealed_last: Option<WindowKey>,
    sealed_day: i64,
    /// The earliest UTC day in which something came or went out of order.
    stale_from: Option<i64>,
}

impl Running {
    pub(crate) fn push(&mut self, trade: &Closed) {
        let key = (trade.exited_at, trade.trade_id.clone());
        if self.stale_from.is_some() || self.last.as_ref().is_some_and(|last| *last >= key) {
            return self.disturb(trade);
        }
        let day = trade.exited_at.utc_day();
        if self.last.is_none() || day != self.sealed_day {
            (self.sealed, self.sealed_last, self.sealed_day) = (self.total.clone(), self.last.clone(), day);
        }
        self.undo = Some(Box::new((self.total.clone(), self.last.take())));
        self.total.push(trade);
        self.last = Some(key);
    }

    pub(crate) fn take_back(&mut self, trade: &Closed) {
        let latest = self.last.as_ref().is_some_and(|last| (last.0, &last.1) == (trade.exited_at, &trade.trade_id));
        match self.undo.take() {
            Some(before) if latest && self.stale_from.is_none() => (self.total, self.last) = *before,
            _ => self.disturb(trade),
        }
    }

    fn disturb(&mut self, trade: &Closed) {
        let day = trade.exited_at.utc_day();
        self.stale_from = Some(self.stale_from.map_or(day, |from| from.min(day)));
    }

    pub(crate) fn is_stale(&self) -> bool {
        self.stale_from.is_some()
    }

    /// The figures; only right while not stale.
    pub(crate) fn total(&self) -> &Summary {
        &self.total
    }

    /// Forgets what must be added up again; says from which UTC day on.
    fn rewind(&mut self) -> Option<i64> {
        let from = self.stale_from.take()?;
        self.undo = None;
        if from >= self.sealed_day && self.last.is_some() {
            (self.total, self.last) = (self.sealed.clone(), self.sealed_last.clone());
            return Some(self.sealed_day);
        }
        *self = Self::default();
        Some(i64::MIN)
    }
}

/// Which breakdown: a scope (an account or `*`), a dimension, and a value of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct GroupId {
    pub(crate) scope: String,
    pub(crate) dimension: String,
    pub(crate) value: String,
}

impl GroupId {
    pub(crate) fn key(&self) -> Key {
        Key::text(&self.scope).and(&self.dimension).and(&self.value)
    }

    /// The group of all closed trades of a scope.
    pub(crate) fn all(scope: &str) -> Self {
        Self { scope: scope.to_owned(), dimension: "all".to_owned(), value: "all".to_owned() }
    }

    fn holds(&self, trade: &Closed) -> bool {
        (self.scope == ALL_ACCOUNTS || self.scope == trade.account)
            && trade.dimensions.iter().any(|(dimension, value)| *dimension == self.dimension && *value == self.value)
    }
}

/// One row of `performance_breakdown` in the making.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) id: GroupId,
    pub(crate) trades: u32,
    pub(crate) running: Running,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
}

impl State {
    /// Adds up again every group in which something came or went out of order.
    pub(super) fn refresh_groups(&mut self, shelf: &dyn Shelf) {
        let stale: Vec<GroupId> = self
            .groups
            .changed()
            .filter_map(|(_, group)| group.filter(|group| group.running.is_stale()).map(|group| group.id.clone()))
            .collect();
        self.refresh(shelf, stale);
    }

    /// Adds up again the groups named, those of one scope in one pass over its closed trades.
    pub(super) fn refresh(&mut self, shelf: &dyn Shelf, stale: Vec<GroupId>) {
        let mut scopes: BTreeMap<String, Vec<GroupId>> = BTreeMap::new();
        for id in stale {
            scopes.entry(id.scope.clone()).or_default().push(id);
        }
        for (scope, ids) in scopes {
            self.refresh_scope(shelf, &scope, ids);
        }
    }

    fn refresh_scope(&mut self, shelf: &dyn Shelf, scope: &str, ids: Vec<GroupId>) {
        let mut groups = Vec::new();
        for id in ids {
            let Some(group) = self.groups.get(shelf, &id.key()) else { continue };
            let mut group = group.clone();
            if let Some(from) = group.running.rewind() {
                groups.push((from, group));
            }
        }
        let Some(from) = groups.iter().map(|(from, _)| *from).min() else { return };
        let accounts = if scope == ALL_ACCOUNTS { self.accounts_known(shelf) } else { vec![scope.to_owned()] };
        self.visit_closed(shelf, &accounts, from, |trade| {
            for (from, group) in &mut groups {
                if trade.exited_at.utc_day() >= *from && group.id.holds(trade) {
                    group.running.push(trade);
                }
            }
        });
        for (_, group) in groups {
            self.groups.put(group.id.key(), group);
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

    /// Visits closed trades of some accounts in window order from a UTC day on, a day at a time.
    pub(super) fn visit_closed(
        &self,
        shelf: &dyn Shelf,
        accounts: &[String],
        from: i64,
        mut visit: impl FnMut(&Closed),
    ) {
        let start = Moment(from.saturating_mul(DAY_MICROS).max(Moment::MIN.0));
        let mut cursors: Vec<Cursor<'_>> = accounts.iter().map(|account| Cursor::new(account, start)).collect();
        loop {
            for cursor in &mut cursors {
                cursor.fill(self, shelf);
            }
            let next =
                (0..cursors.len()).filter(|at| cursors[*at].peek().is_some()).min_by_key(|at| cursors[*at].peek());
            let Some(trade) = next.and_then(|at| cursors[at].pop()) else { return };
            visit(&trade);
        }
    }
}

/// Reads one account's closed trades in window order, a page at a time.
struct Cursor<'a> {
    account: &'a str,
    next: Vec<u8>,
    page: std::vec::IntoIter<Closed>,
    done: bool,
}

impl<'a> Cursor<'a> {
    fn new(account: &'a str, start: Moment) -> Self {
        Self { account, next: Key::text(account).signed(start.0).0, page: Vec::new().into_iter(), done: false }
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
        self.page = read.into_iter().map(|(_, trade)| trade).collect::<Vec<_>>().into_iter();
    }

    fn peek(&self) -> Option<(Moment, &str)> {
        self.page.as_slice().first().map(|trade| (trade.exited_at, trade.trade_id.as_str()))
    }

    fn pop(&mut self) -> Option<Closed> {
        self.page.next()
    }
}

/// The latest closed trades of an account, oldest first.
pub(super) fn latest_closed(state: &State, shelf: &dyn Shelf, account: &str, count: usize) -> Vec<Closed> {
    let prefix = Key::text(account);
    let mut latest = state.closed.scan_back(shelf, &prefix.0, &prefix.end(), count);
    latest.reverse();
    debug_assert!(latest.iter().all(|(key, trade)| *key == closed_key(trade).0));
    latest.into_iter().map(|(_, trade)| trade).collect()
}
