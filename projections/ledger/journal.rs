//! Takes an event in: sends facts of trades to `place` and corrections to `correct`, and folds here what
//! concerns an account as such: its opening, cash, mood, risk settings, notes, rule breaks and states.

use super::account::{Account, CashMove, Opening, Rating, RiskSetting, Standing};
use super::book::{Bar, BookId, InstrumentAt};
use super::limits::Today;
use super::path::Prices;
use super::place::Surprise;
use super::position::Tick;
use super::trade::{Fact, Status};
use super::{Work, day_key};
use crate::calendar::{Calendar, TradingDate};
use crate::decimal::Dec;
use crate::drawer::Key;
use crate::event::{
    AccountOpened, BarClosed, CashMoved, DEFAULT_ACCOUNT, Event, InstrumentDefined, MentalStateRated, NoteAdded,
    Payload, RiskSet, RuleBroken, StateChanged,
};
use crate::moment::Moment;
use crate::{notes, risk_state, rule_breaks, system_state};

impl Work<'_> {
    /// Folds an event; answers the account it is an event of.
    pub(super) fn fold(&mut self, event: &Event) -> Option<String> {
        let account = match &event.payload {
            Payload::InstrumentDefined(defined) => return self.define(defined),
            Payload::BarClosed(bar) => return self.close_bar(bar),
            Payload::AccountOpened(opened) => self.open_account(opened),
            Payload::MentalStateRated(rated) => self.rate(rated),
            Payload::CashMoved(moved) => self.move_cash(moved),
            Payload::RiskSet(set) => self.set_risk(set),
            Payload::StateChanged(changed) => account_or_default(changed.account_id.as_ref()),
            Payload::RuleBroken(broken) if broken.trade_id.is_none() => self.break_account_rule(broken),
            Payload::NoteAdded(note) if note.trade_id.is_none() => self.note_account(note),
            _ => return self.fold_trade_event(event),
        };
        Some(account)
    }

    fn fold_trade_event(&mut self, event: &Event) -> Option<String> {
        let mut fact = Fact::new(event.seq, event.id, event.occurred_at, event.payload.clone());
        self.refuse_repeated(&mut fact);
        if self.in_vain {
            return None;
        }
        let subject = Subject::of(&event.payload);
        // A correction may move a fill, or take away the trade it names: ask before as well.
        let before = if is_correction(&event.payload) { self.account_of(&subject) } else { None };
        match &event.payload {
            Payload::FillCorrected(corrected) => self.correct_fill(corrected),
            Payload::FillBusted(busted) => self.bust_fill(busted),
            Payload::FillsReassigned(reassigned) => self.reassign_fills(reassigned),
            Payload::TradeAmended(amended) => self.amend_trade(event.id, amended),
            Payload::TradeVoided(voided) => {
                let known = self.trade(&voided.trade_id).is_some();
                self.is_correction = known;
                self.place(fact);
                if known {
                    self.count_correction(&voided.trade_id);
                }
            }
            _ => self.place(fact),
        }
        let after = self.account_of(&subject);
        // An amended trade is of its new account as if it had always been.
        if matches!(event.payload, Payload::TradeAmended(_)) { after.or(before) } else { before.or(after) }
    }

    /// Lists a fill whose id is taken. A recorded fill then changes nothing; of an exit the words still count.
    fn refuse_repeated(&mut self, fact: &mut Fact) {
        let Some(fill_id) = fact.fill_id() else { return };
        if self.state.fills.get(self.shelf, &Key::text(&fill_id)).is_none() {
            return;
        }
        let detail = "a fill of this id was recorded before: it is not counted again";
        self.list_anomaly(fact.seq, Surprise { kind: "repeated_fill", trade: None, fill: Some(&fill_id), detail });
        fact.busted = true;
        self.in_vain = matches!(fact.payload, Payload::FillRecorded(_));
    }

    /// The account an event of a trade or a fill belongs to, as far as it is known.
    fn account_of(&mut self, subject: &Subject<'_>) -> Option<String> {
        if let Some(account) = subject.account {
            return Some(account.to_owned());
        }
        if let Some(fill_id) = subject.fill
            && let Some(filed) = self.state.fills.get(self.shelf, &Key::text(fill_id))
        {
            return Some(filed.book.account.clone());
        }
        self.trade(subject.trade?).map(|trade| trade.account.clone())
    }

    fn define(&mut self, defined: &InstrumentDefined) -> Option<String> {
        let tick = Tick { tick_size: defined.tick_size, point_value: defined.point_value };
        let instrument = InstrumentAt { seq: self.now, tick };
        self.state.instruments.entry(self.shelf, &Key::text(&defined.symbol), Vec::new).push(instrument);
        None
    }

    fn close_bar(&mut self, closed: &BarClosed) -> Option<String> {
        let bar = Bar {
            at: self.at,
            starts_at: closed.timestamp,
            high: closed.high.max(closed.low),
            low: closed.low.min(closed.high),
            close: closed.close,
        };
        self.state.bars.put(&Key::text(&closed.symbol).seq(self.now), bar);
        let accounts = self.state.open_in.get(self.shelf, &Key::text(&closed.symbol)).cloned();
        for account in accounts.unwrap_or_default() {
            let book_id = BookId::new(&account, &closed.symbol);
            let open = self.state.books.get(self.shelf, &book_id.key()).map(|book| book.open.clone());
            for (_, trade_id) in open.unwrap_or_default() {
                self.show_bar(&trade_id, &bar, self.now);
            }
        }
        None
    }

    /// Widens the extremes of a trade that holds a position, by a bar that starts at or after its entry.
    pub(super) fn show_bar(&mut self, trade_id: &str, bar: &Bar, seq: u64) {
        let Some(trade) = self.trade(trade_id) else { return };
        let entered_before = trade.position.entry.as_ref().is_some_and(|entry| entry.at <= bar.starts_at);
        let widens = trade.extremes.is_none_or(|(low, high)| bar.low < low || bar.high > high);
        if trade.status != Status::Open || !trade.position.open().is_positive() || !entered_before {
            return;
        }
        let account = trade.account.clone();
        if widens && let Some(trade) = self.trade_mut(trade_id, seq) {
            trade.see_prices(bar.low, bar.high);
        }
        let prices = Prices { low: bar.low, high: bar.high, last: Some(bar.close) };
        self.trace(&account, trade_id, seq, bar.at, prices);
    }

    fn open_account(&mut self, opened: &AccountOpened) -> String {
        let account_id = opened.account_id.clone();
        let now = self.now;
        let account = self.account(&account_id);
        if account.opened.is_some() {
            let detail = format!("the account {account_id} was opened before: nothing changed");
            let surprise = Surprise { kind: "account_opened_twice", trade: None, fill: None, detail: &detail };
            self.list_anomaly(now, surprise);
            self.in_vain = true;
            return account_id;
        }
        account.opened = Some(Opening { seq: now, terms: opened.clone() });
        account.last_seq = now;
        self.state.calendars.insert(account_id.clone(), Calendar::of(opened));
        self.state.forget_standing(&account_id);
        self.forget_recent(&account_id);
        self.redate(&account_id);
        self.begin_path(&account_id);
        account_id
    }

    fn rate(&mut self, rated: &MentalStateRated) -> String {
        let account = account_or_default(rated.account_id.as_ref());
        let (seq, at) = (self.now, self.at);
        let date = self.date(&account, at);
        self.day(&account, date).ratings.push(Rating { seq, at, score: rated.score });
        self.tell_unfilled(&account);
        account
    }

    /// A trade without a fill still learns of a rating, if that was made before it was opened.
    fn tell_unfilled(&mut self, account: &str) {
        let prefix = Key::text(account);
        let books = self.state.books.scan(self.shelf, &prefix.0, &prefix.end(), usize::MAX);
        for (_, trade_id) in books.into_iter().flat_map(|(_, book)| book.open) {
            let Some(trade) = self.trade(&trade_id).filter(|trade| trade.position.entry.is_none()) else { continue };
            let (known, opened_at) = (trade.at_entry.mental_state, trade.entered_at());
            let date = opened_at.map(|at| self.date(account, at));
            let day = date.and_then(|date| self.state.days.get(self.shelf, &day_key(account, date)));
            let rated = day.zip(opened_at).and_then(|(day, at)| day.rating(at, self.now + 1));
            if rated != known
                && let Some(trade) = self.trade_mut(&trade_id, self.now)
            {
                trade.at_entry.mental_state = rated;
            }
        }
    }

    fn move_cash(&mut self, moved: &CashMoved) -> String {
        let date = self.date(&moved.account_id, self.at);
        let (seq, at) = (self.now, self.at);
        self.day_money(&moved.account_id, date).cash.push(CashMove { seq, at, amount: moved.amount });
        self.trace_cash(&moved.account_id, seq, at, moved.amount);
        moved.account_id.clone()
    }

    fn set_risk(&mut self, set: &RiskSet) -> String {
        let account_id = account_or_default(set.account_id.as_ref());
        let (seq, at) = (self.now, self.at);
        if risk_state::DERIVED.contains(&set.key.as_str()) {
            let detail = format!("{} is derived from the trades: it can't be set", set.key);
            self.list_anomaly(seq, Surprise { kind: "derived_risk_key", trade: None, fill: None, detail: &detail });
            self.in_vain = true;
            return account_id;
        }
        let value = set.value.plain();
        let account = self.account(&account_id);
        match account.risk.iter_mut().find(|setting| setting.key == set.key) {
            Some(setting) => (setting.value, setting.at, setting.last_seq) = (value, at, seq),
            None => {
                account.risk.push(RiskSetting { key: set.key.clone(), value, at, first_seq: seq, last_seq: seq });
            }
        }
        account_id
    }

    fn break_account_rule(&mut self, broken: &RuleBroken) -> String {
        let account = account_or_default(broken.account_id.as_ref());
        let date = self.date(&account, self.at);
        self.rows.put(&rule_breaks::TABLE, rule_breaks::row(self.now, self.now, self.at, &account, broken));
        let at = self.at;
        self.day(&account, date).rule_breaks.push(at);
        account
    }

    fn note_account(&mut self, note: &NoteAdded) -> String {
        let account = account_or_default(note.account_id.as_ref());
        self.rows.put(&notes::TABLE, notes::row(self.now, self.now, self.at, &account, note));
        account
    }

    /// Brings an account's derived risk figures up to this event: its date is the current one.
    pub(super) fn stand(&mut self, account: &str) {
        let (seq, at) = (self.now, self.at);
        self.account(account);
        let (standing, today) = self.standing(account, at);
        let known: &mut Account = self.account(account);
        (known.latest.seq, known.latest.at, known.latest.standing) = (seq, at, standing);
        self.progress(account, today);
    }

    /// An event of another account changed a day of this one: its figures follow, on the date it is at.
    pub(super) fn stand_again(&mut self, account: &str) {
        let latest = self.account(account).latest;
        if latest.seq == 0 {
            // No event was ever its own: a correction gave it its first trade, and is what it is known by.
            return self.stand(account);
        }
        if latest.seq == self.now {
            return;
        }
        let (standing, today) = self.standing(account, latest.at);
        if standing != latest.standing {
            let now = self.now;
            let known = self.account(account);
            (known.latest.seq, known.latest.standing) = (now, standing);
        }
        self.progress(account, today);
    }

    /// Where an account stands on the date of a moment.
    fn standing(&mut self, account: &str, at: Moment) -> (Standing, Option<Today>) {
        let date = self.date(account, at);
        if let Some(Some((known, standing, today))) = self.state.standings.get(account)
            && *known == date
        {
            return (*standing, *today);
        }
        let (standing, today) = self.reckon_standing(account, date);
        match self.state.standings.get_mut(account) {
            Some(known) => *known = Some((date, standing, today)),
            None => drop(self.state.standings.insert(account.to_owned(), Some((date, standing, today)))),
        }
        (standing, today)
    }

    /// Where an account stands on a date, and, once it is opened, what its rules look at.
    fn reckon_standing(&mut self, account: &str, date: TradingDate) -> (Standing, Option<Today>) {
        self.state.days.hold(self.shelf, &Key::text(account));
        let today = self.state.days.get(self.shelf, &day_key(account, date));
        let (daily_pnl_r, net) = today.map_or((Dec::ZERO, Dec::ZERO), |day| (day.pnl_r, day.trades_net));
        let monday = date.week_start();
        let (from, to) = (day_key(account, monday), day_key(account, TradingDate(monday.0 + 7)));
        let (mut weekly_pnl_r, mut week_net) = (Dec::ZERO, Dec::ZERO);
        for (_, day) in self.state.days.held(&from.0, &to.0) {
            weekly_pnl_r += day.pnl_r;
            week_net += day.net();
        }
        let rules = self.account(account).rules();
        let standing = Standing {
            daily_pnl_r,
            weekly_pnl_r,
            consecutive_red_days: self.red_days_before(account, date),
            daily_loss_limit_remaining: rules.and_then(|rules| Some(rules.daily_loss_limit? + net)),
        };
        (standing, rules.map(|rules| self.today(account, date, week_net, &rules)))
    }

    /// The run of red days that ends with the latest before a date, over days on which trades closed.
    fn red_days_before(&self, account: &str, date: TradingDate) -> u32 {
        let days = self.state.days.held(&Key::text(account).0, &day_key(account, date).0).rev();
        let run = days.filter(|(_, day)| day.trades > 0).take_while(|(_, day)| day.is_red()).count();
        u32::try_from(run).unwrap_or(u32::MAX)
    }

    pub(super) fn write_system_state(&mut self, changed: &StateChanged) {
        let account = account_or_default(changed.account_id.as_ref());
        let standing = self.account(&account).latest.standing;
        self.rows.put(&system_state::TABLE, system_state::row(self.now, self.at, &account, changed, &standing));
    }
}

