//! Readers: pages that meet without a gap, streams, ids, and a writer beside them.

use std::ops::ControlFlow;

use projections::moment::Moment;
use tradefold::log::{Counts, Head, Reader};
use uuid::Uuid;

use super::support::{Journal, nth};

fn scanned(reader: &Reader, after: u64, through: u64, at_most: usize) -> Vec<u64> {
    let mut seqs = Vec::new();
    let last = reader.scan(after, through, |event| {
        seqs.push(event.seq);
        if seqs.len() < at_most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert_eq!(last.unwrap(), seqs.last().copied().unwrap_or(after));
    seqs
}

#[test]
fn a_scan_sees_each_position_once_across_pages() {
    let journal = Journal::with_events(3_000);
    let reader = journal.reader();
    let all: Vec<u64> = (1..=3_000).collect();
    assert_eq!(scanned(&reader, 0, u64::MAX, usize::MAX), all);
    assert_eq!(scanned(&reader, 0, 1_024, usize::MAX), all[..1_024]);
    assert_eq!(scanned(&reader, 1_000, 2_500, usize::MAX), all[1_000..2_500]);
    assert_eq!(scanned(&reader, 0, u64::MAX, 1_500), all[..1_500]);
    assert!(scanned(&reader, 3_000, u64::MAX, 9).is_empty());
    assert_eq!(reader.read_after(10, 3).unwrap().iter().map(|event| event.seq).collect::<Vec<_>>(), [11, 12, 13]);
    assert_eq!(reader.read_after(10, 0).unwrap(), []);
}

#[test]
fn streams_ids_and_positions_are_found() {
    let journal = Journal::with_events(4_000);
    let reader = journal.reader();
    let mut versions = Vec::new();
    let collect = |event: tradefold::log::EventRef<'_>| {
        assert_eq!(event.stream, "account/1");
        versions.push((event.stream_version, event.seq));
        ControlFlow::Continue(())
    };
    reader.stream("account/1", 3, collect).unwrap();
    assert_eq!(versions, (4..=1_334).map(|version| (version, version * 3 - 2)).collect::<Vec<_>>());
    assert_eq!(reader.stream_version("account/1").unwrap(), 1_334);
    assert_eq!(reader.stream_version("account/none").unwrap(), 0);
    assert_eq!(reader.by_id(nth(77).id.unwrap()).unwrap().unwrap().seq, 77);
    assert_eq!(reader.by_id(Uuid::nil()).unwrap(), None);
    let mut seqs = Vec::new();
    let each = |event: tradefold::log::EventRef<'_>| {
        seqs.push(event.seq);
        ControlFlow::Continue(())
    };
    reader.by_seqs(&[9, 3, 9_999, 0, 4_000, 3], each).unwrap();
    assert_eq!(seqs, [9, 3, 4_000, 3]);
    assert_eq!(reader.counts().unwrap(), Counts { events: 4_000, streams: 3 });
    assert_eq!(reader.counts_by_type().unwrap(), [("NoteAdded".to_owned(), 4_000)]);
    assert_eq!(reader.last_recorded_by(Moment::MAX).unwrap(), 4_000);
    assert_eq!(reader.last_recorded_by(Moment(0)).unwrap(), 0);
}

#[test]
fn the_head_and_the_hash_at_a_position() {
    let journal = Journal::new();
    assert_eq!(journal.reader().head().unwrap(), Head::EMPTY);
    assert_eq!(journal.reader().hash_at(0).unwrap(), Some([0; 32]));
    assert_eq!(journal.reader().hash_at(1).unwrap(), None);
    let heads: Vec<_> = {
        let writer = journal.writer();
        (1..=3).map(|number| writer.append(vec![nth(number)]).unwrap().head).collect()
    };
    let reader = journal.reader();
    assert_eq!(reader.head().unwrap(), heads[2]);
    for head in heads {
        assert_eq!(reader.hash_at(head.seq).unwrap(), Some(head.hash));
    }
    assert_ne!(reader.identity().uuid, Journal::new().reader().identity().uuid);
}

#[test]
fn readers_follow_a_writer_without_missing_or_repeating() {
    let journal = Journal::new();
    let writer = journal.writer();
    let (bell, rung) = crossbeam_channel::bounded(1);
    writer.subscribe(bell);
    let dir = journal.dir;
    let follower = std::thread::spawn(move || {
        let reader = Reader::open(&dir).unwrap();
        let mut seen = Vec::new();
        loop {
            // Its own position decides, the bell only wakes.
            for event in reader.read_after(seen.len() as u64, 7).unwrap() {
                seen.push(event.id);
            }
            if seen.len() == 500 {
                return seen;
            }
            if reader.head().unwrap().seq == seen.len() as u64 {
                rung.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
            }
        }
    });
    for first in (1..=500).step_by(4) {
        writer.append((first..first + 4).map(nth).collect()).unwrap();
    }
    let seen = follower.join().unwrap();
    assert_eq!(seen, (1..=500).map(|number| nth(number).id.unwrap()).collect::<Vec<_>>());
}

#[test]
fn a_reader_in_the_middle_of_a_page_does_not_block_the_writer() {
    let journal = Journal::with_events(100);
    let reader = journal.reader();
    let writer = journal.writer();
    let mut number = 1_000;
    let last = reader.scan(0, 150, |_| {
        number += 1;
        writer.append(vec![nth(number)]).unwrap();
        ControlFlow::Continue(())
    });
    assert_eq!(last.unwrap(), 100, "a page is a snapshot");
    assert_eq!(reader.head().unwrap().seq, 200);
}

#[test]
fn a_reader_that_holds_an_old_snapshot_keeps_no_writer_out() {
    let journal = Journal::with_events(10);
    let writer = journal.writer();
    let raw = journal.raw();
    raw.execute_batch("BEGIN; SELECT count(*) FROM events;").unwrap();
    writer.append(vec![nth(11)]).unwrap();
    drop(writer);
    let writer = journal.writer();
    writer.append(vec![nth(12)]).unwrap();
    let seen: i64 = raw.query_row("SELECT max(seq) FROM events", [], |row| row.get(0)).unwrap();
    assert_eq!((seen, journal.reader().head().unwrap().seq), (10, 12));
    raw.execute_batch("COMMIT").unwrap();
    super::support::assert_sound(&journal.dir);
}
