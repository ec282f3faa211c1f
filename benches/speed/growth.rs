//! Owns the measurements at size: time an event, of the clock and of the processor, and peak memory of each command, at so
//! many events and at ten times as many. Memory and processor time are what the kernel counts for the process (`VmHWM`,
//! `utime` and `stime`): they hardly depend on what else the machine does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::answers;
use super::report::{Figure, timed};
use super::sample::{tradefold, write_events};

/// How often a running program's memory is looked at.
const LOOK: Duration = Duration::from_millis(5);

const MEGABYTES_MAX: f64 = 200.0;
const GROWTH_MAX: f64 = 1.10;

/// What a command took.
struct Cost {
    seconds: f64,
    processor_seconds: f64,
    megabytes: f64,
}

/// The commands, and what each took at one size.
type Costs = Vec<(&'static str, Cost)>;

pub(crate) fn measure(small: usize) {
    let large = small * 10;
    let (at_small, _) = costs(small);
    let (at_large, place) = costs(large);
    for ((name, small_cost), (_, large_cost)) in at_small.iter().zip(&at_large) {
        let memory = |what: String, values, goal| Figure { what, unit: "MB", values, goal };
        let grown = (small_cost.megabytes * GROWTH_MAX).min(MEGABYTES_MAX);
        memory(format!("peak memory of `{name}` at {small} events"), vec![small_cost.megabytes], MEGABYTES_MAX).print();
        memory(format!("peak memory of `{name}` at {large} events"), vec![large_cost.megabytes], grown.round()).print();
        let growth = |kind: &str, large_time: f64, small_time: f64| Figure {
            what: format!("{kind} an event of `{name}` at {large} events to that at {small}"),
            unit: "x",
            values: vec![large_time / small_time / 10.0],
            goal: GROWTH_MAX,
        };
        growth("time", large_cost.seconds, small_cost.seconds).print();
        growth("processor time", large_cost.processor_seconds, small_cost.processor_seconds).print();
        println!(
            "    {:.1} s and {:.1} s, of them {:.1} and {:.1} of the processor",
            small_cost.seconds, large_cost.seconds, small_cost.processor_seconds, large_cost.processor_seconds
        );
    }
    answers::opening(&place.path().join("journal"), large).iter().for_each(Figure::print);
}

fn costs(events: usize) -> (Costs, TempDir) {
    let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (file, journal) = (place.path().join("events.jsonl"), place.path().join("journal"));
    write_events(&file, events);
    let csv: PathBuf = place.path().join("trades.csv");
    let mut costs: Costs = Vec::new();
    let mut run = |name: &'static str, command: &mut Command| costs.push((name, cost(command)));
    run("append", tradefold(&journal).arg("append").arg(&file));
    fs::remove_file(&file).expect("the file");
    run("rebuild", tradefold(&journal).arg("rebuild"));
    run("verify", tradefold(&journal).arg("verify"));
    run("tail", tradefold(&journal).args(["tail", "--json"]).stdout(Stdio::null()));
    run("export trades", tradefold(&journal).args(["export", "trades", "--out"]).arg(&csv));
    (costs, place)
}

fn cost(command: &mut Command) -> Cost {
    let work = || {
        let mut program = command.stdout(Stdio::null()).spawn().expect("the program");
        let proc = PathBuf::from(format!("/proc/{}", program.id()));
        let (mut peak, mut busy) = (0.0, 0.0);
        loop {
            peak = megabytes(&proc.join("status")).unwrap_or(peak);
            busy = processor_seconds(&proc.join("stat")).unwrap_or(busy);
            if let Some(done) = program.try_wait().expect("the program") {
                assert!(done.success(), "{command:?} failed");
                return (peak, busy);
            }
            thread::sleep(LOOK);
        }
    };
    let (took, (megabytes, processor_seconds)) = timed(work);
    Cost { seconds: took.as_secs_f64(), processor_seconds, megabytes }
}

/// What its threads have taken of the processor so far, by itself and in the kernel for it.
fn processor_seconds(stat: &Path) -> Option<f64> {
    const TICKS_A_SECOND: f64 = 100.0;
    let text = fs::read_to_string(stat).ok()?;
    // The name in parentheses may hold blanks; the fields after it do not.
    let mut fields = text.rsplit(')').next()?.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_A_SECOND)
}

/// The peak so far; none once the program has ended.
fn megabytes(status: &Path) -> Option<f64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1_024.0)
}
