//! Where fills go: to the trade they name, else to the oldest open trade they can add to or reduce, else to a
//! new one; split where they cross zero, their money posted to their days.

use super::Work;
use super::book::{BookId, FillRef, FillStatus};
use super::path::Prices;
use super::place::Surprise;
use super::position::{Fill, Part};
use super::trade::{Fact, Status, Trade};
use crate::cell::Cell;
use crate::codec;
use crate::decimal::Dec;
use crate::drawer::Key;
use crate::event::{DEFAULT_ACCOUNT, Direction, Payload, Side, TradeExited};
use crate::fills;

impl Work<'_> {
    pub(super) fn place_fill(&mut self, mut fact: Fact) {
        let Payload::FillRecorded(recorded) = &fact.payload else { return };
        let named = fact.moved_to.clone().or_else(|| recorded.trade_id.clone());
        let account = recorded.account_id.clone();
        let account = account.or_else(|| Some(self.trade(named.as_deref()?)?.account.clone()));
        let account = account.or_else(|| Some(self.trade(recorded.trade_id.as_deref()?)?.account.clone()));
        let account = account.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
        let fill = Fill::recorded(&fact, recorded, account);
        if self.waits_for(&fill.book, &fact) {
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
    pub(super) fn place_exit(&mut self, mut fact: Fact) {
        let Payload::TradeExited(exit) = &fact.payload else { return };
        let exit_of = exit.trade_id.clone();
        let target = fact.moved_to.clone().unwrap_or_else(|| exit_of.clone());
        let open = self.trade(&target).map_or(Dec::ZERO, |trade| trade.position.open());
        let known = self.trade(&exit_of).is_some();
        let subject = if known { &exit_of } else { &target };
        let Some(trade) = self.trade(subject) else { return self.orphan(&exit_of, fact) };
        let (book_id, fill) = (BookId::new(&trade.account, &trade.symbol), exit_fill(&fact, exit, trade, open));
        if self.waits_for(&book_id, &fact) {
            return;
        }
        if !known {
            let detail = "the trade is not known: only the fill counts, in the trade it was moved to";
            let surprise = Surprise { kind: "unknown_trade", trade: Some(&exit_of), fill: None, detail };
            self.raise(&mut fact, surprise);
        }
        let Some(fill) = fill else {
            self.unfile_fill(&fact);
            return self.attach_known(&exit_of, fact);
        };
        self.attach_known(&exit_of, fact.clone());
        let whole = Part { quantity: fill.quantity, fees: fill.fees };
        let trades = self.place_named(&mut fact, &fill, whole, &target);
        self.keep_raised(&exit_of, &fact);
        self.file_fill(&fill, trades, Some(exit_of));
    }

    fn attach_known(&mut self, trade_id: &str, fact: Fact) {
        if let Some(trade) = self.trade_mut(trade_id, fact.seq) {
            trade.facts.push(fact);
        }
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
        let book_id = &fill.book;
        let Some(trade) = self.trade(trade_id) else {
            if fact.moved_to.is_none() {
                self.raise(fact, surprise("unknown_trade", "the fill opens a trade that no TradeOpened announced"));
            }
            self.create(trade_id, book_id, Direction::opened_by(fill.side), fact);
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
                self.reopen(trade_id, book_id, fact.seq);
            }
            self.put(trade_id, fact, fill, whole);
            vec![trade_id.to_owned()]
        } else {
            self.place_named_exit(fact, fill, whole, trade_id, open)
        };
        self.link_spells(book_id, spell, &trades);
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
        let book_id = &fill.book;
        let mut trades = Vec::new();
        while rest.quantity.is_positive() {
            let (trade_id, part) = match self.oldest_open(book_id, fill.side) {
                Some((trade_id, Some(open))) => (trade_id, rest.split(open)),
                Some((trade_id, None)) => (trade_id, rest.split(rest.quantity)),
                None => {
                    let trade_id = self.free_name(book_id, &fill.fill_id);
                    self.create(&trade_id, book_id, Direction::opened_by(fill.side), fact);
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
            self.leave_book(trade_id, &fill.book, fact.seq);
        }
        if enters {
            self.enter(trade_id, fill.at, fill.seq);
        }
        if counts {
            let date = self.date(&fill.book.account, fill.at);
            let day = self.day_money(&fill.book.account, date);
            day.fees += part.fees;
            day.fills += 1;
            day.gross += gross.into_iter().sum();
            let prices = Prices { low: fill.price, high: fill.price, last: Some(fill.price) };
            self.trace(&fill.book.account, trade_id, fact.seq, fact.at, prices);
        }
    }

    pub(super) fn leave_book(&mut self, trade_id: &str, book_id: &BookId, seq: u64) {
        let book = self.state.books.entry(self.shelf, &book_id.key(), Default::default);
        book.remove(trade_id);
        if book.is_busy() {
            return;
        }
        book.flat_at = seq;
        if let Some(accounts) = self.state.open_in.get_mut(self.shelf, &Key::text(&book_id.symbol)) {
            accounts.retain(|account| *account != book_id.account);
        }
    }

    /// Remembers where a fill went and writes its row.
    fn file_fill(&mut self, fill: &Fill, trades: Vec<String>, exit_of: Option<String>) {
        let key = Key::text(&fill.fill_id);
        let known = self.state.fills.get(self.shelf, &key);
        let status = known.map_or(FillStatus::Live, |known| known.status);
        let mut filed =
            FillRef { book: fill.book.clone(), trades, exit_of, status, seq: fill.seq, last_seq: 0, words: 0 };
        let mut row = fills::row(fill, &filed);
        filed.words = codec::fingerprint(&row);
        // Placed again by a correction, it may well be what it was: then nothing has changed it.
        filed.last_seq = known.filter(|known| known.words == filed.words).map_or(self.now, |known| known.last_seq);
        row.pop();
        row.push(Cell::seq(filed.last_seq));
        self.rows.put(&fills::TABLE, row);
        self.state.fills.put(&key, filed);
    }

    /// A correction left a fact that recorded a fill without one.
    pub(super) fn unfile_fill(&mut self, fact: &Fact) {
        if let Some(fill_id) = fact.fill_id()
            && self.state.fills.remove(self.shelf, &Key::text(&fill_id)).is_some()
        {
            self.rows.delete(&fills::TABLE, vec![fill_id.into()]);
        }
    }
}

/// The fill of a TradeExited with a price: by default all that is open; with nothing open it is no fill.
fn exit_fill(fact: &Fact, exit: &TradeExited, trade: &Trade, open: Dec) -> Option<Fill> {
    let price = exit.price.filter(|_| !fact.busted)?;
    let quantity = exit.quantity.or_else(|| open.is_positive().then_some(open))?;
    Some(Fill::of_exit(fact, exit, price, quantity, trade))
}
