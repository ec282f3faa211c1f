//! Owns one trade as fold state: the facts that belong to it, in position order, and what they add up to.
//! A trade is a pure function of its facts, so a correction takes the facts out, mends them and folds them
//! again. Which facts belong to which trade is `place`'s decision.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::book::BookId;
use super::position::{Fill, Part, Position, RoundTrip, Tick};
use super::settle::Posted;
use crate::decimal::Dec;
use crate::event::{Direction, ExcursionMarked, FillRecorded, Payload, TradeExited, TradeOpened};
use crate::moment::Moment;

/// An event, or the part of one, that belongs to a trade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fact {
    pub(crate) seq: u64,
    pub(crate) at: Moment,
    pub(crate) payload: Payload,
    /// The event's id where the fill of an exit may be called by it.
    pub(crate) exit_id: Option<Uuid>,
    /// The part of its fill this trade got; `None` for a fact that is no fill here.
    pub(crate) part: Option<Part>,
    /// The trade a reassignment moved its fill to.
    pub(crate) moved_to: Option<String>,
    /// The fill of this `TradeExited` was busted: only its words count.
    pub(crate) busted: bool,
    /// Made by an amendment of a trade that has no such event of its own: the fields it changed, as JSON.
    pub(crate) stand_in: Option<String>,
    /// The anomalies that placing it raised: their kinds and fills.
    pub(crate) raised: Vec<(String, Option<String>)>,
}

impl Fact {
    pub(crate) fn new(seq: u64, id: Uuid, at: Moment, payload: Payload) -> Self {
        let exit_id = matches!(payload, Payload::TradeExited(_)).then_some(id);
        Self {
            seq,
            at,
            payload,
            exit_id,
            part: None,
            moved_to: None,
            busted: false,
            stand_in: None,
            raised: Vec::new(),
        }
    }

    /// The fact as it was before it was placed.
    pub(crate) fn unplaced(self) -> Self {
        Self { part: None, raised: Vec::new(), ..self }
    }

    /// Sets fields of its payload; null takes a field away. Changes were checked when they were recorded.
    pub(crate) fn amend(&mut self, changes: &Map<String, Value>) {
        if let Some(known) = &mut self.stand_in {
            let mut all = fields_of(known);
            all.extend(changes.clone());
            *known = Value::Object(all).to_string();
        }
        match &mut self.payload {
            Payload::TradeOpened(opened) => amend_payload::<TradeOpened>(opened, changes),
            Payload::TradeExited(exit) => amend_payload::<TradeExited>(exit, changes),
            _ => {}
        }
    }

    fn exit_fill_id(&self) -> String {
        self.exit_id.unwrap_or_default().to_string()
    }

    /// The id of the fill it records, if it records one.
    pub(crate) fn fill_id(&self) -> Option<String> {
        match &self.payload {
            Payload::FillRecorded(fill) => Some(fill.fill_id.clone()),
            Payload::TradeExited(exit) if exit.price.is_some() && !self.busted => Some(self.exit_fill_id()),
            _ => None,
        }
    }
}

/// An ExcursionMarked that widened no extremes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Excursion {
    pub(crate) at: Moment,
    pub(crate) marked: ExcursionMarked,
}

/// The fields of a JSON object.
pub(crate) fn fields_of(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

fn amend_payload<P: Serialize + DeserializeOwned>(payload: &mut P, changes: &Map<String, Value>) {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(&*payload) else { return };
    for (field, value) in changes {
        fields.insert(field.clone(), value.clone());
    }
    if let Ok(amended) = serde_json::from_value(Value::Object(fields)) {
        *payload = amended;
    }
}

impl Fill {
    /// A recorded fill, in the account it was resolved to.
    pub(crate) fn recorded(fact: &Fact, fill: &FillRecorded, account: String) -> Self {
        Self {
            fill_id: fill.fill_id.clone(),
            seq: fact.seq,
            at: fact.at,
            book: BookId { account, symbol: fill.symbol.clone() },
            side: fill.side,
            quantity: fill.quantity,
            price: fill.price,
            fees: fill.fees.unwrap_or(Dec::ZERO),
            order_id: fill.order_id.clone(),
            order_type: fill.order_type.clone(),
            intended_price: fill.intended_price,
            slippage_ticks: fill.slippage_ticks,
            latency_ms: fill.latency_ms,
            liquidity: fill.liquidity.clone(),
        }
    }

    /// The fill of an exit with a price: its event's id is its fill_id.
    pub(crate) fn of_exit(fact: &Fact, exit: &TradeExited, price: Dec, quantity: Dec, trade: &Trade) -> Self {
        Self {
            fill_id: fact.exit_fill_id(),
            seq: fact.seq,
            at: fact.at,
            book: BookId::new(&trade.account, &trade.symbol),
            side: trade.direction.exit_side(),
            quantity,
            price,
            fees: exit.fees.unwrap_or(Dec::ZERO),
            order_id: None,
            order_type: exit.order_type.clone(),
            intended_price: exit.intended_price,
            slippage_ticks: exit.slippage_ticks,
            latency_ms: exit.latency_ms,
            liquidity: None,
        }
    }
}

/// Where a trade stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Status {
    Open,
    Closed,
    Voided,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Voided => "voided",
        }
    }
}

