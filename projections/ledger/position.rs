//! Owns the arithmetic of one position: fills in, FIFO round trips, realised profit, fees and averages out.
//! Knows nothing of where a fill came from or which trade it was meant for.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::book::BookId;
use crate::decimal::Dec;
use crate::event::{Direction, Side};
use crate::moment::Moment;

/// A fill as placement sees it: recorded as such, or the fill of a `TradeExited` with a price.
#[derive(Debug)]
pub(crate) struct Fill {
    pub(crate) fill_id: String,
    pub(crate) seq: u64,
    pub(crate) at: Moment,
    pub(crate) book: BookId,
    pub(crate) side: Side,
    pub(crate) quantity: Dec,
    pub(crate) price: Dec,
    pub(crate) fees: Dec,
    pub(crate) order_id: Option<String>,
    pub(crate) order_type: Option<String>,
    pub(crate) intended_price: Option<Dec>,
    pub(crate) slippage_ticks: Option<Dec>,
    pub(crate) latency_ms: Option<Dec>,
    pub(crate) liquidity: Option<String>,
}

/// The part of a fill that one trade gets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) quantity: Dec,
    pub(crate) fees: Dec,
}

impl Part {
    /// Splits off `quantity`: fees go by quantity, unrounded, and what is left keeps the remainder, so that
    /// the parts sum to the whole.
    pub(crate) fn split(&mut self, quantity: Dec) -> Self {
        if quantity >= self.quantity {
            return std::mem::replace(self, Self { quantity: Dec::ZERO, fees: Dec::ZERO });
        }
        let share = self.fees * quantity / self.quantity;
        self.quantity -= quantity;
        self.fees -= share;
        Self { quantity, fees: share }
    }
}

/// The tick and the worth of a point for one trade.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tick {
    pub(crate) tick_size: Dec,
    pub(crate) point_value: Dec,
}

/// An entry fill that is not fully closed yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Lot {
    fill_id: String,
    at: Moment,
    price: Dec,
    left: Part,
}

/// An entry and an exit paired first in, first out: what a broker prints as one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RoundTrip {
    pub(crate) entry_fill_id: String,
    pub(crate) exit_fill_id: String,
    pub(crate) quantity: Dec,
    pub(crate) entry_price: Dec,
    pub(crate) exit_price: Dec,
    pub(crate) entered_at: Moment,
    pub(crate) exited_at: Moment,
    pub(crate) gross: Dec,
    pub(crate) fees: Dec,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
}

impl RoundTrip {
    /// Whether the figures are the same, whoever wrote them when.
    pub(crate) fn same_figures(&self, other: &Self) -> bool {
        let seqs = |trip: &Self| Self { first_seq: 0, last_seq: 0, ..trip.clone() };
        seqs(self) == seqs(other)
    }
}

/// A quantity-weighted mean over the fills that have a figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct WeightedMean {
    weighted: Dec,
    weight: Dec,
}

impl WeightedMean {
    fn add(&mut self, value: Option<Dec>, weight: Dec) {
        if let Some(value) = value {
            self.weighted += value * weight;
            self.weight += weight;
        }
    }

    pub(crate) fn mean(&self) -> Option<Dec> {
        self.weighted.ratio(self.weight)
    }
}

/// What the fills of one direction sum to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Leg {
    pub(crate) quantity: Dec,
    value: Dec,
    pub(crate) slippage_ticks: WeightedMean,
    pub(crate) latency_ms: WeightedMean,
}

impl Leg {
    fn add(&mut self, fill: &Fill, quantity: Dec, tick_size: Dec) {
        self.quantity += quantity;
        self.value += fill.price * quantity;
        self.slippage_ticks.add(slippage_ticks(fill, tick_size), quantity);
        self.latency_ms.add(fill.latency_ms, quantity);
    }

    /// The quantity-weighted average price.
    pub(crate) fn price(&self) -> Option<Dec> {
        self.value.ratio(self.quantity)
    }
}

/// Slippage in ticks, adverse positive: as given, else from the intended price.
fn slippage_ticks(fill: &Fill, tick_size: Dec) -> Option<Dec> {
    if fill.slippage_ticks.is_some() {
        return fill.slippage_ticks;
    }
    let paid_more = fill.price - fill.intended_price?;
    let adverse = if fill.side == Side::Buy { paid_more } else { -paid_more };
    adverse.ratio(tick_size)
}

/// The first entry fill of a trade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) at: Moment,
    pub(crate) order_type: Option<String>,
}

/// The latest exit fill of a trade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Exit {
    pub(crate) at: Moment,
    pub(crate) order_type: Option<String>,
}

/// The fills of one trade, folded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) entries: Leg,
    pub(crate) exits: Leg,
    pub(crate) fees: Dec,
    pub(crate) gross: Dec,
    pub(crate) fills: u32,
    pub(crate) entry: Option<Entry>,
    pub(crate) exit: Option<Exit>,
    pub(crate) round_trips: Vec<RoundTrip>,
    lots: VecDeque<Lot>,
}

impl Position {
    /// The quantity still open, never below nought.
    pub(crate) fn open(&self) -> Dec {
        self.entries.quantity - self.exits.quantity
    }

    /// Gross minus fees.
    pub(crate) fn net(&self) -> Dec {
        self.gross - self.fees
    }

    /// What is open would bring at a price.
    pub(crate) fn open_profit(&self, direction: Direction, tick: Tick, price: Dec) -> Dec {
        let points: Dec = self.lots.iter().map(|lot| (price - lot.price) * lot.left.quantity).sum();
        let points = if direction == Direction::Long { points } else { -points };
        points * tick.point_value
    }

    /// Adds a part of a fill. An exit part is never larger than [`Self::open`]: placement splits before.
    pub(crate) fn add(&mut self, direction: Direction, tick: Tick, fill: &Fill, part: Part) {
        self.fills += 1;
        self.fees += part.fees;
        if fill.side == direction.entry_side() {
            self.entries.add(fill, part.quantity, tick.tick_size);
            let entry = || Entry { seq: fill.seq, at: fill.at, order_type: fill.order_type.clone() };
            self.entry.get_or_insert_with(entry);
            self.lots.push_back(Lot { fill_id: fill.fill_id.clone(), at: fill.at, price: fill.price, left: part });
        } else {
            self.exits.add(fill, part.quantity, tick.tick_size);
            self.exit = Some(Exit { at: fill.at, order_type: fill.order_type.clone() });
            self.pair(direction, tick, fill, part);
        }
    }

    fn pair(&mut self, direction: Direction, tick: Tick, fill: &Fill, mut exit: Part) {
        while exit.quantity.is_positive() {
            let Some(lot) = self.lots.front_mut() else { return };
            let quantity = lot.left.quantity.min(exit.quantity);
            let entry_share = lot.left.split(quantity);
            let exit_share = exit.split(quantity);
            let points = if direction == Direction::Long { fill.price - lot.price } else { lot.price - fill.price };
            let trip = RoundTrip {
                entry_fill_id: lot.fill_id.clone(),
                exit_fill_id: fill.fill_id.clone(),
                quantity,
                entry_price: lot.price,
                exit_price: fill.price,
                entered_at: lot.at,
                exited_at: fill.at,
                gross: points * quantity * tick.point_value,
                fees: entry_share.fees + exit_share.fees,
                first_seq: fill.seq,
                last_seq: fill.seq,
            };
            self.gross += trip.gross;
            self.round_trips.push(trip);
            if lot.left.quantity.is_zero() {
                self.lots.pop_front();
            }
        }
    }
}
