//! Times the folds alone, in memory: `cargo bench --bench fold -- EVENTS.jsonl [PAGE]`.
//!
//! Each page is decoded, applied and flushed into a shelf in memory, as the projectors do it over SQLite. What each
//! step takes is told as a multiple of a yardstick measured in the same run (the payloads read into their structs by
//! serde_json), since seconds depend on the machine. Also printed: fold state by drawer, and a digest of all changes of rows.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use projections::changes::Change;
use projections::drawer::MemoryShelf;
use projections::event::{self, Event};
use projections::ledger;
use projections::moment::Moment;
use projections::projection::Projection;
use projections::upcast::{self, Raw};
use projections::validate;

/// An event as the log would hold it.
struct Recorded {
    id: uuid::Uuid,
    kind: String,
    schema_version: u32,
    occurred_at: Moment,
    data: String,
}

/// The rows of one flush.
type Changes = BTreeMap<&'static str, Vec<Change>>;

/// How long each step took, over all pages.
#[derive(Default)]
struct Spent {
    decode: Duration,
    apply: Duration,
    flush: Duration,
}

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(path) = arguments.next() else {
        return println!("usage: cargo bench --bench fold -- EVENTS.jsonl [PAGE]");
    };
    let page = arguments.next().and_then(|page| page.parse().ok()).unwrap_or(20_000);
    let log = read(&path);
    let yardstick = timed(|| log.iter().for_each(read_by_serde));
    let mut ledger = Fold::default();
    for (index, events) in log.chunks(page).enumerate() {
        ledger.page(index * page, events);
    }
    ledger.report(log.len(), yardstick);
}

fn read(path: &str) -> Vec<Recorded> {
    let text = std::fs::read_to_string(path).expect("a file of events");
    let record = |(at, line)| {
        let draft = validate::parse_edge(line).expect("an event a line");
        Recorded {
            id: draft.id.unwrap_or_else(|| uuid::Uuid::from_u128(at as u128)),
            kind: draft.kind,
            schema_version: draft.schema_version,
            occurred_at: draft.occurred_at,
            data: draft.data,
        }
    };
    text.lines().enumerate().map(record).collect()
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// The yardstick: the commonest payloads read into their structs, the others only looked through.
fn read_by_serde(recorded: &Recorded) {
    let data = &recorded.data;
    match recorded.kind.as_str() {
        "TradeOpened" => drop(black_box(serde_json::from_str::<event::TradeOpened>(data))),
        "FillRecorded" => drop(black_box(serde_json::from_str::<event::FillRecorded>(data))),
        "StopMoved" => drop(black_box(serde_json::from_str::<event::StopMoved>(data))),
        "ExcursionMarked" => drop(black_box(serde_json::from_str::<event::ExcursionMarked>(data))),
        "TradeExited" => drop(black_box(serde_json::from_str::<event::TradeExited>(data))),
        "BarClosed" => drop(black_box(serde_json::from_str::<event::BarClosed>(data))),
        _ => drop(black_box(serde_json::from_str::<serde::de::IgnoredAny>(data))),
    }
}

/// The ledger on its way through the log, and what it made.
#[derive(Default)]
struct Fold {
    ledger: ledger::Ledger,
    shelf: MemoryShelf,
    digest: u64,
    spent: Spent,
    /// Bytes of fold state written and still kept, by drawer.
    written: BTreeMap<&'static str, usize>,
    kept: BTreeMap<(&'static str, Vec<u8>), usize>,
}

impl Fold {
    fn page(&mut self, before: usize, recorded: &[Recorded]) {
        for (recorded, seq) in recorded.iter().zip(before as u64 + 1..) {
            let began = Instant::now();
            let event = decode(seq, recorded);
            let decoded = Instant::now();
            self.ledger.apply(&self.shelf, &event);
            self.spent.apply += decoded.elapsed();
            self.spent.decode += decoded - began;
        }
        let mut flushed = None;
        self.spent.flush += timed(|| {
            let (rows, changes) = self.ledger.flush(&self.shelf);
            flushed = Some((rows.into_tables(), changes));
        });
        let Some((rows, changes)) = flushed else { return };
        for change in &changes {
            let bytes = change.key.len() + change.value.as_ref().map_or(0, Vec::len);
            *self.written.entry(change.drawer).or_default() += bytes;
            match change.value {
                Some(_) => self.kept.insert((change.drawer, change.key.clone()), bytes),
                None => self.kept.remove(&(change.drawer, change.key.clone())),
            };
        }
        self.shelf.keep(changes);
        self.digest(&rows);
    }

    /// FNV-1a over every cell of every change of a row: equal folds have equal digests, at equal pages.
    fn digest(&mut self, rows: &Changes) {
        let mut take = |text: &str| {
            for byte in text.bytes().chain([0]) {
                self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for (table, changes) in rows {
            take(table);
            for (key, row) in changes {
                let (change, cells) = row.as_ref().map_or(("deleted", key), |row| ("put", row));
                take(change);
                cells.iter().for_each(|cell| take(&cell.to_text()));
            }
        }
    }

    fn report(&self, events: usize, yardstick: Duration) {
        let line = |name: &str, took: Duration| {
            let rate = events as f64 / took.as_secs_f64();
            let multiple = took.as_secs_f64() / yardstick.as_secs_f64();
            println!("{name:<10} {rate:>12.0} events/s {multiple:>8.2} x yardstick");
        };
        line("yardstick", yardstick);
        line("decode", self.spent.decode);
        line("apply", self.spent.apply);
        line("flush", self.spent.flush);
        line("together", self.spent.decode + self.spent.apply + self.spent.flush);
        let mut kept: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for ((drawer, _), bytes) in &self.kept {
            let sums = kept.entry(drawer).or_default();
            *sums = (sums.0 + 1, sums.1 + bytes);
        }
        println!("{:<12} {:>9} {:>14} {:>14}", "fold state", "values", "kept B/event", "written B/event");
        for (drawer, written) in &self.written {
            let (values, bytes) = kept.get(drawer).copied().unwrap_or_default();
            let each = |bytes: usize| bytes as f64 / events as f64;
            println!("{drawer:<12} {values:>9} {:>14.1} {:>14.1}", each(bytes), each(*written));
        }
        let total: usize = self.kept.values().sum();
        println!("all kept: {:.1} bytes/event; rows digest {:016x}", total as f64 / events as f64, self.digest);
    }
}

fn decode(seq: u64, recorded: &Recorded) -> Event {
    let raw = Raw {
        seq,
        id: recorded.id,
        occurred_at: recorded.occurred_at,
        kind: &recorded.kind,
        schema_version: recorded.schema_version,
        data: &recorded.data,
    };
    upcast::decode_raw(&raw).expect("a checked event")
}
