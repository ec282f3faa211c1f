//! Owns the hash chain: which bytes of an event are hashed, in which order. Knows nothing of SQLite.
//!
//! An event's hash is SHA-256 over thirteen fields, one after the other. Each field is its length as four
//! bytes, big-endian, and then that many bytes:
//!
//! | # | field | bytes |
//! |---|---|---|
//! | 1 | domain tag | `tradefold/event/1` |
//! | 2 | the journal's UUID | 16 |
//! | 3 | hash of the event before (32 zeros for the first) | 32 |
//! | 4 | seq | integer |
//! | 5 | id | 16 |
//! | 6 | stream's name | text |
//! | 7 | stream_version | integer |
//! | 8 | type | text |
//! | 9 | schema_version | integer |
//! | 10 | occurred_at | integer |
//! | 11 | recorded_at | integer |
//! | 12 | data | text |
//! | 13 | meta | text, or the length `ff ff ff ff` and no bytes where there is none |
//!
//! An integer is eight bytes, big-endian, two's complement; times are microseconds since
//! 1970-01-01T00:00:00Z. A text is its UTF-8 bytes as stored. Lengths make the encoding unambiguous, the
//! UUID keeps events of one journal out of another, the position keeps them in their place.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A SHA-256.
pub type Hash = [u8; 32];

/// What stands before the first event.
pub const GENESIS: Hash = [0; 32];

/// Opens every hash, so that it can't be mistaken for one of another purpose or layout.
pub const DOMAIN: &str = "tradefold/event/1";

/// The length that marks an absent field.
const ABSENT: u32 = u32::MAX;

/// What of an event is hashed, as it is stored. Bytes rather than text and UUIDs, so that a damaged row
/// can be hashed (and found out) too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) seq: i64,
    pub(crate) id: &'a [u8],
    pub(crate) stream: &'a [u8],
    pub(crate) stream_version: i64,
    pub(crate) kind: &'a [u8],
    pub(crate) schema_version: i64,
    pub(crate) occurred_at: i64,
    pub(crate) recorded_at: i64,
    pub(crate) data: &'a [u8],
    pub(crate) meta: Option<&'a [u8]>,
}

/// Hashes the events of one journal.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// The fields that all events share, encoded.
    prefix: Vec<u8>,
    /// Reused from event to event: one contiguous input is hashed faster than thirteen pieces.
    input: Vec<u8>,
}

impl Chain {
    pub(crate) fn new(journal: Uuid) -> Self {
        let mut prefix = Vec::with_capacity(64);
        put(&mut prefix, DOMAIN.as_bytes());
        put(&mut prefix, journal.as_bytes());
        Self { prefix, input: Vec::with_capacity(1024) }
    }

    /// The hash of the event that follows one with the hash `previous`.
    pub(crate) fn hash(&mut self, previous: &Hash, event: &Fields<'_>) -> Hash {
        let input = &mut self.input;
        input.clear();
        input.extend_from_slice(&self.prefix);
        put(input, previous);
        put_integer(input, event.seq);
        put(input, event.id);
        put(input, event.stream);
        put_integer(input, event.stream_version);
        put(input, event.kind);
        put_integer(input, event.schema_version);
        put_integer(input, event.occurred_at);
        put_integer(input, event.recorded_at);
        put(input, event.data);
        match event.meta {
            Some(meta) => put(input, meta),
            None => input.extend_from_slice(&ABSENT.to_be_bytes()),
        }
        Sha256::digest(&*input).into()
    }
}

fn put(input: &mut Vec<u8>, bytes: &[u8]) {
    // SQLite stores at most 10^9 bytes in a value, so that no length reaches the mark of an absent one.
    let length = u32::try_from(bytes.len()).unwrap_or(ABSENT - 1);
    input.extend_from_slice(&length.to_be_bytes());
    input.extend_from_slice(bytes);
}

fn put_integer(input: &mut Vec<u8>, value: i64) {
    put(input, &value.to_be_bytes());
}

/// The hash as 64 lower-case hexadecimal digits.
#[must_use]
pub fn hex(hash: &Hash) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> Fields<'static> {
        Fields {
            seq: 1,
            id: &[0x11; 16],
            stream: b"system",
            stream_version: 1,
            kind: b"StateChanged",
            schema_version: 1,
            occurred_at: 1_772_461_867_250_000,
            recorded_at: 1_772_461_867_300_000,
            data: br#"{"state":"running"}"#,
            meta: None,
        }
    }

    fn journal() -> Uuid {
        Uuid::from_bytes([0x22; 16])
    }

    #[test]
    fn every_field_and_the_place_of_every_byte_count() {
        let base = Chain::new(journal()).hash(&GENESIS, &first());
        let mut chain = Chain::new(journal());
        let others = [
            Fields { seq: 2, ..first() },
            Fields { id: &[0x12; 16], ..first() },
            Fields { stream: b"systems", kind: b"tateChanged", ..first() },
            Fields { stream_version: 2, ..first() },
            Fields { kind: b"StateChange", data: br#"d{"state":"running"}"#, ..first() },
            Fields { schema_version: 2, ..first() },
            Fields { occurred_at: 1_772_461_867_250_001, ..first() },
            Fields { recorded_at: -1, ..first() },
            Fields { data: br#"{"state":"paused"}"#, ..first() },
            Fields { meta: Some(b""), ..first() },
            Fields { meta: Some(b"{}"), ..first() },
        ];
        for other in others {
            assert_ne!(chain.hash(&GENESIS, &other), base, "{other:?}");
        }
        assert_ne!(chain.hash(&[1; 32], &first()), base);
        assert_ne!(Chain::new(Uuid::nil()).hash(&GENESIS, &first()), base);
        assert_eq!(chain.hash(&GENESIS, &first()), base, "the reused input carries nothing over");
    }
    #[test]
    fn the_documented_test_vector_holds() {
        let docs = include_str!("../../docs/EVENTS.md");
        let mut chain = Chain::new(journal());
        let one = chain.hash(&GENESIS, &first());
        let second = Fields {
            seq: 2,
            id: &[0x33; 16],
            stream: b"trade/T-1",
            kind: b"NoteAdded",
            occurred_at: 1_772_461_868_000_000,
            recorded_at: 1_772_461_868_000_000,
            data: r#"{"text":"Ölpreis fällt"}"#.as_bytes(),
            meta: Some(b"{}"),
            ..first()
        };
        let two = chain.hash(&one, &second);
        assert_eq!(hex(&one), "0a0c2f179ac515c28aa620776efd6259e8ec750a39676bca5a83bf79d160b7cf");
        assert_eq!(hex(&two), "9ba9299fa0d2e906aabb6d3baaad5fea19743bf7fc6c48a28faa887d299abf80");
        assert!([one, two].iter().all(|hash| docs.contains(&hex(hash))));
    }
}
