//! Owns the fields around an event's data: which there are, which are needed, and what is ignored since
//! `tail` adds it.

use uuid::Uuid;

use super::fields::Entries;
use super::nearest::nearest;
use super::refusal::{Problem, Refusal};
use super::values;
use crate::json::{Json, write_object};
use crate::moment::Moment;
use crate::schema::{EventType, Kind, TYPES};

const KNOWN: [&str; 7] = ["type", "id", "occurred_at", "data", "meta", "expected_version", "schema_version"];

/// What stands in each field; nothing where it is null.
#[derive(Default)]
struct Given<'e> {
    event_type: Option<&'e Json<'e>>,
    id: Option<&'e Json<'e>>,
    occurred_at: Option<&'e Json<'e>>,
    data: Option<&'e Json<'e>>,
    meta: Option<&'e Json<'e>>,
    expected_version: Option<&'e Json<'e>>,
    schema_version: Option<&'e Json<'e>>,
    /// The first field that nobody knows.
    unknown: Option<&'e str>,
}

impl<'e> Given<'e> {
    fn read(entries: Entries<'e>) -> Self {
        let mut given = Self::default();
        for (name, value) in entries {
            let place = match name.as_ref() {
                "type" => &mut given.event_type,
                "id" => &mut given.id,
                "occurred_at" => &mut given.occurred_at,
                "data" => &mut given.data,
                "meta" => &mut given.meta,
                "expected_version" => &mut given.expected_version,
                "schema_version" => &mut given.schema_version,
                // What the log adds to an event and `tail` prints: ignored, so that its output can be appended.
                "seq" | "stream" | "stream_version" | "recorded_at" | "hash" => continue,
                unknown => {
                    given.unknown.get_or_insert(unknown);
                    continue;
                }
            };
            *place = Some(value).filter(|value| !matches!(value, Json::Null));
        }
        given
    }
}

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
        let given = Given::read(entries);
        let event_type = event_type(given.event_type)?;
        if let Some(name) = given.unknown {
            return Err(unknown(name, event_type));
        }
        let occurred_at = needed(given.occurred_at, "occurred_at", &Kind::Time)?;
        let occurred_at = values::time(occurred_at).map_err(|problem| Refusal::of("occurred_at", problem))?;
        let expected_version = whole(given.expected_version, "expected_version", i64::MAX)?;
        let schema_version = whole(given.schema_version, "schema_version", i64::from(u32::MAX))?;
        let schema_version = schema_version.and_then(|version| u32::try_from(version).ok());
        Ok(Self {
            event_type,
            id: id(given.id)?,
            schema_version: schema_version.unwrap_or_else(|| event_type.current_version()),
            occurred_at,
            data: data(given.data)?,
            meta: meta(given.meta)?,
            expected_version,
        })
    }
}

fn event_type(given: Option<&Json<'_>>) -> Result<&'static EventType, Refusal> {
    let expected = "the name of an event type";
    let problem = match needed(given, "type", &expected)? {
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

fn unknown(name: &str, event_type: &EventType) -> Refusal {
    let mut fields = event_type.versions.iter().flat_map(|version| version.fields);
    let nearest = if fields.any(|field| field.name == name) {
        Some(format!("data.{name}"))
    } else {
        nearest(name, KNOWN).map(str::to_owned)
    };
    Refusal::of(name, Problem::UnknownField { nearest, known: KNOWN.to_vec() })
}

fn needed<'e>(
    given: Option<&'e Json<'e>>,
    name: &str,
    expected: &dyn std::fmt::Display,
) -> Result<&'e Json<'e>, Refusal> {
    given.ok_or_else(|| Refusal::of(name, Problem::Missing { expected: expected.to_string() }))
}

fn id(given: Option<&Json<'_>>) -> Result<Option<Uuid>, Refusal> {
    let Some(value) = given else { return Ok(None) };
    let parsed = if let Json::String(text) = value { Uuid::try_parse(text).ok() } else { None };
    parsed.map(Some).ok_or_else(|| Refusal::of("id", Problem::unexpected("a UUID", value)))
}

fn whole(given: Option<&Json<'_>>, name: &str, max: i64) -> Result<Option<u64>, Refusal> {
    let Some(value) = given else { return Ok(None) };
    let number = values::whole(value, 0, max).map_err(|problem| Refusal::of(name, problem))?;
    Ok(u64::try_from(number).ok())
}

fn data<'e>(given: Option<&'e Json<'e>>) -> Result<Entries<'e>, Refusal> {
    match needed(given, "data", &"an object")? {
        Json::Object(data) => Ok(data),
        other => Err(Refusal::of("data", Problem::unexpected("an object", other))),
    }
}

fn meta(given: Option<&Json<'_>>) -> Result<Option<String>, Refusal> {
    match given {
        None => Ok(None),
        Some(Json::Object(meta)) => {
            let mut text = String::with_capacity(64);
            write_object(meta, &mut text);
            Ok(Some(text))
        }
        Some(other) => Err(Refusal::of("meta", Problem::unexpected("an object", other))),
    }
}
