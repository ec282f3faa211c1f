//! Owns the event vocabulary as the folds read it: one payload struct a type, in the shape of its
//! latest schema version. Reading old versions is `upcast`'s work, checking what callers send is
//! `validate`'s; nothing here refuses a fact for being surprising.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::decimal::Dec;
use crate::moment::Moment;

/// The account of events that name none.
pub const DEFAULT_ACCOUNT: &str = "default";

/// An event as it stands in the log, decoded and ready to be folded.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Position in the log, from 1.
    pub seq: u64,
    /// The caller's idempotency key.
    pub id: Uuid,
    /// When it happened.
    pub occurred_at: Moment,
    /// What happened.
    pub payload: Payload,
}

/// What happened: one variant an event type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each variant is named after its event type; docs/EVENTS.md describes them")]
pub enum Payload {
    AccountOpened(Box<AccountOpened>),
    InstrumentDefined(InstrumentDefined),
    TradeOpened(Box<TradeOpened>),
    FillRecorded(Box<FillRecorded>),
    StopMoved(StopMoved),
    TargetMoved(TargetMoved),
    ExcursionMarked(ExcursionMarked),
    TradeExited(Box<TradeExited>),
    RuleBroken(RuleBroken),
    MentalStateRated(MentalStateRated),
    NoteAdded(NoteAdded),
    StateChanged(StateChanged),
    RiskSet(RiskSet),
    CashMoved(CashMoved),
    BarClosed(Box<BarClosed>),
    FillCorrected(FillCorrected),
    FillBusted(FillBusted),
    TradeAmended(TradeAmended),
    TradeVoided(TradeVoided),
    FillsReassigned(FillsReassigned),
}

/// Long or short: the direction of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Direction {
    Long,
    Short,
}

/// Buy or sell: the side of a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Side {
    Buy,
    Sell,
}

impl Direction {
    /// The side that enters a trade of this direction.
    #[must_use]
    pub fn entry_side(self) -> Side {
        match self {
            Self::Long => Side::Buy,
            Self::Short => Side::Sell,
        }
    }

    /// The side that exits a trade of this direction.
    #[must_use]
    pub fn exit_side(self) -> Side {
        match self {
            Self::Long => Side::Sell,
            Self::Short => Side::Buy,
        }
    }

    /// The direction of a trade that a fill of this side opens.
    #[must_use]
    pub fn opened_by(side: Side) -> Self {
        match side {
            Side::Buy => Self::Long,
            Side::Sell => Self::Short,
        }
    }

    /// The word in `round_trips.side`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Long => "long",
            Self::Short => "short",
        }
    }

    /// The word in `trades.trade_type`.
    #[must_use]
    pub fn trade_type(self) -> &'static str {
        match self {
            Self::Long => "Long",
            Self::Short => "Short",
        }
    }
}

impl Side {
    /// The word in `fills.side`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

/// A free-form JSON value (attributes, a risk setting), kept as its compact text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText(pub String);

impl JsonText {
    /// A text that is a JSON string, as its content; any other value as its JSON.
    #[must_use]
    pub fn plain(&self) -> String {
        serde_json::from_str::<String>(&self.0).unwrap_or_else(|_| self.0.clone())
    }
}

impl Serialize for JsonText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            let raw = serde_json::from_str::<&RawValue>(&self.0).map_err(serde::ser::Error::custom)?;
            return raw.serialize(serializer);
        }
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            // Raw, so that the order of keys and the digits of numbers stay.
            let raw = Box::<RawValue>::deserialize(deserializer)?;
            return Ok(Self(Box::<str>::from(raw).into_string()));
        }
        String::deserialize(deserializer).map(Self)
    }
}

