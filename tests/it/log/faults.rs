//! A disk that fails: an answer is never better than the truth. The system calls of a child process are made
//! to fail by `strace`; SQLite is built to call `fdatasync` (`.cargo/config.toml`), and each run shows that its fault fired.

use std::path::Path;
use std::process::Command;

use tradefold::log::{AppendError, Reader, Writer, WriterOptions};

use super::support::{Journal, LOCK_WAIT, as_child, assert_sound, child, draft, nth};

const BATCHES: u32 = 60;

/// Set for a child that reads its log too, as a projector does: what a failed commit left in the write-ahead
/// log is then not looked at when the writer opens it again.
const READS_TOO: &str = "TRADEFOLD_TEST_READS_TOO";

fn batch(number: u32) -> Vec<projections::draft::Draft> {
    (number * 10..number * 10 + 10).map(nth).collect()
}

/// Why `strace` can't be used here.
fn unusable() -> Option<String> {
    match Command::new("strace").args(["-o", "/dev/null", "true"]).output() {
        Err(error) => Some(format!("strace: {error}")),
        Ok(output) if !output.status.success() => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
        Ok(_) => None,
    }
}

#[derive(Debug, Default)]
struct Told {
    acknowledged: u32,
    unknown: u32,
    nothing: u32,
    failed_to_open: bool,
}

/// Runs the child under one fault; `None` where the fault did not fire.
fn run(call: &str, error: &str, when: &str, reads_too: bool) -> Option<Told> {
    let journal = Journal::with_events(5);
    let trace = journal.dir.with_extension("strace");
    let mut appends = child("log::faults::in_a_child_with_a_failing_disk", &journal.dir);
    if reads_too {
        appends.env(READS_TOO, "1");
    }
    let output = Command::new("strace")
        .args(["-f", "--seccomp-bpf", "-e", &format!("trace={call}"), "-o"])
        .arg(&trace)
        .args(["-e", &format!("inject={call}:error={error}:when={when}")])
        .arg(appends.get_program())
        .args(appends.get_args())
        .envs(appends.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let context = format!("{call} {error} {when}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{context}");
    let told = check(&journal.dir, &said, &context);
    std::fs::read_to_string(&trace).unwrap().contains("(INJECTED)").then_some(told)
}

/// Holds what the child was told against what the log holds.
fn check(dir: &Path, said: &str, context: &str) -> Told {
    // Whatever happened, the next writer opens it and finds a sound log.
    drop(Writer::open(dir, WriterOptions::default()).expect(context));
    let head = assert_sound(dir);
    let reader = Reader::open(dir).unwrap();
    let mut told = Told::default();
    let mut maybe = 0;
    let mut doubt = false;
    for line in said.lines() {
        let Some((answer, rest)) = line.split_once(' ') else { continue };
        let numbers: Vec<u32> = rest.split(' ').filter_map(|word| word.parse().ok()).collect();
        match (answer, numbers.as_slice()) {
            ("ACK", [number, appended]) => {
                told.acknowledged += 1;
                for draft in batch(*number) {
                    assert!(reader.by_id(draft.id.unwrap()).unwrap().is_some(), "batch {number} is lost: {context}");
                }
                assert!(*appended == 10 || doubt, "batch {number} was in the log without doubt: {context}");
                doubt = false;
            }
            ("UNKNOWN", [_]) => (told.unknown, doubt, maybe) = (told.unknown + 1, true, maybe + 1),
            ("NOTHING", [_]) => told.nothing += 1,
            ("OPEN", _) => told.failed_to_open = true,
            _ => {}
        }
    }
    let events = u64::from(told.acknowledged) * 10 + 5;
    assert!(head == events || (doubt && head == events + 10), "{head} of {events}: {context}");
    told
}

#[test]
fn in_a_child_with_a_failing_disk() {
    let Some(dir) = as_child() else { return };
    let writer = match Writer::open(&dir, WriterOptions::default()) {
        Ok(writer) => writer,
        Err(error) => return println!("OPEN {error}"),
    };
    let reader = std::env::var_os(READS_TOO).map(|_| Reader::open(&dir).unwrap());
    let (bell, rung) = crossbeam_channel::bounded(1);
    writer.subscribe(bell);
    for number in 1..=BATCHES {
        let recorded = (0..3).any(|_| match writer.append(batch(number)) {
            Ok(receipt) => {
                println!("ACK {number} {}", receipt.appended());
                assert!(rung.try_recv().is_ok(), "also when a commit of unknown outcome turns out well");
                if let Some(reader) = &reader {
                    assert_eq!(reader.head().unwrap(), receipt.head);
                }
                true
            }
            Err(AppendError::Unknown { source }) => {
                println!("UNKNOWN {number} {source}");
                false
            }
            Err(AppendError::Io { source }) => {
                println!("NOTHING {number} {source}");
                false
            }
            Err(other) => panic!("{other}"),
        });
        if !recorded {
            return;
        }
    }
}

/// Runs one fault at every `step`-th call until it doesn't fire any more.
fn sweep(call: &str, error: &str, step: usize) {
    if let Some(reason) = unusable() {
        return eprintln!("skipped: {reason}");
    }
    let (mut fired, mut sum) = (0, Told::default());
    for at in (1..).step_by(step) {
        let Some(told) = run(call, error, &at.to_string(), fired % 2 == 1) else { break };
        assert!(told.failed_to_open || told.acknowledged == BATCHES, "one fault is got over: {at} {told:?}");
        fired += 1;
        sum.unknown += told.unknown;
        sum.nothing += told.nothing;
    }
    eprintln!("{call} {error}: fired {fired} times; told unknown {}, nothing recorded {}", sum.unknown, sum.nothing);
    assert!(fired >= 20 && sum.unknown > 0, "{fired} {sum:?}");
}

#[test]
fn a_sync_that_fails_is_never_acknowledged() {
    sweep("fdatasync", "EIO", 2);
}

#[test]
fn a_write_that_fails_is_never_acknowledged() {
    sweep("pwrite64", "EIO", 17);
}

#[test]
fn a_full_disk_is_never_acknowledged() {
    sweep("pwrite64", "ENOSPC", 19);
}

#[test]
fn a_disk_that_stays_dead_is_never_acknowledged() {
    if let Some(reason) = unusable() {
        return eprintln!("skipped: {reason}");
    }
    for (call, error, when) in [("fdatasync", "EIO", "3+"), ("fdatasync", "EIO", "20+"), ("pwrite64", "EIO", "100+")] {
        let told = run(call, error, when, false).expect("fires");
        assert!(told.acknowledged < BATCHES && told.unknown + told.nothing > 0, "{call} {when} {told:?}");
    }
}

#[test]
fn a_disk_that_is_full_takes_events_again_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"]).arg(folder.path()).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        return eprintln!("skipped: a small tmpfs needs root and mount(8)");
    }
    let dir = folder.path().join("journal");
    let outcome = std::panic::catch_unwind(|| fill_and_empty(&dir));
    assert!(Command::new("umount").arg("-l").arg(folder.path()).status().unwrap().success());
    outcome.unwrap();
}

