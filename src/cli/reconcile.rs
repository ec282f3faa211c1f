//! `reconcile`: a broker's file held against the journal. Finding the differences is the library's work; here they are
//! laid out, and settled where that is asked for.

use clap::Args;
use projections::decimal::Dec;
use serde_json::json;

use super::append::{open, wait_for_tables};
use super::failure::{Failure, chain};
use super::grid::{count, counted};
use super::import::{File, refuse, up_to_date};
use super::out::{Out, complain, visible};
use super::{Context, help};
use crate::broker::import::{ImportError, Order};
use crate::broker::reconcile::{Difference, Level, Reconciliation, reconcile};
use crate::journal::Journal;
use crate::json as told;
use crate::log::{self, Reader};
use crate::tables::Connection;

/// Differences of a level that people are shown.
const SHOWN_MAX: usize = 50;

/// Compare a broker's file with the journal
#[derive(Debug, Args)]
#[command(after_help = help::RECONCILE)]
pub(crate) struct Reconcile {
    #[command(flatten)]
    file: File,

    /// The account's balance, as the broker has it
    #[arg(long, value_name = "AMOUNT", value_parser = amount, allow_hyphen_values = true)]
    balance: Option<Dec>,

    /// List the differences as CSV
    #[arg(long, conflicts_with_all = ["json", "fix"])]
    csv: bool,

    /// Show the events that would settle the differences
    #[arg(long)]
    fix: bool,

    /// Record them
    #[arg(long, requires = "fix")]
    yes: bool,
}

fn amount(text: &str) -> Result<Dec, String> {
    Dec::parse(text).map_err(|_| "expected an amount such as 50123.45".to_owned())
}

impl Reconcile {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let (format, statement) = self.file.read()?;
        let (name, instruments) = (self.file.name(), self.file.instruments());
        let order = Order {
            account: &self.file.account,
            file: &name,
            format,
            strategy: "imported",
            instruments: &instruments,
            now: log::now(),
        };
        let compare = |reader: &Reader, tables: &Connection| {
            let found = reconcile(reader, tables, &statement, &order, self.balance).map_err(|error| match error {
                ImportError::Log(error) => Failure::from(error),
                ImportError::Tables(error) => error.into(),
            })?;
            match found.bad.as_slice() {
                [] => Ok(found),
                bad => Err(refuse(&name, bad, "nothing was compared")),
            }
        };
        if self.yes {
            let journal = open(context)?;
            let (reader, tables) = up_to_date(&journal)?;
            let found = compare(&reader, &tables)?;
            drop((reader, tables));
            return self.settle(&journal, found, context.json, out);
        }
        let (reader, tables, _) = Journal::read(context.journal())?.into_parts();
        let found = compare(&reader, &tables)?;
        self.tell(&found, context.json, out)?;
        if found.ties_out() { Ok(()) } else { Err(Failure::Found) }
    }

    fn settle(&self, journal: &Journal, found: Reconciliation, json: bool, out: &mut Out) -> Result<(), Failure> {
        let events = found.settling.len();
        let receipt = journal.append(found.settling).map_err(|error| Failure::journal(chain(&error)))?;
        if json {
            out.json(&json!({ "appended": receipt.appended(), "head": log::hex(&receipt.head.hash) }))?;
        } else {
            let appended = count(receipt.appended() as u64);
            out.line(format!(
                "recorded {appended} of {} events; compare again to see what is left",
                count(events as u64)
            ))?;
        }
        std::io::Write::flush(out)?;
        if let Err(why) = wait_for_tables(journal, receipt.head.seq) {
            complain(&format!("tradefold: note: events are recorded, but the tables are behind: {why}"));
        }
        Ok(())
    }

    fn tell(&self, found: &Reconciliation, json: bool, out: &mut Out) -> Result<(), Failure> {
        if json {
            return Ok(out.json(&told::reconciliation(found, self.fix))?);
        }
        if self.csv {
            return as_csv(found, out);
        }
        out.line(verdict(found))?;
        for level in &found.levels {
            for difference in level.differences.iter().take(SHOWN_MAX) {
                out.line(visible(&in_words(difference), false))?;
            }
            if level.differences.len() > SHOWN_MAX {
                let more = count((level.differences.len() - SHOWN_MAX) as u64);
                out.line(format!("and {more} more differences of {}", level.name))?;
            }
        }
        if self.fix {
            out.line("")?;
            out.line(format!(
                "{} would settle it; --yes records them:",
                counted(found.settling.len() as u64, "events")
            ))?;
            for draft in &found.settling {
                out.line(visible(&format!("{} {}", draft.kind, draft.data), false))?;
            }
        }
        Ok(())
    }
}

fn verdict(found: &Reconciliation) -> String {
    let told = |level: &Level| match level.name {
        "balance" => "balance".to_owned(),
        name => counted(level.matched as u64, name),
    };
    if found.ties_out() {
        let levels: Vec<String> = found.levels.iter().map(told).collect();
        return format!("ties out to the cent: {}", levels.join(", "));
    }
    let level = |level: &Level| {
        let differences = counted(level.differences.len() as u64, "differences");
        format!("{}: {} match, {differences}", level.name, count(level.matched as u64))
    };
    format!("does not tie out: {}", found.levels.iter().map(level).collect::<Vec<_>>().join("; "))
}

fn in_words(difference: &Difference) -> String {
    match difference {
        Difference::MissingHere { what, line: Some(line) } => format!("missing here: {what} (line {line})"),
        Difference::MissingHere { what, line: None } => format!("missing here: {what}"),
        Difference::MissingThere { what } => format!("missing there: {what}"),
        Difference::Differs { what, field, here, there } => {
            format!("differs: {what}: {field}: {here} here, {there} there")
        }
    }
}

fn as_csv(found: &Reconciliation, out: &mut Out) -> Result<(), Failure> {
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut *out);
    let mut write = || -> Result<(), csv::Error> {
        csv.write_record(["level", "difference", "what", "field", "here", "there"])?;
        for level in &found.levels {
            for difference in &level.differences {
                let own = [level.name.to_owned()];
                csv.write_record(own.iter().chain(&told::cells(difference)))?;
            }
        }
        Ok(csv.flush()?)
    };
    write().map_err(std::io::Error::from)?;
    Ok(())
}
