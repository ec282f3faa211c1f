//! Whole recorded streams in `replay-fixtures/` with the tables they must produce. `UPDATE_FIXTURES=1`
//! rewrites the tables; the Python reference says whether what it wrote is right.

use std::fs;
use std::path::{Path, PathBuf};

use projections::TABLES;
use projections::event::Event;

use crate::runner::{csv, events, fold};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../replay-fixtures")
}

/// Every recorded stream by name.
pub(crate) fn streams() -> Vec<(String, Vec<Event>)> {
    let mut streams = Vec::new();
    let mut folders: Vec<PathBuf> =
        fs::read_dir(folder()).expect("replay-fixtures").map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    for path in folders.into_iter().filter(|path| path.join("events.jsonl").exists()) {
        let text = fs::read_to_string(path.join("events.jsonl")).expect("events.jsonl");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        streams.push((name, events(text.lines())));
    }
    assert!(streams.len() >= 3, "the recorded streams are gone");
    streams
}

#[test]
fn recorded_streams_produce_their_tables() {
    let update = std::env::var_os("UPDATE_FIXTURES").is_some();
    for (name, events) in streams() {
        let tables = fold(&events, |_| false);
        let out = folder().join(&name).join("tables");
        for table in TABLES {
            let path = out.join(format!("{}.csv", table.name));
            let got = csv(&tables, table);
            if update {
                fs::create_dir_all(&out).expect("a folder");
                fs::write(&path, &got).expect("a table");
            }
            let want = fs::read_to_string(&path).unwrap_or_default();
            assert!(got == want, "{name}: {} differs from {}", table.name, path.display());
        }
    }
}
