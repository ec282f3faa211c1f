//! The event vocabulary: what is taken, what is refused and with which words, and how it is read back.

mod decoding;
mod docs;
mod edge;
mod json;
mod refusals;

use std::path::Path;

use projections::draft::{Draft, Stored, Stream};
use projections::moment::Moment;
use projections::validate::parse_edge;
use uuid::Uuid;

/// A full example of every type and every version.
const EXAMPLES: &str = include_str!("examples.jsonl");

fn examples() -> impl Iterator<Item = (&'static str, Draft)> {
    EXAMPLES.lines().map(|line| (line, parse_edge(line).expect(line)))
}

/// An event with this data.
fn line(kind: &str, data: &str) -> String {
    format!(r#"{{"type":"{kind}","occurred_at":"2026-03-02T14:31:07.250Z","data":{data}}}"#)
}

/// The canonical data of an event, or the refusal in words.
fn canonical(kind: &str, data: &str) -> String {
    match parse_edge(&line(kind, data)) {
        Ok(draft) => draft.data,
        Err(refusal) => refusal.to_string(),
    }
}

/// The draft as the log would hold it.
fn stored(draft: &Draft, seq: u64) -> Stored {
    Stored {
        seq,
        id: draft.id.unwrap_or_else(|| Uuid::from_u128(u128::from(seq))),
        stream: match &draft.stream {
            Stream::Named(name) => name.clone(),
            Stream::OfFill(_) => "trade/t1".to_owned(),
        },
        stream_version: 1,
        kind: draft.kind.clone(),
        schema_version: draft.schema_version,
        occurred_at: draft.occurred_at,
        recorded_at: Moment(draft.occurred_at.0 + 1),
        data: draft.data.clone(),
        meta: draft.meta.clone(),
        hash: [0xab; 32],
    }
}

/// Compares a text with a file beside the sources; under the environment variable, rewrites the file.
fn check_file(path: &str, expected: &str, update: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    #[expect(clippy::disallowed_methods, reason = "tests may be told to rewrite their files")]
    if std::env::var(update).is_ok() {
        std::fs::write(&path, expected).expect("the file can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{} is not current: {update}=1 cargo test rewrites it", path.display());
}
