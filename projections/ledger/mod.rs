//! The fold of positions and accounts: fills into trades, trades into days, windows and breakdowns.
//!
//! One event goes through four steps: `place` and `fill` decide which trade a fact belongs to and post its money,
//! `correct` and `refold` take facts out, mend them and place them again, `settle` brings days, windows and
//! breakdowns up to date with the trades that changed, and a flush turns what changed into rows.
//! All four are pure: they read and write drawers, which the world keeps on a shelf.

pub(crate) mod account;
pub(crate) mod book;
mod correct;
pub mod equity;
mod fill;
pub(crate) mod groups;
mod journal;
pub(crate) mod limits;
pub mod on_demand;
mod path;
mod place;
pub(crate) mod position;
mod recount;
mod redate;
mod refold;
pub(crate) mod rows;
pub(crate) mod running;
mod settle;
pub(crate) mod trade;
mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use settle::{Closed, Figures};
pub use words::{DIMENSIONS, Words};

use account::{Account, Day, Standing};
use book::{Bar, Book, FillRef, InstrumentAt};
use groups::{Change, Group};
use limits::Today;
use path::Step;
use refold::Refolds;
use running::{Marks, WindowKey};
use trade::{Excursion, Fact, Trade};

use crate::calendar::{Calendar, TradingDate};
use crate::cell::{Cell, Row, Table};
use crate::changes::Rows;
use crate::drawer::{Drawer, Key, Shelf, StateChange};
use crate::event::{Event, Payload};
use crate::moment::Moment;
use crate::projection::{About, Projection};

/// The fold of every event that touches an account, a trade or an instrument.
#[derive(Debug)]
pub struct Ledger {
    state: State,
    rows: Rows,
}

/// Everything the ledger remembers, each kind in a drawer of its own.
#[derive(Debug)]
struct State {
    trades: Drawer<Trade>,
    books: Drawer<Book>,
    /// Trades by book and busy spell.
    spells: Drawer<()>,
    fills: Drawer<FillRef>,
    instruments: Drawer<Vec<InstrumentAt>>,
    /// Accounts with open trades, by symbol: whom a bar concerns.
    open_in: Drawer<Vec<String>>,
    bars: Drawer<Bar>,
    /// Excursions that widened nothing when they were marked, by trade: a correction may make them count.
    excursions: Drawer<Excursion>,
    /// Equity with open trades, by account and position, of accounts whose drawdown trails it.
    path: Drawer<Step>,
    /// The limits that were reached, by account, rule and date.
    breached: Drawer<()>,
    /// Facts that name a trade nobody knows, by trade.
    orphans: Drawer<Vec<Fact>>,
    accounts: Drawer<Account>,
    days: Drawer<Day>,
    /// Closed trades by account, exit and id: window order.
    closed: Drawer<Closed>,
    /// Voided trades that went flat, likewise.
    voided: Drawer<Closed>,
    /// How often each slippage happened in the closed trades of an account.
    slippages: Drawer<u32>,
    groups: Drawer<Group>,
    /// Places in the closed trades of each scope of groups.
    marks: Drawer<Marks>,
    /// What became of closed trades since groups were last brought up to date, by event.
    arrears: Vec<(u64, Change)>,
    /// The latest closed trades of accounts, as far as their windows need them.
    recent: BTreeMap<String, VecDeque<(WindowKey, Figures)>>,
    calendars: BTreeMap<String, Calendar>,
    utc: Calendar,
    /// Where accounts stood on the date reckoned last, until one of their days changes.
    standings: BTreeMap<String, Option<(TradingDate, Standing, Option<Today>)>>,
}

/// One event on its way through the ledger.
struct Work<'a> {
    state: &'a mut State,
    rows: &'a mut Rows,
    shelf: &'a dyn Shelf,
    /// Position of the event being folded; facts folded again keep their own.
    now: u64,
    at: Moment,
    /// Trades whose figures may have changed.
    touched: BTreeSet<String>,
    /// Trades a correction took out, as they were.
    taken_out: BTreeMap<String, Trade>,
    /// Trades made by this event: they have no history.
    born: BTreeSet<String>,
    /// Facts a correction still has to place again.
    pending: BTreeMap<u64, Fact>,
    /// The books a correction folds again.
    refolds: Refolds,
    /// Days that were looked at to be changed, as they were.
    days_before: BTreeMap<Key, Day>,
    /// Accounts with a day that changed.
    days_changed: BTreeSet<String>,
    /// From which date on an account's equity must be added up again.
    equity_from: BTreeMap<String, TradingDate>,
    /// From which position on an account's path must be gone along again.
    path_from: BTreeMap<String, u64>,
    is_correction: bool,
    /// The event changes nothing: it was listed as an anomaly, and does not count as an event of its account.
    in_vain: bool,
}

