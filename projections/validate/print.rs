//! Owns the way out: an event of the log as a line in its edge form, with what the log added.

use std::fmt::Write as _;

use crate::draft::Stored;
use crate::json::write_string;

/// The event as one JSON line, without a line feed: the edge form, then `seq`, `stream`, `stream_version`,
/// `recorded_at` and `hash`, which [`parse_edge`](super::parse_edge) ignores. Reading it back gives the same draft.
#[must_use]
pub fn to_edge(event: &Stored) -> String {
    let mut line = String::with_capacity(event.data.len() + event.meta.as_ref().map_or(0, String::len) + 512);
    line.push_str("{\"type\":");
    write_string(&event.kind, &mut line);
    append(&mut line, format_args!(",\"id\":\"{}\",\"occurred_at\":\"{}\"", event.id, event.occurred_at));
    append(&mut line, format_args!(",\"data\":{}", event.data));
    if let Some(meta) = &event.meta {
        append(&mut line, format_args!(",\"meta\":{meta}"));
    }
    append(&mut line, format_args!(",\"schema_version\":{},\"seq\":{}", event.schema_version, event.seq));
    line.push_str(",\"stream\":");
    write_string(&event.stream, &mut line);
    append(&mut line, format_args!(",\"stream_version\":{}", event.stream_version));
    append(&mut line, format_args!(",\"recorded_at\":\"{}\",\"hash\":\"", event.recorded_at));
    for byte in event.hash {
        append(&mut line, format_args!("{byte:02x}"));
    }
    line.push_str("\"}");
    line
}

fn append(line: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _infallible = line.write_fmt(text);
}
