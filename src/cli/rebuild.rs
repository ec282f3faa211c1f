//! `rebuild`: the log replayed into fresh tables, in place of the live ones or into a folder. How they are
//! replayed, compared and swapped is the library's work.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use projections::TABLES;
use projections::projection::About;
use serde_json::{Value, json};

use super::export::unknown_table;
use super::failure::{Failure, chain};
use super::grid::count;
use super::out::{Out, complain};
use super::progress::{Progress, Unit};
use super::reading::When;
use super::verify::{finding_as_json, finding_in_words};
use super::{Context, help};
use crate::log::{OpenError, PREVIOUS_FILE, Reader};
use crate::rebuild::{Planned, RebuildError, Rebuilt, Swap, plan, rebuild, rebuild_comparing, roll_back};

/// How many differences are shown to people.
const SHOWN_MAX: usize = 20;

/// How often progress is told to programs.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// Replay the log into fresh tables
#[derive(Debug, Args)]
#[command(after_help = help::REBUILD)]
pub(crate) struct Rebuild {
    /// Tables to rebuild, with those that are folded together with them [default: all]
    #[arg(value_name = "TABLE")]
    names: Vec<String>,

    /// Stop after this position, or after the last event recorded by this time
    #[arg(long, value_name = "SEQ|TIME", value_parser = When::parse)]
    until: Option<When>,

    /// Make DIR/projections.db instead of replacing the journal's tables
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,

    /// Compare the live tables with the fresh ones first, report each row and column that differs, and replace them
    /// only if nothing does
    #[arg(long, conflicts_with_all = ["until", "into"])]
    verify: bool,

    /// With --verify: replace the live tables whatever differs
    #[arg(long, requires = "verify", conflicts_with = "dry_run")]
    swap: bool,

    /// Say what would be replayed, and with --verify what differs, but replace nothing
    #[arg(long)]
    dry_run: bool,

    /// Bring back the tables that the last rebuild replaced, with what was recorded since
    #[arg(long, conflicts_with_all = ["names", "until", "into", "verify", "dry_run"])]
    rollback: bool,
}

