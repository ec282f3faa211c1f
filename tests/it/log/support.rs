//! What the log's tests share: a journal in a folder of its own, and drafts.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use projections::draft::{Draft, Stored, Stream};
use projections::moment::Moment;
use tempfile::TempDir;
use tradefold::log::{self, Reader, Writer, WriterOptions, verify};
use uuid::Uuid;

/// How long to wait for a lock. Not nothing: a child that another test is just starting holds copies of all this
/// process's locks until it runs.
pub(crate) const LOCK_WAIT: Duration = Duration::from_millis(500);

pub(crate) struct Journal {
    _folder: TempDir,
    pub(crate) dir: PathBuf,
}

impl Journal {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("journal");
        log::create(&dir, LOCK_WAIT).unwrap();
        Self { _folder: folder, dir }
    }

    /// A journal with `count` events over a few streams, closed.
    pub(crate) fn with_events(count: u32) -> Self {
        let journal = Self::new();
        let writer = journal.writer();
        for first in (1..=count).step_by(100) {
            writer.append((first..=count.min(first + 99)).map(nth).collect()).unwrap();
        }
        journal
    }

    pub(crate) fn writer(&self) -> Writer {
        Writer::open(&self.dir, WriterOptions { lock_wait: LOCK_WAIT, ..WriterOptions::default() }).unwrap()
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.dir).unwrap()
    }

    pub(crate) fn events(&self) -> Vec<Stored> {
        self.reader().read_after(0, usize::MAX).unwrap()
    }

    /// A connection that obeys nothing of ours.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.dir.join(log::LOG_FILE)).unwrap()
    }

    pub(crate) fn verify(&self) -> verify::Report {
        verify::whole(&self.reader(), &mut |_, _| {}).unwrap()
    }
}

/// The event every test means by its number: always the same id, type, stream and content.
pub(crate) fn nth(number: u32) -> Draft {
    Draft {
        id: Some(Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0000 + u128::from(number))),
        occurred_at: Moment(1_772_461_867_250_000 + i64::from(number)),
        ..draft("NoteAdded", &format!("account/{}", number % 3), &format!(r#"{{"text":"note {number}"}}"#))
    }
}

/// A draft without an id.
pub(crate) fn draft(kind: &str, stream: &str, data: &str) -> Draft {
    Draft {
        id: None,
        kind: kind.to_owned(),
        schema_version: 1,
        occurred_at: Moment(1_772_461_867_250_000),
        stream: Stream::Named(stream.to_owned()),
        data: data.to_owned(),
        meta: None,
        expected_version: None,
    }
}

/// Positions 1..n without a gap, and a log that verifies.
pub(crate) fn assert_sound(dir: &Path) -> u64 {
    let reader = Reader::open(dir).unwrap();
    let report = verify::whole(&reader, &mut |_, _| {}).unwrap();
    assert_eq!(report.findings.kept(), [], "{}", dir.display());
    assert_eq!(report.checked, report.head.seq);
    report.head.seq
}

const CHILD_DIR: &str = "TRADEFOLD_TEST_CHILD_DIR";

/// A command that runs one test of this binary as a child process, for a folder. That test does nothing
/// unless it finds itself a child.
pub(crate) fn child(test: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD_DIR, dir);
    command
}

/// The folder this test is to work in as a child process.
pub(crate) fn as_child() -> Option<PathBuf> {
    let dir = std::env::var_os(CHILD_DIR).map(PathBuf::from)?;
    // Ends the line in which the test harness names the test.
    println!();
    Some(dir)
}

/// Reads lines until one contains `text`.
pub(crate) fn read_until(from: &mut impl Read, text: &str) {
    let found = BufReader::new(from).lines().any(|line| line.unwrap().contains(text));
    assert!(found, "the child ended without saying {text}");
}

/// A small random number generator whose seed is printed with a failure and can be given again.
pub(crate) struct Random {
    pub(crate) seed: u64,
    state: u64,
}

impl Random {
    pub(crate) fn seeded(variable: &str) -> Self {
        let given = std::env::var(variable).ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| tradefold::log::now().0.unsigned_abs());
        eprintln!("{variable}={seed}");
        Self { seed, state: seed }
    }

    /// A number below `bound` (splitmix64).
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
