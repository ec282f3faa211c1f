//! `verify`: whether the log is as it was recorded, and whether the tables are what a fresh replay makes of it.
//! Remembers its result beside the log, for `status`. Finding out is the library's work.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use projections::cell::Cell;
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::grid::count;
use super::out::Out;
use super::progress::{Progress, Unit};
use super::status::short;
use super::{Context, help, verify_export};
use crate::journal::{Journal, JournalError, Status};
use crate::json::cell as cell_as_json;
use crate::log::{self, Reader, hex, verify};
use crate::projector::ProjectError;
use crate::rebuild;
use crate::tables::{Finding, Problem};
use crate::verified::LastVerification;

/// How many findings are shown to people.
const SHOWN_MAX: usize = 20;

/// Check the hash chain, the positions, and that the tables equal a fresh replay
#[derive(Debug, Args)]
#[command(after_help = help::VERIFY)]
pub(crate) struct Verify {
    /// Only this check, so that its exit code is about it alone; can be repeated [default: all]
    #[arg(long = "check", value_name = "CHECK", value_enum)]
    checks: Vec<Check>,

    /// Check an exported file instead: that it follows from the log, row by row, as its manifest says
    #[arg(long, value_name = "FILE", conflicts_with = "checks")]
    export: Option<PathBuf>,
}

/// What can be checked by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Check {
    /// That each event is what was recorded, and follows the one before it
    Chain,
    /// That positions go 1..n, versions likewise in each stream, ids are unique, and no tail is lost
    Positions,
    /// That every row of the tables is what a fresh replay makes
    Tables,
}

impl Check {
    fn name(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Positions => "positions",
            Self::Tables => "tables",
        }
    }
}

/// What one check found.
#[derive(Debug)]
struct Found {
    check: Check,
    findings: Vec<Value>,
    total: u64,
    /// The lowest position concerned, where one is.
    first: Option<u64>,
}

impl Found {
    fn nothing(check: Check) -> Self {
        Self { check, findings: Vec::new(), total: 0, first: None }
    }

    fn in_log(check: Check, report: &verify::Report) -> Self {
        let findings = report.findings.kept().iter();
        let mine: Vec<_> = findings.filter(|found| found.fault.is_of_order() == (check == Check::Positions)).collect();
        let first = mine.iter().map(|finding| finding.seq).filter(|seq| *seq > 0).min();
        // The list is bounded; what it has no room for is counted with the kind of damage it is full of.
        let more = report.findings.total() - report.findings.kept().len() as u64;
        let total = mine.len() as u64 + if mine.is_empty() { 0 } else { more };
        let as_json = |finding: &&verify::Finding| json!({ "seq": finding.seq, "finding": finding.to_string() });
        Self { check, findings: mine.iter().map(as_json).collect(), total, first }
    }
}

impl Verify {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        if let Some(file) = &self.export {
            return verify_export::run(context, file, out);
        }
        let dir = context.journal();
        let reader = Reader::open(dir)?;
        let report =
            if self.wants(Check::Chain) || self.wants(Check::Positions) { Some(log_report(&reader)?) } else { None };
        let mut found = Vec::new();
        for check in [Check::Chain, Check::Positions] {
            found.extend(report.as_ref().filter(|_| self.wants(check)).map(|report| Found::in_log(check, report)));
        }
        // What tables are made of is to be trusted before they are compared with it.
        let is_sound = report.as_ref().is_none_or(verify::Report::is_sound);
        let mut rows = None;
        if self.wants(Check::Positions) && is_sound {
            found
                .iter_mut()
                .filter(|found| found.check == Check::Positions)
                .try_for_each(|found| lost_tail(dir, found))?;
        }
        if self.wants(Check::Tables) && is_sound && found.iter().all(|found| found.total == 0) {
            let (compared, tables) = check_tables(&reader)?;
            rows = Some(compared);
            found.push(tables);
        }
        let head = report.as_ref().map_or(reader.head()?, |report| report.head);
        let result = LastVerification {
            at: log::now().to_string(),
            seq: head.seq,
            hash: hex(&head.hash),
            ok: found.iter().all(|found| found.total == 0),
            findings: found.iter().map(|found| found.total).sum(),
        };
        if self.checks.is_empty() {
            // A journal that can't be written is verified all the same.
            let _ = result.write(dir);
        }
        let answer = Answer { result: &result, events: report.map(|report| report.checked), rows, found: &found };
        if context.json {
            out.json(&answer.as_json(&reader.identity().uuid.to_string()))?;
        } else {
            answer.show(out)?;
        }
        if result.ok { Ok(()) } else { Err(Failure::Found) }
    }

    fn wants(&self, check: Check) -> bool {
        self.checks.is_empty() || self.checks.contains(&check)
    }
}

