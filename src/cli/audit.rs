//! `audit trade`: how a trade's row came to be what it is, event by event. What each event changed is the
//! library's finding; here it is laid out.

use clap::{Args, Subcommand};
use projections::cell::Cell;
use projections::ledger::trace::Change;
use serde_json::{Value as Json, json};
use tradefold::audit::{self, AuditError, Step};

use super::failure::{Failure, chain};
use super::grid::{ABSENT, Align, Grid};
use super::metrics::cell_as_json;
use super::out::{Out, visible};
use super::reading::Reading;
use super::{Context, help};

/// Show how a trade changed over time: who, when, why, and each column before and after
#[derive(Debug, Args)]
#[command(after_help = help::AUDIT)]
pub(crate) struct Audit {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Every event of a trade, and what it did to the trade's row
    Trade {
        /// The trade's id, as in the column trade_id
        #[arg(value_name = "ID")]
        trade_id: String,
    },
}

impl Audit {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let What::Trade { trade_id } = &self.what;
        let steps = steps(&Reading::journal(context.journal())?, trade_id)?;
        if context.json {
            let steps: Vec<Json> = steps.iter().map(as_json).collect();
            return Ok(out.json(&json!({ "trade_id": trade_id, "steps": steps }))?);
        }
        out.line(format!("Trade {}: {} events", visible(trade_id, false), steps.len()))?;
        for step in &steps {
            out.line("")?;
            print(step, out)?;
        }
        Ok(())
    }
}

/// The steps of a trade, oldest first.
pub(crate) fn steps(reading: &Reading, trade_id: &str) -> Result<Vec<Step>, Failure> {
    let Some(log) = &reading.log else { return Err(Failure::journal("there is no log to audit".to_owned())) };
    audit::trade(log, &reading.tables, trade_id).map_err(|error| match error {
        AuditError::UnknownTrade { .. } => {
            Failure::usage(format!("{error}; sql 'SELECT trade_id FROM trades' lists them"))
        }
        _ => Failure::journal(chain(&error)),
    })
}

/// One step for people: what happened on a line, then each column it changed.
pub(crate) fn print(step: &Step, out: &mut Out) -> Result<(), Failure> {
    let source = step.source.as_ref().map_or_else(String::new, |source| format!("  by {source}"));
    out.line(format!("{:>6}  {}  {}{}", step.seq, step.occurred_at, step.kind, visible(&source, false)))?;
    if let Some(reason) = &step.reason {
        out.line(format!("        because: {}", visible(reason, false)))?;
    }
    out.line(format!("        recorded {}  id {}", step.recorded_at, step.id))?;
    if step.changes.is_empty() {
        return Ok(out.line("        changed nothing")?);
    }
    let mut grid = Grid::new(&[("column", Align::Left), ("before", Align::Right), ("after", Align::Right)]);
    for Change { column, before, after } in &step.changes {
        grid.row([*column, &shown(before), &shown(after)]);
    }
    for line in grid.to_string().lines() {
        out.line(format!("        {line}"))?;
    }
    Ok(())
}

/// Long texts are cut and numbers rounded for the eye; `--json` has them whole.
fn shown(cell: &Cell) -> String {
    const LONGEST: usize = 32;
    const PLACES: usize = 6;
    match cell {
        Cell::Null => ABSENT.to_owned(),
        Cell::Real(value) => {
            let rounded = format!("{value:.PLACES$}");
            let short = rounded.trim_end_matches('0').trim_end_matches('.');
            // Of what is smaller than that, nothing would be left.
            if short.trim_start_matches('-') == "0" && *value != 0.0 { value.to_string() } else { short.to_owned() }
        }
        cell => {
            let text = cell.to_text();
            match text.char_indices().nth(LONGEST) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        }
    }
}

fn as_json(step: &Step) -> Json {
    let change = |change: &Change| {
        json!({
            "column": change.column,
            "before": cell_as_json(&change.before),
            "after": cell_as_json(&change.after),
        })
    };
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
