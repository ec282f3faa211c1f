//! Owns the measurements of replay: all tables anew, the fold by itself, the chain, and how soon a fact shows.

use std::time::{Duration, Instant};

use projections::draft::Stored;
use projections::drawer::MemoryShelf;
use projections::projection::{PROJECTIONS, Projection};
use projections::upcast::{self, Raw};
use tradefold::journal::{Journal, JournalOptions};
use tradefold::log::{self, Reader, Ticket, verify};
use tradefold::rebuild::rebuild;

use super::plain;
use super::report::{Comparison, Figure, percentile, rate, timed};
use super::sample::Sample;

/// Events between two flushes of the fold by itself, as in a rebuild.
const PAGE: usize = 16_384;
/// How often an event comes while it is measured how soon it shows, and how many come.
const BEAT: Duration = Duration::from_millis(1);
const BEATS: usize = 3_000;
/// Events before that.
const GROUP: usize = 100;

pub(crate) fn measure(sample: &Sample, rounds: usize) {
    rebuild_all(sample, rounds).print();
    fold(sample, rounds).print();
    chain(sample, rounds).print();
    visible(sample, rounds).iter().for_each(Figure::print);
}

fn scan_parse_fold(sample: &Sample) -> f64 {
    rate(sample.events, timed(|| plain::scan_parse_and_fold(&sample.log())).0)
}

fn rebuild_all(sample: &Sample, rounds: usize) -> Comparison {
    Comparison::of("`rebuild` of all tables, indexes and digests", "scan, parse, add up:", 0.25, rounds, || {
        let plain = scan_parse_fold(sample);
        let work = || rebuild(&sample.journal, None, None, None, &mut |_, _| {}).expect("a rebuild");
        (plain, rate(sample.events, timed(work).0))
    })
}

fn fold(sample: &Sample, rounds: usize) -> Comparison {
    Comparison::of("all folds in memory, events decoded", "scan, parse, add up:", 0.60, rounds, || {
        let plain = scan_parse_fold(sample);
        let work = || PROJECTIONS.iter().for_each(|about| fold_one((about.new)(), &sample.rows));
        (plain, rate(sample.events, timed(work).0))
    })
}

fn fold_one(mut projection: Box<dyn Projection>, rows: &[Stored]) {
    let mut shelf = MemoryShelf::default();
    let about = projection.about();
    for page in rows.chunks(PAGE) {
        for row in page.iter().filter(|row| about.reads(&row.kind, &row.stream, true)) {
            let event = upcast::decode_raw(&Raw {
                seq: row.seq,
                id: row.id,
                occurred_at: row.occurred_at,
                kind: &row.kind,
                schema_version: row.schema_version,
                data: &row.data,
            });
            projection.apply(&shelf, &event.expect("a checked event"));
        }
        shelf.keep(projection.flush(&shelf).1);
    }
}

fn chain(sample: &Sample, rounds: usize) -> Comparison {
    Comparison::of("`verify` of the log", "scan and SHA-256:", 0.80, rounds, || {
        let plain = rate(sample.events, timed(|| plain::scan_and_hash(&sample.log())).0);
        let reader = Reader::open(&sample.journal).expect("the log");
        let (took, report) = timed(|| verify::whole(&reader, &mut |_, _| {}).expect("the log"));
        assert!(report.is_sound());
        (plain, rate(sample.events, took))
    })
}

/// From when an event is handed over until it is on disk and in every table, at a thousand events a second.
fn visible(sample: &Sample, rounds: usize) -> [Figure; 2] {
    let mut percentiles = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        let delays = delays(sample);
        percentiles[0].push(percentile(&delays, 0.5));
        percentiles[1].push(percentile(&delays, 0.99));
    }
    let [middle, late] = percentiles;
    let figure = |what: &str, values, goal| Figure { what: what.to_owned(), unit: "ms", values, goal };
    [
        figure("handed over to durable and in every table at 1,000 a second, p50", middle, 3.0),
        figure("the same, p99", late, 10.0),
    ]
}

fn delays(sample: &Sample) -> Vec<f64> {
    let dir = sample.place("live");
    let options = JournalOptions::default();
    log::create(&dir, options.writer.lock_wait).expect("a log");
    let journal = Journal::open(&dir, options).expect("a journal");
    // What is made once, tables and threads, is made before.
    let (first, rest) = sample.lines.split_at(GROUP.min(sample.lines.len()));
    let head = journal.append(Sample::drafts(first)).expect("room").head.seq;
    journal.wait_until(head, Duration::from_secs(10)).expect("tables that follow");
    let (send, receive) = crossbeam_channel::unbounded::<(Ticket, Instant)>();
    std::thread::scope(|scope| {
        let journal = &journal;
        let waiting = scope.spawn(move || {
            let wait = |(ticket, since): (Ticket, Instant)| {
                let recorded = ticket.wait().expect("room").head.seq;
                journal.wait_until(recorded, Duration::from_secs(10)).expect("tables that follow");
                since.elapsed().as_secs_f64() * 1_000.0
            };
            receive.iter().map(wait).collect()
        });
        let began = Instant::now();
        for (beat, line) in rest.iter().take(BEATS).enumerate() {
            // From when it was due: what comes late because the one before was slow is late too.
            let due = began + BEAT * u32::try_from(beat).unwrap_or(u32::MAX);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let ticket = journal.submit(Sample::drafts(std::slice::from_ref(line))).expect("room");
            send.send((ticket, due)).expect("the other thread");
        }
        drop(send);
        waiting.join().expect("the other thread")
    })
}