#[expect(missing_docs, reason = "the fields are the event's, described in docs/EVENTS.md")]
mod payloads {
    use super::{Dec, Deserialize, Direction, JsonText, Moment, Serialize, Side};

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct AccountOpened {
        pub account_id: String,
        pub currency: String,
        pub starting_equity: Dec,
        pub kind: Option<String>,
        pub broker: Option<String>,
        pub time_zone: Option<String>,
        pub day_rolls_at: Option<String>,
        pub daily_loss_limit: Option<Dec>,
        pub weekly_loss_limit: Option<Dec>,
        pub trailing_drawdown: Option<Dec>,
        pub trailing_drawdown_mode: Option<String>,
        pub trailing_drawdown_locks_at: Option<Dec>,
        pub profit_target: Option<Dec>,
        pub consistency_limit: Option<Dec>,
        pub metrics_windows: Option<Vec<u32>>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct InstrumentDefined {
        pub symbol: String,
        pub tick_size: Dec,
        pub point_value: Dec,
        pub currency: Option<String>,
        pub asset_class: Option<String>,
        pub exchange: Option<String>,
        pub name: Option<String>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct TradeOpened {
        pub trade_id: String,
        pub symbol: String,
        pub side: Direction,
        pub strategy: String,
        pub account_id: Option<String>,
        pub regime: Option<String>,
        pub timeframe: Option<String>,
        pub stop_price: Option<Dec>,
        pub target_price: Option<Dec>,
        pub planned_quantity: Option<Dec>,
        pub planned_entry_price: Option<Dec>,
        pub risk_amount: Option<Dec>,
        pub equity: Option<Dec>,
        pub order_type: Option<String>,
        pub signal: Option<String>,
        pub notes: Option<String>,
        pub tags: Option<Vec<String>>,
        pub mental_state: Option<u8>,
        pub confidence: Option<Dec>,
        pub success_probability: Option<Dec>,
        pub daily_loss_limit: Option<Dec>,
        pub conditions: Option<Conditions>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Conditions {
        pub atr: Option<Dec>,
        pub volume: Option<Dec>,
        pub vwap: Option<Dec>,
        pub vwap_slope: Option<Dec>,
        pub adx: Option<Dec>,
        pub spread_ticks: Option<Dec>,
        pub liquidity_quality: Option<Dec>,
        pub signals_confluence: Option<Dec>,
        pub tf_alignment: Option<Dec>,
        pub conflicting_timeframes: Option<Vec<String>>,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct FillRecorded {
        pub fill_id: String,
        pub symbol: String,
        pub side: Side,
        pub quantity: Dec,
        pub price: Dec,
        pub fees: Option<Dec>,
        pub trade_id: Option<String>,
        pub account_id: Option<String>,
        pub order_id: Option<String>,
        pub order_type: Option<String>,
        pub intended_price: Option<Dec>,
        pub slippage_ticks: Option<Dec>,
        pub latency_ms: Option<Dec>,
        pub liquidity: Option<String>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct StopMoved {
        pub trade_id: String,
        pub stop_price: Dec,
        pub reason: Option<String>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct TargetMoved {
        pub trade_id: String,
        pub target_price: Dec,
        pub reason: Option<String>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct ExcursionMarked {
        pub trade_id: String,
        pub high: Dec,
        pub low: Dec,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct TradeExited {
        pub trade_id: String,
        pub reason: String,
        pub price: Option<Dec>,
        pub quantity: Option<Dec>,
        pub fees: Option<Dec>,
        pub intended_price: Option<Dec>,
        pub slippage_ticks: Option<Dec>,
        pub latency_ms: Option<Dec>,
        pub order_type: Option<String>,
        pub execution_quality: Option<Dec>,
        pub daily_loss_limit_remaining: Option<Dec>,
        pub notes: Option<String>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct RuleBroken {
        pub rule: String,
        pub trade_id: Option<String>,
        pub account_id: Option<String>,
        pub severity: Option<String>,
        pub detail: Option<String>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct MentalStateRated {
        pub score: u8,
        pub account_id: Option<String>,
        pub note: Option<String>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct NoteAdded {
        pub text: String,
        pub trade_id: Option<String>,
        pub account_id: Option<String>,
        pub date: Option<String>,
        pub tags: Option<Vec<String>>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct StateChanged {
        pub state: String,
        pub account_id: Option<String>,
        pub regime: Option<String>,
        pub strategy: Option<String>,
        pub current_r: Option<Dec>,
        pub reason: Option<String>,
        pub attributes: Option<JsonText>,
    }

    /// `value` is any JSON scalar, as its text.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct RiskSet {
        pub key: String,
        pub value: JsonText,
        pub account_id: Option<String>,
        pub reason: Option<String>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct CashMoved {
        pub account_id: String,
        pub amount: Dec,
        pub kind: String,
        pub note: Option<String>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct BarClosed {
        pub symbol: String,
        pub timeframe: String,
        pub timestamp: Moment,
        pub open: Dec,
        pub high: Dec,
        pub low: Dec,
        pub close: Dec,
        pub volume: Dec,
        pub vwap: Option<Dec>,
        pub adx: Option<Dec>,
        pub atr: Option<Dec>,
        pub regime: Option<String>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct FillCorrected {
        pub fill_id: String,
        pub reason: String,
        pub quantity: Option<Dec>,
        pub price: Option<Dec>,
        pub fees: Option<Dec>,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct FillBusted {
        pub fill_id: String,
        pub reason: String,
        pub attributes: Option<JsonText>,
    }

    /// `changes` is a JSON object: field of TradeOpened or TradeExited to its new value or null.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct TradeAmended {
        pub trade_id: String,
        pub changes: JsonText,
        pub reason: String,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct TradeVoided {
        pub trade_id: String,
        pub reason: String,
        pub attributes: Option<JsonText>,
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct FillsReassigned {
        pub fill_ids: Vec<String>,
        pub trade_id: String,
        pub reason: String,
        pub attributes: Option<JsonText>,
    }
}

pub use payloads::{
    AccountOpened, BarClosed, CashMoved, Conditions, ExcursionMarked, FillBusted, FillCorrected, FillRecorded,
    FillsReassigned, InstrumentDefined, MentalStateRated, NoteAdded, RiskSet, RuleBroken, StateChanged, StopMoved,
    TargetMoved, TradeAmended, TradeExited, TradeOpened, TradeVoided,
};
