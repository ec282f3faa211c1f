//! Owns the running figures of one sequence of closed trades: appended to in order, and told when a trade
//! came or went out of order, so that they are added up again only then, and only from where it matters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::State;
use super::settle::{Closed, Figures};
use crate::drawer::{Key, Shelf};
use crate::metrics::Summary;
use crate::moment::Moment;

/// The scope of a group over all accounts together.
pub(crate) const ALL_ACCOUNTS: &str = "*";

/// Trades read at a time while a sequence is added up again.
const PAGE: usize = 4_096;

/// How many of a group's latest trades can come, go and change without reading the others again; of the
/// groups of all trades, whose figures every metrics row needs, more.
const RECENT: usize = 48;
const RECENT_OF_ALL: usize = 512;

/// A place in window order.
pub(crate) type WindowKey = (Moment, String);

/// The figures of a sequence of trades in window order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Running {
    total: Summary,
    /// The trades up to `sealed_to`, added up.
    sealed: Summary,
    sealed_to: Option<WindowKey>,
    /// The trades after it.
    recent: Vec<(WindowKey, Figures)>,
    /// Something came or went before `sealed_to`: all must be added up again.
    stale: bool,
}

impl Running {
    pub(crate) fn push(&mut self, trade: &Closed, recent: usize) {
        let key = trade.window_key();
        if self.stale || self.sealed_to.as_ref().is_some_and(|sealed_to| *sealed_to >= key) {
            self.stale = true;
            return;
        }
        if self.recent.last().is_none_or(|(last, _)| *last < key) {
            self.total.push(&trade.figures);
            self.recent.push((key, trade.figures));
            return self.seal(recent);
        }
        let place = self.recent.partition_point(|(known, _)| *known < key);
        self.recent.insert(place, (key, trade.figures));
        self.add_up();
    }

    pub(crate) fn take_back(&mut self, trade: &Closed) {
        let known = |(key, _): &(WindowKey, Figures)| (key.0, key.1.as_str()) == (trade.exited_at, &trade.trade_id);
        match self.recent.iter().rposition(known) {
            Some(place) if !self.stale => {
                self.recent.remove(place);
                self.add_up();
            }
            _ => self.stale = true,
        }
    }

    fn seal(&mut self, recent: usize) {
        if self.recent.len() < 2 * recent {
            return;
        }
        for (key, figures) in self.recent.drain(..recent) {
            self.sealed.push(&figures);
            self.sealed_to = Some(key);
        }
    }

    fn add_up(&mut self) {
        self.total = self.sealed.clone();
        for (_, figures) in &self.recent {
            self.total.push(figures);
        }
    }

    pub(crate) fn is_stale(&self) -> bool {
        self.stale
    }

    /// The figures; only right while not stale.
    pub(crate) fn total(&self) -> &Summary {
        &self.total
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

    /// How many of its latest trades a group keeps at hand.
    pub(crate) fn recent(&self) -> usize {
        if self.dimension == "all" { RECENT_OF_ALL } else { RECENT }
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
        let known = ids.into_iter().filter_map(|id| self.groups.get(shelf, &id.key()).cloned());
        let mut groups: Vec<Group> = known.map(|group| Group { running: Running::default(), ..group }).collect();
        let accounts = if scope == ALL_ACCOUNTS { self.accounts_known(shelf) } else { vec![scope.to_owned()] };
        self.visit_closed(shelf, &accounts, |trade| {
            for group in groups.iter_mut().filter(|group| group.id.holds(trade)) {
                group.running.push(trade, group.id.recent());
            }
        });
        for group in groups {
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

    /// Visits the closed trades of some accounts in window order, a page at a time.
    pub(super) fn visit_closed(&self, shelf: &dyn Shelf, accounts: &[String], mut visit: impl FnMut(&Closed)) {
        let mut cursors: Vec<Cursor<'_>> = accounts.iter().map(|account| Cursor::new(account)).collect();
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
    fn new(account: &'a str) -> Self {
        Self { account, next: Key::text(account).0, page: Vec::new().into_iter(), done: false }
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
