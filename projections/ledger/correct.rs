//! Corrections: takes the facts they touch out of their trades, mends them, and places them again, so that
//! every table is what it would have been had the corrected facts been known.
//!
//! What must be folded again together is a busy spell of a book: the facts from one moment at which nothing
//! was open to the next. If something is open where a spell ended before, the next spell follows, until both
//! tellings agree again. Cost is thus that of a spell, not of the log.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::book::{Book, BookId, FillRef, FillStatus, trade_at_end};
use super::place::Surprise;
use super::position::{Fill, RoundTrip};
use super::trade::{Fact, Status, Trade};
use super::{Work, rows, trade_key};
use crate::cell::Cell;
use crate::decimal::Dec;
use crate::drawer::Key;
use crate::event::{FillBusted, FillCorrected, FillsReassigned, Payload, TradeAmended, TradeExited, TradeOpened};
use crate::{anomalies, fills, notes, round_trips, rule_breaks};

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
fn pending_key(fact: &Fact) -> u64 {
    // Positions stay far below 2^62; the low bits keep two stand-ins of one amendment apart.
    fact.seq * 4
        + if fact.stand_in.is_some() { 1 + u64::from(matches!(fact.payload, Payload::TradeExited(_))) } else { 0 }
}

impl Work<'_> {
    pub(super) fn pend(&mut self, fact: Fact) {
        self.pending.entry(pending_key(&fact)).or_insert(fact);
    }

    pub(super) fn correct_fill(&mut self, corrected: &FillCorrected) {
        let Some(filed) = self.correctable(&corrected.fill_id, None) else { return };
        self.mark_corrected(&corrected.fill_id);
        self.refold(&[&filed], &[], |pending| {
            for fact in pending.values_mut().filter(|fact| records(fact, &corrected.fill_id)) {
                mend(fact, corrected);
            }
        });
        self.finish(&[&filed]);
    }

    pub(super) fn bust_fill(&mut self, busted: &FillBusted) {
        let Some(filed) = self.correctable(&busted.fill_id, None) else { return };
        let last = self.as_it_stood(&busted.fill_id, &filed);
        self.refold(&[&filed], &[], |pending| {
            let at = pending.iter().find(|(_, fact)| records(fact, &busted.fill_id)).map(|(at, _)| *at);
            let Some(at) = at else { return };
            match pending.get_mut(&at).filter(|fact| matches!(fact.payload, Payload::TradeExited(_))) {
                Some(exit) => exit.busted = true,
                None => drop(pending.remove(&at)),
            }
        });
        if let Some((fill, named)) = last {
            let trades = named.into_iter().collect();
            let filed = FillRef { status: FillStatus::Busted, trades, last_seq: self.now, ..filed.clone() };
            self.rows.put(&fills::TABLE, fills::row(&fill, &filed));
            self.state.fills.put(Key::text(&busted.fill_id), filed);
        }
        self.finish(&[&filed]);
    }

    /// A fill before it is busted, and the trade it named.
    fn as_it_stood(&mut self, fill_id: &str, filed: &FillRef) -> Option<(Fill, Option<String>)> {
        let mut quantity = Dec::ZERO;
        let mut recorded = None;
        for trade_id in &filed.trades {
            for fact in self.trade(trade_id)?.facts.iter().filter(|fact| records(fact, fill_id)) {
                quantity += fact.part.map_or(Dec::ZERO, |part| part.quantity);
                recorded = Some(fact.clone());
            }
        }
        let fact = recorded?;
        match &fact.payload {
            Payload::FillRecorded(fill) => {
                let named = fact.moved_to.clone().or_else(|| fill.trade_id.clone());
                Some((Fill::recorded(&fact, fill, filed.book.account.clone()), named))
            }
            Payload::TradeExited(exit) => {
                let named = fact.moved_to.clone().or_else(|| Some(exit.trade_id.clone()));
                let trade = self.trade(&exit.trade_id)?;
                Some((Fill::of_exit(&fact, exit, exit.price?, quantity, trade), named))
            }
            _ => None,
        }
    }

    /// A fill that can still be corrected: known, and not busted.
    fn correctable(&mut self, fill_id: &str, trade: Option<&str>) -> Option<FillRef> {
        let filed = self.state.fills.get(self.shelf, &Key::text(fill_id)).cloned();
        let (kind, detail) = match &filed {
            Some(known) if known.status != FillStatus::Busted => return filed,
            Some(_) => ("fill_was_busted", "the fill was busted before, which is final: nothing changed"),
            None => ("unknown_fill", "names a fill that is not known: nothing changed"),
        };
        self.list_anomaly(self.now, Surprise { kind, trade, fill: Some(fill_id), detail });
        self.in_vain = true;
        None
    }

    /// Placing the fill again writes its row with this status.
    fn mark_corrected(&mut self, fill_id: &str) {
        let now = self.now;
        let known = self.state.fills.get_mut(self.shelf, &Key::text(fill_id));
        if let Some(filed) = known.filter(|filed| filed.status != FillStatus::Busted) {
            filed.status = FillStatus::Corrected;
            filed.last_seq = now;
        }
    }

    pub(super) fn reassign_fills(&mut self, reassigned: &FillsReassigned) {
        let mut filed = Vec::new();
        for fill_id in &reassigned.fill_ids {
            filed.extend(self.correctable(fill_id, Some(&reassigned.trade_id)));
        }
        self.in_vain = filed.is_empty();
        if self.in_vain {
            return;
        }
        let filed: Vec<&FillRef> = filed.iter().collect();
        self.refold(&filed, &[&reassigned.trade_id], |pending| {
            for fact in pending.values_mut() {
                if fact.fill_id().is_some_and(|fill_id| reassigned.fill_ids.contains(&fill_id)) {
                    fact.moved_to = Some(reassigned.trade_id.clone());
                }
            }
        });
        self.finish(&filed);
        self.count_correction(&reassigned.trade_id);
    }

    pub(super) fn amend_trade(&mut self, id: Uuid, amended: &TradeAmended) {
        let Some(trade) = self.trade(&amended.trade_id).cloned() else {
            return self.unknown_trade(&amended.trade_id);
        };
        let changes = fields_of(&amended.changes.0);
        let (opening, exiting): (Map<_, _>, Map<_, _>) =
            changes.into_iter().partition(|(field, _)| !EXIT_FIELDS.contains(&field.as_str()));
        let stand_ins = self.stand_ins(id, &trade, &opening, &exiting);
        if ["price", "quantity", "fees"].iter().any(|field| exiting.contains_key(*field)) {
            self.mark_exit_corrected(&trade);
        }
        let (now, trade_id) = (self.now, amended.trade_id.clone());
        self.refold(&[], &[&amended.trade_id], |pending| {
            if let Some(fact) = pending.values_mut().find(|fact| opens(fact, &trade_id)) {
                amend(fact, &opening);
            }
            if let Some(fact) = pending.values_mut().rev().find(|fact| fact.seq < now && exits(fact, &trade_id)) {
                amend(fact, &exiting);
            }
            for fact in stand_ins {
                pending.insert(pending_key(&fact), fact);
            }
        });
        // Kept with the trade, so that it becomes an orphan should a later correction take the trade away.
        self.place(Fact::new(now, id, self.at, Payload::TradeAmended(amended.clone())));
        self.finish(&[]);
        self.count_correction(&amended.trade_id);
    }

    fn mark_exit_corrected(&mut self, trade: &Trade) {
        let last = trade.facts.iter().rev().find(|fact| exits(fact, &trade.trade_id));
        if let Some(fill_id) = last.and_then(Fact::fill_id) {
            self.mark_corrected(&fill_id);
        }
    }

    /// The events an amendment speaks of and the trade doesn't have: what it says stands in for them.
    fn stand_ins(
        &mut self,
        id: Uuid,
        trade: &Trade,
        opening: &Map<String, Value>,
        exiting: &Map<String, Value>,
    ) -> Vec<Fact> {
        let mut made = Vec::new();
        let stand_in = |payload| Fact { stand_in: Some("{}".to_owned()), ..Fact::new(self.now, id, self.at, payload) };
        if !opening.is_empty() && trade.opened().is_none() {
            let blank = blank_opening(trade);
            let mut fact = stand_in(Payload::TradeOpened(Box::new(blank)));
            amend(&mut fact, opening);
            made.push(fact);
        }
        if !exiting.is_empty() && trade.exits().next().is_none() {
            let blank = TradeExited { trade_id: trade.trade_id.clone(), ..TradeExited::default() };
            let mut fact = stand_in(Payload::TradeExited(Box::new(blank)));
            amend(&mut fact, exiting);
            // Without an exit event there is no exit fill to amend: its fills have corrections of their own.
            if let Payload::TradeExited(exit) = &mut fact.payload {
                exit.price = None;
            }
            made.push(fact);
        }
        made
    }

    pub(super) fn unknown_trade(&mut self, trade_id: &str) {
        let detail = "names a trade that is not known: nothing changed";
        let surprise = Surprise { kind: "unknown_trade", trade: Some(trade_id), fill: None, detail };
        self.in_vain = true;
        self.list_anomaly(self.now, surprise);
    }

    /// Counts a correction on a trade that it names.
    pub(super) fn count_correction(&mut self, trade_id: &str) {
        let now = self.now;
        if let Some(trade) = self.trade_mut(trade_id, now)
            && trade.touched_by.last() != Some(&now)
        {
            trade.touched_by.push(now);
            trade.corrections += 1;
        }
    }

    /// Folds again what these fills and trades touch, once `mend` has mended the facts.
    fn refold(&mut self, filed: &[&FillRef], trades: &[&str], mend: impl FnOnce(&mut BTreeMap<u64, Fact>)) {
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
        self.refold_spans(spans, mend);
    }

    fn refold_spans(&mut self, spans: BTreeMap<BookId, (u64, u64)>, mend: impl FnOnce(&mut BTreeMap<u64, Fact>)) {
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
                self.state.spells.remove(self.shelf, &Key(key));
            }
            if last_page {
                return;
            }
        }
    }

    fn take_trade_out(&mut self, trade_id: &str) {
        let Some(trade) = self.state.trades.remove(self.shelf, &trade_key(trade_id)) else { return };
        self.unpost_money(&trade);
        for trip in &trade.position.round_trips {
            self.rows.delete(&round_trips::TABLE, round_trips::key(&trade.trade_id, trip));
        }
        for fact in &trade.facts {
            self.take_back_rows(fact);
            self.unpost_rule_break(&trade, fact);
            self.pend(fact.clone().unplaced());
        }
        self.touched.insert(trade.trade_id.clone());
        self.taken_out.insert(trade.trade_id.clone(), trade);
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
                let seq = seq_at_end(&key);
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
    fn finish(&mut self, filed: &[&FillRef]) {
        let taken_out: Vec<String> = self.taken_out.keys().cloned().collect();
        for trade_id in taken_out {
            let before = self.taken_out[&trade_id].clone();
            self.inherit(&trade_id, &before);
        }
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
        trade.touched_by.clone_from(&before.touched_by);
        let lost =
            before.facts.iter().map(|fact| fact.seq).filter(|seq| trade.facts.iter().all(|fact| fact.seq != *seq));
        let lost: Vec<u64> = lost.collect();
        trade.touched_by.extend(lost);
        trade.posted.clone_from(&before.posted);
        if trade.status != Status::Open {
            trade.day_net = before.day_net;
        }
        trade.first_seq = trade.first_seq.min(before.first_seq);
        let known = |trip: &RoundTrip| before.position.round_trips.iter().find(|old| old.same_figures(trip)).cloned();
        for trip in &mut trade.position.round_trips {
            match known(trip) {
                Some(old) => *trip = old,
                None => trip.last_seq = now,
            }
        }
        trade.last_seq = if rows::same_figures(trade, before) { before.last_seq } else { now };
    }
}

