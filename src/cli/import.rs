//! `import`: a broker's file into the journal. What the file says and what of it is new is the library's work; here it is
//! asked for, shown and recorded, all of it or nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use clap::Args;
use projections::decimal::Dec;

use super::append::{open, wait_for_tables};
use super::failure::{Failure, chain};
use super::grid::count;
use super::out::{Out, complain, visible};
use super::{Context, help};
use crate::broker::import::{Correction, ImportError, Order, Plan, plan};
use crate::broker::{self, BadRow, Mapping, Reading, Statement};
use crate::journal::Journal;
use crate::json;
use crate::log::{self, Reader, Receipt};
use crate::tables::{Connection, Tables, is_current};

/// How many rows of a kind are shown to people.
const SHOWN_MAX: usize = 10;

/// How long the tables may take to come up to date before the file is held against them.
const PATIENCE: Duration = Duration::from_secs(600);

/// How often it is looked whether a new journal's tables are there.
const LOOK: Duration = Duration::from_millis(5);

/// Which broker's file it is, and how it is read.
#[derive(Debug, Args)]
pub(crate) struct File {
    /// The broker's file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Its format; `auto` looks at its head
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = format)]
    pub(crate) format: String,

    /// The description of its columns, for `--format generic`
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) map: Option<PathBuf>,

    /// The account in the journal
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: String,

    /// Of a file with several accounts, the one that is meant, by the broker's name
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Option<String>,

    /// The time zone of local times in the file, such as America/Chicago
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub(crate) zone: Option<Tz>,

    /// What a symbol is that nobody knows: SYMBOL=TICK:POINT_VALUE
    #[arg(long = "instrument", value_name = "SYMBOL=TICK:POINT", value_parser = instrument)]
    pub(crate) instruments: Vec<(String, (Dec, Dec))>,
}

/// Bring a broker's fills in
#[derive(Debug, Args)]
#[command(after_help = help::IMPORT)]
pub(crate) struct Import {
    #[command(flatten)]
    file: File,

    /// Show what would be recorded, and record nothing
    #[arg(long)]
    dry_run: bool,

    /// Leave out rows that can't be read, and list them, instead of recording nothing
    #[arg(long)]
    skip_bad: bool,

    /// The strategy of trades that rows are by themselves
    #[arg(long, value_name = "NAME", default_value = "imported")]
    strategy: String,
}

fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "expected an IANA zone such as America/Chicago or UTC".to_owned())
}

fn format(text: &str) -> Result<String, String> {
    if ["auto", "generic"].contains(&text) || broker::names().contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("expected auto, generic, or one of {}", broker::names().join(", ")))
}

fn instrument(text: &str) -> Result<(String, (Dec, Dec)), String> {
    let expected = || "expected SYMBOL=TICK:POINT_VALUE, such as MNQH6=0.25:2".to_owned();
    let positive = |text: &str| Dec::parse(text).ok().filter(|value| value.is_positive());
    let (symbol, (tick, point)) = text
        .split_once('=')
        .and_then(|(symbol, values)| Some((symbol, values.split_once(':')?)))
        .ok_or_else(expected)?;
    let values = positive(tick).zip(positive(point)).ok_or_else(expected)?;
    Ok((symbol.to_owned(), values))
}

impl File {
    /// What it is called in messages.
    pub(crate) fn name(&self) -> String {
        self.file.file_name().unwrap_or(self.file.as_os_str()).to_string_lossy().into_owned()
    }

