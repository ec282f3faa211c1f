//! A process that records, projects or rebuilds is killed at some moment. What it leaves behind is some
//! position's tables, and going on from there gives what a fresh replay gives.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tradefold::projector;
use tradefold::rebuild::{rebuild, verify_tables};

use super::events::{Dice, Trading};
use super::past::close;
use super::support::{Place, assert_same, dump, open};

const DIR: &str = "TRADEFOLD_TEST_DIR";
const SEED: &str = "TRADEFOLD_TEST_SEED";

/// Starts this test binary again, as one of the children below.
pub(crate) fn spawn(child: &str, place: &Place, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("tables::kill::{child}"), "--nocapture", "--test-threads=1"])
        .env(DIR, &place.dir)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for a line of a child that begins so.
pub(crate) fn wait_for(child: &mut Child, line: &str) {
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    lines.find(|found| found.as_ref().unwrap().contains(line)).unwrap().unwrap();
}

pub(crate) fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn given() -> Option<(PathBuf, u64)> {
    let dir = std::env::var_os(DIR)?;
    Some((dir.into(), std::env::var(SEED).ok()?.parse().ok()?))
}

/// Not a test by itself: the process that is killed.
#[test]
#[expect(clippy::print_stdout, reason = "the parent listens")]
fn child_that_records() {
    let Some((dir, seed)) = given() else { return };
    let journal = open(&dir).unwrap();
    let mut trading = Trading::new(seed);
    for batch in 0..10_000_u32 {
        let count = 1 + trading.dice.below(20);
        let seq = journal.append(trading.drafts(count)).unwrap().head.seq;
        if batch == 3 {
            journal.wait_until(seq, Duration::from_secs(10)).unwrap();
            println!("at work");
        }
    }
}

/// Not a test by itself: the process that is killed.
#[test]
#[expect(clippy::print_stdout, reason = "the parent listens")]
fn child_that_rebuilds() {
    let Some((dir, _)) = given() else { return };
    println!("at work");
    for _ in 0..1_000 {
        rebuild(&dir, None, None, None, &mut |_, _| {}).unwrap();
    }
}

/// Not a test by itself: the process that is killed.
#[test]
#[expect(clippy::print_stdout, reason = "the parent listens")]
fn child_that_folds() {
    let Some((dir, _)) = given() else { return };
    println!("at work");
    // As many commits as there are events: most moments lie within one.
    projector::catch_up_within(&dir, Duration::from_secs(10), close(1, 20, 5)).unwrap();
}

#[test]
fn a_killed_projector_loses_and_repeats_nothing() {
    let mut dice = Dice::new(7);
    for seed in 0..4 {
        let place = Place::new();
        let mut child = spawn("child_that_records", &place, seed);
        wait_for(&mut child, "at work");
        thread::sleep(Duration::from_millis(dice.below(300)));
        kill(child);
        assert!(projector::catch_up(&place.dir).unwrap().is_complete());
        let resumed = dump(&place.dir);
        assert_same(&resumed, &place.replayed(), &format!("seed {seed}, killed and replayed"));
    }
}

#[test]
fn a_killed_rebuild_leaves_the_tables_as_they_were() {
    let place = Place::traded(3, 600);
    let before = dump(&place.dir);
    let mut dice = Dice::new(11);
    for round in 0..20 {
        let mut child = spawn("child_that_rebuilds", &place, 0);
        wait_for(&mut child, "at work");
        thread::sleep(Duration::from_millis(dice.below(400)));
        kill(child);
        assert_same(&dump(&place.dir), &before, &format!("round {round}"));
    }
    rebuild(&place.dir, None, None, None, &mut |_, _| {}).unwrap();
    assert!(verify_tables(&place.dir, &mut |_, _| {}).unwrap().differences.is_empty());
    let names = std::fs::read_dir(&place.dir).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().contains(".db.rebuild")).collect();
    assert_eq!(left, [] as [&str; 0]);
}
