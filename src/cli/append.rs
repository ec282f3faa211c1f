//! `append`: JSON Lines into the journal, batch by batch. While one batch is recorded the lines of the next are read
//! and checked on another thread; a refused batch stops the input there, and nothing after it has been recorded.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use crossbeam_channel::RecvTimeoutError;
use projections::draft::Draft;
use projections::validate::{Refusal, parse_edge};
use serde_json::{Value, json};

use super::failure::{Failure, chain};
use super::grid::count;
use super::lines::{Line, Lines};
use super::out::{Out, complain};
use super::progress::{Progress, Unit};
use super::{Context, help};
use crate::journal::{Journal, JournalOptions};
use crate::log::{self, AppendError, Head, OpenError, Receipt, hex};
use crate::projector::WaitError;

/// How long the input may pause before `--acks` commits what there is.
const PAUSE: Duration = Duration::from_millis(50);

/// How long the tables may stand still at the end. Events are safe by then; the next reader folds the rest.
const TABLES_PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked how far the tables are.
const TABLES_LOOK: Duration = Duration::from_millis(100);

/// Record events from JSON Lines
#[derive(Debug, Args)]
#[command(after_help = help::APPEND)]
pub(crate) struct Append {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,

    /// The most events of a batch, which is recorded as a whole or not at all
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,

    /// Print a JSON line for each batch the moment it is safe on disk; commit when full, at the end, or when the
    /// input has paused for 50 ms
    #[arg(long)]
    acks: bool,
}

impl Append {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        // As much as is recorded at once, and as much again.
        let lines = Lines::open(&self.file, 2 * self.batch as usize, parse_edge)?;
        let journal = open(context)?;
        let mut intake = Intake {
            journal: &journal,
            name: &lines.name,
            acks: self.acks,
            batch_len_max: self.batch as usize,
            batch: Batch::default(),
            sum: Sum { head: journal.status()?.head, ..Sum::default() },
            out,
        };
        self.take(&lines, &mut intake)?;
        let sum = intake.sum;
        if !self.acks {
            sum.print(context.json, out)?;
            out.flush()?;
        }
        if let Err(why) = wait_for_tables(&journal, sum.head.seq) {
            complain(&format!("tradefold: note: events are recorded, but the tables are behind: {why}"));
        }
        Ok(())
    }

    fn take(&self, lines: &Lines<Checked>, intake: &mut Intake<'_>) -> Result<(), Failure> {
        let progress = match lines.size {
            Some(size) if !self.acks => Progress::new("append", Unit::Bytes, size),
            _ => Progress::none(),
        };
        loop {
            let next = if self.acks && !intake.batch.drafts.is_empty() {
                lines.queue.recv_timeout(PAUSE)
            } else {
                lines.queue.recv().map_err(RecvTimeoutError::from)
            };
            match next {
                Ok(parcel) => {
                    if let Some(Ok(last)) = parcel.last() {
                        progress.set(last.offset);
                    }
                    for line in parcel {
                        let line = line.map_err(|unreadable| intake.stop(unreadable.number, &unreadable.problem))?;
                        intake.line(line)?;
                    }
                }
                Err(RecvTimeoutError::Timeout) => intake.record()?,
                Err(RecvTimeoutError::Disconnected) => return intake.record(),
            }
        }
    }
}

/// What a line says, or why it can't be taken.
type Checked = Result<Draft, Refusal>;