/// A price a trade is managed by: where its opening and its moves say it.
#[derive(Clone, Copy)]
struct Level {
    opened: fn(&TradeOpened) -> Option<Dec>,
    moved: fn(&Payload) -> Option<Dec>,
}

impl Level {
    const STOP: Self = Self {
        opened: |opened| opened.stop_price,
        moved: |payload| if let Payload::StopMoved(moved) = payload { Some(moved.stop_price) } else { None },
    };
    const TARGET: Self = Self {
        opened: |opened| opened.target_price,
        moved: |payload| if let Payload::TargetMoved(moved) = payload { Some(moved.target_price) } else { None },
    };
}

/// What the account knew when the trade was entered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct AtEntry {
    pub(crate) mental_state: Option<u8>,
    pub(crate) daily_loss_limit: Option<Dec>,
}

/// One position from flat to flat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trade {
    pub(crate) trade_id: String,
    pub(crate) account: String,
    pub(crate) symbol: String,
    pub(crate) direction: Direction,
    pub(crate) tick: Tick,
    /// The busy spell of its book in which it began: what a correction takes out and folds again together.
    pub(crate) spell: u64,
    pub(crate) status: Status,
    pub(crate) facts: Vec<Fact>,
    pub(crate) position: Position,
    /// Lowest and highest price seen: fills, marks, and bars while open.
    pub(crate) extremes: Option<(Dec, Dec)>,
    pub(crate) at_entry: AtEntry,
    /// Net of the account's trades closed on its exit's trading date, up to and with it.
    pub(crate) day_net: Option<Dec>,
    /// What it adds to its account's equity with open trades, where that is followed.
    pub(crate) worth: Dec,
    pub(crate) corrections: u32,
    /// Position of the last correction counted: one that names it twice counts once.
    pub(crate) corrected_at: u64,
    /// What days, windows and breakdowns hold of it now.
    pub(crate) posted: Option<Posted>,
    /// How many of its round trips have rows already.
    pub(crate) round_trips_written: usize,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
}

impl Trade {
    /// Its TradeOpened, or what an amendment put in the place of one.
    pub(crate) fn opened(&self) -> Option<&TradeOpened> {
        self.opened_fact().map(|(_, opened)| opened)
    }

    pub(crate) fn opened_fact(&self) -> Option<(&Fact, &TradeOpened)> {
        self.facts.iter().find_map(|fact| match &fact.payload {
            Payload::TradeOpened(opened) => Some((fact, &**opened)),
            _ => None,
        })
    }

    /// Its TradeExited events, oldest first. A fill that came here from another trade's exit is none.
    pub(crate) fn exits(&self) -> impl DoubleEndedIterator<Item = &TradeExited> {
        self.facts.iter().filter_map(|fact| match &fact.payload {
            Payload::TradeExited(exit) if exit.trade_id == self.trade_id => Some(&**exit),
            _ => None,
        })
    }

    /// The earliest stop known: TradeOpened's, else the first StopMoved's. Later moves never rewrite it.
    pub(crate) fn first_stop(&self) -> Option<Dec> {
        self.first_level(Level::STOP)
    }

    /// The earliest target known.
    pub(crate) fn first_target(&self) -> Option<Dec> {
        self.first_level(Level::TARGET)
    }

    /// The latest stop by position.
    pub(crate) fn latest_stop(&self) -> Option<Dec> {
        self.latest_level(Level::STOP)
    }

    /// The latest target by position.
    pub(crate) fn latest_target(&self) -> Option<Dec> {
        self.latest_level(Level::TARGET)
    }

    fn first_level(&self, level: Level) -> Option<Dec> {
        let moved = || self.facts.iter().find_map(|fact| (level.moved)(&fact.payload));
        self.opened().and_then(level.opened).or_else(moved)
    }