    /// What it says, for the one account that is meant.
    pub(crate) fn read(&self) -> Result<(&'static str, Statement), Failure> {
        let cannot = |path: &Path, error: &dyn std::fmt::Display| {
            Failure::usage(format!("{}: {error}", path.display())).with("file", path.display().to_string())
        };
        let mapping = match (&self.map, self.format == "generic") {
            (Some(path), _) => {
                let text = fs::read_to_string(path).map_err(|error| cannot(path, &error))?;
                Some(Mapping::parse(&text).map_err(|error| cannot(path, &error))?)
            }
            (None, true) => {
                return Err(Failure::usage(
                    "--format generic: expected --map FILE.toml, which says what its columns are",
                ));
            }
            (None, false) => None,
        };
        let bytes = fs::read(&self.file).map_err(|error| cannot(&self.file, &error))?;
        let named = (!["auto", "generic"].contains(&self.format.as_str())).then_some(self.format.as_str());
        let reading = Reading { format: named, mapping: mapping.as_ref(), zone: self.zone };
        let (format, mut statement) = broker::read(&bytes, &reading).map_err(|error| cannot(&self.file, &error))?;
        self.keep_one_account(&mut statement)?;
        Ok((format, statement))
    }

    /// Two accounts of the broker in one of the journal would be one position that nobody has.
    fn keep_one_account(&self, statement: &mut Statement) -> Result<(), Failure> {
        if let Some(only) = &self.only {
            statement.fills.retain(|fill| fill.account.as_ref() == Some(only));
        }
        let mut accounts: Vec<&str> = statement.fills.iter().filter_map(|fill| fill.account.as_deref()).collect();
        accounts.sort_unstable();
        accounts.dedup();
        if accounts.len() > 1 {
            let message = format!("{}: it has fills of {}; --only names one", self.name(), accounts.join(", "));
            return Err(Failure::usage(message));
        }
        Ok(())
    }

    pub(crate) fn instruments(&self) -> BTreeMap<String, (Dec, Dec)> {
        self.instruments.iter().cloned().collect()
    }
}

/// The failure for rows that can't be read, and what became of the rest.
pub(crate) fn refuse(name: &str, bad: &[BadRow], rest: &str) -> Failure {
    let mut lines: Vec<String> = bad.iter().take(SHOWN_MAX).map(|bad| in_file(name, bad)).collect();
    if bad.len() > SHOWN_MAX {
        lines.push(format!("and {} more", count((bad.len() - SHOWN_MAX) as u64)));
    }
    lines.push(rest.to_owned());
    Failure::usage(lines.join("\n")).with("bad", bad.iter().map(json::bad_row).collect::<Vec<_>>())
}

/// A row that can't be read, with its file.
fn in_file(name: &str, bad: &BadRow) -> String {
    visible(&format!("{name}: {bad}"), true)
}

