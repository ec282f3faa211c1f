//! Owns the measurements at size: time an event and peak memory of each command, at so many events and at ten times
//! as many. Memory is what the kernel counts for the process (`VmHWM`).

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
        Figure {
            what: format!("time an event of `{name}` at {large} events to that at {small}"),
            unit: "x",
            values: vec![large_cost.seconds / small_cost.seconds / 10.0],
            goal: GROWTH_MAX,
        }
        .print();
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
        let status = PathBuf::from(format!("/proc/{}/status", program.id()));
        let mut peak = 0.0;
        loop {
            peak = megabytes(&status).unwrap_or(peak);
            if let Some(done) = program.try_wait().expect("the program") {
                assert!(done.success(), "{command:?} failed");
                return peak;
            }
            thread::sleep(LOOK);
        }
    };
    let (took, megabytes) = timed(work);
    Cost { seconds: took.as_secs_f64(), megabytes }
}

/// The peak so far; none once the program has ended.
fn megabytes(status: &Path) -> Option<f64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1_024.0)
}
