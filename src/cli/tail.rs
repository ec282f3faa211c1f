//! `tail`: the log as JSON Lines, in position order, and on as it grows. Its lines can be appended to another
//! journal; their form is `projections::validate::to_edge`'s.

use std::io::Write;
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use clap::Args;
use projections::draft::Stored;
use projections::schema;
use projections::validate;

use super::failure::Failure;
use super::out::Out;
use super::{Context, help};
use crate::log::{EventRef, Reader};

/// How often the head is looked at while nothing comes.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Print events as JSON Lines
#[derive(Debug, Args)]
#[command(after_help = help::TAIL)]
pub(crate) struct Tail {
    /// Begin after this position
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    after: u64,

    /// Go on with new events as they come, until interrupted
    #[arg(long, short)]
    follow: bool,

    /// Only events of this type, such as FillRecorded
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,

    /// Only events of this stream, such as trade/T-1 or account/default
    #[arg(long, value_name = "STREAM")]
    stream: Option<String>,
}

impl Tail {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let reader = Reader::open(context.journal())?;
        self.refuse_unknown_type(&reader)?;
        let mut last = self.after;
        loop {
            // Up to a head taken before, so that events that come meanwhile are neither missed nor repeated.
            let head = reader.head()?.seq;
            if head > last {
                self.print(&reader, last, head, out)?;
                last = head;
            }
            if !self.follow {
                return Ok(());
            }
            out.flush()?;
            thread::sleep(LOOK_EVERY);
        }
    }

    /// A mistyped type would print nothing and look like an answer. One that only a newer program knows may
    /// be in the log all the same.
    fn refuse_unknown_type(&self, reader: &Reader) -> Result<(), Failure> {
        let Some(kind) = &self.kind else { return Ok(()) };
        let known = || schema::TYPES.iter().map(|known| known.name);
        if known().any(|name| name == kind) || reader.counts_by_type()?.iter().any(|(name, _)| name == kind) {
            return Ok(());
        }
        let meant = match validate::nearest(kind, known()) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("known are {}", known().collect::<Vec<_>>().join(", ")),
        };
        Err(Failure::usage(format!("--type: there is no event type `{kind}`; {meant}")))
    }

    fn print(&self, reader: &Reader, after: u64, through: u64, out: &mut Out) -> Result<(), Failure> {
        let mut written = Ok(());
        let mut each = |event: EventRef<'_>| {
            if self.kind.as_deref().is_none_or(|kind| kind == event.kind) {
                written = out.line(validate::to_edge(&Stored::from(event)));
            }
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        match &self.stream {
            // A stream has an index of its own; its positions are rising, too.
            Some(stream) => reader.stream(stream, 0, |event| match event.seq {
                seq if seq <= after => ControlFlow::Continue(()),
                seq if seq > through => ControlFlow::Break(()),
                _ => each(event),
            })?,
            None => reader.scan(after, through, each).map(drop)?,
        }
        Ok(written?)
    }
}
