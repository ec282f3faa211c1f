//! Owns what a journal answers beside its tables, as JSON: the same objects that the command line prints with `--json`. What
//! is found, and how it is told, is the library's.

use std::path::PathBuf;

use projections::calendar::TradingDate;
use pyo3::prelude::*;
use serde_json::{Value as Json, json};
use tradefold::audit::{self, Subject};
use tradefold::export::{self, Format, Selection, Style};
use tradefold::journal::{Journal as Recording, Status};
use tradefold::json as told;
use tradefold::log::{hex, verify};
use tradefold::metrics::{self, Asked, check_account};
use tradefold::rebuild::{self, Swap};
use tradefold::restate;
use tradefold::tables::{Differences, Finding, Problem, hold_still};
use tradefold::verified::LastVerification;

use crate::journal::{Journal, Open};
use crate::raise::Raise;
use crate::rows::{Wish, date, selection};

#[pymethods]
impl Journal {
    /// Metrics of accounts, or by the values of a dimension.
    fn metrics(
        &self,
        py: Python<'_>,
        window: u32,
        by: Option<String>,
        account: Option<String>,
        dates: (Option<String>, Option<String>),
        as_of: Option<u64>,
    ) -> PyResult<String> {
        let open = self.open()?;
        Ok(py.detach(|| {
            let asked = Asked { account, window, by, from: date("from", dates.0)?, to: date("to", dates.1)? };
            let groups = metrics::groups(&open.tables_of(as_of)?, &asked)?;
            Ok::<_, Raise>(told::metrics(&asked, &groups).to_string())
        })?)
    }

    /// What events did to a row: of a trade, of an account's date, or of an account.
    fn audit(
        &self,
        py: Python<'_>,
        trade_id: Option<String>,
        account: Option<String>,
        date: Option<&str>,
        through: Option<u64>,
    ) -> PyResult<String> {
        let open = self.open()?;
        Ok(py.detach(|| {
            let subject = match (trade_id, account, date) {
                (Some(trade_id), _, _) => Subject::Trade(trade_id),
                (None, Some(account), Some(date)) => Subject::Day { account, date: trading_date(date)? },
                (None, Some(account), None) => Subject::Account(account),
                (None, None, _) => return Err(Raise::question("audit: expected a trade, or an account")),
            };
            // The snapshots between which it looks are those of the tables.
            drop(open.tables()?);
            let steps = audit::steps(&open.log()?, &subject, 0, through.unwrap_or(u64::MAX))?;
            Ok(Json::from(steps.iter().map(told::step).collect::<Vec<_>>()).to_string())
        })?)
    }

    /// Days as they closed and as they are.
    fn restate(&self, py: Python<'_>, from: &str, to: &str, account: Option<String>, all: bool) -> PyResult<String> {
        let open = self.open()?;
        Ok(py.detach(|| {
            let question = restate::Question { from: trading_date(from)?, to: trading_date(to)?, account };
            let tables = open.tables()?;
            check_account(&tables, question.account.as_deref())?;
            let days = restate::days(&open.log()?, &tables, &question)?;
            Ok::<_, Raise>(told::restatements(&question, &days, all).to_string())
        })?)
    }

    /// How the journal is.
    fn status(&self, py: Python<'_>) -> PyResult<String> {
        let open = self.open()?;
        Ok(py.detach(|| {
            let status = Status::read(&open.dir)?;
            Ok::<_, Raise>(told::status(&status, LastVerification::read(&open.dir).as_ref()).to_string())
        })?)
    }

    /// Whether the log is as it was recorded, and the tables are what a replay makes of it.
    fn verify(&self, py: Python<'_>) -> PyResult<String> {
        let open = self.open()?;
        Ok(py.detach(|| verified(&open))?.to_string())
    }

    /// Fresh tables; with `compare`, and a word on whether they are put in place then.
    fn rebuild(&self, py: Python<'_>, tables: Option<Vec<String>>, compare: Option<&str>) -> PyResult<String> {
        let open = self.open()?;
        Ok(py.detach(|| {
            let names: Option<Vec<&str>> = tables.as_ref().map(|names| names.iter().map(String::as_str).collect());
            let swap = match compare {
                None => None,
                Some("if_equal") => Some(Swap::IfEqual),
                Some("always") => Some(Swap::Always),
                Some("never") => Some(Swap::Never),
                Some(other) => {
                    return Err(Raise::question(format!("swap: expected if_equal, always or never, got {other}")));
                }
            };
            let rebuilt = match swap {
                None => rebuild::rebuild(&open.dir, names.as_deref(), None, None, &mut |_, _| {})?,
                Some(swap) => rebuild::rebuild_comparing(&open.dir, names.as_deref(), swap, &mut |_, _| {})?,
            };
            let positions = rebuilt.projections.iter().map(|state| state.cursor.position);
            Ok(json!({
                "position": positions.min(),
                "generation": rebuilt.generation,
                "differences": rebuilt.differences.as_ref().map(|differences| differences.total),
                "findings": rebuilt.differences.as_ref().map(findings),
            })
            .to_string())
        })?)
    }

