//! Rebuilds, partial ones and rollbacks while events are recorded, folded and read: every read sees one whole
//! generation whose tables agree with each other, at positions that never go back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use tradefold::rebuild::{rebuild, roll_back, verify_tables};
use tradefold::tables::{Tables, hold_still};

use super::events::Trading;
use super::past::close;
use super::support::{LONG, Place, open_at};

const ROUNDS: usize = 9;

/// What is recorded meanwhile: batches of five events, and the pause between two.
const BATCHES: usize = 150;
const PAUSE: Duration = Duration::from_millis(20);

fn number(conn: &Connection, sql: &str) -> f64 {
    conn.query_row(sql, (), |row| row.get::<_, Option<f64>>(0)).unwrap().unwrap_or(0.0)
}

fn count(conn: &Connection, sql: &str) -> i64 {
    conn.query_row(sql, (), |row| row.get(0)).unwrap()
}

/// One read of everything, in one transaction: what holds at every position.
fn read(place: &Place, indexes: i64, last: &mut (i64, i64)) {
    let conn = Tables::read_only(&place.dir).unwrap();
    hold_still(&conn).unwrap();
    let trips = number(&conn, "SELECT sum(pl_gross) FROM round_trips");
    let trades = number(&conn, "SELECT sum(pl_amount_gross) FROM trades WHERE status <> 'voided'");
    let days = number(&conn, "SELECT sum(pl_gross) FROM daily_pnl");
    assert!((trips - trades).abs() < 1e-6 && (trips - days).abs() < 1e-6, "{trips} {trades} {days}");
    let objects = "SELECT count(*) FROM sqlite_schema WHERE type IN ('index', 'trigger')";
    assert_eq!(count(&conn, objects), indexes);
    let position = count(&conn, "SELECT min(position) FROM projections");
    let generation = count(&conn, "SELECT max(generation) FROM projections");
    assert_eq!(count(&conn, "SELECT count(DISTINCT generation) FROM projections"), 1);
    assert!(position >= last.0 && generation >= last.1, "{last:?} then {position}, {generation}");
    *last = (position, generation);
}

#[test]
fn who_reads_while_tables_are_rebuilt_sees_one_whole_generation() {
    let place = Place::traded(31, 400);
    let indexes = count(&place.raw(), "SELECT count(*) FROM sqlite_schema WHERE type IN ('index', 'trigger')");
    let (over, recorded, reads) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let journal = open_at(&place.dir, close(16, 40, 8)).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut trading = Trading::new(32);
            // No more than can be folded again and again by the slowest of builds.
            for _ in 0..BATCHES {
                recorded.store(journal.append(trading.drafts(5)).unwrap().head.seq, Ordering::Relaxed);
                thread::sleep(PAUSE);
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = (0, 0);
                while !over.load(Ordering::Relaxed) {
                    read(&place, indexes, &mut last);
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let made = thread::Builder::new().spawn_scoped(scope, || {
            for round in 0..ROUNDS {
                let made = match round % 3 {
                    0 => rebuild(&place.dir, None, None, None, &mut |_, _| {}),
                    1 => rebuild(&place.dir, Some(&["market_data"]), None, None, &mut |_, _| {}),
                    _ => roll_back(&place.dir, &mut |_, _| {}),
                };
                assert_eq!(made.unwrap().generation, Some(round as u64 + 2));
            }
        });
        let made = made.unwrap().join();
        // Whatever came of it, the others end.
        over.store(true, Ordering::Relaxed);
        made.unwrap();
    });
    journal.wait_until(recorded.load(Ordering::Relaxed), LONG).unwrap();
    drop(journal);
    assert!(reads.load(Ordering::Relaxed) > 0);
    assert!(verify_tables(&place.dir, &mut |_, _| {}).unwrap().differences.is_empty());
}
