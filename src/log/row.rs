//! Owns how a row of `events` is read: borrowed from SQLite's own buffers, so that a scan of the whole log
//! allocates nothing an event. Reads what is there and says where it isn't readable; judges nothing.

use projections::draft::Stored;
use projections::moment::Moment;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use uuid::Uuid;

use super::chain::{Fields, Hash};
use super::error::ReadError;
use super::unsigned;

/// The columns every reading statement selects, in this order.
pub(crate) const COLUMNS: &str = "seq, id, name, stream_version, type, schema_version, occurred_at, recorded_at, \
     data, meta, hash FROM events LEFT JOIN streams USING (stream_id)";

/// An event as the log holds it, borrowed until the next one is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRef<'a> {
    /// Position in the log, from 1, without gaps.
    pub seq: u64,
    /// The idempotency key.
    pub id: Uuid,
    /// The stream's name.
    pub stream: &'a str,
    /// Position within the stream, from 1.
    pub stream_version: u64,
    /// The event type's name.
    pub kind: &'a str,
    /// The version of the type's schema that `data` follows.
    pub schema_version: u32,
    /// When it happened.
    pub occurred_at: Moment,
    /// When the log took it, by the machine's clock.
    pub recorded_at: Moment,
    /// The payload as canonical JSON.
    pub data: &'a str,
    /// Metadata as compact JSON.
    pub meta: Option<&'a str>,
    /// The hash that chains it to all events before it.
    pub hash: Hash,
}

impl From<EventRef<'_>> for Stored {
    fn from(event: EventRef<'_>) -> Self {
        Self {
            seq: event.seq,
            id: event.id,
            stream: event.stream.to_owned(),
            stream_version: event.stream_version,
            kind: event.kind.to_owned(),
            schema_version: event.schema_version,
            occurred_at: event.occurred_at,
            recorded_at: event.recorded_at,
            data: event.data.to_owned(),
            meta: event.meta.map(str::to_owned),
            hash: event.hash,
        }
    }
}

/// Reads a row of [`COLUMNS`].
pub(crate) fn event<'a>(row: &'a Row<'_>) -> Result<EventRef<'a>, ReadError> {
    let seq: i64 = row.get(0)?;
    let lacks = |column| ReadError::Malformed { seq, column };
    let text = |index, column| row.get_ref(index)?.as_str().map_err(|_| lacks(column));
    Ok(EventRef {
        seq: unsigned(seq),
        id: Uuid::from_slice(row.get_ref(1)?.as_blob().map_err(|_| lacks("id"))?).map_err(|_| lacks("id"))?,
        stream: text(2, "stream")?,
        stream_version: unsigned(row.get(3)?),
        kind: text(4, "type")?,
        schema_version: row.get(5).map_err(|_| lacks("schema_version"))?,
        occurred_at: Moment(row.get(6)?),
        recorded_at: Moment(row.get(7)?),
        data: text(8, "data")?,
        meta: match row.get_ref(9)? {
            ValueRef::Null => None,
            value => Some(value.as_str().map_err(|_| lacks("meta"))?),
        },
        hash: hash(row, 10).ok_or_else(|| lacks("hash"))?,
    })
}

/// What of a row of [`COLUMNS`] is hashed, or the column that is not even of its type. Text is not checked
/// to be UTF-8: a damaged one has another hash.
pub(crate) fn fields<'a>(row: &'a Row<'_>) -> Result<Fields<'a>, &'static str> {
    let value = |index, column| row.get_ref(index).map_err(|_| column);
    let text = |index, column| match value(index, column)? {
        ValueRef::Text(bytes) => Ok(bytes),
        _ => Err(column),
    };
    let integer = |index, column| value(index, column)?.as_i64().map_err(|_| column);
    Ok(Fields {
        seq: integer(0, "seq")?,
        id: value(1, "id")?.as_blob().map_err(|_| "id")?,
        stream: text(2, "stream")?,
        stream_version: integer(3, "stream_version")?,
        kind: text(4, "type")?,
        schema_version: integer(5, "schema_version")?,
        occurred_at: integer(6, "occurred_at")?,
        recorded_at: integer(7, "recorded_at")?,
        data: text(8, "data")?,
        meta: if value(9, "meta")? == ValueRef::Null { None } else { Some(text(9, "meta")?) },
    })
}

/// The hash in a column, where it is one.
pub(crate) fn hash(row: &Row<'_>, index: usize) -> Option<Hash> {
    row.get_ref(index).ok()?.as_blob().ok()?.try_into().ok()
}