    /// Brings back the tables that the last rebuild replaced.
    fn roll_back(&self, py: Python<'_>) -> PyResult<()> {
        let open = self.open()?;
        Ok(py.detach(|| rebuild::roll_back(&open.dir, &mut |_, _| {}).map(drop).map_err(Raise::from))?)
    }

    /// Writes rows to files, each with its manifest; returns the manifests.
    fn export(
        &self,
        py: Python<'_>,
        wishes: Vec<(Wish, PathBuf)>,
        format: &str,
        excel: bool,
        as_of: Option<u64>,
    ) -> PyResult<String> {
        let open = self.open()?;
        Ok(py.detach(|| {
            let style = Style { format: format_of(format)?, guard: excel };
            if excel && style.format != Format::Csv {
                return Err(Raise::question("excel is for CSV"));
            }
            let selected = wishes.into_iter().map(|(wish, path)| Ok((selection(wish)?, path)));
            let selected = selected.collect::<Result<Vec<(Selection, PathBuf)>, Raise>>()?;
            let tables = open.tables_of(as_of)?;
            // All of them as of the same moment.
            hold_still(&tables)?;
            let journal = Some(open.log()?.identity().uuid);
            let written = selected.iter().map(|(selection, path)| {
                let manifest = export::to_file(&tables, selection, style, journal, path)?;
                Ok(serde_json::to_value(manifest).unwrap_or_default())
            });
            Ok(Json::from(written.collect::<Result<Vec<_>, Raise>>()?).to_string())
        })?)
    }
}

fn format_of(name: &str) -> Result<Format, Raise> {
    match name {
        "csv" => Ok(Format::Csv),
        "jsonl" => Ok(Format::Jsonl),
        "parquet" => Ok(Format::Parquet),
        other => Err(Raise::question(format!("format: expected csv, jsonl or parquet, got {other}"))),
    }
}

fn trading_date(text: &str) -> Result<TradingDate, Raise> {
    let wrong = || Raise::question(format!("expected a date such as 2026-03-02, got `{text}`"));
    TradingDate::parse(text).ok_or_else(wrong)
}

fn verified(open: &Open) -> Result<Json, Raise> {
    let log = open.log()?;
    let report = verify::whole(&log, &mut |_, _| {})?;
    let finding = |finding: &verify::Finding| json!({ "seq": finding.seq, "finding": finding.to_string() });
    let mut found: Vec<Json> = report.findings.kept().iter().map(finding).collect();
    let mut total = report.findings.total();
    let mut rows = None;
    // What tables are made of is to be trusted before they are compared with it.
    if report.is_sound() {
        Recording::read(&open.dir)?;
        let differences = rebuild::verify_tables(&open.dir, &mut |_, _| {})?.differences;
        found.extend(findings(&differences));
        total += differences.total;
        rows = Some(differences.rows);
    }
    Ok(json!({
        "ok": total == 0,
        "journal": log.identity().uuid,
        "events": report.checked,
        "head": { "seq": report.head.seq, "hash": hex(&report.head.hash) },
        "rows": rows,
        "findings": found,
        "findings_total": total,
    }))
}

fn findings(differences: &Differences) -> Vec<Json> {
    let finding = |finding: &Finding| {
        let key = finding.key.iter().map(|(column, value)| ((*column).to_owned(), told::cell(value)));
        let mut object = json!({ "table": finding.table, "seq": finding.last_seq });
        object["key"] = Json::Object(key.collect());
        match &finding.problem {
            Problem::Differs { column, live, replayed } => {
                object["finding"] = "differs".into();
                object["column"] = (*column).into();
                object["live"] = told::cell(live);
                object["replayed"] = told::cell(replayed);
            }
            problem => object["finding"] = format!("{problem:?}").to_lowercase().into(),
        }
        object
    };
    differences.kept.iter().map(finding).collect()
}
