//! Owns [`Refusal`]: what is wrong with an event that a caller sent, in words the caller can act on.

use std::fmt;

use super::{CONTENT_BYTES_MAX, LINE_BYTES_MAX};
use crate::json::{Json, JsonError, JsonProblem, shortened, write_string};

/// Why an event is not taken, and which field is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// The dotted path of the field, such as `data.conditions.atr`; `None` where it is the whole line.
    pub field: Option<String>,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The line is too long to be read.
    #[error("a line has at most {LINE_BYTES_MAX} bytes, got {bytes}")]
    LineTooLong {
        /// Its length.
        bytes: usize,
    },
    /// The event is too long to be kept.
    #[error("data and meta have at most {CONTENT_BYTES_MAX} bytes together, got {bytes}")]
    ContentTooLong {
        /// Their length in canonical form.
        bytes: usize,
    },
    /// The line is no JSON that can be taken.
    #[error(transparent)]
    Json(#[from] JsonProblem),
    /// A field that must be given is not there, or null.
    #[error("missing; it is required, {expected}")]
    Missing {
        /// What may stand there.
        expected: String,
    },
    /// None of several fields is there.
    #[error("at least one of {} is required", .0.join(", "))]
    NoneOf(&'static [&'static str]),
    /// Nobody knows the field.
    #[error("unknown field{}", suggestion(nearest.as_deref(), known))]
    UnknownField {
        /// The known field the name is near to.
        nearest: Option<String>,
        /// All that are known.
        known: Vec<&'static str>,
    },
    /// Nobody knows the event type.
    #[error("unknown event type `{}`{}", shortened(given), suggestion(*nearest, known))]
    UnknownType {
        /// The name given.
        given: String,
        /// The known type the name is near to.
        nearest: Option<&'static str>,
        /// All that are known.
        known: Vec<&'static str>,
    },
    /// The schema version is none that this program knows.
    #[error("{name} has the schema versions 1 to {known} here, got {version}")]
    UnknownVersion {
        /// The event type.
        name: &'static str,
        /// The version given.
        version: u32,
        /// The newest one known.
        known: u32,
    },
    /// Something else may stand there.
    #[error("expected {expected}, got {got}")]
    Unexpected {
        /// What may stand there.
        expected: String,
        /// What stands there, in short.
        got: String,
    },
}

impl Refusal {
    pub(super) fn of(field: &str, problem: Problem) -> Self {
        Self { field: Some(shortened(field)), problem }
    }

    /// The same refusal, seen from the object that holds the field.
    pub(super) fn within(self, outer: &str) -> Self {
        let outer = shortened(outer);
        let field = match self.field {
            Some(inner) => format!("{outer}.{inner}"),
            None => outer,
        };
        Self { field: Some(field), problem: self.problem }
    }
}

impl Problem {
    pub(super) fn unexpected(expected: impl fmt::Display, got: &Json<'_>) -> Self {
        Self::Unexpected { expected: expected.to_string(), got: in_short(got) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(out, "{field}: {}", self.problem),
            None => self.problem.fmt(out),
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { field: None, problem }
    }
}

impl From<JsonError> for Refusal {
    fn from(error: JsonError) -> Self {
        let field = error.path.iter().map(|key| shortened(key)).collect::<Vec<_>>().join(".");
        Self { field: (!field.is_empty()).then_some(field), problem: error.problem.into() }
    }
}

fn suggestion(nearest: Option<&str>, known: &[&str]) -> String {
    match nearest {
        Some(name) => format!("; did you mean `{name}`?"),
        None => format!("; known are {}", known.join(", ")),
    }
}

fn in_short(value: &Json<'_>) -> String {
    const SHOWN_CHARS_MAX: usize = 40;
    let mut shown = String::new();
    match value {
        Json::Object(entries) => shown.push_str(if entries.is_empty() { "an empty object" } else { "an object" }),
        Json::Array(items) => shown.push_str(if items.is_empty() { "an empty list" } else { "a list" }),
        Json::String(text) => {
            let cut = text.char_indices().nth(SHOWN_CHARS_MAX).map(|(index, _)| index);
            write_string(&text[..cut.unwrap_or(text.len())], &mut shown);
            if cut.is_some() {
                shown.push_str(&format!("... ({} bytes)", text.len()));
            }
        }
        Json::Number(digits) if digits.len() > SHOWN_CHARS_MAX => {
            shown = format!("{}... ({} characters)", &digits[..SHOWN_CHARS_MAX], digits.len());
        }
        _ => value.write(&mut shown),
    }
    shown
}
