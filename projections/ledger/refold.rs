//! Folding again: takes the facts of a busy spell out of their trades, and places them once more after whoever
//! corrects has mended them.
//!
//! What must be folded again together is a busy spell of a book: the facts from one moment at which nothing
//! was open to the next. If something is open where a spell ended before, the next spell follows, until both
//! tellings agree again. Cost is thus that of a spell, not of the log.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::book::{Book, BookId, FillRef, trade_at_end};
use super::position::RoundTrip;
use super::trade::{Excursion, Fact, Status, Trade};
use super::{Work, rows, trade_key};
use crate::cell::Cell;
use crate::drawer::Key;
use crate::event::Payload;
use crate::{anomalies, notes, round_trips, rule_breaks};

/// How many trades are taken out at a time while a spell is looked through.
const PAGE: usize = 1_000;

/// A book that is being folded again.
pub(super) struct Refold {
    /// The book as it was, for the spells that stay untouched.
    before: Book,
    /// The first spell that was not taken out.
    next: Option<u64>,
    /// Bars up to here have been seen.
    bars_to: u64,
}

pub(super) type Refolds = BTreeMap<BookId, Refold>;

/// Facts of one position, in order: the event's own, then what amendments put beside it.
pub(super) fn pending_key(fact: &Fact) -> u64 {
    // Positions stay far below 2^62; the low bits keep two stand-ins of one amendment apart.
    fact.seq * 4
        + if fact.stand_in.is_some() { 1 + u64::from(matches!(fact.payload, Payload::TradeExited(_))) } else { 0 }
}

