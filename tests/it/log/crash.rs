//! A process that is killed at any moment: what it acknowledged is there, nothing is half there, and whoever
//! comes next goes on.

use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use projections::draft::Draft;
use tradefold::log::{Reader, Writer, WriterOptions, verify};

use super::support::{Journal, Random, as_child, assert_sound, child, nth};

const KILLS: u32 = 200;

/// The batches of this story: where one ends the next begins, so that the head tells whether one is half there.
fn batch_from(first: u32) -> Vec<Draft> {
    let size = if first.is_multiple_of(11) { 40 } else { 1 + first % 7 };
    (first..first + size).map(nth).collect()
}

/// The first number of the batch that ends before `next`; fails where none does.
fn batch_before(next: u32) -> u32 {
    let mut first = 1;
    loop {
        let after = first + u32::try_from(batch_from(first).len()).unwrap();
        match after.cmp(&next) {
            std::cmp::Ordering::Less => first = after,
            std::cmp::Ordering::Equal => return first,
            std::cmp::Ordering::Greater => panic!("half a batch: it ends at {}, not at {after}", next - 1),
        }
    }
}

#[test]
fn killed_at_any_moment_it_loses_nothing_it_acknowledged() {
    let journal = Journal::new();
    journal.writer().append(batch_from(1)).unwrap();
    let mut random = Random::seeded("TRADEFOLD_TEST_SEED");
    let (mut head, mut unacknowledged) = (1, 0);
    for _ in 0..KILLS {
        let acknowledged = run_and_kill(&journal.dir, Duration::from_micros(random.below(60_000)));
        let after = check(&journal.dir, head);
        assert!(after >= acknowledged, "seed {}: acknowledged {acknowledged}, found {after}", random.seed);
        unacknowledged += u32::from(after > acknowledged.max(head));
        // What the caller doesn't know about, it sends again.
        let again = journal.writer().append(batch_from(batch_before(after + 1))).unwrap();
        assert_eq!(again.appended(), 0);
        head = after;
    }
    eprintln!("{KILLS} kills, {head} events, {unacknowledged} times a batch was recorded but not acknowledged");
    assert_eq!(assert_sound(&journal.dir), u64::from(head));
    assert!(head > KILLS, "the children got to work");
}

/// Runs the child for a while; returns the last position it acknowledged.
fn run_and_kill(dir: &Path, time: Duration) -> u32 {
    let mut process = child("log::crash::in_a_child_that_appends", dir).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(time);
    process.kill().unwrap();
    process.wait().unwrap();
    let mut said = String::new();
    process.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    // A line without its end was cut off by the kill.
    let lines = said.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    lines.filter_map(|line| line.strip_prefix("ACK ")?.trim().parse().ok()).next_back().unwrap_or(0)
}

/// The log is what was sent, in order, in whole batches. Returns its head.
fn check(dir: &Path, from: u32) -> u32 {
    let reader = Reader::open(dir).unwrap();
    let report = verify::range(&reader, u64::from(from), u64::MAX, &mut |_, _| {}).unwrap();
    assert_eq!(report.findings.kept(), []);
    let mut number = from;
    for event in reader.read_after(u64::from(from), usize::MAX).unwrap() {
        number += 1;
        assert_eq!((event.seq, Some(event.id)), (u64::from(number), nth(number).id));
    }
    batch_before(number + 1);
    number
}

#[test]
fn in_a_child_that_appends() {
    let Some(dir) = as_child() else { return };
    let writer = Writer::open(&dir, WriterOptions::default()).unwrap();
    let head = u32::try_from(Reader::open(&dir).unwrap().head().unwrap().seq).unwrap();
    let mut first = batch_before(head + 1);
    loop {
        let last = writer.append(batch_from(first)).unwrap().last_seq.unwrap();
        println!("ACK {last}");
        first = u32::try_from(last).unwrap() + 1;
    }
}
