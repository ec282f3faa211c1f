//! `demo`: a journal made from a shipped week of trading, and what a trader would look at in it. Shows nothing
//! that another command could not; what each figure means is the library's business.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use projections::TABLES;
use projections::draft::Draft;
use projections::validate::parse_edge;
use serde_json::json;

#[cfg(feature = "http")]
use super::append;
use super::audit;
use super::failure::{Failure, chain};
use super::grid::{Align, Grid, amount, count};
use super::metrics;
use super::out::Out;
use super::reading::Reading;
use super::{Context, help};
use crate::export::{self, Selection, Style};
use crate::journal::{Journal, JournalOptions};
use crate::log::{self, Reader};
use crate::metrics::{Asked, groups};
use crate::tables::{Queries, RowSink, Value, hold_still};

/// The week: see the README beside it.
const EVENTS: &str = include_str!("../../replay-fixtures/week/events.jsonl");

/// The trade with a corrected fill.
const CORRECTED: &str = "eval-0302-05";

const DEFAULT_FOLDER: &str = "./demo-journal";

/// Make a small journal from a shipped week of trading, and show it
#[derive(Debug, Args)]
#[command(after_help = help::DEMO)]
pub(crate) struct Demo {
    /// Serve it: the dashboard, in a browser
    #[cfg(feature = "http")]
    #[arg(long)]
    serve: bool,

    /// With --serve, where to listen; port 0 is any that is free
    #[cfg(feature = "http")]
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", requires = "serve")]
    listen: std::net::SocketAddr,
}

impl Demo {
    #[cfg_attr(not(feature = "http"), expect(clippy::unused_self, reason = "each command has the same method"))]
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        #[cfg(feature = "http")]
        if self.serve {
            return self.serve(context, out);
        }
        let dir = context.journal.as_deref().unwrap_or(Path::new(DEFAULT_FOLDER));
        let drafts = drafts()?;
        refuse_foreign(dir, &drafts)?;
        record(dir, drafts)?;
        let reading = Reading::journal(dir)?;
        let csv = write_csv(&reading, dir)?;
        if context.json {
            let events = reading.log.as_ref().map(|log| log.head()).transpose()?.map(|head| head.seq);
            return Ok(out.json(&json!({ "journal": dir, "events": events, "csv": csv }))?);
        }
        show(&reading, dir, out)?;
        hints(dir, &csv, out)
    }
}

#[cfg(feature = "http")]
impl Demo {
    /// Makes the journal, in a folder of its own that is gone afterwards where none is given, and serves it.
    fn serve(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let passing = context.journal.is_none().then(Passing::new);
        let dir = passing.as_ref().map_or_else(|| context.journal().to_owned(), |passing| passing.0.clone());
        let drafts = drafts()?;
        refuse_foreign(&dir, &drafts)?;
        record(&dir, drafts)?;
        // Each time a new one: nobody remembers that of the last demo.
        let (token, _) = crate::http::tokens::add(&dir, "demo", &crate::http::tokens::Scope::ALL, None)?;
        let journal = Journal::open(&dir, JournalOptions::default())?;
        // So that who opens the page at once sees it all.
        append::wait_for_tables(&journal, journal.status()?.head.seq).map_err(|why| Failure::journal(chain(&why)))?;
        super::serve::Options::at(self.listen).serve(journal, Some(&token), context, out)
    }
}

/// A folder that is taken away at the end.
#[cfg(feature = "http")]
struct Passing(PathBuf);

#[cfg(feature = "http")]
impl Passing {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("tradefold-demo-{}", uuid::Uuid::now_v7())))
    }
}

