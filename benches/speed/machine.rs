//! Owns what must be known of a machine to read its figures: date, cores, how fast it syncs, and what SQLite was told.

use std::fs::{self, File};
use std::io::Write;

use tradefold::log;

use super::plain::PRAGMAS;
use super::report::{rate, timed};

/// Blocks written and synced to learn the rate.
const SYNCS: usize = 1_000;

/// Prints it.
pub(crate) fn describe() {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let pragmas: Vec<String> = PRAGMAS.iter().map(|(name, value)| format!("{name}={value}")).collect();
    println!("- {}, {cores} cores ({})", log::now(), model());
    println!("- {:.0} syncs a second (4 KiB appended and `fdatasync`)", syncs());
    println!("- SQLite {}; log: {}\n", log::sqlite_version(), pragmas.join(", "));
}

fn model() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| "unknown".to_owned(), |(_, name)| name.to_owned())
}

fn syncs() -> f64 {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut file = File::create(folder.path().join("blocks")).expect("a file");
    let work = || {
        for _ in 0..SYNCS {
            file.write_all(&[1; 4096]).expect("room");
            file.sync_data().expect("a disk");
        }
    };
    rate(SYNCS, timed(work).0)
}
