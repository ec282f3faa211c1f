//! The habits of this code base that no compiler holds: what opens a file, how long it may be, who names whom.
//!
//! A rule is a list of findings over the sources; a test fails with all of them at once.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

use projections::TABLES;
use sha2::{Digest, Sha256};

const LINES_MAX: usize = 500;

/// Who may name a crate that the rest must know nothing of: folders end in `/`.
const ONLY_IN: [(&str, &[&str]); 8] = [
    // What is done for Python is done there.
    ("pyo3", &["python/src/"]),
    // Everything else asks the log, the tables or a door of theirs.
    ("rusqlite", &["src/log/", "src/tables/", "tests/", "benches/"]),
    // Fold state alone, which may be deleted: the crate is unmaintained.
    ("bincode", &["projections/codec.rs"]),
    // The service: the rest of the library knows nothing of it.
    ("axum", &["src/http/"]),
    ("tokio", &["src/http/", "tests/it/http/"]),
    ("hyper", &["src/http/"]),
    ("tokio_rustls", &["src/http/", "tests/it/http/"]),
    ("prometheus", &["src/http/"]),
];

/// What folds must not reach: they see events and a shelf.
const NOT_IN_PROJECTIONS: [&str; 5] = ["std::fs", "std::env::", "std::thread", "std::net", "SystemTime"];

#[test]
fn every_file_says_what_it_is() {
    report(sources().filter(|file| !file.text.starts_with("//!")).map(|file| format!("{} has no //!", file.path)));
}

#[test]
fn no_file_is_too_long() {
    report(sources().filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > LINES_MAX).then(|| format!("{} has {lines} lines, more than {LINES_MAX}", file.path))
    }));
}

#[test]
fn crates_are_named_where_they_belong() {
    report(sources().filter(|file| file.path != "tests/it/tidy.rs").flat_map(|file| {
        let named = move |name: &str| code(&file.text).any(|line| names(line, name));
        let strange = ONLY_IN.into_iter().filter(|(_, places)| !places.iter().any(|place| within(&file.path, place)));
        strange
            .filter(|(name, _)| named(name))
            .map(|(name, _)| format!("{} names {name}", file.path))
            .collect::<Vec<_>>()
    }));
}

#[test]
fn folds_know_nothing_of_the_world() {
    let pure = |file: &Source| {
        within(&file.path, "projections/")
            && !within(&file.path, "projections/tests/")
            && !within(&file.path, "projections/examples/")
    };
    report(sources().filter(pure).flat_map(|file| {
        let reached = NOT_IN_PROJECTIONS.into_iter().filter(|name| code(&file.text).any(|line| line.contains(name)));
        reached.map(|name| format!("{} reaches {name}", file.path)).collect::<Vec<_>>()
    }));
}

#[test]
fn a_table_has_one_name() {
    report(TABLES.iter().flat_map(|table| {
        let beside = ["rs", "sql"].map(|ending| format!("projections/{}.{ending}", table.name));
        beside.into_iter().filter(|path| !root().join(path).exists()).map(|path| format!("no {path}"))
    }));
    let sql = files(&root().join("projections"), "sql").into_iter();
    report(sql.filter_map(|path| {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        (!TABLES.iter().any(|table| table.name == name)).then(|| format!("{} is no table's", path.display()))
    }));
}

#[test]
fn no_test_is_forgotten() {
    for main in ["tests/it/main.rs", "projections/tests/fold/main.rs", "projections/tests/vocabulary/main.rs"] {
        let folder = root().join(main).parent().unwrap().to_owned();
        let text = read_to_string(root().join(main)).unwrap();
        let modules = std::fs::read_dir(&folder).unwrap().filter_map(|entry| {
            let path = entry.unwrap().path();
            let module =
                path.is_dir() && path.join("mod.rs").exists() || path.extension().is_some_and(|end| end == "rs");
            module.then(|| path.file_stem().unwrap().to_str().unwrap().to_owned())
        });
        let forgotten = modules.filter(|name| name != "main" && !text.contains(&format!("mod {name};")));
        report(forgotten.map(|name| format!("{main} has no `mod {name};`")));
    }
}

#[test]
fn what_is_vendored_is_what_was_published() {
    let vendor = root().join("dashboard/vendor");
    let table = read_to_string(vendor.join("README.md")).unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut known = vec!["README.md", "LICENSE", "NOTICE"];
    for row in rows {
        let name = row.split('`').next().unwrap();
        let hash: String = Sha256::digest(std::fs::read(vendor.join(name)).unwrap())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(
            row.contains(&format!("`{hash}`")),
            "dashboard/vendor/{name} hashes to {hash}; the README says otherwise"
        );
        known.push(name);
    }
    assert!(known.len() > 3, "no file is listed");
    let there = std::fs::read_dir(&vendor).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    report(
        there
            .filter(|name| !known.contains(&name.as_str()))
            .map(|name| format!("dashboard/vendor/{name} is not in the README")),
    );
}

struct Source {
    /// From the root, with slashes.
    path: String,
    text: String,
}

fn sources() -> impl Iterator<Item = Source> {
    let folders = ["src", "tests", "benches", "projections", "python/src"];
    folders.into_iter().flat_map(|folder| files(&root().join(folder), "rs")).map(|path| {
        let text = read_to_string(&path).unwrap();
        let path = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        Source { path, text }
    })
}

/// Files below a folder with this ending, in order.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let below = |path: PathBuf| if path.is_dir() { files(&path, ending) } else { vec![path] };
    let all = paths.into_iter().flat_map(below);
    all.filter(|path| path.extension().is_some_and(|end| end == ending)).collect()
}

/// Lines that are not comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// Whether a line names a crate: as a path or in a `use`.
fn names(line: &str, name: &str) -> bool {
    line.contains(&format!("{name}::")) || line.contains(&format!("use {name}"))
}

fn within(path: &str, place: &str) -> bool {
    if place.ends_with('/') { path.starts_with(place) } else { path == place }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn report(findings: impl Iterator<Item = String>) {
    let findings: Vec<String> = findings.collect();
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}