impl Default for Ledger {
    fn default() -> Self {
        let state = State {
            trades: Drawer::packed("trades"),
            books: Drawer::ordered("books"),
            spells: Drawer::ordered("spells"),
            fills: Drawer::new("fills"),
            instruments: Drawer::new("instruments"),
            open_in: Drawer::new("open_in"),
            bars: Drawer::ordered("bars"),
            excursions: Drawer::ordered("excursions"),
            path: Drawer::ordered("path"),
            breached: Drawer::new("breached"),
            orphans: Drawer::packed("orphans"),
            accounts: Drawer::ordered("accounts"),
            days: Drawer::ordered("days"),
            closed: Drawer::ordered("closed"),
            voided: Drawer::ordered("voided"),
            slippages: Drawer::ordered("slippages"),
            groups: Drawer::ordered("groups"),
            marks: Drawer::new("marks"),
            arrears: Vec::new(),
            recent: BTreeMap::new(),
            calendars: BTreeMap::new(),
            utc: Calendar::default(),
            standings: BTreeMap::new(),
        };
        Self { state, rows: Rows::default() }
    }
}

/// The ledger, to the world.
pub static ABOUT: About = About {
    name: "ledger",
    version: 3,
    tables: &[
        &crate::trades::TABLE,
        &crate::performance_metrics::TABLE,
        &crate::performance_breakdown::TABLE,
        &crate::system_state::TABLE,
        &crate::risk_state::TABLE,
        &crate::daily_pnl::TABLE,
        &crate::fills::TABLE,
        &crate::round_trips::TABLE,
        &crate::rule_breaks::TABLE,
        &crate::notes::TABLE,
        &crate::accounts::TABLE,
        &crate::limit_breaches::TABLE,
        &crate::anomalies::TABLE,
    ],
    types: &[
        "AccountOpened",
        "InstrumentDefined",
        "TradeOpened",
        "FillRecorded",
        "StopMoved",
        "TargetMoved",
        "ExcursionMarked",
        "TradeExited",
        "RuleBroken",
        "MentalStateRated",
        "NoteAdded",
        "StateChanged",
        "RiskSet",
        "CashMoved",
        "BarClosed",
        "FillCorrected",
        "FillBusted",
        "TradeAmended",
        "TradeVoided",
        "FillsReassigned",
    ],
    streams: &["account", "instrument", "trade", "system"],
    new: || Box::new(Ledger::default()),
};

impl Projection for Ledger {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn apply(&mut self, shelf: &dyn Shelf, event: &Event) {
        let mut work = Work {
            state: &mut self.state,
            rows: &mut self.rows,
            shelf,
            now: event.seq,
            at: event.occurred_at,
            touched: BTreeSet::new(),
            taken_out: BTreeMap::new(),
            born: BTreeSet::new(),
            pending: BTreeMap::new(),
            refolds: Refolds::new(),
            days_before: BTreeMap::new(),
            days_changed: BTreeSet::new(),
            equity_from: BTreeMap::new(),
            path_from: BTreeMap::new(),
            is_correction: false,
            in_vain: false,
        };
        let account = work.fold(event).filter(|_| !work.in_vain);
        work.settle();
        let moved = work.walk_paths();
        if let Some(account) = &account {
            work.stand(account);
        }
        work.days_changed.extend(moved);
        for other in std::mem::take(&mut work.days_changed) {
            work.stand_again(&other);
        }
        if let Payload::StateChanged(changed) = &event.payload {
            work.write_system_state(changed);
        }
    }