impl Work<'_> {
    pub(super) fn pend(&mut self, fact: Fact) {
        self.pending.entry(pending_key(&fact)).or_insert(fact);
    }

    /// Folds again what these fills and trades touch, once `mend` has mended the facts.
    pub(super) fn refold(&mut self, filed: &[&FillRef], trades: &[&str], mend: impl FnOnce(&mut BTreeMap<u64, Fact>)) {
        let mut named: Vec<String> = trades.iter().map(|trade| (*trade).to_owned()).collect();
        for fill in filed {
            named.extend(fill.trades.iter().cloned().chain(fill.exit_of.clone()));
        }
        let mut spans: BTreeMap<BookId, (u64, u64)> = BTreeMap::new();
        for trade_id in named {
            if let Some(trade) = self.trade(&trade_id) {
                let span =
                    spans.entry(BookId::new(&trade.account, &trade.symbol)).or_insert((trade.spell, trade.spell));
                *span = (span.0.min(trade.spell), span.1.max(trade.spell));
            }
        }
        self.is_correction = true;
        for (book_id, span) in spans {
            self.begin_refold(&book_id, span);
        }
        mend(&mut self.pending);
        self.place_pending();
        self.see_bars(self.now);
        for (book_id, refold) in std::mem::take(&mut self.refolds) {
            self.rejoin(&book_id, refold);
        }
    }

    fn begin_refold(&mut self, book_id: &BookId, span: (u64, u64)) {
        let book = self.state.books.entry(self.shelf, &book_id.key(), Default::default);
        let before = book.clone();
        let span = before.widen(span);
        book.open.clear();
        self.take_out(book_id, span);
        let next = self.spell_after(book_id, span.1);
        self.refolds.insert(book_id.clone(), Refold { before, next, bars_to: span.0 });
    }

    /// Whether a fact that is placed again must wait: it has come to a book that is not being folded again yet
    /// (an amended account, or a fill whose trade is no more), so what that book holds since is taken out first.
    pub(super) fn waits_for(&mut self, book_id: &BookId, fact: &Fact) -> bool {
        if self.refolds.is_empty() || self.refolds.contains_key(book_id) {
            return false;
        }
        let spell = self.spell_before(book_id, fact.seq);
        self.begin_refold(book_id, (spell, fact.seq));
        self.pend(fact.clone().unplaced());
        true
    }

    /// Places what was taken out, in order.
    fn place_pending(&mut self) {
        loop {
            let until = self.pending.first_key_value().map_or(u64::MAX, |(_, fact)| fact.seq);
            if self.follow(until) {
                continue;
            }
            let Some((_, fact)) = self.pending.pop_first() else { return };
            self.see_bars(fact.seq);
            self.place(fact);
        }
    }

    /// Takes out the next spell of a book as well, if something is open in it that was not when that spell began.
    fn follow(&mut self, until: u64) -> bool {
        let ahead = |refold: &Refold| refold.next.is_some_and(|next| next <= until);
        let books: Vec<BookId> =
            self.refolds.iter().filter(|(_, refold)| ahead(refold)).map(|(book_id, _)| book_id.clone()).collect();
        for book_id in books {
            let busy = self.state.books.get(self.shelf, &book_id.key()).is_some_and(Book::is_busy);
            let Some(next) = self.refolds[&book_id].next.filter(|_| busy) else { continue };
            let span = self.refolds[&book_id].before.widen((next, next));
            self.take_out(&book_id, span);
            let next = self.spell_after(&book_id, span.1);
            self.refolds.entry(book_id).and_modify(|refold| refold.next = next);
            return true;
        }
        false
    }

    fn spell_after(&mut self, book_id: &BookId, spell: u64) -> Option<u64> {
        let from = book_id.key().seq(spell + 1).0;
        let found = self.state.spells.scan(self.shelf, &from, &book_id.key().end(), 1);
        found.first().and_then(|(key, ())| spell_of(book_id, key))
    }

    /// The spell that was going on at a position, or the last one before it.
    fn spell_before(&mut self, book_id: &BookId, seq: u64) -> u64 {
        let to = book_id.key().seq(seq + 1).0;
        let found = self.state.spells.scan_back(self.shelf, &book_id.key().0, &to, 1);
        found.first().and_then(|(key, ())| spell_of(book_id, key)).unwrap_or(seq)
    }

    /// Takes all trades of some spells out: their money, their rows, their facts.
    fn take_out(&mut self, book_id: &BookId, span: (u64, u64)) {
        let to = book_id.key().seq(span.1 + 1).0;
        loop {
            let from = book_id.key().seq(span.0).0;
            let found = self.state.spells.scan(self.shelf, &from, &to, PAGE);
            let last_page = found.len() < PAGE;
            for (key, ()) in found {
                if let Some(trade_id) = trade_at_end(&key) {
                    self.take_trade_out(&trade_id);
                }
                self.state.spells.remove(self.shelf, &Key::from(key.as_slice()));
            }
            if last_page {
                return;
            }
        }
    }

    fn take_trade_out(&mut self, trade_id: &str) {
        let Some(trade) = self.state.trades.remove(self.shelf, &trade_key(trade_id)) else { return };
        self.unpost_money(&trade);
        self.untrace(&trade);
        self.take_excursions_out(&trade.trade_id);
        for trip in &trade.position.round_trips {
            self.rows.delete(&round_trips::TABLE, round_trips::key(&trade.trade_id, trip));
        }
        for fact in &trade.facts {
            self.take_back_rows(fact);
            self.unpost_rule_break(&trade, fact);
            self.pend(fact.clone().unplaced());
        }
        self.touched.insert(trade.trade_id.clone());
        // Taken out a second time, it is one that was just placed, and has no history to keep.
        if !self.born.contains(&trade.trade_id) {
            self.taken_out.entry(trade.trade_id.clone()).or_insert(trade);
        }
    }

    fn take_excursions_out(&mut self, trade_id: &str) {
        let prefix = trade_key(trade_id);
        for (key, Excursion { at, marked }) in
            self.state.excursions.scan(self.shelf, &prefix.0, &prefix.end(), usize::MAX)
        {
            let seq = Key::read_seq(&key[key.len() - 8..]).unwrap_or_default();
            self.state.excursions.remove(self.shelf, &Key::from(key.as_slice()));
            self.pend(Fact::new(seq, Uuid::nil(), at, Payload::ExcursionMarked(marked)));
        }
    }

    /// Deletes the rows that placing a fact wrote; placing it again writes them again.
    pub(super) fn take_back_rows(&mut self, fact: &Fact) {
        for (kind, fill) in &fact.raised {
            self.rows.delete(&anomalies::TABLE, vec![Cell::seq(fact.seq), kind.into(), fill.as_ref().into()]);
        }
        match &fact.payload {
            Payload::NoteAdded(_) => self.rows.delete(&notes::TABLE, vec![Cell::seq(fact.seq)]),
            Payload::RuleBroken(_) => self.rows.delete(&rule_breaks::TABLE, vec![Cell::seq(fact.seq)]),
            _ => {}
        }
    }

    fn unpost_rule_break(&mut self, trade: &Trade, fact: &Fact) {
        if let Payload::RuleBroken(broken) = &fact.payload {
            let account = broken.account_id.clone().unwrap_or_else(|| trade.account.clone());
            let date = self.date(&account, fact.at);
            self.day(&account, date).forgive(fact.at);
        }
    }

    /// Shows the bars before `until` to what is open while facts are placed again.
    fn see_bars(&mut self, until: u64) {
        let books: Vec<BookId> = self.refolds.keys().cloned().collect();
        for book_id in books {
            let Some(refold) = self.refolds.get_mut(&book_id) else { continue };
            let from = refold.bars_to;
            refold.bars_to = from.max(until);
            let open = self.state.books.get(self.shelf, &book_id.key()).map(|book| book.open.clone());
            let Some(open) = open.filter(|open| !open.is_empty()) else { continue };
            let symbol = Key::text(&book_id.symbol);
            let bars = self.state.bars.scan(self.shelf, &symbol.clone().seq(from).0, &symbol.seq(until).0, usize::MAX);
            for (key, bar) in bars {
                let seq = Key::read_seq(&key[key.len() - 8..]).unwrap_or_default();
                for (_, trade_id) in &open {
                    self.show_bar(trade_id, &bar, seq);
                }
            }
        }
    }

    /// Joins what was folded again with the spells that were not.
    fn rejoin(&mut self, book_id: &BookId, refold: Refold) {
        let untouched: Vec<_> =
            refold.before.open.into_iter().filter(|(_, trade_id)| !self.taken_out.contains_key(trade_id)).collect();
        let book = self.state.books.entry(self.shelf, &book_id.key(), Default::default);
        if !untouched.is_empty() {
            book.spell = refold.before.spell;
        }
        for (first_seq, trade_id) in untouched {
            book.insert(first_seq, &trade_id);
        }
        let busy = book.is_busy();
        if let Some(accounts) = self.state.open_in.get_mut(self.shelf, &Key::text(&book_id.symbol)) {
            accounts.retain(|account| busy || *account != book_id.account);
        }
        if busy {
            self.open_in(book_id);
        }
    }

    /// Gives what was folded again its history back, and counts the correction on the trades of these fills.
    pub(super) fn finish(&mut self, filed: &[&FillRef]) {
        let taken_out = std::mem::take(&mut self.taken_out);
        for (trade_id, before) in &taken_out {
            self.inherit(trade_id, before);
        }
        self.taken_out = taken_out;
        let now = self.now;
        let born: Vec<String> =
            self.touched.iter().filter(|trade_id| !self.taken_out.contains_key(*trade_id)).cloned().collect();
        for trade_id in born {
            if let Some(trade) = self.trade_mut(&trade_id, now) {
                for trip in &mut trade.position.round_trips {
                    (trip.first_seq, trip.last_seq) = (now, now);
                }
            }
        }
        for trade_id in filed.iter().flat_map(|filed| &filed.trades) {
            self.count_correction(trade_id);
        }
    }

    /// A trade that was folded again keeps its history; its row changed now, or not at all.
    fn inherit(&mut self, trade_id: &str, before: &Trade) {
        let now = self.now;
        let Some(trade) = self.state.trades.get_mut(self.shelf, &trade_key(trade_id)) else { return };
        trade.corrections = before.corrections;
        trade.corrected_at = before.corrected_at;
        trade.posted.clone_from(&before.posted);
        if trade.status != Status::Open {
            trade.day_net = before.day_net;
        }
        trade.first_seq = trade.first_seq.min(before.first_seq);
        // Each of its rows shows these as well.
        let is_elsewhere =
            (&trade.account, &trade.symbol, trade.direction) != (&before.account, &before.symbol, before.direction);
        let known = |trip: &RoundTrip| before.position.round_trips.iter().find(|old| old.same_figures(trip)).cloned();
        for trip in &mut trade.position.round_trips {
            match known(trip) {
                Some(old) if is_elsewhere => *trip = RoundTrip { last_seq: now, ..old },
                Some(old) => *trip = old,
                None => trip.last_seq = now,
            }
        }
        trade.last_seq = if rows::same_figures(trade, before) { before.last_seq } else { now };
    }
}

/// The spell in a key of the drawer of spells.
fn spell_of(book_id: &BookId, key: &[u8]) -> Option<u64> {
    let start = book_id.key().0.len();
    Key::read_seq(key.get(start..start + 8)?)
}
