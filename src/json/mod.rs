//! Owns the JSON in which findings are told to programs: the command line's `--json` and the service's answers are the
//! same objects. What is found is found elsewhere.

mod broker;
mod equity;
mod history;
mod status;

use projections::calendar::TradingDate;
use projections::cell::Cell;
use projections::metrics::METRICS;
use serde_json::{Map, Value as Json, json};

use crate::metrics::{Answer, Asked, Group};
use crate::tables::Value;

pub use broker::{bad_row, cells, import, reconciliation};
pub use equity::equity;
pub use history::{restatements, step};
pub use status::status;

/// A cell of a row.
#[must_use]
pub fn cell(cell: &Cell) -> Json {
    match cell {
        Cell::Null => Json::Null,
        Cell::Int(value) => (*value).into(),
        Cell::Real(value) => (*value).into(),
        Cell::Text(value) => value.as_str().into(),
    }
}

/// A value as SQLite hands it out.
#[must_use]
pub fn value(value: Value<'_>) -> Json {
    match value {
        Value::Null | Value::Blob(_) => Json::Null,
        Value::Int(value) => value.into(),
        Value::Real(value) => value.into(),
        Value::Text(text) => text.into(),
    }
}

/// Metrics of accounts, or by the values of a dimension.
#[must_use]
pub fn metrics(asked: &Asked, groups: &[Group]) -> Json {
    let name = if asked.by.is_some() { "value" } else { "account_id" };
    let group = |group: &Group| {
        let mut object = Map::new();
        object.insert(name.to_owned(), group.name.clone().into());
        object.extend(figures(&group.answer));
        Json::Object(object)
    };
    let groups: Vec<Json> = groups.iter().map(group).collect();
    let date = |date: Option<TradingDate>| date.map(|date| date.to_string());
    json!({ "window": asked.window, "by": asked.by, "account": asked.account, "from": date(asked.from), "to": date(asked.to),
        "metrics": groups })
}

/// What the trades made, then every metric in full, the percentiles of slippage among them.
fn figures(answer: &Answer) -> Map<String, Json> {
    let mut object = Map::new();
    object.insert("net".to_owned(), answer.summary.net().to_f64().into());
    object.insert("sum_r".to_owned(), answer.summary.sum_r().map(|sum| sum.to_f64()).into());
    for metric in METRICS {
        object.insert(metric.name.to_owned(), cell(&metric.of(&answer.summary).into()));
    }
    for (name, p) in [("slippage_ticks_p50", 0.5), ("slippage_ticks_p90", 0.9)] {
        object.insert(name.to_owned(), cell(&answer.slippage_ticks(p).into()));
    }
    object
}
