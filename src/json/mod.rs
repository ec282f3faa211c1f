//! Owns the JSON in which findings are told to programs: the command line's `--json` and the service's answers are the
//! same objects. What is found is found elsewhere.

use projections::cell::Cell;
use serde_json::Value as Json;

use crate::tables::Value;

/// A cell of a row.
#[must_use]
pub fn cell_as_json(cell: &Cell) -> Json {
    match cell {
        Cell::Null => Json::Null,
        Cell::Int(value) => (*value).into(),
        Cell::Real(value) => (*value).into(),
        Cell::Text(value) => value.as_str().into(),
    }
}

/// A value as SQLite hands it out.
#[must_use]
pub fn value_as_json(value: Value<'_>) -> Json {
    match value {
        Value::Null | Value::Blob(_) => Json::Null,
        Value::Int(value) => value.into(),
        Value::Real(value) => value.into(),
        Value::Text(text) => text.into(),
    }
}