    /// Forgets what is not open: a closed trade leaves memory here.
    fn flush(&mut self, shelf: &dyn Shelf) -> (Rows, Vec<StateChange>) {
        self.state.settle_groups(shelf);
        rows::write(&mut self.state, &mut self.rows);
        let mut changes = Vec::new();
        let state = &mut self.state;
        state.trades.flush(&mut changes, |trade| trade.status == trade::Status::Open);
        state.books.flush(&mut changes, Book::is_busy);
        state.spells.flush(&mut changes, |()| false);
        state.fills.flush(&mut changes, |_| false);
        state.instruments.write(&mut changes);
        state.open_in.write(&mut changes);
        state.bars.flush(&mut changes, |_| false);
        state.excursions.flush(&mut changes, |_| false);
        state.path.flush(&mut changes, |_| false);
        state.breached.flush(&mut changes, |()| false);
        state.orphans.flush(&mut changes, |_| false);
        state.accounts.write(&mut changes);
        state.days.write(&mut changes);
        state.closed.flush(&mut changes, |_| false);
        state.voided.flush(&mut changes, |_| false);
        state.slippages.write(&mut changes);
        state.groups.write(&mut changes);
        state.marks.write(&mut changes);
        (std::mem::take(&mut self.rows), changes)
    }

    /// Of trades, days and accounts.
    fn row(&mut self, shelf: &dyn Shelf, table: &'static Table, key: &[Cell]) -> Option<Row> {
        let mut texts = key.iter().map(Cell::to_text);
        match table.name {
            "trades" => self.state.trades.get(shelf, &trade_key(&texts.next()?)).map(crate::trades::row),
            "daily_pnl" => {
                let (date, account) = (TradingDate::parse(&texts.next()?)?, texts.next()?);
                let day = self.state.days.get(shelf, &day_key(&account, date)).filter(|day| day.has_row())?;
                Some(crate::daily_pnl::row(&account, date, day))
            }
            "accounts" => {
                let account = self.state.accounts.get(shelf, &Key::text(&texts.next()?))?;
                account.opened.is_some().then(|| crate::accounts::row(account))
            }
            _ => None,
        }
    }
}

impl State {
    /// A day of the account changed: where it stands must be reckoned anew.
    fn forget_standing(&mut self, account: &str) {
        if let Some(standing) = self.standings.get_mut(account) {
            *standing = None;
        }
    }
}

impl Work<'_> {
    /// The trading date of a moment in an account; an account that was never opened has UTC dates.
    fn date(&mut self, account: &str, at: Moment) -> TradingDate {
        self.calendar(account).date(at)
    }

    fn calendar(&mut self, account: &str) -> &mut Calendar {
        if !self.state.calendars.contains_key(account) {
            let known = self.state.accounts.get(self.shelf, &Key::text(account));
            match known.and_then(|known| known.opened.as_ref()) {
                Some(opened) => self.state.calendars.insert(account.to_owned(), Calendar::of(&opened.terms)),
                None => return &mut self.state.utc,
            };
        }
        self.state.calendars.get_mut(account).unwrap_or(&mut self.state.utc)
    }

    /// An account, known from now on.
    fn account(&mut self, account: &str) -> &mut Account {
        let now = self.now;
        let first = || Account { first_seq: now, last_seq: now, ..Account::default() };
        self.state.accounts.entry(self.shelf, &Key::text(account), first)
    }

    /// A day of an account, to be changed.
    fn day(&mut self, account: &str, date: TradingDate) -> &mut Day {
        let key = day_key(account, date);
        self.state.forget_standing(account);
        self.state.days.hold(self.shelf, &Key::text(account));
        if self.state.days.get(self.shelf, &key).is_none() {
            // A new day takes its equity over from the one before.
            self.equity_changes(account, date);
        }
        let day = self.state.days.entry(self.shelf, &key, Day::default);
        self.days_before.entry(key).or_insert_with(|| day.clone());
        day
    }

    /// Changes a day's money: the equity of that day and of all later ones follows.
    fn day_money(&mut self, account: &str, date: TradingDate) -> &mut Day {
        self.equity_changes(account, date);
        self.day(account, date)
    }

    fn equity_changes(&mut self, account: &str, date: TradingDate) {
        match self.equity_from.get_mut(account) {
            Some(from) => *from = date.min(*from),
            None => drop(self.equity_from.insert(account.to_owned(), date)),
        }
    }
}

fn day_key(account: &str, date: TradingDate) -> Key {
    Key::text(account).signed(i64::from(date.0))
}

fn trade_key(trade_id: &str) -> Key {
    Key::text(trade_id)
}
