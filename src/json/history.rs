//! Owns how the history of a row and the restatement of a day are told to programs.

use projections::calendar::TradingDate;
use serde_json::{Map, Value as Json, json};

use super::cell;
use crate::audit::{Change, Step};
use crate::restate::{Day, Figures, Question, figures};

/// What an event did to a row.
#[must_use]
pub fn step(step: &Step) -> Json {
    let change = |change: &Change| json!({ "column": change.column, "before": cell(&change.before), "after": cell(&change.after) });
    json!({
        "seq": step.seq,
        "id": step.id.to_string(),
        "type": step.kind,
        "stream": step.stream,
        "occurred_at": step.occurred_at.to_string(),
        "recorded_at": step.recorded_at.to_string(),
        "source": step.source,
        "correlation_id": step.correlation_id,
        "causation_id": step.causation_id,
        "reason": step.reason,
        "changes": step.changes.iter().map(change).collect::<Vec<_>>(),
    })
}

/// Days as they closed and as they are, those that stand as they stood only with `all`.
#[must_use]
pub fn restatements(question: &Question, days: &[Day], all: bool) -> Json {
    let told = days.iter().filter(|day| all || day.is_restated());
    json!({
        "from": question.from.to_string(),
        "to": question.to.to_string(),
        "account": question.account,
        "days": told.map(as_json).collect::<Vec<_>>(),
        "days_looked_at": days.len(),
        "days_restated": days.iter().filter(|day| day.is_restated()).count(),
    })
}

fn as_json(day: &Day) -> Json {
    let object = |figures: &Figures| {
        Json::Object(figures.iter().map(|(name, value)| ((*name).to_owned(), cell(value))).collect::<Map<_, _>>())
    };
    let event = |(date, moved): &(TradingDate, Step)| {
        let mut event = step(moved);
        event["date"] = date.to_string().into();
        event
    };
    json!({
        "account_id": day.account,
        "date": day.date.to_string(),
        "closed_at": day.closed_at.to_string(),
        "position": day.position,
        "open": day.is_open,
        "recorded_later": day.is_recorded_later,
        "restated": day.is_restated(),
        "then": figures(day.then.as_ref()).as_ref().map(object),
        "now": figures(day.now.as_ref()).as_ref().map(object),
        "metrics_then": object(&day.metrics_then),
        "metrics_now": object(&day.metrics_now),
        "events": day.events.iter().map(event).collect::<Vec<_>>(),
    })
}
