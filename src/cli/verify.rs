//! `verify`: whether the log is as it was recorded, and whether the tables are what a fresh replay makes of it.
//! Remembers its result beside the log, for `status`. Finding out is the library's work.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use clap::Args;
use projections::cell::Cell;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tradefold::journal::{Journal, JournalError};
use tradefold::log::{self, Reader, hex, verify};
use tradefold::projector::ProjectError;
use tradefold::rebuild;
use tradefold::tables::{Finding, Problem};

use super::failure::Failure;
use super::grid::count;
use super::metrics::cell_as_json;
use super::out::Out;
use super::progress::{Progress, Unit};
use super::status::short;
use super::{Context, help};

/// Where the result is remembered, in the journal's folder. Nothing depends on it.
const RESULT_FILE: &str = "verified.json";

/// How many findings are shown to people.
const SHOWN_MAX: usize = 20;

/// Check the hash chain, the positions, and that the tables equal a fresh replay
#[derive(Debug, Args)]
#[command(after_help = help::VERIFY)]
pub(crate) struct Verify {}

impl Verify {
    #[expect(clippy::unused_self, reason = "each command has the same method")]
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let dir = context.journal();
        let reader = Reader::open(dir)?;
        let progress = Progress::new("log", Unit::Events, reader.head()?.seq);
        let report = verify::whole(&reader, &mut |done, total| progress.set_of(done, total))?;
        drop(progress);
        let mut total = report.findings.total();
        let mut findings: Vec<Value> = report.findings.kept().iter().map(log_finding).collect();
        // What tables are made of is to be trusted before they are compared with it.
        let tables = if report.is_sound() { check_tables(dir)? } else { Tables::default() };
        total += tables.total;
        findings.extend(tables.findings);
        let result = LastVerification {
            at: log::now().to_string(),
            seq: report.head.seq,
            hash: hex(&report.head.hash),
            ok: total == 0,
            findings: total,
        };
        // A journal that can't be written is verified all the same.
        let _ = result.write(dir);
        if context.json {
            out.json(&json!({
                "ok": result.ok,
                "journal": report.identity.uuid,
                "events": report.checked,
                "head": { "seq": result.seq, "hash": result.hash },
                "rows": tables.rows,
                "findings": findings,
                "findings_total": total,
            }))?;
        } else {
            show(&result, report.checked, tables.rows, &findings, out)?;
        }
        if result.ok { Ok(()) } else { Err(Failure::Found) }
    }
}

fn show(
    result: &LastVerification,
    events: u64,
    rows: Option<u64>,
    findings: &[Value],
    out: &mut Out,
) -> Result<(), Failure> {
    for finding in findings.iter().take(SHOWN_MAX) {
        out.line(format!("found: {}", finding["finding"].as_str().unwrap_or_default()))?;
    }
    let more = result.findings.saturating_sub(findings.len().min(SHOWN_MAX) as u64);
    if more > 0 {
        out.line(format!("... and {} more", count(more)))?;
    }
    if !result.ok {
        let advice = if rows.is_some() {
            "The log is whole; tradefold rebuild makes the tables anew."
        } else {
            "Keep this folder as it is, and compare it with a backup."
        };
        return Ok(out.line(format!("{} findings. {advice}", count(result.findings)))?);
    }
    out.line(format!("log     {} events, chain and positions are as they were recorded", count(events)))?;
    if let Some(rows) = rows {
        out.line(format!("tables  {} rows, each equal to a fresh replay", count(rows)))?;
    }
    out.line(format!("head    {} at position {}", result.hash, result.seq))?;
    Ok(out.line("Compare the head with one kept elsewhere: it is what this is worth.")?)
}

fn log_finding(finding: &verify::Finding) -> Value {
    json!({ "seq": finding.seq, "finding": finding.to_string() })
}

/// What was found out about the tables.
#[derive(Debug, Default)]
struct Tables {
    /// Rows compared; `None` where it didn't come to that.
    rows: Option<u64>,
    findings: Vec<Value>,
    total: u64,
}

/// Brings the tables up to date, as every reader does, and compares them with a replay.
fn check_tables(dir: &Path) -> Result<Tables, Failure> {
    match Journal::read(dir).map(drop) {
        // A log that lost its tail verifies by itself: the tables tell.
        Err(JournalError::Project(error @ ProjectError::LostTail { .. })) => {
            let finding = json!({ "finding": error.to_string() });
            return Ok(Tables { rows: None, findings: vec![finding], total: 1 });
        }
        caught_up => caught_up?,
    }
    let progress = Progress::new("tables", Unit::Events, 0);
    let verified = rebuild::verify_tables(dir, &mut |done, total| progress.set_of(done, total))?;
    let differences = verified.differences;
    Ok(Tables {
        rows: Some(differences.rows),
        findings: differences.kept.iter().map(finding_as_json).collect(),
        total: differences.total,
    })
}

/// A row or cell that isn't what a replay makes, for people.
pub(crate) fn finding_in_words(finding: &Finding) -> String {
    let key: Vec<_> = finding.key.iter().map(|(column, value)| format!("{column} {}", value.to_text())).collect();
    let row = format!("{}, {}", finding.table, key.join(", "));
    match &finding.problem {
        Problem::Missing => format!("{row}: the row is missing"),
        Problem::Extra => format!("{row}: no replay makes this row"),
        Problem::Differs { column, live, replayed } => {
            format!("{row}: {column} is {}, a replay makes it {}", shown(live), shown(replayed))
        }
    }
}

fn shown(cell: &Cell) -> String {
    if matches!(cell, Cell::Null) { "NULL".to_owned() } else { cell.to_text() }
}

/// The same for programs.
pub(crate) fn finding_as_json(finding: &Finding) -> Value {
    let key: serde_json::Map<_, _> =
        finding.key.iter().map(|(column, value)| ((*column).to_owned(), cell_as_json(value))).collect();
    let mut object = json!({ "finding": finding_in_words(finding), "table": finding.table, "key": key });
    if let Problem::Differs { column, live, replayed } = &finding.problem {
        object["column"] = (*column).into();
        object["live"] = cell_as_json(live);
        object["replayed"] = cell_as_json(replayed);
    }
    object
}

/// A verification's result, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LastVerification {
    at: String,
    seq: u64,
    hash: String,
    ok: bool,
    findings: u64,
}

impl LastVerification {
    /// The last one, if it is known.
    pub(crate) fn read(dir: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(dir.join(RESULT_FILE)).ok()?).ok()
    }

    fn write(&self, dir: &Path) -> std::io::Result<()> {
        let aside = dir.join(format!(".{RESULT_FILE}.part"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
        file.write_all(serde_json::to_string(self)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, dir.join(RESULT_FILE))
    }

    pub(crate) fn in_words(&self) -> String {
        let found = if self.ok { "whole".to_owned() } else { format!("{} findings", count(self.findings)) };
        format!("{}, to position {}: {found}", short(&self.at), count(self.seq))
    }
}
