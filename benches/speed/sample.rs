//! Owns what the measurements run on: seeded events as lines, as a file, as rows of a log, and a journal of them.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use projections::draft::{Draft, Stored};
use projections::validate::parse_edge;
use tempfile::TempDir;
use tradefold::log::{self, Reader, Writer, WriterOptions};
use tradefold::projector;

use super::seeded;

/// Events, and a folder in which everything is made.
pub(crate) struct Sample {
    pub(crate) events: usize,
    pub(crate) lines: Vec<String>,
    /// The same as a file.
    pub(crate) file: PathBuf,
    /// The same as a log stores them.
    pub(crate) rows: Vec<Stored>,
    /// A journal of them with all its tables.
    pub(crate) journal: PathBuf,
    folder: TempDir,
}

impl Sample {
    pub(crate) fn new(events: usize) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let (file, journal) = (folder.path().join("events.jsonl"), folder.path().join("journal"));
        write_events(&file, events);
        append_by_command(&journal, &file);
        projector::catch_up(&journal).expect("tables");
        let text = fs::read_to_string(&file).expect("the file");
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        Self { events, lines, file, rows: stored(&journal), journal, folder }
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.journal.join(log::LOG_FILE)
    }

    pub(crate) fn tables(&self) -> PathBuf {
        self.journal.join(log::TABLES_FILE)
    }

    /// A new place beside the journal.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        if path.is_dir() {
            fs::remove_dir_all(&path).expect("an old folder");
        }
        for suffix in ["", "-wal", "-shm"] {
            fs::remove_file(path.with_file_name(format!("{name}{suffix}"))).unwrap_or_default();
        }
        path
    }

    /// A writer of an empty log, alone: nothing is folded.
    pub(crate) fn writer(&self, name: &str) -> Writer {
        let dir = self.place(name);
        let options = WriterOptions::default();
        log::create(&dir, options.lock_wait).expect("a log");
        Writer::open(&dir, options).expect("a writer")
    }

    /// Some of the lines as drafts: parsed and checked.
    pub(crate) fn drafts(lines: &[String]) -> Vec<Draft> {
        lines.iter().map(|line| parse_edge(line).expect("a valid event")).collect()
    }
}

/// Writes seeded events to a file.
pub(crate) fn write_events(file: &Path, events: usize) {
    let output = std::io::BufWriter::with_capacity(1 << 20, fs::File::create(file).expect("a file"));
    seeded::write(events as u64, 1, output).expect("events");
}

/// The program itself.
pub(crate) fn tradefold(journal: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradefold"));
    command.arg("--journal").arg(journal).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Records a file by the program's own command.
pub(crate) fn append_by_command(journal: &Path, file: &Path) {
    let done = tradefold(journal).arg("append").arg(file).status().expect("the program");
    assert!(done.success(), "append failed");
}

fn stored(journal: &Path) -> Vec<Stored> {
    let mut rows = Vec::new();
    let reader = Reader::open(journal).expect("the log");
    reader
        .scan(0, u64::MAX, |event| {
            rows.push(Stored::from(event));
            ControlFlow::Continue(())
        })
        .expect("the log");
    rows
}
