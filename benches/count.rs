//! Counts instructions an event, which do not depend on what else a machine does: `cargo bench --bench count`.
//!
//! Runs itself under valgrind's callgrind for appending, folding and verifying, at some events and at twice as many, and
//! takes the difference, so that starting costs nothing. Fails where a count is more than five percent away from
//! `benches/instructions.txt`: who makes something slower or faster writes down how much, and why. A library for this
//! (gungraun) needs a runner to be installed beside it; this needs valgrind alone.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

mod seeded;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use projections::drawer::MemoryShelf;
use projections::moment::Moment;
use projections::projection::{About, PROJECTIONS};
use projections::upcast::{self, Raw};
use projections::validate::parse_edge;
use tradefold::log::{self, EventRef, Reader, Writer, WriterOptions, verify};

/// What is counted.
const WORK: [&str; 3] = ["append", "fold", "verify"];
/// Events of the smaller run.
const EVENTS: usize = 4_000;
/// Events of a batch, and between two flushes of the folds.
const BATCH: usize = 1_000;
/// How far a count may be from the one that is written down.
const PERCENT_MAX: f64 = 5.0;
/// The counts that are written down.
const FILE: &str = "benches/instructions.txt";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [work, folder] = arguments.as_slice() {
        run(work, Path::new(folder));
        return ExitCode::SUCCESS;
    }
    let known = written_down();
    let mut is_good = true;
    for work in WORK {
        let now = instructions_an_event(work);
        let before = known.iter().find(|(name, _)| name == work).map_or(f64::NAN, |(_, count)| *count);
        let percent = (now / before - 1.0) * 100.0;
        let is_near = percent.abs() <= PERCENT_MAX;
        println!("{work:<8} {now:>8.0} instructions an event; {FILE} says {before:.0} ({percent:+.1} %)");
        is_good &= is_near;
    }
    if is_good {
        return ExitCode::SUCCESS;
    }
    println!("more than {PERCENT_MAX} % away: find out why, then write the new count and the reason into {FILE}");
    ExitCode::FAILURE
}

/// A name and a count a line; `#` begins a comment.
fn written_down() -> Vec<(String, f64)> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE)).expect("the counts");
    let entry = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.replace(',', "").parse().ok()?))
    };
    text.lines().filter(|line| !line.starts_with('#')).filter_map(entry).collect()
}

fn instructions_an_event(work: &str) -> f64 {
    let (some, twice) = (instructions(work, EVENTS), instructions(work, 2 * EVENTS));
    (twice - some) / EVENTS as f64
}

/// What one run takes, as callgrind counts it.
fn instructions(work: &str, events: usize) -> f64 {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let counted = folder.path().join("callgrind.out");
    prepare(work, events, folder.path());
    let done = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", counted.display()))
        .arg(std::env::current_exe().expect("this program"))
        .arg(work)
        .arg(folder.path())
        .status()
        .expect("valgrind");
    assert!(done.success(), "{work} failed under valgrind");
    let text = fs::read_to_string(&counted).expect("what callgrind wrote");
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: ")).expect("the total");
    totals.trim().parse().expect("a number")
}

fn journal(folder: &Path) -> PathBuf {
    folder.join("journal")
}

fn file(folder: &Path) -> PathBuf {
    folder.join("events.jsonl")
}

/// What a run finds there: events in a file, and an empty log or one of these events.
fn prepare(work: &str, events: usize, folder: &Path) {
    log::create(&journal(folder), WriterOptions::default().lock_wait).expect("a log");
    seeded::write(events as u64, 1, fs::File::create(file(folder)).expect("a file")).expect("room");
    if work != "append" {
        append(folder);
    }
}

/// The work that is counted.
fn run(work: &str, folder: &Path) {
    match work {
        "append" => append(folder),
        "fold" => PROJECTIONS.into_iter().for_each(|about| fold(about, folder)),
        "verify" => verify(folder),
        other => panic!("there is no work `{other}`"),
    }
}

/// Parses, checks, hashes and records lines.
fn append(folder: &Path) {
    // A clock that stands still: the same bytes each time.
    let options = WriterOptions { clock: || Moment(1_772_461_867_250_000), ..WriterOptions::default() };
    let writer = Writer::open(&journal(folder), options).expect("a writer");
    let text = fs::read_to_string(file(folder)).expect("events");
    let lines: Vec<&str> = text.lines().collect();
    for batch in lines.chunks(BATCH) {
        let drafts = batch.iter().map(|line| parse_edge(line).expect("a valid event")).collect();
        drop(writer.append(drafts).expect("room"));
    }
}

/// Reads the log, decodes and folds it, over a shelf in memory.
fn fold(about: &'static About, folder: &Path) {
    let reader = Reader::open(&journal(folder)).expect("the log");
    let (mut projection, mut shelf) = ((about.new)(), MemoryShelf::default());
    let mut each = |event: EventRef<'_>| {
        let raw = Raw {
            seq: event.seq,
            id: event.id,
            occurred_at: event.occurred_at,
            kind: event.kind,
            schema_version: event.schema_version,
            data: event.data,
        };
        if about.reads(event.kind, event.stream, true) {
            projection.apply(&shelf, &upcast::decode_raw(&raw).expect("a checked event"));
        }
        if event.seq.is_multiple_of(BATCH as u64) {
            shelf.keep(projection.flush(&shelf).1);
        }
        ControlFlow::Continue(())
    };
    reader.scan(0, u64::MAX, &mut each).expect("the log");
}

fn verify(folder: &Path) {
    let reader = Reader::open(&journal(folder)).expect("the log");
    assert!(verify::whole(&reader, &mut |_, _| {}).expect("the log").is_sound());
}
