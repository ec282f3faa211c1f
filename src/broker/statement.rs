//! Owns what a broker's file says, whatever its format: fills, round trips as the broker paired them, and the rows that
//! say neither. A format turns rows into this; import and reconciliation know nothing else of brokers.

use std::cell::RefCell;
use std::collections::HashMap;

use projections::decimal::Dec;
use projections::moment::Moment;
use sha2::{Digest, Sha256};

use super::sheet::Row;
use super::value::{Clock, DecimalMark, Expected, amount, price};

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they say it")]
pub enum Side {
    Buy,
    Sell,
}

impl Side {
    /// As an event spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }

    pub(crate) fn opposite(self) -> Self {
        if self == Self::Buy { Self::Sell } else { Self::Buy }
    }
}

/// An execution.
#[derive(Clone, Debug, PartialEq)]
pub struct Fill {
    /// Where it stands in the file.
    pub line: u64,
    /// The broker's id of it; derived from what it is where the broker gives none.
    pub fill_id: String,
    /// The contract, in one spelling.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// Above zero.
    pub quantity: Dec,
    /// In points.
    pub price: Dec,
    /// What it cost; negative for a rebate. `None` where the format doesn't say.
    pub fees: Option<Dec>,
    /// When.
    pub at: Moment,
    /// The broker's id of its order.
    pub order_id: Option<String>,
    /// The order's type.
    pub order_type: Option<String>,
    /// The broker's name of the account.
    pub account: Option<String>,
    /// The trade it belongs to, where each row of the file is a trade of its own.
    pub trade_id: Option<String>,
    /// The step of its price, where the file says it.
    pub tick_size: Option<Dec>,
    /// What a point is worth, where the file leaves no doubt: a share of a stock is worth its price.
    pub point_value: Option<Dec>,
}

impl Fill {
    /// What a row says of when and on which side, and nothing else yet.
    pub(crate) fn of(row: Row<'_>, side: Side, at: Moment) -> Self {
        Self {
            line: row.number(),
            fill_id: String::new(),
            symbol: String::new(),
            side,
            quantity: Dec::ZERO,
            price: Dec::ZERO,
            fees: None,
            at,
            order_id: None,
            order_type: None,
            account: None,
            trade_id: None,
            tick_size: None,
            point_value: None,
        }
    }
}

/// Two fills, or parts of them, as the broker paired them.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Trip {
    pub line: u64,
    pub symbol: String,
    pub buy_fill_id: String,
    pub sell_fill_id: String,
    pub quantity: Dec,
    pub buy_price: Dec,
    pub sell_price: Dec,
    /// Before fees, in the broker's rounding.
    pub gross: Dec,
}

/// A row that says neither, and why it was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Omitted {
    /// Where it stands.
    pub line: u64,
    /// Why: rejected, not filled.
    pub why: String,
}

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {column}: expected {expected}, found `{found}`")]
pub struct BadRow {
    /// Where.
    pub line: u64,
    /// Its column, by the name in the file's head.
    pub column: String,
    /// What it says.
    pub found: String,
    /// What it should say.
    pub expected: String,
}

/// All a file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statement {
    /// Executions, in the file's order.
    pub fills: Vec<Fill>,
    /// Round trips, where the format has them.
    pub trips: Vec<Trip>,
    /// Rows without a fill.
    pub omitted: Vec<Omitted>,
    /// Rows that can't be read.
    pub bad: Vec<BadRow>,
    /// Lines with a local time that happened twice, and was taken for the first of both.
    pub twice: Vec<u64>,
    /// Where each fill stands that is made of parts.
    parts: HashMap<String, usize>,
    /// How often a fill was met that looks like this.
    alike: HashMap<String, u32>,
}

impl Statement {
    pub(crate) fn add(&mut self, fill: Fill) {
        self.fills.push(fill);
    }

    /// A fill whose quantity was read without its sign.
    pub(crate) fn add_above_zero(&mut self, row: Row<'_>, column: &str, fill: Fill) -> Result<(), BadRow> {
        if !fill.quantity.is_positive() {
            return Err(bad(row, column, "a quantity above 0"));
        }
        self.add(fill);
        Ok(())
    }

    /// A part of a fill that stands in several rows, each with a share of its quantity.
    pub(crate) fn add_part(&mut self, row: Row<'_>, column: &str, part: Fill) -> Result<(), BadRow> {
        let Some(place) = self.parts.get(&part.fill_id) else {
            self.parts.insert(part.fill_id.clone(), self.fills.len());
            self.add(part);
            return Ok(());
        };
        let whole = &mut self.fills[*place];
        if (&whole.symbol, whole.side, whole.price, whole.at) != (&part.symbol, part.side, part.price, part.at) {
            return Err(bad(row, column, "the same contract, side, price and time as the other parts of this fill"));
        }
        whole.quantity += part.quantity;
        whole.fees = whole.fees.into_iter().chain(part.fees).reduce(|one, other| one + other);
        Ok(())
    }