fn fill_and_empty(dir: &Path) {
    tradefold::log::create(dir, LOCK_WAIT).unwrap();
    let ballast = dir.join("ballast");
    std::fs::write(&ballast, vec![0; 4 << 20]).unwrap();
    let writer = Writer::open(dir, WriterOptions::default()).unwrap();
    // A reader needs the index of the write-ahead log, which a disk full to the last byte has no room for.
    let room = dir.join("room");
    std::fs::write(&room, vec![0; 256 << 10]).unwrap();
    let big = draft("NoteAdded", "system", &format!(r#"{{"text":"{}"}}"#, "x".repeat(8_000)));
    // More than the page cache holds: it is refused while it is written, before any commit.
    let error = writer.append(vec![big.clone(); 4_000]).unwrap_err();
    assert!(matches!(error, AppendError::Io { .. }), "{error}");
    std::fs::remove_file(room).unwrap();
    assert_eq!(assert_sound(dir), 0);
    let (mut recorded, mut failures) = (0, 0);
    while failures < 5 {
        match writer.append(vec![big.clone(); 10]) {
            Ok(receipt) => recorded = receipt.last_seq.unwrap(),
            Err(AppendError::Unknown { .. } | AppendError::Io { .. }) => failures += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(recorded > 100, "{recorded}");
    std::fs::remove_file(ballast).unwrap();
    let after = writer.append(vec![big; 10]).unwrap();
    assert!(after.last_seq.unwrap() >= recorded + 10);
    drop(writer);
    assert_eq!(Some(assert_sound(dir)), after.last_seq);
}
