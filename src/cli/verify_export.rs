//! `verify --export`: whether an exported file still follows from the log, told to people and programs. Finding out is
//! `crate::export`'s work.

use std::path::Path;

use serde_json::{Value, json};

use super::Context;
use super::failure::Failure;
use super::grid::count;
use super::out::Out;
use super::progress::{Progress, Unit};
use super::reading::Reading;
use crate::export::{CheckError, Checked, Fault, check};

/// How many faults are shown to people.
const SHOWN_MAX: usize = 20;

pub(crate) fn run(context: &Context, file: &Path, out: &mut Out) -> Result<(), Failure> {
    let Reading { tables, log } = Reading::journal(context.journal())?;
    let Some(log) = log else { return Err(Failure::usage("there is no log to check the file by".to_owned())) };
    let progress = Progress::new("replay", Unit::Events, 0);
    let checked = check(&log, &tables, file, &mut |done, total| progress.set_of(done, total))?;
    drop(progress);
    if context.json {
        out.json(&as_json(&checked))?;
    } else {
        show(&checked, file, out)?;
    }
    if checked.follows() { Ok(()) } else { Err(Failure::Found) }
}

fn show(checked: &Checked, file: &Path, out: &mut Out) -> Result<(), Failure> {
    let (manifest, name) = (&checked.manifest, file.display());
    let origin = &manifest.origin;
    if !checked.follows() {
        for fault in checked.faults.iter().take(SHOWN_MAX) {
            out.line(format!("found: {fault}"))?;
        }
        let more = checked.total.saturating_sub(checked.faults.len().min(SHOWN_MAX) as u64);
        if more > 0 {
            out.line(format!("... and {} more", count(more)))?;
        }
        return Ok(out.line(format!("{name} does not follow from the log: {} findings.", count(checked.total)))?);
    }
    out.line(format!(
        "{name}  {} rows of {}, each as the log gives it at position {}",
        count(checked.rows),
        manifest.table,
        count(origin.position)
    ))?;
    if !manifest.filters.is_empty() {
        out.line(format!(
            "chosen  {}: rows that were left out are not in question",
            Value::from(manifest.filters.clone())
        ))?;
    }
    if origin.position < checked.head
        && let Some(changed) = checked.changed_since
    {
        let end = count(checked.head);
        out.line(format!("since   {} of them changed by position {end}, where the log ends", count(changed)))?;
    }
    Ok(out.line(format!("head    {} at position {}", origin.chain_head, origin.position))?)
}

fn as_json(checked: &Checked) -> Value {
    json!({
        "ok": checked.follows(),
        "manifest": checked.manifest,
        "rows": checked.rows,
        "head": checked.head,
        "changed_since": checked.changed_since,
        "findings": checked.faults.iter().map(fault_as_json).collect::<Vec<_>>(),
        "findings_total": checked.total,
    })
}

fn fault_as_json(fault: &Fault) -> Value {
    let mut object = json!({ "finding": fault.to_string() });
    if let Fault::Differs { line, columns, .. } = fault {
        object["line"] = (*line).into();
        let column = |(name, file, log): &(String, String, String)| json!({ "column": name, "file": file, "log": log });
        object["columns"] = columns.iter().map(column).collect();
    }
    object
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Export(error) => error.into(),
            CheckError::Rebuild(error) => error.into(),
            // The path was the caller's.
            error => Self::usage(error.to_string()),
        }
    }
}
