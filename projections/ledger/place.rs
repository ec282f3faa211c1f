//! Decides which trade a fact belongs to. Facts that are fills go on to `fill`; the same code places an event
//! that just arrived and a fact that a correction took out.

use super::account::Day;
use super::book::BookId;
use super::path::Prices;
use super::position::{Position, Tick};
use super::trade::{AtEntry, Excursion, Fact, Status, Trade, fields_of};
use super::{Work, day_key, trade_key};
use crate::decimal::Dec;
use crate::drawer::Key;
use crate::event::{DEFAULT_ACCOUNT, Direction, ExcursionMarked, Payload};
use crate::moment::Moment;
use crate::{anomalies, notes, round_trips, rule_breaks};

/// Tick size and point value of a symbol that was never defined.
const UNDEFINED: Tick = Tick { tick_size: Dec::HUNDREDTH, point_value: Dec::ONE };

/// An anomaly: what was surprising about a fact, and about which trade and fill.
#[derive(Clone, Copy)]
pub(super) struct Surprise<'a> {
    pub(super) kind: &'static str,
    pub(super) trade: Option<&'a str>,
    pub(super) fill: Option<&'a str>,
    pub(super) detail: &'a str,
}

impl Work<'_> {
    /// Places one fact of a trade: now, or again.
    pub(super) fn place(&mut self, fact: Fact) {
        match &fact.payload {
            Payload::TradeOpened(_) => self.open_trade(fact),
            Payload::FillRecorded(_) => self.place_fill(fact),
            Payload::TradeExited(_) => self.place_exit(fact),
            Payload::TradeVoided(voided) => {
                let trade_id = voided.trade_id.clone();
                self.void(&trade_id, fact);
            }
            Payload::TradeAmended(amended) => self.attach(&amended.trade_id.clone(), fact),
            Payload::StopMoved(moved) => self.attach(&moved.trade_id.clone(), fact),
            Payload::TargetMoved(moved) => self.attach(&moved.trade_id.clone(), fact),
            Payload::ExcursionMarked(marked) => self.mark(&marked.clone(), fact),
            Payload::RuleBroken(broken) => {
                if let Some(trade_id) = broken.trade_id.clone() {
                    self.break_rule(&trade_id, fact);
                }
            }
            Payload::NoteAdded(note) => {
                if let Some(trade_id) = note.trade_id.clone() {
                    self.add_note(&trade_id, fact);
                }
            }
            _ => {}
        }
    }

    pub(super) fn trade(&mut self, trade_id: &str) -> Option<&Trade> {
        self.state.trades.get(self.shelf, &trade_key(trade_id))
    }

    /// A trade, to be changed: it counts as touched by the fact at `seq`.
    pub(super) fn trade_mut(&mut self, trade_id: &str, seq: u64) -> Option<&mut Trade> {
        let trade = self.state.trades.get_mut(self.shelf, &trade_key(trade_id))?;
        if !self.touched.contains(trade_id) {
            self.touched.insert(trade_id.to_owned());
        }
        trade.last_seq = trade.last_seq.max(seq);
        Some(trade)
    }

    /// Lists something surprising about the fact at `seq`.
    pub(super) fn list_anomaly(&mut self, seq: u64, surprise: Surprise<'_>) {
        let row = anomalies::row(seq, self.now, surprise.kind, surprise.trade, surprise.fill, surprise.detail);
        self.rows.put(&anomalies::TABLE, row);
    }

    pub(super) fn raise(&mut self, fact: &mut Fact, surprise: Surprise<'_>) {
        self.list_anomaly(fact.seq, surprise);
        fact.raised.push((surprise.kind.to_owned(), surprise.fill.map(str::to_owned)));
    }

    /// Keeps a fact that names a trade nobody knows: it changes nothing, unless a correction makes that trade.
    pub(super) fn orphan(&mut self, trade_id: &str, mut fact: Fact) {
        // What an amendment said waits for the trade to come back; the amendment itself is listed.
        if fact.stand_in.is_none() {
            self.in_vain |= fact.seq == self.now;
            let detail = "names a trade that is not known: nothing changed";
            self.raise(&mut fact, Surprise { kind: "unknown_trade", trade: Some(trade_id), fill: None, detail });
            self.unfile_fill(&fact);
        }
        self.state.orphans.entry(self.shelf, &Key::text(trade_id), Vec::new).push(fact);
    }

    /// A correction made a trade that facts had named before it was known: they are placed after all.
    fn adopt_orphans(&mut self, trade_id: &str, born: u64) {
        let key = Key::text(trade_id);
        let Some(waiting) = self.state.orphans.remove(self.shelf, &key) else { return };
        let (adopted, kept): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|fact| fact.seq > born);
        if !kept.is_empty() {
            self.state.orphans.put(&key, kept);
        }
        for fact in adopted {
            self.take_back_rows(&fact);
            self.pend(fact.unplaced());
        }
    }

    fn open_trade(&mut self, mut fact: Fact) {
        let Payload::TradeOpened(opened) = &fact.payload else { return };
        let (trade_id, symbol, direction) = (opened.trade_id.clone(), opened.symbol.clone(), opened.side);
        let account = opened.account_id.clone().unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
        match self.trade(&trade_id).map(|trade| trade.opened_fact().map(|(opened, _)| opened.stand_in.clone())) {
            None if fact.stand_in.is_some() => return self.orphan(&trade_id, fact),
            None => {
                let book_id = BookId { account, symbol };
                if self.waits_for(&book_id, &fact) {
                    return;
                }
                self.create(&trade_id, &book_id, direction, &mut fact);
                let (at, seq) = (fact.at, fact.seq);
                self.enter(&trade_id, at, seq);
            }
            Some(Some(None)) => {
                let detail = "the trade was opened before: nothing changed";
                let surprise = Surprise { kind: "trade_opened_twice", trade: Some(&trade_id), fill: None, detail };
                self.in_vain |= fact.seq == self.now;
                return self.raise(&mut fact, surprise);
            }
            // What was amended before the event came stays amended.
            Some(Some(Some(changes))) => fact.amend(&fields_of(&changes)),
            Some(None) => {}
        }
        if let Some(trade) = self.trade_mut(&trade_id, fact.seq) {
            trade.facts.retain(|known| known.stand_in.is_none() || !matches!(known.payload, Payload::TradeOpened(_)));
            trade.facts.push(fact);
        }
    }

    /// Makes a trade with the fact that opens it.
    pub(super) fn create(&mut self, trade_id: &str, book_id: &BookId, direction: Direction, fact: &mut Fact) {
        let tick = self.tick_of(&book_id.symbol, trade_id, fact);
        let book = self.state.books.entry(self.shelf, &book_id.key(), Default::default);
        if !book.is_busy() && book.flat_at != fact.seq {
            book.spell = fact.seq;
        }
        book.insert(fact.seq, trade_id);
        let spell = book.spell;
        self.state.spells.put(&book_id.spell_key(spell, trade_id), ());
        self.open_in(book_id);
        let trade = Trade {
            trade_id: trade_id.to_owned(),
            account: book_id.account.clone(),
            symbol: book_id.symbol.clone(),
            direction,
            tick,
            spell,
            status: Status::Open,
            facts: Vec::new(),
            position: Position::default(),
            extremes: None,
            at_entry: AtEntry::default(),
            day_net: None,
            worth: Dec::ZERO,
            corrections: 0,
            corrected_at: 0,
            posted: None,
            round_trips_written: 0,
            first_seq: fact.seq,
            last_seq: fact.seq,
        };
        self.state.trades.put(&trade_key(trade_id), trade);
        self.touched.insert(trade_id.to_owned());
        if !self.taken_out.contains_key(trade_id) {
            self.born.insert(trade_id.to_owned());
        }
        if self.is_correction {
            self.adopt_orphans(trade_id, fact.seq);
        }
    }

    /// Tick size and point value from the latest InstrumentDefined before the trade's first event.
    fn tick_of(&mut self, symbol: &str, trade_id: &str, fact: &mut Fact) -> Tick {
        let defined = self.state.instruments.get(self.shelf, &Key::text(symbol));
        let known = defined.and_then(|all| all.iter().rev().find(|instrument| instrument.seq < fact.seq));
        if let Some(instrument) = known {
            return instrument.tick;
        }
        let detail = format!("{symbol} is not defined: point value 1 and tick size 0.01 are assumed");
        let fill = fact.fill_id();
        let surprise =
            Surprise { kind: "undefined_instrument", trade: Some(trade_id), fill: fill.as_deref(), detail: &detail };
        self.raise(fact, surprise);
        UNDEFINED
    }

    pub(super) fn open_in(&mut self, book_id: &BookId) {
        let accounts = self.state.open_in.entry(self.shelf, &Key::text(&book_id.symbol), Vec::new);
        if let Err(place) = accounts.binary_search(&book_id.account) {
            accounts.insert(place, book_id.account.clone());
        }
    }

    /// Notes what the account knew at a trade's entry: its mood of that trading date, and its loss limit.
    pub(super) fn enter(&mut self, trade_id: &str, at: Moment, seq: u64) {
        let Some(account) = self.trade(trade_id).map(|trade| trade.account.clone()) else { return };
        let date = self.date(&account, at);
        let day: Option<&Day> = self.state.days.get(self.shelf, &day_key(&account, date));
        let mental_state = day.and_then(|day| day.rating(at, seq));
        let opened = self.state.accounts.get(self.shelf, &Key::text(&account)).and_then(|known| known.opened.as_ref());
        let daily_loss_limit = opened.and_then(|opened| opened.terms.daily_loss_limit);
        if let Some(trade) = self.trade_mut(trade_id, seq) {
            trade.at_entry = AtEntry { mental_state, daily_loss_limit };
        }
    }

    fn attach(&mut self, trade_id: &str, fact: Fact) {
        match self.trade_mut(trade_id, fact.seq) {
            Some(trade) => trade.facts.push(fact),
            None => self.orphan(trade_id, fact),
        }
    }

    /// Price extremes; those that widen nothing are kept apart, so that a trade stays small however often it is marked.
    fn mark(&mut self, marked: &ExcursionMarked, fact: Fact) {
        let (low, high) = (marked.low.min(marked.high), marked.low.max(marked.high));
        let (seq, at) = (fact.seq, fact.at);
        let Some(trade) = self.trade_mut(&marked.trade_id, seq) else { return self.orphan(&marked.trade_id, fact) };
        let open_in = trade.position.open().is_positive().then(|| trade.account.clone());
        if trade.see_prices(low, high) {
            trade.facts.push(fact);
        } else {
            let key = trade_key(&marked.trade_id).seq(seq);
            self.state.excursions.put(&key, Excursion { at, marked: marked.clone() });
        }
        if let Some(account) = open_in {
            self.trace(&account, &marked.trade_id, seq, at, Prices { low, high, last: None });
        }
    }

    fn break_rule(&mut self, trade_id: &str, fact: Fact) {
        let Payload::RuleBroken(broken) = fact.payload.clone() else { return };
        let Some(trade) = self.trade_mut(trade_id, fact.seq) else { return self.orphan(trade_id, fact) };
        let account = broken.account_id.clone().unwrap_or_else(|| trade.account.clone());
        let (seq, at) = (fact.seq, fact.at);
        trade.facts.push(fact);
        self.rows.put(&rule_breaks::TABLE, rule_breaks::row(seq, self.now, at, &account, &broken));
        let date = self.date(&account, at);
        self.day(&account, date).rule_breaks.push(at);
    }

    fn add_note(&mut self, trade_id: &str, fact: Fact) {
        let Payload::NoteAdded(note) = fact.payload.clone() else { return };
        let Some(trade) = self.trade_mut(trade_id, fact.seq) else { return self.orphan(trade_id, fact) };
        let account = note.account_id.clone().unwrap_or_else(|| trade.account.clone());
        let (seq, at) = (fact.seq, fact.at);
        trade.facts.push(fact);
        self.rows.put(&notes::TABLE, notes::row(seq, self.now, at, &account, &note));
    }

    /// A voided trade counts nowhere; its row and its fills stay.
    fn void(&mut self, trade_id: &str, mut fact: Fact) {
        let Some(status) = self.trade(trade_id).map(|trade| trade.status) else {
            return self.orphan(trade_id, fact);
        };
        if status == Status::Voided {
            let detail = "the trade was voided before: nothing changed";
            let surprise = Surprise { kind: "trade_voided_twice", trade: Some(trade_id), fill: None, detail };
            self.in_vain |= fact.seq == self.now;
            return self.raise(&mut fact, surprise);
        }
        let Some(trade) = self.trade(trade_id).cloned() else { return };
        self.unpost_money(&trade);
        self.untrace(&trade);
        for trip in &trade.position.round_trips {
            self.rows.delete(&round_trips::TABLE, round_trips::key(trade_id, trip));
        }
        self.leave_book(trade_id, &BookId::new(&trade.account, &trade.symbol), fact.seq);
        if let Some(trade) = self.trade_mut(trade_id, fact.seq) {
            trade.status = Status::Voided;
            trade.facts.push(fact);
        }
    }

    /// Takes a trade's money out of its days.
    pub(super) fn unpost_money(&mut self, trade: &Trade) {
        for (at, part) in trade.parts() {
            let date = self.date(&trade.account, at);
            let day = self.day_money(&trade.account, date);
            day.fees -= part.fees;
            day.fills -= 1;
        }
        for trip in trade.trips_counted() {
            let date = self.date(&trade.account, trip.exited_at);
            self.day_money(&trade.account, date).gross -= trip.gross;
        }
    }

    /// Puts a trade's money into its days.
    pub(super) fn post_money(&mut self, trade: &Trade) {
        for (at, part) in trade.parts() {
            let date = self.date(&trade.account, at);
            let day = self.day_money(&trade.account, date);
            day.fees += part.fees;
            day.fills += 1;
        }
        for trip in trade.trips_counted() {
            let date = self.date(&trade.account, trip.exited_at);
            self.day_money(&trade.account, date).gross += trip.gross;
        }
    }
}