fn log_report(reader: &Reader) -> Result<verify::Report, Failure> {
    let progress = Progress::new("log", Unit::Events, reader.head()?.seq);
    Ok(verify::whole(reader, &mut |done, total| progress.set_of(done, total))?)
}

/// What was found, as it is told.
struct Answer<'a> {
    result: &'a LastVerification,
    /// Events read, where the log was checked.
    events: Option<u64>,
    /// Rows compared, where it came to that.
    rows: Option<u64>,
    found: &'a [Found],
}

/// A result in words.
pub(crate) fn in_words(verified: &LastVerification) -> String {
    let found = if verified.ok { "whole".to_owned() } else { format!("{} findings", count(verified.findings)) };
    format!("{}, to position {}: {found}", short(&verified.at), count(verified.seq))
}

impl Answer<'_> {
    fn first(&self) -> Option<u64> {
        self.found.iter().filter_map(|found| found.first).min()
    }

    fn as_json(&self, journal: &str) -> Value {
        let check = |found: &Found| {
            let of_it = json!({
                "ok": found.total == 0,
                "findings_total": found.total,
                "first_bad_position": found.first,
            });
            (found.check.name().to_owned(), of_it)
        };
        json!({
            "ok": self.result.ok,
            "journal": journal,
            "events": self.events,
            "head": { "seq": self.result.seq, "hash": self.result.hash },
            "rows": self.rows,
            "checks": self.found.iter().map(check).collect::<Map<_, _>>(),
            "first_bad_position": self.first(),
            "findings": self.found.iter().flat_map(|found| &found.findings).collect::<Vec<_>>(),
            "findings_total": self.result.findings,
        })
    }

    fn show(&self, out: &mut Out) -> Result<(), Failure> {
        let findings: Vec<_> = self.found.iter().flat_map(|found| &found.findings).collect();
        for finding in findings.iter().take(SHOWN_MAX) {
            out.line(format!("found: {}", finding["finding"].as_str().unwrap_or_default()))?;
        }
        let more = self.result.findings.saturating_sub(findings.len().min(SHOWN_MAX) as u64);
        if more > 0 {
            out.line(format!("... and {} more", count(more)))?;
        }
        if !self.result.ok {
            if let Some(first) = self.first() {
                out.line(format!("first bad position: {first}"))?;
            }
            let advice = if self.rows.is_some() {
                "The log is whole; tradefold rebuild makes the tables anew."
            } else {
                "Keep this folder as it is, and compare it with a backup."
            };
            return Ok(out.line(format!("{} findings. {advice}", count(self.result.findings)))?);
        }
        if let Some(events) = self.events {
            let what: Vec<_> =
                self.found.iter().map(|found| found.check).filter(|check| *check != Check::Tables).collect();
            let what: Vec<_> = what.into_iter().map(Check::name).collect();
            let (what, are) = (what.join(" and "), if what == ["chain"] { "is" } else { "are" });
            out.line(format!("log     {} events, {what} {are} as they were recorded", count(events)))?;
        }
        if let Some(rows) = self.rows {
            out.line(format!("tables  {} rows, each equal to a fresh replay", count(rows)))?;
        }
        out.line(format!("head    {} at position {}", self.result.hash, self.result.seq))?;
        Ok(out.line("Compare the head with one kept elsewhere: it is what this is worth.")?)
    }
}