fn is_correction(payload: &Payload) -> bool {
    matches!(
        payload,
        Payload::FillCorrected(_)
            | Payload::FillBusted(_)
            | Payload::FillsReassigned(_)
            | Payload::TradeAmended(_)
            | Payload::TradeVoided(_)
    )
}

fn account_or_default(account: Option<&String>) -> String {
    account.cloned().unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned())
}

/// What an event of a trade is about.
#[derive(Default)]
struct Subject<'a> {
    account: Option<&'a str>,
    trade: Option<&'a str>,
    fill: Option<&'a str>,
}

impl<'a> Subject<'a> {
    fn of(payload: &'a Payload) -> Self {
        let trade = |id: &'a String| Self { trade: Some(id), ..Self::default() };
        let fill = |id: &'a String| Self { fill: Some(id), ..Self::default() };
        match payload {
            Payload::TradeOpened(opened) => trade(&opened.trade_id),
            Payload::FillRecorded(recorded) => Self {
                account: recorded.account_id.as_deref(),
                trade: recorded.trade_id.as_deref(),
                fill: Some(&recorded.fill_id),
            },
            Payload::StopMoved(moved) => trade(&moved.trade_id),
            Payload::TargetMoved(moved) => trade(&moved.trade_id),
            Payload::ExcursionMarked(marked) => trade(&marked.trade_id),
            Payload::TradeExited(exit) => trade(&exit.trade_id),
            Payload::RuleBroken(broken) => {
                Self { account: broken.account_id.as_deref(), trade: broken.trade_id.as_deref(), fill: None }
            }
            Payload::NoteAdded(note) => {
                Self { account: note.account_id.as_deref(), trade: note.trade_id.as_deref(), fill: None }
            }
            Payload::FillCorrected(corrected) => fill(&corrected.fill_id),
            Payload::FillBusted(busted) => fill(&busted.fill_id),
            Payload::TradeAmended(amended) => trade(&amended.trade_id),
            Payload::TradeVoided(voided) => trade(&voided.trade_id),
            Payload::FillsReassigned(reassigned) => {
                Self { fill: reassigned.fill_ids.first().map(String::as_str), ..trade(&reassigned.trade_id) }
            }
            _ => Self::default(),
        }
    }
}
