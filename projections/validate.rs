//! Owns the door of the journal: a caller's line, checked against `schema`, becomes a [`Draft`] in
//! canonical form, and what the log holds becomes such a line again. Refuses only what is malformed, by
//! field; what is merely surprising is the folds' to list. The line comes without its line feed and
//! without a byte-order mark: both are the caller's business, as is the number of the line.

mod decimals;
mod envelope;
mod fields;
mod nearest;
mod print;
mod refusal;
mod values;

use crate::draft::{Draft, Stream};
use crate::event::DEFAULT_ACCOUNT;
use crate::json::{self, Json};
use crate::schema::{EventType, StreamRule, Version};
use envelope::Envelope;
use fields::Entries;

pub use nearest::nearest;
pub use print::to_edge;
pub use refusal::{Problem, Refusal};

/// The most bytes of a line.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;

/// The most bytes of an event's canonical data and metadata together. Below a line's by what the longest
/// envelope takes, so that a line which [`to_edge`] makes is never too long to be appended again.
pub const CONTENT_BYTES_MAX: usize = LINE_BYTES_MAX - 4 * 1024;

/// Checks an event in its edge form, one JSON object.
///
/// # Errors
/// [`Refusal`] names the field and what was expected.
pub fn parse_edge(line: &str) -> Result<Draft, Refusal> {
    if line.len() > LINE_BYTES_MAX {
        return Err(Problem::LineTooLong { bytes: line.len() }.into());
    }
    check(&json::parse(line)?)
}

/// Checks an event in its edge form that has been read from a larger document.
///
/// # Errors
/// [`Refusal`] names the field and what was expected.
pub fn check(event: &Json<'_>) -> Result<Draft, Refusal> {
    let Json::Object(entries) = event else {
        return Err(Problem::unexpected("an object that is an event", event).into());
    };
    let envelope = Envelope::read(entries)?;
    let version = known_version(envelope.event_type, envelope.schema_version)?;
    let data = canonical_data(version, envelope.data).map_err(|refusal| refusal.within("data"))?;
    let meta_len = envelope.meta.as_ref().map_or(0, String::len);
    if data.len() + meta_len > CONTENT_BYTES_MAX {
        return Err(Problem::ContentTooLong { bytes: data.len() + meta_len }.into());
    }
    Ok(Draft {
        id: envelope.id,
        kind: envelope.event_type.name.to_owned(),
        schema_version: envelope.schema_version,
        occurred_at: envelope.occurred_at,
        stream: stream(envelope.event_type.stream, envelope.data),
        data,
        meta: envelope.meta,
        expected_version: envelope.expected_version,
    })
}

fn known_version(event_type: &EventType, version: u32) -> Result<&'static Version, Refusal> {
    event_type.version(version).ok_or_else(|| {
        let (name, known) = (event_type.name, event_type.current_version());
        Refusal::of("schema_version", Problem::UnknownVersion { name, version, known })
    })
}

fn canonical_data(version: &Version, entries: Entries<'_>) -> Result<String, Refusal> {
    let mut data = String::with_capacity(256);
    fields::write(version.fields, entries, &mut data)?;
    if version.any_of.is_empty() || version.any_of.iter().any(|name| fields::given(entries, name).is_some()) {
        return Ok(data);
    }
    Err(Problem::NoneOf(version.any_of).into())
}

/// The stream of an event whose data was found right.
fn stream(rule: StreamRule, data: Entries<'_>) -> Stream {
    let named = |field| match fields::given(data, field) {
        Some(Json::String(name)) => Some(name.as_ref()),
        _ => None,
    };
    let text = |field| named(field).unwrap_or_default();
    let account = || ["account/", named("account_id").unwrap_or(DEFAULT_ACCOUNT)].concat();
    let trade = |trade: &str| ["trade/", trade].concat();
    Stream::Named(match rule {
        StreamRule::Fill => return Stream::OfFill(text("fill_id").to_owned()),
        StreamRule::Account => account(),
        StreamRule::Instrument => ["instrument/", text("symbol")].concat(),
        StreamRule::Trade => trade(text("trade_id")),
        StreamRule::TradeElseAccount => named("trade_id").map_or_else(account, trade),
        StreamRule::Market => ["market/", text("symbol"), "/", text("timeframe")].concat(),
        StreamRule::System => "system".to_owned(),
    })
}