/// Opens the journal to record into it; makes it where there is none.
pub(crate) fn open(context: &Context) -> Result<Journal, Failure> {
    let (dir, options) = (context.journal(), JournalOptions::default());
    if !log::exists(dir) {
        match log::create(dir, options.writer.lock_wait) {
            // Somebody else was quicker.
            Ok(()) | Err(OpenError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Journal::open(dir, options)?)
}

/// Waits until the tables have everything, so that whoever looks next sees it; as long as they get on.
pub(crate) fn wait_for_tables(journal: &Journal, seq: u64) -> Result<(), WaitError> {
    let mut progress: Option<Progress> = None;
    let (mut last, mut since) = (None, Instant::now());
    loop {
        let position = match journal.wait_until(seq, TABLES_LOOK) {
            Err(WaitError::Timeout { position, .. }) if last != Some(position) || since.elapsed() < TABLES_PATIENCE => {
                position
            }
            done => return done,
        };
        if last != Some(position) {
            (last, since) = (Some(position), Instant::now());
        }
        progress.get_or_insert_with(|| Progress::new("tables", Unit::Events, seq)).set(position);
    }
}

/// Events that will be recorded together, and where each came from.
#[derive(Debug, Default)]
struct Batch {
    drafts: Vec<Draft>,
    lines: Vec<u64>,
}

/// The way of lines into the journal.
struct Intake<'a> {
    journal: &'a Journal,
    name: &'a str,
    acks: bool,
    batch_len_max: usize,
    batch: Batch,
    sum: Sum,
    out: &'a mut Out,
}

impl Intake<'_> {
    /// Adds a line to the batch, and records that when it is full.
    fn line(&mut self, line: Line<Checked>) -> Result<(), Failure> {
        let draft = line.content.map_err(|refusal| {
            let failure = self.stop(line.number, &refusal.to_string());
            match refusal.field {
                Some(field) => failure.with("field", field),
                None => failure,
            }
        })?;
        self.batch.drafts.push(draft);
        self.batch.lines.push(line.number);
        if self.batch.drafts.len() < self.batch_len_max { Ok(()) } else { self.record() }
    }

    /// Records the batch, and returns when it is on disk.
    fn record(&mut self) -> Result<(), Failure> {
        let Batch { drafts, lines } = std::mem::take(&mut self.batch);
        if drafts.is_empty() {
            return Ok(());
        }
        let receipt = self.journal.append(drafts).map_err(|error| self.refused(&error, &lines))?;
        if self.acks {
            let mut ack = Sum::default();
            ack.add(&receipt);
            self.out.json(&ack.as_json())?;
            self.out.flush()?;
        }
        self.sum.add(&receipt);
        Ok(())
    }

    /// The failure at a line of the input. The batches before it are recorded; the line's own is not.
    fn stop(&self, number: u64, problem: &str) -> Failure {
        let place = format!("{}:{number}", self.name);
        let recorded = self.sum.in_words();
        Failure::usage(format!("{place}: {problem}\n{recorded}"))
            .with("file", self.name)
            .with("line", number)
            .with("recorded", self.sum.as_json())
    }

    /// The failure of a whole batch.
    fn refused(&self, error: &AppendError, lines: &[u64]) -> Failure {
        let at = |index: &usize| lines.get(*index).copied().unwrap_or_default();
        match error {
            AppendError::Conflict { index, id, seq, field } => self
                .stop(at(index), &format!("{field}: id {id} is recorded at position {seq} with another {field}"))
                .with("field", field.as_str())
                .with("conflict", json!({ "id": id, "seq": seq })),
            AppendError::VersionMismatch { index, stream, expected, actual } => self
                .stop(
                    at(index),
                    &format!("expected_version: expected version {expected} of stream {stream}, which is at {actual}"),
                )
                .with("field", "expected_version")
                .with("version_mismatch", json!({ "stream": stream, "expected": expected, "actual": actual })),
            AppendError::Refused { index, reason } => self.stop(at(index), reason),
            error => {
                let lines = format!("lines {} to {}", at(&0), at(&lines.len().saturating_sub(1)));
                let advice = match error {
                    AppendError::Damaged { .. } => "run tradefold verify",
                    _ => "retry with the same ids: what is recorded already is answered as duplicate",
                };
                let (name, recorded) = (self.name, self.sum.in_words());
                Failure::journal(format!("{name}: {lines}: {}; {advice}\n{recorded}", chain(error)))
                    .with("file", name)
                    .with("unknown", matches!(error, AppendError::Unknown { .. }))
                    .with("recorded", self.sum.as_json())
            }
        }
    }
}

/// What has been recorded.
#[derive(Clone, Copy, Debug)]
struct Sum {
    appended: usize,
    duplicates: usize,
    first_seq: Option<u64>,
    last_seq: Option<u64>,
    head: Head,
}

impl Default for Sum {
    fn default() -> Self {
        Self { appended: 0, duplicates: 0, first_seq: None, last_seq: None, head: Head::EMPTY }
    }
}

impl Sum {
    fn add(&mut self, receipt: &Receipt) {
        self.appended += receipt.appended();
        self.duplicates += receipt.duplicates();
        self.first_seq = self.first_seq.into_iter().chain(receipt.first_seq).min();
        self.last_seq = self.last_seq.max(receipt.last_seq);
        self.head = receipt.head;
    }

    fn as_json(&self) -> Value {
        json!({
            "appended": self.appended,
            "duplicates": self.duplicates,
            "first_seq": self.first_seq,
            "last_seq": self.last_seq,
            "head": hex(&self.head.hash),
        })
    }

    fn in_words(&self) -> String {
        let Some((first, last)) = self.first_seq.zip(self.last_seq) else {
            return "nothing was recorded".to_owned();
        };
        let (appended, duplicates) = (count(self.appended as u64), count(self.duplicates as u64));
        format!("recorded before it: {appended} appended, {duplicates} duplicates, positions {first}..{last}")
    }

    fn print(&self, json: bool, out: &mut Out) -> Result<(), Failure> {
        if json {
            return Ok(out.json(&self.as_json())?);
        }
        let (appended, duplicates) = (count(self.appended as u64), count(self.duplicates as u64));
        let positions = match self.first_seq.zip(self.last_seq) {
            Some((first, last)) => format!(", positions {first}..{last}"),
            None => String::new(),
        };
        out.line(format!("appended {appended}, duplicates {duplicates}{positions}"))?;
        Ok(out.line(format!("head {} at position {}", hex(&self.head.hash), self.head.seq))?)
    }
}
