//! Decides which trade a fact belongs to, splits fills where they cross zero, and posts the money of fills
//! to their days. The same code places an event that just arrived and a fact that a correction took out.

use super::account::Day;
use super::book::{BookId, FillRef, FillStatus};
use super::correct::{amend, fields_of};
use super::position::{Fill, Part, Position, Tick};
use super::trade::{AtEntry, Fact, Status, Trade};
use super::{Work, day_key, trade_key};
use crate::decimal::Dec;
use crate::drawer::Key;
use crate::event::{DEFAULT_ACCOUNT, Direction, ExcursionMarked, Payload, Side, TradeExited};
use crate::moment::Moment;
use crate::{anomalies, fills, notes, round_trips, rule_breaks};

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
        let row = anomalies::row(seq, surprise.kind, surprise.trade, surprise.fill, surprise.detail);
        self.rows.put(&anomalies::TABLE, row);
    }

    fn raise(&mut self, fact: &mut Fact, surprise: Surprise<'_>) {
        self.list_anomaly(fact.seq, surprise);
        fact.raised.push((surprise.kind.to_owned(), surprise.fill.map(str::to_owned)));
    }

    /// Keeps a fact that names a trade nobody knows: it changes nothing, unless a correction makes that trade.
    fn orphan(&mut self, trade_id: &str, mut fact: Fact) {
        if fact.stand_in.is_some() {
            return;
        }
        self.in_vain |= fact.seq == self.now;
        let detail = "names a trade that is not known: nothing changed";
        self.raise(&mut fact, Surprise { kind: "unknown_trade", trade: Some(trade_id), fill: None, detail });
        self.unfile_fill(&fact);
        self.state.orphans.entry(self.shelf, &Key::text(trade_id), Vec::new).push(fact);
    }

    /// A correction made a trade that facts had named before it was known: they are placed after all.
    fn adopt_orphans(&mut self, trade_id: &str, born: u64) {
        let key = Key::text(trade_id);
        let Some(waiting) = self.state.orphans.remove(self.shelf, &key) else { return };
        let (adopted, kept): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|fact| fact.seq > born);
        if !kept.is_empty() {
            self.state.orphans.put(key, kept);
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
            None if fact.stand_in.is_some() => return,
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
            Some(Some(Some(changes))) => amend(&mut fact, &fields_of(&changes)),
            Some(None) => {}
        }
        if let Some(trade) = self.trade_mut(&trade_id, fact.seq) {
            trade.facts.retain(|known| known.stand_in.is_none() || !matches!(known.payload, Payload::TradeOpened(_)));
            trade.facts.push(fact);
        }
    }

    /// Makes a trade with the fact that opens it.
    fn create(&mut self, trade_id: &str, book_id: &BookId, direction: Direction, fact: &mut Fact) {
        let tick = self.tick_of(&book_id.symbol, trade_id, fact);
        let book = self.state.books.entry(self.shelf, &book_id.key(), Default::default);
        if !book.is_busy() && book.flat_at != fact.seq {
            book.spell = fact.seq;
        }
        book.insert(fact.seq, trade_id);
        let spell = book.spell;
        self.state.spells.put(book_id.spell_key(spell, trade_id), ());
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
            touched_by: Vec::new(),
            corrections: 0,
            posted: None,
            round_trips_written: 0,
            first_seq: fact.seq,
            last_seq: fact.seq,
        };
        self.state.trades.put(trade_key(trade_id), trade);
        self.touched.insert(trade_id.to_owned());
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

    fn place_fill(&mut self, mut fact: Fact) {
        let Payload::FillRecorded(recorded) = fact.payload.clone() else { return };
        let named = fact.moved_to.clone().or_else(|| recorded.trade_id.clone());
        let account = recorded.account_id.clone();
        let account = account.or_else(|| Some(self.trade(named.as_deref()?)?.account.clone()));
        let account = account.or_else(|| Some(self.trade(recorded.trade_id.as_deref()?)?.account.clone()));
        let account = account.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
        let fill = Fill::recorded(&fact, &recorded, account);
        if self.waits_for(&BookId::new(&fill.account, &fill.symbol), &fact) {
            return;
        }
        let whole = Part { quantity: fill.quantity, fees: fill.fees };
        let trades = match named {
            Some(trade_id) => self.place_named(&mut fact, &fill, whole, &trade_id),
            None => self.place_rest(&mut fact, &fill, whole),
        };
        self.file_fill(&fill, trades, None);
    }

    /// A TradeExited: its words belong to its trade; with a price it is also a fill.
    fn place_exit(&mut self, mut fact: Fact) {
        let Payload::TradeExited(exit) = fact.payload.clone() else { return };
        let target = fact.moved_to.clone().unwrap_or_else(|| exit.trade_id.clone());
        let open = self.trade(&target).map_or(Dec::ZERO, |trade| trade.position.open());
        let known = self.trade(&exit.trade_id).is_some();
        let subject = if known { &exit.trade_id } else { &target };
        let Some(trade) = self.trade(subject) else { return self.orphan(&exit.trade_id, fact) };
        let (book_id, fill) = (BookId::new(&trade.account, &trade.symbol), exit_fill(&fact, &exit, trade, open));
        if self.waits_for(&book_id, &fact) {
            return;
        }
        match self.trade_mut(&exit.trade_id, fact.seq) {
            Some(trade) => trade.facts.push(fact.clone()),
            None => {
                let detail = "the trade is not known: only the fill counts, in the trade it was moved to";
                let surprise = Surprise { kind: "unknown_trade", trade: Some(&exit.trade_id), fill: None, detail };
                self.raise(&mut fact, surprise);
            }
        }
        let Some(fill) = fill else { return self.unfile_fill(&fact) };
        let whole = Part { quantity: fill.quantity, fees: fill.fees };
        let trades = self.place_named(&mut fact, &fill, whole, &target);
        self.keep_raised(&exit.trade_id, &fact);
        self.file_fill(&fill, trades, Some(exit.trade_id));
    }

    /// The words of an exit were attached before its fill was placed: what placing raised is added to them.
    fn keep_raised(&mut self, trade_id: &str, fact: &Fact) {
        let Some(trade) = self.trade_mut(trade_id, fact.seq) else { return };
        if let Some(words) = trade.facts.iter_mut().rev().find(|known| known.seq == fact.seq) {
            words.raised.clone_from(&fact.raised);
        }
    }

    /// A fill that names its trade.
    fn place_named(&mut self, fact: &mut Fact, fill: &Fill, whole: Part, trade_id: &str) -> Vec<String> {
        let surprise = |kind, detail| Surprise { kind, trade: Some(trade_id), fill: Some(&fill.fill_id), detail };
        let book_id = BookId::new(&fill.account, &fill.symbol);
        let Some(trade) = self.trade(trade_id) else {
            if fact.moved_to.is_none() {
                self.raise(fact, surprise("unknown_trade", "the fill opens a trade that no TradeOpened announced"));
            }
            self.create(trade_id, &book_id, Direction::opened_by(fill.side), fact);
            self.put(trade_id, fact, fill, whole);
            return vec![trade_id.to_owned()];
        };
        if trade.account != book_id.account || trade.symbol != book_id.symbol {
            let detail = "the trade is of another account or symbol: placed as a fill without a trade";
            self.raise(fact, surprise("other_book", detail));
            return self.place_rest(fact, fill, whole);
        }
        let (status, open, spell) = (trade.status, trade.position.open(), trade.spell);
        let enters = fill.side == trade.direction.entry_side();
        if status == Status::Voided {
            self.raise(fact, surprise("trade_voided", "the fill names a voided trade: what it gets counts nowhere"));
        }
        let trades = if enters {
            if status == Status::Closed {
                self.raise(fact, surprise("trade_reopened", "the fill is on the entry side of a closed trade"));
                self.reopen(trade_id, &book_id, fact.seq);
            }
            self.put(trade_id, fact, fill, whole);
            vec![trade_id.to_owned()]
        } else {
            self.place_named_exit(fact, fill, whole, trade_id, open)
        };
        self.link_spells(&book_id, spell, &trades);
        trades
    }

    fn place_named_exit(
        &mut self,
        fact: &mut Fact,
        fill: &Fill,
        whole: Part,
        trade_id: &str,
        open: Dec,
    ) -> Vec<String> {
        let surprise = |kind, detail| Surprise { kind, trade: Some(trade_id), fill: Some(&fill.fill_id), detail };
        if whole.quantity > open {
            let (kind, detail) = if open.is_positive() {
                ("exit_exceeds_position", "the trade is closed; the rest is placed as a fill without a trade")
            } else {
                ("nothing_to_exit", "the trade has nothing open: placed as a fill without a trade")
            };
            self.raise(fact, surprise(kind, detail));
        }
        let mut rest = whole;
        let mut trades = Vec::new();
        if open.is_positive() {
            let part = rest.split(open);
            self.put(trade_id, fact, fill, part);
            trades.push(trade_id.to_owned());
        }
        if rest.quantity.is_positive() {
            trades.extend(self.place_rest(fact, fill, rest));
        }
        trades
    }

    /// A fill without a trade: to the oldest open trade it can add to or reduce, split where it crosses zero.
    fn place_rest(&mut self, fact: &mut Fact, fill: &Fill, mut rest: Part) -> Vec<String> {
        let book_id = BookId::new(&fill.account, &fill.symbol);
        let mut trades = Vec::new();
        while rest.quantity.is_positive() {
            let (trade_id, part) = match self.oldest_open(&book_id, fill.side) {
                Some((trade_id, Some(open))) => (trade_id, rest.split(open)),
                Some((trade_id, None)) => (trade_id, rest.split(rest.quantity)),
                None => {
                    let trade_id = self.free_name(&book_id, &fill.fill_id);
                    self.create(&trade_id, &book_id, Direction::opened_by(fill.side), fact);
                    (trade_id, rest.split(rest.quantity))
                }
            };
            self.put(&trade_id, fact, fill, part);
            trades.push(trade_id);
        }
        trades
    }

    /// The oldest open trade of a book that a fill of this side can add to (`None`) or reduce (by how much).
    fn oldest_open(&mut self, book_id: &BookId, side: Side) -> Option<(String, Option<Dec>)> {
        let open = self.state.books.get(self.shelf, &book_id.key())?.open.clone();
        open.into_iter().find_map(|(_, trade_id)| {
            let trade = self.trade(&trade_id)?;
            let open = trade.position.open();
            if side == trade.direction.entry_side() {
                Some((trade_id, None))
            } else {
                open.is_positive().then_some((trade_id, Some(open)))
            }
        })
    }

    /// `<account>:<symbol>:<fill_id>`, numbered if a trade was given that very name.
    fn free_name(&mut self, book_id: &BookId, fill_id: &str) -> String {
        let name = format!("{}:{}:{fill_id}", book_id.account, book_id.symbol);
        let numbered = (2_u32..).map(|number| format!("{name}:{number}"));
        let mut names = std::iter::once(name.clone()).chain(numbered);
        names.find(|name| self.trade(name).is_none()).unwrap_or(name)
    }

    fn reopen(&mut self, trade_id: &str, book_id: &BookId, seq: u64) {
        let Some(trade) = self.trade_mut(trade_id, seq) else { return };
        trade.status = Status::Open;
        trade.day_net = None;
        let first_seq = trade.first_seq;
        let book = self.state.books.entry(self.shelf, &book_id.key(), Default::default);
        if !book.is_busy() {
            book.spell = seq;
        }
        let spell = book.spell;
        book.insert(first_seq, trade_id);
        self.open_in(book_id);
        self.link_to(book_id, trade_id, spell);
    }

    fn link_to(&mut self, book_id: &BookId, trade_id: &str, spell: u64) {
        let Some(own) = self.trade(trade_id).map(|trade| trade.spell) else { return };
        self.state.books.entry(self.shelf, &book_id.key(), Default::default).link(own, spell);
    }

    /// A fill that names a trade of one spell and ends in another ties the two: a correction folds both again.
    fn link_spells(&mut self, book_id: &BookId, spell: u64, trades: &[String]) {
        for trade_id in trades {
            if self.trade(trade_id).is_some_and(|trade| trade.spell != spell) {
                self.link_to(book_id, trade_id, spell);
            }
        }
    }

    /// Gives a part of a fill to a trade and posts its money.
    fn put(&mut self, trade_id: &str, fact: &Fact, fill: &Fill, part: Part) {
        let Some(trade) = self.trade_mut(trade_id, fact.seq) else { return };
        let known_trips = trade.position.round_trips.len();
        let enters = trade.position.entry.is_none() && fill.side == trade.direction.entry_side();
        trade.position.add(trade.direction, trade.tick, fill, part);
        trade.see_prices(fill.price, fill.price);
        match trade.facts.last_mut() {
            Some(words) if words.seq == fact.seq => words.part = Some(part),
            _ => trade.facts.push(Fact { part: Some(part), ..fact.clone() }),
        }
        let counts = trade.status != Status::Voided;
        let closes = trade.status == Status::Open && trade.position.open().is_zero();
        let gross: Vec<Dec> = trade.position.round_trips[known_trips..].iter().map(|trip| trip.gross).collect();
        if closes {
            trade.status = Status::Closed;
            self.leave_book(trade_id, &BookId::new(&fill.account, &fill.symbol), fact.seq);
        }
        if enters {
            self.enter(trade_id, fill.at, fill.seq);
        }
        if counts {
            let date = self.date(&fill.account, fill.at);
            let day = self.day_money(&fill.account, date);
            day.fees += part.fees;
            day.fills += 1;
            day.gross += gross.into_iter().sum();
        }
    }

    pub(super) fn leave_book(&mut self, trade_id: &str, book_id: &BookId, seq: u64) {
        let book = self.state.books.entry(self.shelf, &book_id.key(), Default::default);
        book.remove(trade_id);
        if !book.is_busy() {
            book.flat_at = seq;
        }
        if !book.is_busy()
            && let Some(accounts) = self.state.open_in.get_mut(self.shelf, &Key::text(&book_id.symbol))
        {
            accounts.retain(|account| *account != book_id.account);
        }
    }

    /// Remembers where a fill went and writes its row.
    fn file_fill(&mut self, fill: &Fill, trades: Vec<String>, exit_of: Option<String>) {
        let key = Key::text(&fill.fill_id);
        let book = BookId::new(&fill.account, &fill.symbol);
        let known = self.state.fills.get(self.shelf, &key);
        let (status, changed) = match known {
            Some(known) => (known.status, known.trades != trades || known.book != book),
            None => (FillStatus::Live, true),
        };
        let last_seq = known.filter(|_| !changed).map_or(self.now, |known| known.last_seq);
        let filed = FillRef { book, trades, exit_of, status, seq: fill.seq, last_seq };
        self.rows.put(&fills::TABLE, fills::row(fill, &filed));
        self.state.fills.put(key, filed);
    }

    /// A correction left a fact that recorded a fill without one.
    fn unfile_fill(&mut self, fact: &Fact) {
        if let Some(fill_id) = fact.fill_id()
            && self.state.fills.remove(self.shelf, &Key::text(&fill_id)).is_some()
        {
            self.rows.delete(&fills::TABLE, vec![fill_id.into()]);
        }
    }

    fn attach(&mut self, trade_id: &str, fact: Fact) {
        match self.trade_mut(trade_id, fact.seq) {
            Some(trade) => trade.facts.push(fact),
            None => self.orphan(trade_id, fact),
        }
    }

    /// Price extremes; those that widen nothing are not worth keeping.
    fn mark(&mut self, marked: &ExcursionMarked, fact: Fact) {
        let (low, high) = (marked.low.min(marked.high), marked.low.max(marked.high));
        match self.trade_mut(&marked.trade_id, fact.seq) {
            Some(trade) => {
                if trade.see_prices(low, high) {
                    trade.facts.push(fact);
                }
            }
            None => self.orphan(&marked.trade_id, fact),
        }
    }

    fn break_rule(&mut self, trade_id: &str, fact: Fact) {
        let Payload::RuleBroken(broken) = fact.payload.clone() else { return };
        let Some(trade) = self.trade_mut(trade_id, fact.seq) else { return self.orphan(trade_id, fact) };
        let account = broken.account_id.clone().unwrap_or_else(|| trade.account.clone());
        let (seq, at) = (fact.seq, fact.at);
        trade.facts.push(fact);
        self.rows.put(&rule_breaks::TABLE, rule_breaks::row(seq, at, &account, &broken));
        let date = self.date(&account, at);
        self.day(&account, date).rule_breaks.push(at);
    }

    fn add_note(&mut self, trade_id: &str, fact: Fact) {
        let Payload::NoteAdded(note) = fact.payload.clone() else { return };
        let Some(trade) = self.trade_mut(trade_id, fact.seq) else { return self.orphan(trade_id, fact) };
        let account = note.account_id.clone().unwrap_or_else(|| trade.account.clone());
        let (seq, at) = (fact.seq, fact.at);
        trade.facts.push(fact);
        self.rows.put(&notes::TABLE, notes::row(seq, at, &account, &note));
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

/// The fill of a TradeExited with a price: by default all that is open; with nothing open it is no fill.
fn exit_fill(fact: &Fact, exit: &TradeExited, trade: &Trade, open: Dec) -> Option<Fill> {
    let price = exit.price.filter(|_| !fact.busted)?;
    let quantity = exit.quantity.or_else(|| open.is_positive().then_some(open))?;
    Some(Fill::of_exit(fact, exit, price, quantity, trade))
}