impl Import {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let (format, statement) = self.file.read()?;
        let name = self.file.name();
        let instruments = self.file.instruments();
        let order = Order {
            account: &self.file.account,
            file: &name,
            format,
            strategy: &self.strategy,
            instruments: &instruments,
            now: log::now(),
        };
        if self.dry_run {
            let plan = rehearsed(context, &statement, &order)?;
            self.refuse_bad(&plan)?;
            return self.tell(&plan, &statement, &order, None, context.json, out);
        }
        let journal = open(context)?;
        let (reader, tables) = up_to_date(&journal)?;
        let mut plan = planned(&reader, &tables, &statement, &order)?;
        drop((reader, tables));
        self.refuse_bad(&plan)?;
        let receipt =
            journal.append(std::mem::take(&mut plan.drafts)).map_err(|error| Failure::journal(chain(&error)))?;
        self.tell(&plan, &statement, &order, Some(&receipt), context.json, out)?;
        std::io::Write::flush(out)?;
        if let Err(why) = wait_for_tables(&journal, receipt.head.seq) {
            complain(&format!("tradefold: note: fills are recorded, but the tables are behind: {why}"));
        }
        Ok(())
    }

    fn refuse_bad(&self, plan: &Plan) -> Result<(), Failure> {
        let refused = plan.refused();
        if refused.is_empty() || self.skip_bad {
            return Ok(());
        }
        Err(refuse(&self.file.name(), &refused, "nothing was recorded; --skip-bad leaves these rows out"))
    }

    fn tell(
        &self,
        plan: &Plan,
        statement: &Statement,
        order: &Order<'_>,
        receipt: Option<&Receipt>,
        json: bool,
        out: &mut Out,
    ) -> Result<(), Failure> {
        if json {
            return Ok(out.json(&json::import(plan, statement, order, receipt))?);
        }
        let verb = if self.dry_run { "would add" } else { "added" };
        out.line(format!(
            "{} ({}): {verb} {} fills to {}; {} known, {} corrected",
            order.file,
            order.format,
            count(plan.added as u64),
            order.account,
            count(plan.known as u64),
            count(plan.corrections.len() as u64),
        ))?;
        if !plan.instruments.is_empty() {
            let verb = if self.dry_run { "would define" } else { "defined" };
            out.line(format!("{verb} {}", plan.instruments.join(", ")))?;
        }
        for correction in plan.corrections.iter().take(SHOWN_MAX) {
            out.line(visible(&corrected(correction), false))?;
        }
        if plan.busted > 0 {
            out.line(format!("{} fills of it are busted in the journal, and stay so", count(plan.busted as u64)))?;
        }
        for bad in &plan.refused() {
            out.line(format!("left out: {}", in_file(order.file, bad)))?;
        }
        for omitted in statement.omitted.iter().take(SHOWN_MAX) {
            out.line(visible(&format!("no fill: line {}: {}", omitted.line, omitted.why), false))?;
        }
        if statement.omitted.len() > SHOWN_MAX {
            out.line(format!("and {} more rows without a fill", count((statement.omitted.len() - SHOWN_MAX) as u64)))?;
        }
        if let Some(line) = statement.twice.first() {
            let times = count(statement.twice.len() as u64);
            complain(&format!(
                "tradefold: note: {times} local times happened twice (clocks were put back), first on line {line}; taken \
                 for the first of both"
            ));
        }
        if !plan.account_is_opened {
            complain(&format!(
                "tradefold: note: account {} was never opened: its days are UTC dates until an AccountOpened says more",
                order.account
            ));
        }
        if let Some(receipt) = receipt {
            out.line(format!("head {} at position {}", log::hex(&receipt.head.hash), receipt.head.seq))?;
        }
        Ok(())
    }
}

/// The log and the tables of a journal that is about to be recorded into.
pub(crate) fn up_to_date(journal: &Journal) -> Result<(Reader, Connection), Failure> {
    let head = journal.status()?.head.seq;
    journal.wait_until(head, PATIENCE).map_err(|why| Failure::journal(format!("the tables are behind: {why}")))?;
    let began = Instant::now();
    // A new journal's tables are made by its projectors, for whom nothing is yet to be done.
    while !made(journal)? && began.elapsed() < PATIENCE {
        thread::sleep(LOOK);
    }
    Ok((Reader::open(journal.dir())?, Tables::read_only(journal.dir())?))
}

fn made(journal: &Journal) -> Result<bool, Failure> {
    Ok(Tables::readable(journal.dir())?.map_or(Ok(false), |tables| is_current(&tables))?)
}

/// What would be recorded. Where there is no journal yet, what would be into an empty one.
fn rehearsed(context: &Context, statement: &Statement, order: &Order<'_>) -> Result<Plan, Failure> {
    let empty;
    let dir = if log::exists(context.journal()) {
        context.journal()
    } else {
        empty = tempfile::tempdir()?;
        log::create(empty.path(), PATIENCE)?;
        complain("tradefold: note: there is no journal yet; this is what a new one would get");
        empty.path()
    };
    let (reader, tables, _) = Journal::read(dir)?.into_parts();
    planned(&reader, &tables, statement, order)
}

fn planned(reader: &Reader, tables: &Connection, statement: &Statement, order: &Order<'_>) -> Result<Plan, Failure> {
    plan(reader, tables, statement, order).map_err(|error| match error {
        ImportError::Log(error) => error.into(),
        ImportError::Tables(error) => error.into(),
    })
}

fn corrected(correction: &Correction) -> String {
    let changes: Vec<String> =
        correction.changes.iter().map(|(field, was, is)| format!("{field} {was} -> {is}")).collect();
    format!("corrected: line {}: fill {}: {}", correction.line, correction.fill_id, changes.join(", "))
}
