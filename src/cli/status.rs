//! `status`: how far the log goes, where each projection is, how large the files are, when the journal was last
//! verified. Brings the tables up to date first; judges nothing.

use clap::Args;

use super::failure::Failure;
use super::grid::{Align, Grid, count};
use super::out::Out;
use super::verify::in_words;
use super::{Context, help};
use crate::journal;
use crate::json;
use crate::log::hex;
use crate::projector::{self, ProjectionState};
use crate::verified::LastVerification;

/// Show the head, each projection's position and lag, sizes, and the last verification
#[derive(Debug, Args)]
#[command(after_help = help::STATUS)]
pub(crate) struct Status {}

impl Status {
    #[expect(clippy::unused_self, reason = "each command has the same method")]
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let dir = context.journal();
        projector::catch_up(dir)?;
        let status = journal::Status::read(dir)?;
        let verified = LastVerification::read(dir);
        if context.json {
            return Ok(out.json(&json::status(&status, verified.as_ref()))?);
        }
        show(&status, verified.as_ref(), out)
    }
}

fn show(status: &journal::Status, verified: Option<&LastVerification>, out: &mut Out) -> Result<(), Failure> {
    out.line(format!("journal     {}", status.dir.display()))?;
    out.line(format!("id          {}, made {}", status.identity.uuid, short(&status.identity.created_at.to_string())))?;
    out.line(format!("events      {} in {} streams", count(status.head.seq), count(status.streams)))?;
    out.line(format!("head        {}", hex(&status.head.hash)))?;
    if let Some((position, digest)) = status.digest() {
        out.line(format!("tables      {} at position {}", hex(&digest), count(position)))?;
    }
    let verified = verified.map_or_else(|| "never; tradefold verify does it".to_owned(), in_words);
    out.line(format!("verified    {verified}"))?;
    let sizes: Vec<_> = status.files.iter().map(|(name, bytes)| format!("{name} {}", size(*bytes))).collect();
    out.line(format!("files       {}", sizes.join(", ")))?;
    out.line(format!("SQLite      {}", status.sqlite))?;
    for (what, holder) in [("recording", status.writer), ("projecting", status.projector)] {
        if let Some(holder) = holder {
            let pid = holder.pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string());
            out.line(format!("{what:<11} process {pid}"))?;
        }
    }
    out.line("")?;
    let columns =
        [("projection", Align::Left), ("version", Align::Right), ("position", Align::Right), ("lag", Align::Right)];
    let mut grid = Grid::new(&[&columns[..], &[("state", Align::Left)]].concat());
    for state in &status.projections {
        grid.row([
            state.name,
            &state.version.to_string(),
            &count(state.cursor.position),
            &count(status.lag(state)),
            &state_in_words(status, state),
        ]);
    }
    Ok(out.line(grid.to_string())?)
}

fn state_in_words(status: &journal::Status, state: &ProjectionState) -> String {
    match (&state.cursor.stopped, &state.trouble) {
        (Some(stop), _) => format!("stopped at {}: {}", stop.at, stop.reason),
        (None, Some(trouble)) => trouble.clone(),
        (None, None) if status.lag(state) == 0 => "up to date".to_owned(),
        (None, None) => "behind".to_owned(),
    }
}

/// A time to the second.
pub(crate) fn short(time: &str) -> String {
    time.get(..19).map_or_else(|| time.to_owned(), |cut| format!("{}Z", cut.replace('T', " ")))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..=1023 => format!("{bytes} B"),
        1024..=1_048_575 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}
