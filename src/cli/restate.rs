//! `restate`: what days said when they closed, what they say now, and which events made the difference. Finding that
//! out is the library's work; here it is laid out.

use clap::Args;
use projections::calendar::TradingDate;
use projections::cell::Cell;

use super::audit::shown;
use super::export::date;
use super::failure::{Failure, chain};
use super::grid::{Align, Grid, count};
use super::metrics::misused;
use super::out::{Out, visible};
use super::reading::Reading;
use super::{Context, help};
use crate::audit::{AuditError, Change, Step};
use crate::json;
use crate::metrics::check_account;
use crate::restate::{self, Day, Figures, Question, figures};
use crate::tables::hold_still;

/// How many events of a day are shown to people.
const SHOWN_MAX: usize = 12;

/// Figures of a day that are shown in any case.
const ALWAYS: [&str; 3] = ["pnl_r", "trades_count", "pl_net"];

/// Show what days said when they closed, what they say now, and which events moved them
#[derive(Debug, Args)]
#[command(after_help = help::RESTATE)]
pub(crate) struct Restate {
    /// The first trading date
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: TradingDate,

    /// The last trading date, included
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: TradingDate,

    /// Only this account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,

    /// Also the days that stand as they stood
    #[arg(long)]
    all: bool,
}

impl Restate {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        if self.from > self.to {
            let message = format!("there is no date from {} to {}: the first is the later one", self.from, self.to);
            return Err(Failure::usage(message));
        }
        let reading = Reading::journal(context.journal())?;
        let Some(log) = &reading.log else { return Err(Failure::journal("there is no log to ask".to_owned())) };
        hold_still(&reading.tables)?;
        check_account(&reading.tables, self.account.as_deref()).map_err(|error| misused("--account", error))?;
        let question = Question { from: self.from, to: self.to, account: self.account.clone() };
        let days = restate::days(log, &reading.tables, &question).map_err(|error| match error {
            AuditError::Project(error) => error.into(),
            error => Failure::journal(chain(&error)),
        })?;
        let restated = days.iter().filter(|day| day.is_restated()).count();
        if context.json {
            return Ok(out.json(&json::restatements(&question, &days, self.all))?);
        }
        let told = days.iter().filter(|day| self.all || day.is_restated());
        for day in told {
            show(day, out)?;
            out.line("")?;
        }
        Ok(out.line(verdict(&days, restated))?)
    }
}

fn verdict(days: &[Day], restated: usize) -> String {
    let mut accounts: Vec<&str> = days.iter().map(|day| day.account.as_str()).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let looked_at = format!("{} days of {} accounts", days.len(), accounts.len());
    if restated > 0 {
        return format!("{restated} of {looked_at} restated.");
    }
    if days.is_empty() {
        return "Nothing was restated: there are no days in this range.".to_owned();
    }
    format!("Nothing was restated: {looked_at} stand as they stood when they closed.")
}

fn show(day: &Day, out: &mut Out) -> Result<(), Failure> {
    let account = visible(&day.account, false);
    let closed = if day.is_open {
        "nothing was recorded since it closed".to_owned()
    } else if day.is_recorded_later {
        format!("closed {}, before anything was recorded of the account", day.closed_at)
    } else {
        format!("closed {} at position {}", day.closed_at, count(day.position))
    };
    out.line(format!("{}  {account}  {closed}", day.date))?;
    let mut grid = Grid::new(&[("figure", Align::Left), ("at the close", Align::Right), ("now", Align::Right)]);
    let (then, now) = (figures(day.then.as_ref()), figures(day.now.as_ref()));
    let metrics = (Some(&day.metrics_then), Some(&day.metrics_now));
    for (name, then, now) in pairs(then.as_ref(), now.as_ref()).chain(pairs(metrics.0, metrics.1)) {
        if then != now || ALWAYS.contains(&name) {
            grid.row([name, &shown(&then), &shown(&now)]);
        }
    }
    for line in grid.to_string().lines() {
        out.line(format!("    {line}"))?;
    }
    for (date, step) in day.events.iter().take(SHOWN_MAX) {
        print_event(day, *date, step, out)?;
    }
    match day.events.len().saturating_sub(SHOWN_MAX) {
        0 => Ok(()),
        more => Ok(out.line(format!("    ... and {more} more events; --json has them all"))?),
    }
}

/// Each figure then and now; absent where there was no row.
fn pairs<'a>(
    then: Option<&'a Figures>,
    now: Option<&'a Figures>,
) -> impl Iterator<Item = (&'static str, Cell, Cell)> + 'a {
    let of = |figures: Option<&Figures>, at: usize| figures.map_or(Cell::Null, |figures| figures[at].1.clone());
    let names = then.or(now).into_iter().flatten().enumerate();
    names.map(move |(at, (name, _))| (*name, of(then, at), of(now, at)))
}

fn print_event(day: &Day, date: TradingDate, step: &Step, out: &mut Out) -> Result<(), Failure> {
    let source = step.source.as_ref().map_or_else(String::new, |source| format!("  by {source}"));
    let of = if date == day.date { String::new() } else { format!("  (moved {date})") };
    let line = format!("{}  recorded {}{source}{of}", step.kind, step.recorded_at);
    out.line(format!("    {:>6}  {}", step.seq, visible(&line, false)))?;
    if let Some(reason) = &step.reason {
        out.line(format!("            because: {}", visible(reason, false)))?;
    }
    let moved = |change: &Change| format!("{} {} → {}", change.column, shown(&change.before), shown(&change.after));
    let moves: Vec<_> = step.changes.iter().filter(|change| !is_key(change.column)).map(moved).collect();
    Ok(out.line(format!("            {}", moves.join(", ")))?)
}

fn is_key(column: &str) -> bool {
    projections::daily_pnl::TABLE.key.contains(&column)
}
