//! Owns the fields around an event's data: which there are, which are needed, and what is ignored since
//! `tail` adds it.

use uuid::Uuid;

use super::fields::{Entries, given};
use super::nearest::nearest;
use super::refusal::{Problem, Refusal};
use super::values;
use crate::json::{Json, write_object};
use crate::moment::Moment;
use crate::schema::{EventType, Kind, TYPES};

const KNOWN: [&str; 7] = ["type", "id", "occurred_at", "data", "meta", "expected_version", "schema_version"];
/// What the log adds to an event and `tail` prints: ignored, so that its output can be appended.
const IGNORED: [&str; 5] = ["seq", "stream", "stream_version", "recorded_at", "hash"];

/// An event, its envelope checked and its data not yet.
pub(super) struct Envelope<'e> {
    pub(super) event_type: &'static EventType,
    pub(super) id: Option<Uuid>,
    pub(super) schema_version: u32,
    pub(super) occurred_at: Moment,
    pub(super) data: Entries<'e>,
    pub(super) meta: Option<String>,
    pub(super) expected_version: Option<u64>,
}

impl<'e> Envelope<'e> {
    pub(super) fn read(entries: Entries<'e>) -> Result<Self, Refusal> {
        let event_type = event_type(entries)?;
        refuse_unknown(entries, event_type)?;
        let occurred_at = needed(entries, "occurred_at", &Kind::Time)?;
        let occurred_at = values::time(occurred_at).map_err(|problem| Refusal::of("occurred_at", problem))?;
        let expected_version = whole(entries, "expected_version", i64::MAX)?;
        let schema_version = whole(entries, "schema_version", i64::from(u32::MAX))?;
        let schema_version = schema_version.and_then(|version| u32::try_from(version).ok());
        Ok(Self {
            event_type,
            id: id(entries)?,
            schema_version: schema_version.unwrap_or_else(|| event_type.current_version()),
            occurred_at,
            data: data(entries)?,
            meta: meta(entries)?,
            expected_version,
        })
    }
}

fn event_type(entries: Entries<'_>) -> Result<&'static EventType, Refusal> {
    let expected = "the name of an event type";
    let problem = match needed(entries, "type", &expected)? {
        Json::String(name) => match EventType::named(name) {
            Some(event_type) => return Ok(event_type),
            None => {
                let known: Vec<&str> = TYPES.iter().map(|event_type| event_type.name).collect();
                let nearest = nearest(name, known.iter().copied());
                Problem::UnknownType { given: name.to_string(), nearest, known }
            }
        },
        other => Problem::unexpected(expected, other),
    };
    Err(Refusal::of("type", problem))
}

fn refuse_unknown(entries: Entries<'_>, event_type: &EventType) -> Result<(), Refusal> {
    for (name, _) in entries {
        if KNOWN.contains(&name.as_ref()) || IGNORED.contains(&name.as_ref()) {
            continue;
        }
        let mut fields = event_type.versions.iter().flat_map(|version| version.fields);
        let nearest = if fields.any(|field| field.name == name) {
            Some(format!("data.{name}"))
        } else {
            nearest(name, KNOWN).map(str::to_owned)
        };
        return Err(Refusal::of(name, Problem::UnknownField { nearest, known: KNOWN.to_vec() }));
    }
    Ok(())
}

fn needed<'e>(entries: Entries<'e>, name: &str, expected: &dyn std::fmt::Display) -> Result<&'e Json<'e>, Refusal> {
    let missing = || Refusal::of(name, Problem::Missing { expected: expected.to_string() });
    given(entries, name).ok_or_else(missing)
}

fn id(entries: Entries<'_>) -> Result<Option<Uuid>, Refusal> {
    let Some(value) = given(entries, "id") else { return Ok(None) };
    let parsed = if let Json::String(text) = value { Uuid::try_parse(text).ok() } else { None };
    parsed.map(Some).ok_or_else(|| Refusal::of("id", Problem::unexpected("a UUID", value)))
}

fn whole(entries: Entries<'_>, name: &str, max: i64) -> Result<Option<u64>, Refusal> {
    let Some(value) = given(entries, name) else { return Ok(None) };
    let number = values::whole(value, 0, max).map_err(|problem| Refusal::of(name, problem))?;
    Ok(u64::try_from(number).ok())
}

fn data(entries: Entries<'_>) -> Result<Entries<'_>, Refusal> {
    match needed(entries, "data", &"an object")? {
        Json::Object(data) => Ok(data),
        other => Err(Refusal::of("data", Problem::unexpected("an object", other))),
    }
}

fn meta(entries: Entries<'_>) -> Result<Option<String>, Refusal> {
    match given(entries, "meta") {
        None => Ok(None),
        Some(Json::Object(meta)) => {
            let mut text = String::new();
            write_object(meta, &mut text);
            Ok(Some(text))
        }
        Some(other) => Err(Refusal::of("meta", Problem::unexpected("an object", other))),
    }
}
