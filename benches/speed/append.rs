//! Owns the measurements of recording: one event, many callers, groups, a whole file.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use tradefold::log::Writer;

use super::plain;
use super::report::{Comparison, Figure, rate, timed};
use super::sample::{Sample, tradefold};

/// Events of a round in which each waits for the disk.
const SINGLES: usize = 2_000;
/// Callers at once.
const CALLERS: usize = 16;
/// Events of a round in groups.
const GROUPED: usize = 20_000;
/// Events of a group, and of a batch of the append command.
const GROUP: usize = 100;
const BATCH: usize = 1_000;

pub(crate) fn measure(sample: &Sample, rounds: usize) {
    one_by_one(sample, rounds).print();
    callers(sample, rounds).print();
    groups(sample, rounds).print();
    file(sample, rounds).print();
    bytes(sample).print();
}

/// Parses, checks, hashes and records lines in groups, one caller waiting for each.
fn append(writer: &Writer, lines: &[String], group: usize) -> Duration {
    let work = || lines.chunks(group).for_each(|lines| drop(writer.append(Sample::drafts(lines)).expect("room")));
    timed(work).0
}

fn insert(sample: &Sample, events: usize, a_commit: usize) -> Duration {
    let mut log = plain::Log::create(&sample.place("plain.db"));
    timed(|| log.insert(&sample.rows[..events], a_commit)).0
}

fn one_by_one(sample: &Sample, rounds: usize) -> Comparison {
    let events = SINGLES.min(sample.events);
    Comparison::of("one caller, one event, durable", "insert and commit:", 0.90, rounds, || {
        let plain = insert(sample, events, 1);
        let ours = append(&sample.writer("one"), &sample.lines[..events], 1);
        (rate(events, plain), rate(events, ours))
    })
}

fn callers(sample: &Sample, rounds: usize) -> Comparison {
    let events = SINGLES.min(sample.events);
    Comparison::of("16 callers, one event each, durable", "tradefold with one caller:", 8.0, rounds, || {
        let one = append(&sample.writer("one"), &sample.lines[..events], 1);
        let writer = sample.writer("many");
        let lines = &sample.lines[..(events * 4).min(sample.events)];
        let all = || {
            std::thread::scope(|scope| {
                for own in lines.chunks(lines.len().div_ceil(CALLERS)) {
                    scope.spawn(|| append(&writer, own, 1));
                }
            });
        };
        (rate(events, one), rate(lines.len(), timed(all).0))
    })
}

fn groups(sample: &Sample, rounds: usize) -> Comparison {
    let events = GROUPED.min(sample.events);
    Comparison::of("groups of 100, parsed, checked and hashed", "insert, a commit a 100:", 0.80, rounds, || {
        let plain = insert(sample, events, GROUP);
        let ours = append(&sample.writer("groups"), &sample.lines[..events], GROUP);
        (rate(events, plain), rate(events, ours))
    })
}

/// The command from its start to the line that says all is recorded; its projectors fold at the same time.
fn file(sample: &Sample, rounds: usize) -> Comparison {
    Comparison::of("`append FILE`, until all is recorded", "insert, a commit a 1,000:", 0.70, rounds, || {
        let plain = insert(sample, sample.events, BATCH);
        let journal = sample.place("file");
        let mut answer = String::new();
        let (ours, mut program) = timed(|| {
            let mut program = tradefold(&journal).arg("append").arg(&sample.file).spawn().expect("the program");
            let output = program.stdout.take().expect("its output");
            BufReader::new(output).read_line(&mut answer).expect("an answer");
            program
        });
        assert!(answer.starts_with(&format!("appended {}", grouped(sample.events))), "{answer}");
        assert!(program.wait().expect("the program").success());
        (rate(sample.events, plain), rate(sample.events, ours))
    })
}

/// As the program writes counts.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let head = digits.len() % 3;
    let mut parts = if head > 0 { vec![&digits[..head]] } else { Vec::new() };
    parts.extend((head..digits.len()).step_by(3).map(|at| &digits[at..at + 3]));
    parts.join(",")
}

/// What an event takes on disk, over what it takes where nothing is interned.
fn bytes(sample: &Sample) -> Figure {
    let plain = plain::size_with_names(&sample.log(), &sample.place("plain.db")) as f64;
    let ours = std::fs::metadata(sample.log()).expect("the log").len() as f64;
    let each = ours / sample.events as f64;
    Figure {
        what: format!("bytes of `events.db` to those with streams' names in each row ({each:.0} an event)"),
        unit: "x",
        values: vec![ours / plain],
        goal: 1.0,
    }
}
