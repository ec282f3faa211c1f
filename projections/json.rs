//! Owns the JSON tree that callers' lines are read into: it keeps the order of keys and every digit of a
//! number as written, borrows from the line where it can, and refuses duplicate keys at any depth.
//!
//! Written by hand since serde_json's own tree keeps the last of two equal keys, and since with exact
//! numbers its visitors cannot tell a number from an object that a caller made to look like one. A
//! byte-order mark is not JSON, and taking it off is the caller's business; a trailing CR is white space.
//! Knows nothing of events.

mod canonical;
mod reader;

use std::borrow::Cow;

pub(crate) use canonical::from_stored;
pub use reader::parse;

/// The most levels of objects and lists inside each other; what serde_json, which reads the log, allows.
pub const DEPTH_MAX: usize = 127;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(Cow<'a, str>),
    /// A string, its escapes resolved.
    String(Cow<'a, str>),
    /// A list.
    Array(Vec<Self>),
    /// An object, its keys in the order given, none of them twice.
    Object(Vec<(Cow<'a, str>, Self)>),
}

/// A text that cannot be taken as JSON, and where in the document that showed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct JsonError {
    /// The keys and list positions that lead there, outermost first.
    pub path: Vec<String>,
    /// What is wrong.
    pub problem: JsonProblem,
}

/// What is wrong with a text that cannot be taken as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonProblem {
    /// The grammar is broken.
    #[error("not JSON at column {column}: expected {expected}")]
    Syntax {
        /// The character where it breaks, from 1.
        column: usize,
        /// What could have stood there.
        expected: &'static str,
    },
    /// What some writers put where a number is missing.
    #[error("{token} is not a number (at column {column}); leave the field out or give null")]
    NotANumber {
        /// The character where it stands, from 1.
        column: usize,
        /// `NaN`, `Infinity` or `-Infinity`.
        token: &'static str,
    },
    /// Objects and lists inside each other beyond [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// An object gives a key twice.
    #[error("duplicate key `{}`", shortened(.0))]
    DuplicateKey(String),
    /// A string or a key holds the NUL character.
    #[error("the NUL character (at column {column}) is refused")]
    Nul {
        /// The character where it stands, from 1.
        column: usize,
    },
}

impl Json<'_> {
    /// Appends the value as compact JSON: keys in their order, numbers as they were written.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(digits) => out.push_str(digits),
            Self::String(text) => write_string(text, out),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    separate(index, out);
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(entries) => write_object(entries, out),
        }
    }
}

/// Appends an object as compact JSON.
pub fn write_object(entries: &[(Cow<'_, str>, Json<'_>)], out: &mut String) {
    out.push('{');
    for (index, (key, value)) in entries.iter().enumerate() {
        separate(index, out);
        write_string(key, out);
        out.push(':');
        value.write(out);
    }
    out.push('}');
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

/// Appends a string in quotes. Only what JSON demands is escaped, so that a text has one canonical form.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    loop {
        let (plain, special) = rest.split_at(plain_len(rest.as_bytes()));
        out.push_str(plain);
        let Some(byte) = special.bytes().next() else { break };
        rest = &special[1..];
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            _ => {
                out.push_str("\\u00");
                out.push(char::from(HEX_DIGITS[usize::from(byte >> 4)]));
                out.push(char::from(HEX_DIGITS[usize::from(byte & 15)]));
            }
        }
    }
    out.push('"');
}

/// How many bytes a JSON string has as they are, before the first quote, backslash or control character.
fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let marks = specials(u64::from_le_bytes(*word));
        if marks != 0 {
            return index * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    let special = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'));
    words.len() * 8 + special.unwrap_or(rest.len())
}

/// Eight bytes at a time: the top bit of the first byte that cannot stand as it is, and perhaps of some after it.
fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // Subtracting borrows from what is below, and bytes above the first special one do not matter.
    let below = |limit: u64, word: u64| word.wrapping_sub(ONES * limit) & !word;
    let is = |byte: u8| below(1, word ^ (ONES * u64::from(byte)));
    (below(0x20, word) | is(b'"') | is(b'\\')) & (ONES * 0x80)
}

const HEX_DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The key as a message may show it: a caller's key can be a megabyte long or hold terminal escapes.
pub(crate) fn shortened(key: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 64;
    let shown = key.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug);
    let cut = if key.chars().nth(SHOWN_CHARS_MAX).is_some() { "..." } else { "" };
    shown.chain(cut.chars()).collect()
}