fn records(fact: &Fact, fill_id: &str) -> bool {
    fact.fill_id().is_some_and(|recorded| recorded == fill_id)
}

fn opens(fact: &Fact, trade_id: &str) -> bool {
    matches!(&fact.payload, Payload::TradeOpened(opened) if opened.trade_id == trade_id)
}

fn exits(fact: &Fact, trade_id: &str) -> bool {
    matches!(&fact.payload, Payload::TradeExited(exit) if exit.trade_id == trade_id)
}

fn mend(fact: &mut Fact, corrected: &FillCorrected) {
    match &mut fact.payload {
        Payload::FillRecorded(fill) => {
            fill.quantity = corrected.quantity.unwrap_or(fill.quantity);
            fill.price = corrected.price.unwrap_or(fill.price);
            fill.fees = corrected.fees.or(fill.fees);
        }
        Payload::TradeExited(exit) => {
            exit.quantity = corrected.quantity.or(exit.quantity);
            exit.price = corrected.price.or(exit.price);
            exit.fees = corrected.fees.or(exit.fees);
        }
        _ => {}
    }
}

/// The fields an amendment changes in TradeExited; `order_type` and `notes` are TradeOpened's.
const EXIT_FIELDS: [&str; 9] = [
    "reason",
    "price",
    "quantity",
    "fees",
    "intended_price",
    "slippage_ticks",
    "latency_ms",
    "execution_quality",
    "daily_loss_limit_remaining",
];

