//! Owns how what became of a broker's file is told to programs: what was brought in, and where it differs from the journal.

use serde_json::{Value as Json, json};

use crate::broker::import::{Correction, Order, Plan};
use crate::broker::reconcile::{Difference, Level, Reconciliation};
use crate::broker::{BadRow, Statement};
use crate::log::{self, Receipt};

/// A row that can't be read.
#[must_use]
pub fn bad_row(bad: &BadRow) -> Json {
    json!({ "line": bad.line, "column": bad.column, "found": bad.found, "expected": bad.expected })
}

/// What a file brings in; recorded where there is a receipt.
#[must_use]
pub fn import(plan: &Plan, statement: &Statement, order: &Order<'_>, receipt: Option<&Receipt>) -> Json {
    let correction = |correction: &Correction| {
        let changes: Vec<Json> = correction
            .changes
            .iter()
            .map(|(field, was, is)| json!({ "field": field, "was": was, "is": is.to_string() }))
            .collect();
        json!({ "fill_id": correction.fill_id, "line": correction.line, "changes": changes })
    };
    json!({
        "file": order.file,
        "format": order.format,
        "account": order.account,
        "added": plan.added,
        "known": plan.known,
        "busted": plan.busted,
        "corrected": plan.corrections.iter().map(correction).collect::<Vec<_>>(),
        "instruments": plan.instruments,
        "left_out": plan.refused().iter().map(bad_row).collect::<Vec<_>>(),
        "without_fill": statement.omitted.iter().map(|row| json!({ "line": row.line, "why": row.why })).collect::<Vec<_>>(),
        "local_times_that_happened_twice": statement.twice,
        "recorded": receipt.is_some(),
        "head": receipt.map(|receipt| log::hex(&receipt.head.hash)),
    })
}

/// A difference as texts: kind, what, field, here, there.
#[must_use]
pub fn cells(difference: &Difference) -> [String; 5] {
    let text = str::to_owned;
    match difference {
        Difference::MissingHere { what, .. } => [text("missing here"), what.clone(), text(""), text(""), text("")],
        Difference::MissingThere { what } => [text("missing there"), what.clone(), text(""), text(""), text("")],
        Difference::Differs { what, field, here, there } => {
            [text("differs"), what.clone(), text(field), here.clone(), there.clone()]
        }
    }
}

/// Where a file and the journal differ; with `fix`, the events that would settle it.
#[must_use]
pub fn reconciliation(found: &Reconciliation, fix: bool) -> Json {
    let difference = |difference: &Difference| {
        let [kind, what, field, here, there] = cells(difference);
        json!({ "difference": kind, "what": what, "field": field, "here": here, "there": there })
    };
    let level = |level: &Level| {
        json!({
            "level": level.name,
            "matched": level.matched,
            "differences": level.differences.iter().map(difference).collect::<Vec<_>>(),
        })
    };
    let settling = |draft: &projections::draft::Draft| {
        let data: Json = serde_json::from_str(&draft.data).unwrap_or_default();
        json!({ "type": draft.kind, "data": data })
    };
    let mut answer = json!({
        "ties_out": found.ties_out(),
        "levels": found.levels.iter().map(level).collect::<Vec<_>>(),
    });
    if fix {
        answer["settling"] = found.settling.iter().map(settling).collect();
    }
    answer
}
