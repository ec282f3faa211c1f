//! `rebuild`: the log replayed into fresh tables, in place of the live ones or into a folder. How they are
//! replayed, compared and swapped is the library's work.

use std::path::PathBuf;

use clap::Args;
use projections::TABLES;
use projections::moment::Moment;
use serde_json::{Value, json};
use tradefold::log::{OpenError, Reader};
use tradefold::rebuild::{RebuildError, Rebuilt, rebuild, rebuild_comparing};

use super::export::unknown_table;
use super::failure::{Failure, chain};
use super::grid::count;
use super::out::{Out, complain};
use super::progress::{Progress, Unit};
use super::verify::finding_in_words;
use super::{Context, help};

/// How many differences are shown to people.
const SHOWN_MAX: usize = 20;

/// Replay the log into fresh tables
#[derive(Debug, Args)]
#[command(after_help = help::REBUILD)]
pub(crate) struct Rebuild {
    /// Tables to rebuild, with those that are folded together with them [default: all]
    #[arg(value_name = "TABLE")]
    names: Vec<String>,

    /// Stop after this position, or after the last event recorded by this time
    #[arg(long, value_name = "SEQ|TIME", value_parser = until)]
    until: Option<Until>,

    /// Make DIR/projections.db instead of replacing the journal's tables
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,

    /// Compare the live tables with the fresh ones first, and report each row and column that differs
    #[arg(long, conflicts_with_all = ["until", "into"])]
    verify: bool,
}

/// The last event to fold.
#[derive(Clone, Copy, Debug)]
enum Until {
    Position(u64),
    Time(Moment),
}

fn until(text: &str) -> Result<Until, String> {
    if let Ok(position) = text.parse() {
        return Ok(Until::Position(position));
    }
    let wrong = |_| "expected a position, or a time with an offset such as 2026-03-02T14:31:07Z".to_owned();
    Moment::parse(text).map(Until::Time).map_err(wrong)
}

impl Rebuild {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let names = self.known_names()?;
        let dir = context.journal();
        let reader = Reader::open(dir)?;
        let through = self.position(&reader)?;
        self.note_cut(&reader, through)?;
        let progress = Progress::new("replay", Unit::Events, reader.head()?.seq);
        let mut report = |done, total| {
            progress.set_of(done, total);
            if context.json {
                // To stderr: standard output has the result alone.
                complain(&json!({ "progress": { "done": done, "total": total } }).to_string());
            }
        };
        let rebuilt = if self.verify {
            rebuild_comparing(dir, names.as_deref(), &mut report)?
        } else {
            rebuild(dir, names.as_deref(), through, self.into.as_deref(), &mut report)?
        };
        drop(progress);
        if context.json {
            out.json(&self.as_json(&rebuilt))?;
        } else {
            self.show(&rebuilt, out)?;
        }
        let found = rebuilt.differences.is_some_and(|differences| !differences.is_empty());
        if found { Err(Failure::Found) } else { Ok(()) }
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

    fn position(&self, reader: &Reader) -> Result<Option<u64>, Failure> {
        Ok(match self.until {
            None => None,
            Some(Until::Position(position)) => Some(position),
            Some(Until::Time(time)) => Some(reader.last_recorded_by(time)?),
        })
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

    fn as_json(&self, rebuilt: &Rebuilt) -> Value {
        let projection = |state: &tradefold::projector::ProjectionState| {
            json!({
                "name": state.name,
                "version": state.version,
                "position": state.cursor.position,
                "stopped": state.cursor.stopped.as_ref().map(|stop| json!({ "at": stop.at, "reason": stop.reason })),
            })
        };
        let differences = rebuilt.differences.as_ref().map(|differences| {
            let found = differences.kept.iter().map(super::verify::finding_as_json);
            json!({ "total": differences.total, "rows": differences.rows, "findings": found.collect::<Vec<_>>() })
        });
        json!({
            "projections": rebuilt.projections.iter().map(projection).collect::<Vec<_>>(),
            "into": self.into,
            "differences": differences,
        })
    }

    fn show(&self, rebuilt: &Rebuilt, out: &mut Out) -> Result<(), Failure> {
        if let Some(differences) = &rebuilt.differences {
            for finding in differences.kept.iter().take(SHOWN_MAX) {
                out.line(format!("differed: {}", finding_in_words(finding)))?;
            }
            out.line(format!("{} rows compared, {} differences", count(differences.rows), count(differences.total)))?;
        }
        for state in &rebuilt.projections {
            let stopped = state.cursor.stopped.as_ref();
            let stopped = stopped.map(|stop| format!(", stopped at {}: {}", stop.at, stop.reason)).unwrap_or_default();
            out.line(format!("{:<12} rebuilt to position {}{stopped}", state.name, count(state.cursor.position)))?;
        }
        if let Some(folder) = &self.into {
            let folder = folder.display();
            out.line(format!("Read them with --tables {folder}, as in: tradefold metrics --tables {folder}"))?;
        }
        Ok(())
    }
}

impl From<RebuildError> for Failure {
    fn from(error: RebuildError) -> Self {
        match error {
            RebuildError::UnknownTable { name } => unknown_table(&name),
            RebuildError::IntoJournal { .. } => Self::usage(format!("--into: {error}")),
            RebuildError::Held { .. } => Self::journal(chain(&error)),
            RebuildError::Project(error) => match error {
                // The folder of `--into` was the caller's choice.
                tradefold::projector::ProjectError::Open(error @ OpenError::File { .. }) => Self::usage(chain(&error)),
                error => error.into(),
            },
            error => Self::journal(chain(&error)),
        }
    }
}