/// Sets fields of a fact's payload; null takes a field away. Changes were checked when they were recorded.
pub(super) fn amend(fact: &mut Fact, changes: &Map<String, Value>) {
    if let Some(known) = &mut fact.stand_in {
        let mut all = fields_of(known);
        all.extend(changes.clone());
        *known = Value::Object(all).to_string();
    }
    match &mut fact.payload {
        Payload::TradeOpened(opened) => amend_payload::<TradeOpened>(opened, changes),
        Payload::TradeExited(exit) => amend_payload::<TradeExited>(exit, changes),
        _ => {}
    }
}

/// The fields of a JSON object.
pub(super) fn fields_of(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

fn amend_payload<P: serde::Serialize + serde::de::DeserializeOwned>(payload: &mut P, changes: &Map<String, Value>) {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(&*payload) else { return };
    for (field, value) in changes {
        fields.insert(field.clone(), value.clone());
    }
    if let Ok(amended) = serde_json::from_value(Value::Object(fields)) {
        *payload = amended;
    }
}

fn blank_opening(trade: &Trade) -> TradeOpened {
    TradeOpened {
        trade_id: trade.trade_id.clone(),
        symbol: trade.symbol.clone(),
        side: trade.direction,
        strategy: String::new(),
        account_id: Some(trade.account.clone()),
        regime: None,
        timeframe: None,
        stop_price: None,
        target_price: None,
        planned_quantity: None,
        planned_entry_price: None,
        risk_amount: None,
        equity: None,
        order_type: None,
        signal: None,
        notes: None,
        tags: None,
        mental_state: None,
        confidence: None,
        success_probability: None,
        daily_loss_limit: None,
        conditions: None,
        attributes: None,
    }
}

/// The spell in a key of the drawer of spells.
fn spell_of(book_id: &BookId, key: &[u8]) -> Option<u64> {
    let start = book_id.key().0.len();
    key.get(start..start + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes)
}

/// The position a key of the drawer of bars ends with.
fn seq_at_end(key: &[u8]) -> u64 {
    key.last_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
