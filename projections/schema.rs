//! Owns the vocabulary as data: for every event type its stream, its schema versions and their fields.
//! Checking, `TradeAmended`, suggestions of names and docs/EVENTS.md all read these tables, so that they
//! cannot disagree. The structs the folds see are `event`'s; a test holds them against the tables.

mod fields;
mod types;

use std::fmt;

pub use types::TYPES;

/// The most fields of an object.
pub const FIELDS_MAX: usize = 32;
/// The most bytes of an identifier or a name.
pub const NAME_BYTES_MAX: usize = 256;
/// The most bytes of a text: notes, details, reasons.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// An event type.
#[derive(Debug)]
pub struct EventType {
    /// Its name, in the past tense.
    pub name: &'static str,
    /// What it says, in a line.
    pub doc: &'static str,
    /// Which stream it belongs to.
    pub stream: StreamRule,
    /// Its schema versions from 1 on; the last is the current one. None ever changes once released.
    pub versions: &'static [Version],
}

/// A version of an event type's schema.
#[derive(Debug)]
pub struct Version {
    /// The fields of `data`, in canonical order.
    pub fields: &'static [Field],
    /// Of these optional fields at least one must be given; none where all may be left out.
    pub any_of: &'static [&'static str],
}

/// A field of an event's `data`, or of an object in it.
#[derive(Debug)]
pub struct Field {
    /// Its name, as callers write it.
    pub name: &'static str,
    /// What may stand in it.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
    /// What it means, in a line.
    pub doc: &'static str,
}

/// What may stand in a field.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// An identifier or a name.
    Name,
    /// Prose; may be empty.
    Text,
    /// An exact decimal, as a JSON string or number.
    Decimal(Range),
    /// A whole number between the two, both allowed.
    Whole(i64, i64),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A time with an offset.
    Time,
    /// A calendar date.
    Date,
    /// The name of an IANA time zone.
    Zone,
    /// A time of the day.
    Clock,
    /// A list of names, with at least so many.
    Names(usize),
    /// A list of whole numbers from 0.
    Wholes,
    /// An object of these fields.
    Fields(&'static [Field]),
    /// A string, a number or a boolean.
    Scalar,
    /// Any JSON object, kept as it is.
    Object,
    /// New values, or null, for fields of these tables. A name in several is the first's.
    Changes(&'static [&'static [Field]]),
}

/// Which decimals a field allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// All.
    Any,
    /// Above 0.
    Positive,
    /// 0 or above.
    NonNegative,
    /// 0 to 1.
    Fraction,
}

/// Which stream an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamRule {
    /// `account/ACCOUNT_ID`; `account/default` where it names none.
    Account,
    /// `instrument/SYMBOL`
    Instrument,
    /// `trade/TRADE_ID`
    Trade,
    /// `trade/TRADE_ID` where it names a trade, else as `Account`.
    TradeElseAccount,
    /// `market/SYMBOL/TIMEFRAME`
    Market,
    /// `system`
    System,
    /// That of the fill it speaks of.
    Fill,
}

impl EventType {
    /// The type of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TYPES.iter().find(|event_type| event_type.name == name)
    }

    /// The number of the current schema version.
    #[must_use]
    pub fn current_version(&self) -> u32 {
        u32::try_from(self.versions.len()).unwrap_or(u32::MAX)
    }

    /// The schema of this version, where there is one.
    #[must_use]
    pub fn version(&self, number: u32) -> Option<&'static Version> {
        self.versions.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

/// The fields that `TradeAmended` may change, given the tables of its [`Kind::Changes`].
pub fn amendable(tables: &'static [&'static [Field]]) -> impl Iterator<Item = &'static Field> {
    let repeated = |table: usize, field: &Field| {
        tables[..table].iter().any(|earlier| earlier.iter().any(|known| known.name == field.name))
    };
    let all = tables.iter().enumerate().flat_map(|(table, fields)| fields.iter().map(move |field| (table, field)));
    // The trade's own name is not a fact about it that could have been wrong.
    all.filter(move |(table, field)| field.name != "trade_id" && !repeated(*table, field)).map(|(_, field)| field)
}

impl fmt::Display for Range {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Any => "a decimal",
            Self::Positive => "a decimal above 0",
            Self::NonNegative => "a decimal of 0 or above",
            Self::Fraction => "a decimal from 0 to 1",
        })
    }
}

impl fmt::Display for Kind {
    /// What was expected, for messages and docs alike.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => write!(out, "a name of 1 to {NAME_BYTES_MAX} bytes"),
            Self::Text => write!(out, "a text of at most {} KiB", TEXT_BYTES_MAX / 1024),
            Self::Decimal(range) => range.fmt(out),
            Self::Whole(0, i64::MAX) => out.write_str("a whole number from 0"),
            Self::Whole(min, max) => write!(out, "a whole number from {min} to {max}"),
            Self::OneOf(words) => write!(out, "one of {}", words.join(", ")),
            Self::Time => out.write_str("an RFC 3339 time with an offset, such as 2026-03-02T14:31:07.250Z"),
            Self::Date => out.write_str("a date such as 2026-03-02"),
            Self::Zone => out.write_str("an IANA time zone such as America/Chicago"),
            Self::Clock => out.write_str("a time of day such as 17:00"),
            Self::Names(0) => out.write_str("a list of names"),
            Self::Names(_) => out.write_str("a list of at least one name"),
            Self::Wholes => out.write_str("a list of whole numbers from 0"),
            Self::Fields(_) => out.write_str("an object of known fields"),
            Self::Scalar => out.write_str("a string, a number or a boolean"),
            Self::Object => out.write_str("an object"),
            Self::Changes(_) => out.write_str("an object of at least one field to its new value or null"),
        }
    }
}

impl fmt::Display for StreamRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Account => "`account/ACCOUNT_ID`",
            Self::Instrument => "`instrument/SYMBOL`",
            Self::Trade => "`trade/TRADE_ID`",
            Self::TradeElseAccount => "`trade/TRADE_ID` where it names a trade, else `account/ACCOUNT_ID`",
            Self::Market => "`market/SYMBOL/TIMEFRAME`",
            Self::System => "`system`",
            Self::Fill => "that of the fill; `account/default` where no such fill is known",
        })
    }
}
