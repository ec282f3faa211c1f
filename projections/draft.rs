//! Owns the two shapes an event has at the log's door: [`Draft`], what a caller asks to record, checked
//! and in canonical form; and [`Stored`], what the log holds. The folds see neither: they see `Event`.

use uuid::Uuid;

use crate::moment::Moment;

/// A checked event that has no position yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The caller's idempotency key; `None` lets the log make one.
    pub id: Option<Uuid>,
    /// The event type's name, such as `FillRecorded`.
    pub kind: String,
    /// The version of the type's schema that `data` follows.
    pub schema_version: u32,
    /// When it happened.
    pub occurred_at: Moment,
    /// Where it belongs.
    pub stream: Stream,
    /// The payload as canonical JSON: fields in schema order, decimals and times as canonical strings.
    pub data: String,
    /// Free-form metadata as compact JSON; `None` where none was given.
    pub meta: Option<String>,
    /// The stream's version the caller last saw.
    pub expected_version: Option<u64>,
}

/// The stream of a draft: named outright, or that of the fill it speaks of, which only the log can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stream {
    /// `account/ID`, `instrument/ID`, `trade/ID`, `market/SYMBOL/TIMEFRAME` or `system`.
    Named(String),
    /// The stream of the event that recorded this fill; `account/default` where no such fill is known.
    OfFill(String),
}

/// An event as the log holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Position in the log, from 1, without gaps.
    pub seq: u64,
    /// The idempotency key.
    pub id: Uuid,
    /// The stream's name.
    pub stream: String,
    /// Position within the stream, from 1.
    pub stream_version: u64,
    /// The event type's name.
    pub kind: String,
    /// The version of the type's schema that `data` follows.
    pub schema_version: u32,
    /// When it happened.
    pub occurred_at: Moment,
    /// When the log took it, by the machine's clock.
    pub recorded_at: Moment,
    /// The payload as canonical JSON.
    pub data: String,
    /// Metadata as compact JSON.
    pub meta: Option<String>,
    /// The hash that chains it to all events before it.
    pub hash: [u8; 32],
}