    fn latest_level(&self, level: Level) -> Option<Dec> {
        let facts = self.facts.iter().rev().filter(|fact| fact.stand_in.is_none());
        let mut levels = facts.filter_map(|fact| match &fact.payload {
            Payload::TradeOpened(opened) => (level.opened)(opened),
            payload => (level.moved)(payload),
        });
        // What an amendment says of the opening is older than every move.
        levels.next().or_else(|| (level.opened)(self.opened()?))
    }

    /// Its parts of fills and when they were made, as far as they count: those of a voided trade don't.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Moment, Part)> {
        let counted = self.facts.iter().filter(|_| self.status != Status::Voided);
        counted.filter_map(|fact| fact.part.map(|part| (fact.at, part)))
    }

    /// Its round trips, as far as they count.
    pub(crate) fn trips_counted(&self) -> &[RoundTrip] {
        if self.status == Status::Voided { &[] } else { &self.position.round_trips }
    }

    /// The rules that were broken in it, in order, repeats included.
    pub(crate) fn rules_broken(&self) -> impl Iterator<Item = &str> {
        self.facts.iter().filter_map(|fact| match &fact.payload {
            Payload::RuleBroken(broken) => Some(broken.rule.as_str()),
            _ => None,
        })
    }

    /// |entry price − first stop|, in points.
    pub(crate) fn stop_distance(&self) -> Option<Dec> {
        Some((self.position.entries.price()? - self.first_stop()?).abs())
    }

    /// The money at risk at the start: as given, else stop distance × entry quantity × point value.
    pub(crate) fn initial_risk(&self) -> Option<Dec> {
        let reckoned = || Some(self.stop_distance()? * self.position.entries.quantity * self.tick.point_value);
        self.opened().and_then(|opened| opened.risk_amount).or_else(reckoned)
    }

    /// Net by initial risk; `None` where there is no risk, or it is 0.
    pub(crate) fn result_r(&self) -> Option<Dec> {
        self.position.net().ratio(self.initial_risk()?)
    }

    /// The largest adverse and favourable distances from the entry price, in points, each at least 0.
    pub(crate) fn excursions(&self) -> Option<(Dec, Dec)> {
        let entry = self.position.entries.price()?;
        let (low, high) = self.extremes?;
        let below = (entry - low).max(Dec::ZERO);
        let above = (high - entry).max(Dec::ZERO);
        Some(if self.direction == Direction::Long { (below, above) } else { (above, below) })
    }

    /// Widens the extremes; says whether that changed them.
    pub(crate) fn see_prices(&mut self, low: Dec, high: Dec) -> bool {
        let seen = self.extremes.map_or((low, high), |(lowest, highest)| (lowest.min(low), highest.max(high)));
        self.extremes.replace(seen) != Some(seen)
    }

    /// The first entry fill's moment; before any fill, TradeOpened's.
    pub(crate) fn entered_at(&self) -> Option<Moment> {
        let opened = || self.opened_fact().map(|(fact, _)| fact.at);
        self.position.entry.as_ref().map(|entry| entry.at).or_else(opened)
    }

    /// The moment of the fill that closed it.
    pub(crate) fn exited_at(&self) -> Option<Moment> {
        let flat = self.position.fills > 0 && self.position.open().is_zero();
        self.position.exit.as_ref().filter(|_| flat).map(|exit| exit.at)
    }

    /// The mental state before it: TradeOpened's, else what the account last rated.
    pub(crate) fn mental_state(&self) -> Option<u8> {
        self.opened().and_then(|opened| opened.mental_state).or(self.at_entry.mental_state)
    }

    /// The daily loss limit at entry: TradeOpened's, else the account's.
    pub(crate) fn daily_loss_limit(&self) -> Option<Dec> {
        self.opened().and_then(|opened| opened.daily_loss_limit).or(self.at_entry.daily_loss_limit)
    }

    /// What was left of the daily loss limit when it closed: TradeExited's, else reckoned.
    pub(crate) fn daily_loss_limit_remaining(&self) -> Option<Dec> {
        let given = self.exits().rev().find_map(|exit| exit.daily_loss_limit_remaining);
        given.or_else(|| self.exited_at().and_then(|_| Some(self.daily_loss_limit()? + self.day_net?)))
    }

    /// The reason given last for its exit.
    pub(crate) fn exit_reason(&self) -> Option<&str> {
        self.exits().rev().map(|exit| exit.reason.as_str()).find(|reason| !reason.is_empty())
    }
}
