//! `audit`: how a trade's, a day's or an account's row came to be what it is, event by event. What each event changed
//! is the library's finding; here it is laid out.

use std::io::Write;
use std::ops::ControlFlow;

use clap::{Args, Subcommand};
use projections::calendar::TradingDate;
use projections::cell::Cell;
use projections::validate::nearest;
use serde_json::Value as Json;

use super::export::date;
use super::failure::{Failure, chain};
use super::grid::{ABSENT, Align, Grid, count};
use super::out::{Out, visible};
use super::reading::{Past, Reading};
use super::{Context, help};
use crate::audit::{self, AuditError, Change, Step, Subject};
use crate::json;

/// Show how a trade, a day or an account changed over time: who, when, why, and each column before and after
#[derive(Debug, Args)]
#[command(after_help = help::AUDIT)]
pub(crate) struct Audit {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Every event of a trade, and what it did to the trade's row in `trades`
    Trade {
        /// The trade's id, as in the column trade_id
        #[arg(value_name = "ID")]
        trade_id: String,

        #[command(flatten)]
        past: Past,
    },
    /// Every event that changed a trading day's row in `daily_pnl`
    Day {
        /// The account
        #[arg(value_name = "ACCOUNT")]
        account: String,

        /// The trading date
        #[arg(value_name = "DATE", value_parser = date)]
        date: TradingDate,

        #[command(flatten)]
        past: Past,
    },
    /// Every event that changed an account's row in `accounts`
    Account {
        /// The account
        #[arg(value_name = "ACCOUNT")]
        account: String,

        #[command(flatten)]
        past: Past,
    },
    /// The events that made one value: `audit column trades.exit_price --trade ID`
    Column(Column),
}

/// One column of one row.
#[derive(Debug, Args)]
struct Column {
    /// The column, after its table: trades.exit_price, daily_pnl.pl_net, accounts.equity
    #[arg(value_name = "TABLE.COLUMN")]
    column: String,

    /// The row of `trades`
    #[arg(long, value_name = "ID", conflicts_with_all = ["account", "date"])]
    trade: Option<String>,

    /// The row of `accounts`, or, with --date, of `daily_pnl`
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,

    /// The trading date of the row of `daily_pnl`
    #[arg(long, value_name = "DATE", value_parser = date, requires = "account")]
    date: Option<TradingDate>,

    #[command(flatten)]
    past: Past,
}

impl Column {
    /// The row that is meant, and its column's name.
    fn subject(&self) -> Result<(Subject, &'static str), Failure> {
        let (table, column) = self.column.split_once('.').unwrap_or(("", &self.column));
        let (subject, option) = match (&self.trade, &self.account, self.date) {
            (Some(trade), ..) => (Subject::Trade(trade.clone()), "--trade"),
            (None, Some(account), Some(date)) => (Subject::Day { account: account.clone(), date }, "--date"),
            (None, Some(account), None) => (Subject::Account(account.clone()), "--account"),
            (None, None, _) => {
                let expected = "--trade ID, --account ACCOUNT --date DATE, or --account ACCOUNT";
                return Err(Failure::usage(format!("audit column: whose? Expected {expected}")));
            }
        };
        let row = subject.table();
        if table != row.name {
            let message = format!(
                "audit column {}: {option} names a row of {}; expected {}.COLUMN",
                self.column, row.name, row.name
            );
            return Err(Failure::usage(message));
        }
        match row.columns.iter().find(|other| other.name == column) {
            Some(found) => Ok((subject, found.name)),
            None => {
                let meant = nearest(column, row.columns.iter().map(|column| column.name));
                let hint = meant.map_or_else(String::new, |meant| format!("; did you mean {}.{meant}?", row.name));
                Err(Failure::usage(format!("audit column: {} has no column `{column}`{hint}", row.name)))
            }
        }
    }
}

impl Audit {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let (subject, column, past) = match &self.what {
            What::Trade { trade_id, past } => (Subject::Trade(trade_id.clone()), None, past),
            What::Day { account, date, past } => (Subject::Day { account: account.clone(), date: *date }, None, past),
            What::Account { account, past } => (Subject::Account(account.clone()), None, past),
            What::Column(asked) => {
                let (subject, column) = asked.subject()?;
                (subject, Some(column), &asked.past)
            }
        };
        let reading = Reading::journal(context.journal())?;
        let Some(log) = &reading.log else { return Err(Failure::journal("there is no log to audit".to_owned())) };
        let through = past.position(log)?.unwrap_or(u64::MAX);
        let mut told = Told { out, json: context.json, column, steps: 0, written: Ok(()) };
        told.begin(&subject)?;
        audit::follow(log, &subject, 0, through, &mut |step| told.step(step)).map_err(failed)?;
        told.end(&subject)
    }
}

