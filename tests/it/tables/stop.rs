//! Events of a newer program: who could be wrong without them stops before them and says so; the others go on.

use projections::draft::{Draft, Stream};
use tradefold::projector::{self, WaitError};
use tradefold::rebuild::verify_tables;
use tradefold::tables::Stopped;

use super::events::Trading;
use super::support::{LONG, Place, assert_same, dump};

fn draft(kind: &str, schema_version: u32, stream: &str) -> Draft {
    let stream = Stream::Named(stream.to_owned());
    Draft { id: None, kind: kind.to_owned(), schema_version, stream, ..Trading::new(1).draft() }
}

/// Records such an event among others and returns who stopped.
fn stopped_by(newer: Draft) -> Vec<&'static str> {
    let (place, mut trading) = (Place::new(), Trading::new(2));
    place.record(&mut trading, 100);
    let journal = place.open();
    journal.append(vec![newer]).unwrap();
    let seq = journal.append(trading.drafts(100)).unwrap().head.seq;
    let error = journal.wait_until(seq, LONG).unwrap_err();
    assert!(matches!(error, WaitError::Stopped { at: 101, .. }), "{error}");
    drop(journal);
    let caught_up = projector::catch_up(&place.dir).unwrap();
    let live = dump(&place.dir);
    let mut stopped = Vec::new();
    for state in &caught_up.projections {
        match &state.cursor.stopped {
            Some(Stopped { at, reason }) => {
                assert_eq!((*at, state.cursor.position), (101, 100));
                assert!(reason.contains("a newer tradefold is needed"), "{reason}");
                stopped.push(state.name);
            }
            None => assert_eq!(state.cursor.position, seq),
        }
    }
    assert!(verify_tables(&place.dir, &mut |_, _| {}).unwrap().differences.is_empty());
    place.delete_tables();
    assert_eq!(projector::catch_up(&place.dir).unwrap().projections, caught_up.projections);
    assert_same(&live, &dump(&place.dir), "stopped, and replayed until it stopped");
    stopped
}

#[test]
fn an_unknown_type_stops_who_follows_its_stream() {
    assert_eq!(stopped_by(draft("MoonPhase", 1, "market/ES/5m")), ["market_data"]);
    assert_eq!(stopped_by(draft("MoonPhase", 1, "trade/t1")), ["ledger"]);
    assert_eq!(stopped_by(draft("MoonPhase", 1, "moon")), ["ledger", "market_data"]);
}

#[test]
fn a_newer_version_stops_who_reads_the_type() {
    assert_eq!(stopped_by(draft("BarClosed", 9, "market/ES/5m")), ["ledger", "market_data"]);
    assert_eq!(stopped_by(draft("NoteAdded", 9, "account/default")), ["ledger"]);
}

#[test]
fn it_is_tried_again_when_the_journal_is_opened() {
    let place = Place::new();
    let journal = place.open();
    let seq = journal.append(vec![draft("MoonPhase", 1, "market/ES/5m")]).unwrap().head.seq;
    assert!(matches!(journal.wait_until(seq, LONG), Err(WaitError::Stopped { .. })));
    drop(journal);
    // What an older program could not read, and left its mark before; this one reads it.
    place.edit("UPDATE projections SET position = 0, hash = zeroblob(32), stopped_at = 1 WHERE name = 'ledger'");
    let journal = place.open();
    let head = journal.status().unwrap().head.seq;
    assert!(matches!(journal.wait_until(head, LONG), Err(WaitError::Stopped { projection: "market_data", .. })));
    let status = journal.status().unwrap();
    let ledger = status.projections.iter().find(|state| state.name == "ledger").unwrap();
    assert!(!ledger.is_stopped());
    assert_eq!(status.lag(ledger), 0);
}
