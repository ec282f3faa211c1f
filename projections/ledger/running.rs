//! Owns the running figures of one group: a sequence of closed trades in window order, appended to as trades
//! close. What comes or goes out of order makes it stale, from a place on, for `recount` to add up again: the
//! closed trades of a scope have two marks, a few hundred trades apart, up to which each group remembers its figures.

use serde::{Deserialize, Serialize};

use super::settle::Closed;
use crate::decimal::Dec;
use crate::metrics::Summary;
use crate::moment::Moment;

/// How many trades of a scope lie between two marks, at least; few in tests, so that they pass many.
const MARK_EVERY: u32 = if cfg!(test) { 8 } else { 256 };

/// A place in window order.
pub(crate) type WindowKey = (Moment, String);

/// The marks of a scope: two places in its closed trades.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Marks {
    pub(super) older: Option<WindowKey>,
    pub(super) newer: Option<WindowKey>,
    /// How often they were moved.
    moved: u64,
    /// The last trade there ever was, and how many came since the newer mark was set.
    last: Option<WindowKey>,
    since: u32,
}

impl Marks {
    pub(super) fn count(&mut self, trade: &Closed) {
        self.since += 1;
        if !follows(trade, self.last.as_ref()) {
            return;
        }
        self.last = Some(trade.window_key());
    }

    /// Moves on, once enough trades came; groups follow when they are next touched.
    pub(super) fn move_on(&mut self) {
        if self.since >= MARK_EVERY {
            self.older = std::mem::replace(&mut self.newer, self.last.clone());
            self.moved += 1;
            self.since = 0;
        }
    }
}

/// Whether a trade comes after a place.
pub(super) fn follows(trade: &Closed, place: Option<&WindowKey>) -> bool {
    place.is_none_or(|(at, trade_id)| (*at, trade_id) < (trade.exited_at, &trade.trade_id))
}

/// The figures of a sequence of trades in window order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Running {
    pub(super) total: Summary,
    pub(super) last: Option<WindowKey>,
    /// What there was before the last trade: that one often leaves again at once, as soon as its exit has a reason.
    pub(super) before_last: Option<(Summary, Option<WindowKey>)>,
    /// The figures up to the marks of its scope.
    pub(super) older: Summary,
    pub(super) newer: Summary,
    /// How often the marks had been moved when `older` and `newer` were taken.
    moved: u64,
    /// From where on it must be added up again; until then `total` is not right.
    pub(super) stale_from: Option<WindowKey>,
}

/// A trade that comes to a sequence or leaves it, with the square of its R.
#[derive(Clone, Copy)]
pub(super) struct Move<'a> {
    pub(super) trade: &'a Closed,
    pub(super) square: Option<Dec>,
    pub(super) comes: bool,
}

impl Running {
    /// Nothing yet, under marks as they stand.
    pub(super) fn empty(marks: &Marks) -> Self {
        Self { moved: marks.moved, ..Self::default() }
    }

    /// Follows what came and left, told in the order in which it happened: what came and left again, or the other
    /// way round, is taken for what it was in the end.
    pub(super) fn follow_moves(&mut self, mut moves: Vec<Move<'_>>, marks: &Marks) {
        moves.sort_by_key(|told| told.trade.place());
        let of_one_trade = || moves.chunk_by(|one, other| one.trade.place() == other.trade.place());
        for told in of_one_trade().rev().map(|moves| moves[0]).filter(|told| !told.comes) {
            self.take_back(told.trade, marks);
        }
        for told in of_one_trade().map(|moves| moves[moves.len() - 1]).filter(|told| told.comes) {
            self.push(told.trade, told.square, marks);
        }
    }

    pub(super) fn push(&mut self, trade: &Closed, square: Option<Dec>, marks: &Marks) {
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

    pub(super) fn take_back(&mut self, trade: &Closed, marks: &Marks) {
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
    pub(super) fn follow(&mut self, marks: &Marks) {
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