    /// A row that is a round trip of its own: two fills with ids made of its own id, in a trade of that name. What it
    /// cost stands with the exit.
    pub(crate) fn add_round_trip(&mut self, own_id: &str, entry: Fill, exit: Fill) {
        let trade = format!("{own_id}-trade");
        let named =
            |fill: Fill, end: &str| Fill { fill_id: format!("{own_id}-{end}"), trade_id: Some(trade.clone()), ..fill };
        self.add(named(entry, "entry"));
        self.add(named(exit, "exit"));
    }

    /// A row without a fill.
    pub(crate) fn omit(&mut self, row: Row<'_>, why: &str) -> Result<(), BadRow> {
        let why = if why.is_empty() { "not filled" } else { why };
        self.omitted.push(Omitted { line: row.number(), why: why.to_owned() });
        Ok(())
    }

    /// An id made of what a row says, for brokers that give none. Of rows that say the same each has its own: the first
    /// one's is the same in every file.
    pub(crate) fn derived_id(&mut self, format: &str, facts: &[&str]) -> String {
        let mut digest = Sha256::new();
        for fact in facts {
            digest.update(fact.as_bytes());
            digest.update([0]);
        }
        let hash: String = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let id = format!("{format}-{hash}");
        let times = self.alike.entry(id.clone()).or_insert(0);
        *times += 1;
        if *times == 1 { id } else { format!("{id}-{times}") }
    }
}

/// Reads the cells of one file: they all have one clock and one decimal mark.
#[derive(Debug)]
pub(crate) struct Cells<'a> {
    clock: Clock<'a>,
    mark: DecimalMark,
    /// Lines whose local time happened twice.
    twice: RefCell<Vec<u64>>,
}

impl<'a> Cells<'a> {
    pub(crate) fn new(clock: Clock<'a>, mark: DecimalMark) -> Self {
        Self { clock, mark, twice: RefCell::default() }
    }

    /// The lines whose local time happened twice.
    pub(crate) fn into_twice(self) -> Vec<u64> {
        self.twice.into_inner()
    }

    pub(crate) fn time(&self, row: Row<'_>, column: &str) -> Result<Moment, BadRow> {
        let told = self.clock.read(row.text(column)).map_err(|expected| bad(row, column, expected))?;
        if told.is_ambiguous {
            self.twice.borrow_mut().push(row.number());
        }
        Ok(told.moment)
    }

    /// A time of a column that is in UTC whatever the file's zone is.
    pub(crate) fn time_in_utc(&self, row: Row<'_>, column: &str) -> Result<Moment, BadRow> {
        let utc = Clock { zone: Some(chrono_tz::UTC), format: None };
        utc.read(row.text(column)).map(|told| told.moment).map_err(|expected| bad(row, column, expected))
    }

    pub(crate) fn amount(&self, row: Row<'_>, column: &str) -> Result<Dec, BadRow> {
        amount(row.text(column), self.mark).map_err(|expected| bad(row, column, expected))
    }

    /// An amount, or none where the cell is empty or the file has no such column.
    pub(crate) fn amount_if_any(&self, row: Row<'_>, column: &str) -> Result<Option<Dec>, BadRow> {
        if row.text(column).is_empty() { Ok(None) } else { self.amount(row, column).map(Some) }
    }

    pub(crate) fn price(&self, row: Row<'_>, column: &str) -> Result<Dec, BadRow> {
        price(row.text(column), self.mark).map_err(|expected| bad(row, column, expected))
    }

    /// An amount above zero.
    pub(crate) fn quantity(&self, row: Row<'_>, column: &str) -> Result<Dec, BadRow> {
        let quantity = self.amount(row, column)?;
        if quantity.is_positive() { Ok(quantity) } else { Err(bad(row, column, "a quantity above 0")) }
    }

    /// A text that must be there.
    pub(crate) fn name(&self, row: Row<'_>, column: &str) -> Result<String, BadRow> {
        match row.text(column) {
            "" => Err(bad(row, column, "something")),
            text => Ok(text.to_owned()),
        }
    }

    /// `Buy`, `B`, `BOT`, `Long` and the like.
    pub(crate) fn side(&self, row: Row<'_>, column: &str) -> Result<Side, BadRow> {
        match row.text(column).to_ascii_lowercase().as_str() {
            "buy" | "b" | "bot" | "bought" | "long" => Ok(Side::Buy),
            "sell" | "s" | "sld" | "sold" | "short" | "sellshort" | "sell short" => Ok(Side::Sell),
            _ => Err(bad(row, column, "Buy or Sell")),
        }
    }
}

/// What a row says that cannot be read.
pub(crate) fn bad(row: Row<'_>, column: &str, expected: Expected) -> BadRow {
    BadRow {
        line: row.number(),
        column: column.to_owned(),
        found: row.text(column).to_owned(),
        expected: expected.to_owned(),
    }
}

/// A text or nothing.
pub(crate) fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