impl Rebuild {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let names = self.known_names()?;
        let dir = context.journal();
        let reader = Reader::open(dir)?;
        let through = self.until.map(|until| until.position(&reader, "--until")).transpose()?;
        if self.dry_run && !self.verify {
            return self.show_plan(&plan(dir, names.as_deref(), through)?, context, out);
        }
        self.note_cut(&reader, through)?;
        let mut pace = Pace::new(context.json, reader.head()?.seq);
        let mut report = |done, total| pace.tell(done, total);
        let rebuilt = if self.rollback {
            roll_back(dir, &mut report)?
        } else if self.verify {
            rebuild_comparing(dir, names.as_deref(), self.when_to_swap(), &mut report)?
        } else {
            rebuild(dir, names.as_deref(), through, self.into.as_deref(), &mut report)?
        };
        drop(pace);
        if context.json {
            out.json(&self.as_json(&reader, &rebuilt)?)?;
        } else {
            self.show(&reader, &rebuilt, out)?;
        }
        let found = rebuilt.differences.is_some_and(|differences| !differences.is_empty());
        if found { Err(Failure::Found) } else { Ok(()) }
    }

    fn when_to_swap(&self) -> Swap {
        match (self.dry_run, self.swap) {
            (true, _) => Swap::Never,
            (false, true) => Swap::Always,
            (false, false) => Swap::IfEqual,
        }
    }

    fn show_plan(&self, planned: &[Planned], context: &Context, out: &mut Out) -> Result<(), Failure> {
        let tables = |about: &About| about.tables.iter().map(|table| table.name).collect::<Vec<_>>();
        if context.json {
            let plan = planned.iter().map(|planned| {
                json!({
                    "name": planned.about.name,
                    "tables": tables(planned.about),
                    "outdated": planned.outdated,
                    "position": planned.position,
                    "events": planned.events,
                })
            });
            return Ok(out.json(&json!({ "projections": plan.collect::<Vec<_>>(), "into": self.into }))?);
        }
        for planned in planned {
            out.line(format!("{}: {} events would be replayed", planned.about.name, count(planned.events)))?;
            out.line(format!("  tables: {}", tables(planned.about).join(", ")))?;
            let needed = planned.outdated.as_ref().map_or_else(
                || format!("up to date in form, at position {}", count(planned.position)),
                |reason| format!("out of date: {reason}"),
            );
            out.line(format!("  now: {needed}"))?;
        }
        Ok(out.line("Nothing was changed.")?)
    }

    fn known_names(&self) -> Result<Option<Vec<&str>>, Failure> {
        if self.names.is_empty() || self.names.iter().any(|name| name == "all") {
            return Ok(None);
        }
        let names = self.names.iter().map(|name| {
            let is_known = TABLES.iter().any(|table| table.name == name);
            if is_known { Ok(name.as_str()) } else { Err(unknown_table(name)) }
        });
        names.collect::<Result<_, _>>().map(Some)
    }

    /// Live tables follow the log: cut short, they are brought up to date by the next reader.
    fn note_cut(&self, reader: &Reader, through: Option<u64>) -> Result<(), Failure> {
        let head = reader.head()?.seq;
        if self.into.is_none() && through.is_some_and(|through| through < head) {
            complain(&format!(
                "tradefold: note: the next command that reads the journal's own tables brings them to position {head} \
                 again; --into DIR makes tables that stay as of then"
            ));
        }
        Ok(())
    }

    fn as_json(&self, log: &Reader, rebuilt: &Rebuilt) -> Result<Value, Failure> {
        let projection = |state: &crate::projector::ProjectionState| {
            json!({
                "name": state.name,
                "version": state.version,
                "position": state.cursor.position,
                "stopped": state.cursor.stopped.as_ref().map(|stop| json!({ "at": stop.at, "reason": stop.reason })),
            })
        };
        let differences = match &rebuilt.differences {
            None => None,
            Some(differences) => {
                let found = differences.kept.iter().map(|finding| finding_as_json(log, finding));
                let found = found.collect::<Result<Vec<_>, _>>()?;
                let (total, rows, first) = (differences.total, differences.rows, differences.first);
                Some(json!({ "total": total, "rows": rows, "first_bad_position": first, "findings": found }))
            }
        };
        Ok(json!({
            "projections": rebuilt.projections.iter().map(projection).collect::<Vec<_>>(),
            "into": self.into,
            "generation": rebuilt.generation,
            "differences": differences,
        }))
    }

    fn show(&self, log: &Reader, rebuilt: &Rebuilt, out: &mut Out) -> Result<(), Failure> {
        if let Some(differences) = &rebuilt.differences {
            for finding in differences.kept.iter().take(SHOWN_MAX) {
                out.line(format!("differed: {}", finding_in_words(log, finding)?))?;
            }
            out.line(format!("{} rows compared, {} differences", count(differences.rows), count(differences.total)))?;
        }
        for state in &rebuilt.projections {
            let stopped = state.cursor.stopped.as_ref();
            let stopped = stopped.map(|stop| format!(", stopped at {}: {}", stop.at, stop.reason)).unwrap_or_default();
            let position = count(state.cursor.position);
            out.line(format!("{}: replayed to position {position}{stopped}", state.name))?;
        }
        match (&self.into, rebuilt.generation) {
            (Some(folder), _) => Ok(out.line(format!("read them with --tables {}", folder.display()))?),
            (None, Some(number)) => {
                let kept = log.dir().join(PREVIOUS_FILE).exists();
                let back = if kept { "; rebuild --rollback brings back what they replaced" } else { "" };
                Ok(out.line(format!("generation {number} of the tables is in place{back}"))?)
            }
            (None, None) if self.dry_run => Ok(out.line("Nothing was replaced.")?),
            (None, None) => {
                Ok(out.line("Nothing was replaced; rebuild --verify --swap puts the fresh tables in place.")?)
            }
        }
    }
}

/// How far a replay is: a bar on a terminal, and with `--json` a line now and then.
struct Pace {
    bar: Progress,
    json: bool,
    started: Instant,
    told: Instant,
    from: Option<u64>,
}

impl Pace {
    fn new(json: bool, total: u64) -> Self {
        let now = Instant::now();
        Self { bar: Progress::new("replay", Unit::Events, total), json, started: now, told: now, from: None }
    }

    fn tell(&mut self, done: u64, total: u64) {
        self.bar.set_of(done, total);
        let from = *self.from.get_or_insert(done);
        let due = self.told.elapsed() >= TELL_EVERY || done == from || done == total;
        if !self.json || !due {
            return;
        }
        self.told = Instant::now();
        let seconds = self.started.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "for the eye")]
        let rate = if seconds > 0.0 { done.saturating_sub(from) as f64 / seconds } else { 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "for the eye")]
        let left = (rate > 0.0).then(|| ((total - done.min(total)) as f64 / rate * 10.0).round() / 10.0);
        // To stderr: standard output has the result alone.
        let progress = json!({ "done": done, "total": total, "per_second": rate.round(), "seconds_left": left });
        complain(&json!({ "progress": progress }).to_string());
    }
}

impl From<RebuildError> for Failure {
    fn from(error: RebuildError) -> Self {
        match error {
            RebuildError::UnknownTable { name } => unknown_table(&name),
            RebuildError::IntoJournal { .. } => Self::usage(format!("--into: {error}")),
            RebuildError::NothingKept { .. } => Self::usage(format!("--rollback: {error}")),
            RebuildError::Held { .. } => Self::journal(chain(&error)),
            RebuildError::Project(error) => match error {
                // The folder of `--into` was the caller's choice.
                crate::projector::ProjectError::Open(error @ OpenError::File { .. }) => Self::usage(chain(&error)),
                error => error.into(),
            },
        }
    }
}