/// A log that lost its tail verifies by itself: the tables tell.
fn lost_tail(dir: &Path, found: &mut Found) -> Result<(), Failure> {
    match Status::read(dir).map(drop) {
        Err(JournalError::Project(error @ ProjectError::LostTail { .. })) => {
            found.findings.push(json!({ "finding": error.to_string() }));
            found.total += 1;
            if let ProjectError::LostTail { position, .. } = error {
                found.first = Some(position);
            }
            Ok(())
        }
        read => Ok(read?),
    }
}

/// Brings the tables up to date, as every reader does, and compares them with a replay.
fn check_tables(log: &Reader) -> Result<(u64, Found), Failure> {
    Journal::read(log.dir())?;
    let progress = Progress::new("tables", Unit::Events, 0);
    let differences = rebuild::verify_tables(log.dir(), &mut |done, total| progress.set_of(done, total))?.differences;
    let findings = differences.kept.iter().map(|finding| finding_as_json(log, finding)).collect::<Result<_, _>>()?;
    let found = Found { findings, total: differences.total, first: differences.first, ..Found::nothing(Check::Tables) };
    Ok((differences.rows, found))
}

/// A row or cell that isn't what a replay makes, and what last touched it, for people.
pub(crate) fn finding_in_words(log: &Reader, finding: &Finding) -> Result<String, Failure> {
    let key: Vec<_> = finding.key.iter().map(|(column, value)| format!("{column} {}", value.to_text())).collect();
    let row = [&[finding.table.to_owned()][..], &key].concat().join(", ");
    let touched = match last_event(log, finding)? {
        Some((kind, _)) => format!(" (last touched by event {}, {kind})", finding.last_seq),
        None => String::new(),
    };
    Ok(match &finding.problem {
        Problem::Missing => format!("{row}: the row is missing{touched}"),
        Problem::Extra => format!("{row}: no replay makes this row"),
        Problem::Differs { column, live, replayed } => {
            format!("{row}: {column} is {}, a replay makes it {}{touched}", shown(live), shown(replayed))
        }
        Problem::Digest => format!("{row}: each row is right, but the digest kept of the table is not theirs"),
    })
}

/// The type and id of the event that last touched a row that a replay makes.
fn last_event(log: &Reader, finding: &Finding) -> Result<Option<(String, String)>, Failure> {
    let mut found = None;
    if matches!(finding.problem, Problem::Missing | Problem::Differs { .. }) {
        log.by_seqs(&[finding.last_seq], |event| {
            found = Some((event.kind.to_owned(), event.id.to_string()));
            ControlFlow::Continue(())
        })?;
    }
    Ok(found)
}

fn shown(cell: &Cell) -> String {
    if matches!(cell, Cell::Null) { "NULL".to_owned() } else { cell.to_text() }
}

/// The same for programs.
pub(crate) fn finding_as_json(log: &Reader, finding: &Finding) -> Result<Value, Failure> {
    let key: Map<_, _> =
        finding.key.iter().map(|(column, value)| ((*column).to_owned(), cell_as_json(value))).collect();
    let mut object = json!({ "finding": finding_in_words(log, finding)?, "table": finding.table, "key": key });
    if let Problem::Differs { column, live, replayed } = &finding.problem {
        object["column"] = (*column).into();
        object["live"] = cell_as_json(live);
        object["replayed"] = cell_as_json(replayed);
    }
    if let Some((kind, id)) = last_event(log, finding)? {
        object["last_event"] = json!({ "seq": finding.last_seq, "type": kind, "id": id });
    }
    Ok(object)
}
