//! Owns the reading of what the log holds: the payload of an event by its type and schema version, old
//! versions lifted to the current one a step at a time, forever. Checks no ranges: `validate` did that
//! before the event was recorded.

mod steps;

use uuid::Uuid;

use crate::draft::Stored;
use crate::event::{Event, Payload};
use crate::json::{JsonError, from_stored};
use crate::moment::Moment;
use crate::schema::EventType;

/// What the folds need of a stored event, borrowed from the row it was read from.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    /// Position in the log, from 1.
    pub seq: u64,
    /// The idempotency key.
    pub id: Uuid,
    /// When it happened.
    pub occurred_at: Moment,
    /// The event type's name.
    pub kind: &'a str,
    /// The version of the type's schema that `data` follows.
    pub schema_version: u32,
    /// The payload as canonical JSON.
    pub data: &'a str,
}

/// Why an event of the log cannot be folded: the log is newer than the program, or damaged.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The type is not in this program's vocabulary.
    #[error("event {seq}: unknown event type `{kind}`; a newer tradefold is needed to fold it")]
    UnknownType {
        /// Position in the log.
        seq: u64,
        /// The type's name.
        kind: String,
    },
    /// The version is not one of those this program knows.
    #[error(
        "event {seq}: {kind} has the schema versions 1 to {known} here, not {version}; a newer tradefold is needed"
    )]
    UnknownVersion {
        /// Position in the log.
        seq: u64,
        /// The type's name.
        kind: &'static str,
        /// The version of the event.
        version: u32,
        /// The newest one known.
        known: u32,
    },
    /// The payload is not what its type and version say.
    #[error("event {seq}: malformed {kind}")]
    Malformed {
        /// Position in the log.
        seq: u64,
        /// The type's name.
        kind: &'static str,
        /// What is wrong with it.
        source: PayloadError,
    },
}

/// What is wrong with a payload.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// It is not JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It has not the fields of its type.
    #[error(transparent)]
    Shape(#[from] serde_json::Error),
}

/// Reads an event of the log.
///
/// # Errors
/// [`DecodeError`] names the position and what is wrong.
pub fn decode(stored: &Stored) -> Result<Event, DecodeError> {
    decode_raw(&Raw {
        seq: stored.seq,
        id: stored.id,
        occurred_at: stored.occurred_at,
        kind: &stored.kind,
        schema_version: stored.schema_version,
        data: &stored.data,
    })
}

/// Reads an event of the log from its parts.
///
/// # Errors
/// [`DecodeError`] names the position and what is wrong.
pub fn decode_raw(raw: &Raw<'_>) -> Result<Event, DecodeError> {
    let seq = raw.seq;
    let unknown = || DecodeError::UnknownType { seq, kind: raw.kind.to_owned() };
    let event_type = EventType::named(raw.kind).ok_or_else(unknown)?;
    let (kind, version, known) = (event_type.name, raw.schema_version, event_type.current_version());
    if version == 0 || version > known {
        return Err(DecodeError::UnknownVersion { seq, kind, version, known });
    }
    let payload = if version == known {
        payload(kind, raw.data).map_err(PayloadError::Shape)
    } else {
        steps::lift(kind, version, known, raw.data).and_then(|data| Ok(payload(kind, &data)?))
    };
    match payload {
        Ok(Some(payload)) => Ok(Event { seq, id: raw.id, occurred_at: raw.occurred_at, payload }),
        Ok(None) => Err(unknown()),
        Err(source) => Err(DecodeError::Malformed { seq, kind, source }),
    }
}

/// The payload of a type at its current version; `None` where the type has none.
fn payload(kind: &str, data: &str) -> Result<Option<Payload>, serde_json::Error> {
    Ok(Some(match kind {
        "AccountOpened" => Payload::AccountOpened(from_stored(data)?),
        "InstrumentDefined" => Payload::InstrumentDefined(from_stored(data)?),
        "TradeOpened" => Payload::TradeOpened(from_stored(data)?),
        "FillRecorded" => Payload::FillRecorded(from_stored(data)?),
        "StopMoved" => Payload::StopMoved(from_stored(data)?),
        "TargetMoved" => Payload::TargetMoved(from_stored(data)?),
        "ExcursionMarked" => Payload::ExcursionMarked(from_stored(data)?),
        "TradeExited" => Payload::TradeExited(from_stored(data)?),
        "RuleBroken" => Payload::RuleBroken(from_stored(data)?),
        "MentalStateRated" => Payload::MentalStateRated(from_stored(data)?),
        "NoteAdded" => Payload::NoteAdded(from_stored(data)?),
        "StateChanged" => Payload::StateChanged(from_stored(data)?),
        "RiskSet" => Payload::RiskSet(from_stored(data)?),
        "CashMoved" => Payload::CashMoved(from_stored(data)?),
        "BarClosed" => Payload::BarClosed(from_stored(data)?),
        "FillCorrected" => Payload::FillCorrected(from_stored(data)?),
        "FillBusted" => Payload::FillBusted(from_stored(data)?),
        "TradeAmended" => Payload::TradeAmended(from_stored(data)?),
        "TradeVoided" => Payload::TradeVoided(from_stored(data)?),
        "FillsReassigned" => Payload::FillsReassigned(from_stored(data)?),
        _ => return Ok(None),
    }))
}