fn failed(error: AuditError) -> Failure {
    match error {
        AuditError::Unknown { subject: Subject::Trade(_) } => {
            Failure::usage(format!("{error}; sql 'SELECT trade_id FROM trades' lists them"))
        }
        AuditError::Unknown { subject: Subject::Day { .. } } => {
            Failure::usage(format!("{error}; sql 'SELECT date, account_id FROM daily_pnl' lists them"))
        }
        AuditError::Unknown { .. } => {
            Failure::usage(format!("{error} was opened; sql 'SELECT account_id FROM accounts' lists them"))
        }
        AuditError::Project(error) => error.into(),
        error => Failure::journal(chain(&error)),
    }
}

/// The steps of a trade, oldest first.
pub(crate) fn steps(reading: &Reading, trade_id: &str) -> Result<Vec<Step>, Failure> {
    let Some(log) = &reading.log else { return Err(Failure::journal("there is no log to audit".to_owned())) };
    audit::steps(log, &Subject::Trade(trade_id.to_owned()), 0, u64::MAX).map_err(failed)
}

/// Steps as they are found: a long history is not held in memory.
struct Told<'a> {
    out: &'a mut Out,
    json: bool,
    column: Option<&'static str>,
    steps: u64,
    written: Result<(), Failure>,
}

impl Told<'_> {
    fn begin(&mut self, subject: &Subject) -> Result<(), Failure> {
        if self.json {
            let (table, key) = (subject.table(), subject.key());
            let named = table.key.iter().zip(&key).map(|(name, cell)| ((*name).to_owned(), json::cell(cell)));
            let mut head = Json::Object(named.collect()).to_string();
            head.pop();
            return Ok(self.out.line(format!("{head},\"table\":\"{}\",\"steps\":[", table.name))?);
        }
        let of = self.column.map_or_else(String::new, |column| format!("{}.{column} of ", subject.table().name));
        Ok(self.out.line(visible(&format!("{of}{subject}"), false))?)
    }

    fn step(&mut self, mut step: Step) -> ControlFlow<()> {
        if let Some(column) = self.column {
            step.changes.retain(|change| change.column == column);
            if step.changes.is_empty() {
                return ControlFlow::Continue(());
            }
        }
        self.steps += 1;
        self.written = self.write(&step);
        if self.written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn write(&mut self, step: &Step) -> Result<(), Failure> {
        if self.json {
            let before = if self.steps == 1 { "" } else { ",\n" };
            write!(self.out, "{before}{}", json::step(step))?;
            return Ok(());
        }
        self.out.line("")?;
        print(step, self.out)
    }

    fn end(self, subject: &Subject) -> Result<(), Failure> {
        self.written?;
        if self.json {
            return Ok(self.out.line("\n]}")?);
        }
        let what = if self.column.is_some() { "changes" } else { "events" };
        self.out.line("")?;
        Ok(self.out.line(visible(&format!("{subject}: {} {what}", count(self.steps)), false))?)
    }
}

/// One step for people: what happened on a line, then each column it changed.
pub(crate) fn print(step: &Step, out: &mut Out) -> Result<(), Failure> {
    let source = step.source.as_ref().map_or_else(String::new, |source| format!("  by {source}"));
    out.line(format!("{:>6}  {}  {}{}", step.seq, step.occurred_at, step.kind, visible(&source, false)))?;
    if let Some(reason) = &step.reason {
        out.line(format!("        because: {}", visible(reason, false)))?;
    }
    out.line(format!("        recorded {}  id {}", step.recorded_at, step.id))?;
    let ids = [("caused by", &step.causation_id), ("part of", &step.correlation_id)];
    let ids: Vec<_> = ids.iter().filter_map(|(word, id)| Some(format!("{word} {}", id.as_ref()?))).collect();
    if !ids.is_empty() {
        out.line(format!("        {}", visible(&ids.join("  "), false)))?;
    }
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
pub(crate) fn shown(cell: &Cell) -> String {
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