#[cfg(feature = "http")]
impl Drop for Passing {
    fn drop(&mut self) {
        // What can't be taken away is left to the system, as all that lies there.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn drafts() -> Result<Vec<Draft>, Failure> {
    let lines = EVENTS.lines().filter(|line| !line.trim().is_empty());
    let drafts: Result<Vec<_>, _> = lines.map(parse_edge).collect();
    drafts.map_err(|refusal| Failure::journal(format!("the shipped events: {refusal}")))
}

/// A journal somebody uses is not to be filled with a made-up week.
fn refuse_foreign(dir: &Path, drafts: &[Draft]) -> Result<(), Failure> {
    if !log::exists(dir) {
        return Ok(());
    }
    let first = Reader::open(dir)?.read_after(0, 1)?;
    let is_ours = first.iter().all(|event| drafts.first().is_some_and(|draft| draft.id == Some(event.id)));
    if is_ours {
        return Ok(());
    }
    let dir = dir.display();
    Err(Failure::usage(format!(
        "there is a journal at {dir} that is not the demo's; choose another folder: tradefold --journal DIR demo"
    )))
}

/// Records the week, or finds that it is recorded already.
fn record(dir: &Path, drafts: Vec<Draft>) -> Result<(), Failure> {
    let options = JournalOptions::default();
    if !log::exists(dir) {
        log::create(dir, options.writer.lock_wait)?;
    }
    let journal = Journal::open(dir, options)?;
    journal.append(drafts).map_err(|error| Failure::journal(chain(&error)))?;
    Ok(())
}

fn write_csv(reading: &Reading, dir: &Path) -> Result<PathBuf, Failure> {
    let folder = dir.join("csv");
    hold_still(&reading.tables)?;
    let journal = reading.log.as_ref().map(|log| log.identity().uuid);
    for table in TABLES {
        let path = folder.join(format!("{}.csv", table.name));
        export::to_file(&reading.tables, &Selection::of(table), Style::default(), journal, &path)?;
    }
    Ok(folder)
}

fn show(reading: &Reading, dir: &Path, out: &mut Out) -> Result<(), Failure> {
    let events = reading.log.as_ref().map(|log| log.head()).transpose()?.map_or(0, |head| head.seq);
    out.line(format!("A week of futures on two accounts: {} events in {}.", count(events), dir.display()))?;
    let figures = |by: Option<&str>| {
        let asked = Asked { by: by.map(str::to_owned), ..Asked::default() };
        groups(&reading.tables, &asked).map_err(metrics::refused)
    };
    section(out, "ACCOUNTS", "PF: profit factor, net. At least: what the win rate can be relied on to be, at 95 %.")?;
    out.line(metrics::summary("account", &figures(None)?).to_string())?;
    section(out, "STRATEGIES", "")?;
    out.line(metrics::summary("strategy", &figures(Some("strategy"))?).to_string())?;
    let mut queries = Queries::new(crate::tables::Tables::read_only(dir)?, None)?;
    for view in &VIEWS {
        section(out, view.title, view.note)?;
        let mut rows = Rows { grid: Grid::new(&view.columns.map(Shown::column)), columns: view.columns };
        queries.run(view.sql, QUERY_TIME, &mut rows)?;
        out.line(rows.grid.to_string())?;
    }
    show_correction(reading, out)
}

/// The audit of the trade whose exit the broker corrected: its last steps.
fn show_correction(reading: &Reading, out: &mut Out) -> Result<(), Failure> {
    section(out, "AUDIT", "The exit of trade eval-0302-05, and what the broker's correction a day later did to it.")?;
    let steps = audit::steps(reading, CORRECTED)?;
    let told = steps.iter().filter(|step| matches!(step.kind.as_str(), "TradeExited" | "FillCorrected"));
    for (index, step) in told.enumerate() {
        if index > 0 {
            out.line("")?;
        }
        audit::print(step, out)?;
    }
    Ok(())
}

fn section(out: &mut Out, title: &str, note: &str) -> Result<(), Failure> {
    out.line("")?;
    out.line(if note.is_empty() { title.to_owned() } else { format!("{title}   {note}") })?;
    Ok(out.line("")?)
}

const QUERY_TIME: Duration = Duration::from_secs(30);

/// A query, and how its columns are shown.
struct View {
    title: &'static str,
    note: &'static str,
    columns: [Shown; 7],
    sql: &'static str,
}

#[derive(Clone, Copy)]
enum Shown {
    Text(&'static str),
    Count(&'static str),
    Amount(&'static str),
}

impl Shown {
    fn column(self) -> (&'static str, Align) {
        match self {
            Self::Text(name) => (name, Align::Left),
            Self::Count(name) | Self::Amount(name) => (name, Align::Right),
        }
    }

    fn value(self, value: Value<'_>) -> String {
        match self {
            Self::Text(_) => value.as_text().unwrap_or_default().to_owned(),
            Self::Count(_) => value.as_count().map(count).unwrap_or_default(),
            Self::Amount(_) => amount(value.as_f64()),
        }
    }
}

use Shown::{Amount, Count, Text};

/// The columns of a view that judges trades by something.
const fn judged(by: &'static str) -> [Shown; 7] {
    [Text(by), Count("trades"), Count("won"), Amount("mean R"), Amount("sum R"), Amount("mean net"), Amount("net")]
}

const VIEWS: [View; 3] = [
    View {
        title: "DAYS",
        note: "Trading dates roll at 17:00 in Chicago.",
        columns: [
            Text("date"),
            Text("account"),
            Count("trades"),
            Amount("R"),
            Amount("fees"),
            Amount("net"),
            Amount("equity"),
        ],
        sql: "SELECT date, account_id, trades_count, pnl_r, fees, pl_net, equity_close FROM daily_pnl \
              ORDER BY date, account_id",
    },
    View {
        title: "DISCIPLINE",
        note: "What rule breaks cost.",
        columns: judged("rule broken"),
        sql: "WITH broken AS (SELECT DISTINCT rule, trade_id FROM rule_breaks WHERE trade_id IS NOT NULL), \
              judged AS (SELECT coalesce(rule, '(none: by the book)') AS rule, rule IS NOT NULL AS is_broken, t.* \
                         FROM trades t LEFT JOIN broken b USING (trade_id) WHERE status = 'closed') \
              SELECT rule, count(*), sum(win_loss = 'Win'), avg(result_r), sum(result_r), avg(pl_amount_net), \
                     sum(pl_amount_net) FROM judged GROUP BY is_broken, rule ORDER BY is_broken, 7 DESC",
    },
    View {
        title: "MOOD",
        note: "The trader's own rating before the trade, 1 (worst) to 5.",
        columns: judged("mental state"),
        sql: "SELECT ifnull(CAST(mental_state_pre_trade AS TEXT), '(not rated)'), count(*), sum(win_loss = 'Win'), avg(result_r), sum(result_r), avg(pl_amount_net), \
                     sum(pl_amount_net) FROM trades WHERE status = 'closed' GROUP BY mental_state_pre_trade \
              ORDER BY mental_state_pre_trade DESC",
    },
];

struct Rows {
    grid: Grid,
    columns: [Shown; 7],
}

impl RowSink for Rows {
    fn head(&mut self, _columns: &[&str]) {}

    fn row(&mut self, values: &[Value<'_>]) -> ControlFlow<()> {
        self.grid.row(self.columns.iter().zip(values).map(|(shown, value)| shown.value(*value)));
        ControlFlow::Continue(())
    }
}

fn hints(dir: &Path, csv: &Path, out: &mut Out) -> Result<(), Failure> {
    let (dir, csv) = (dir.display(), csv.display());
    section(out, "FILES", "")?;
    out.line(format!("{dir}/events.db        the log: append-only, hash-chained"))?;
    out.line(format!("{dir}/projections.db   the tables: delete it, and it comes back"))?;
    out.line(format!("{csv}/             every table as CSV, for a spreadsheet or pandas"))?;
    section(out, "NEXT", "")?;
    for command in ["metrics --by weekday", "audit trade eval-0302-05", "verify"] {
        out.line(format!("tradefold --journal {dir} {command}"))?;
    }
    Ok(())
}
