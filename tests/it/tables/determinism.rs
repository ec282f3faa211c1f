//! The gate of determinism: one log gives one digest of each table, whatever pages, snapshots, threads, restarts
//! and crashes made the tables. The digests are also reckoned from the rows, here, as docs/TABLES.md says.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

use projections::draft::Draft;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};
use tradefold::projector::{self, Pace};
use tradefold::rebuild::rebuild_at;
use tradefold::tables::{self, Tables};

use super::converge::seeds;
use super::events::{Dice, Trading, generated};
use super::kill::{kill, spawn, wait_for};
use super::past::close;
use super::support::{LONG, Place, open_at};

/// The rows of a table, and the sum of their hashes.
type Told = BTreeMap<&'static str, (u64, [u8; 32])>;

/// What the digests of a folder's tables are: those kept, which must be those of the rows.
#[track_caller]
fn told(dir: &Path, what: &str) -> Told {
    let conn = Tables::read_only(dir).unwrap();
    let mut told = Told::new();
    for (digests, kept) in tables::digests(&conn).unwrap().iter().zip(tables::cursors(&conn).unwrap()) {
        assert_eq!(digests.whole(), kept.digest, "{what}: the digest of {}", kept.name);
        for (table, digest) in digests.each() {
            let digest = (digest.rows, digest.sum());
            assert_eq!(reckoned(&conn, table.name), digest, "{what}: the rows of {} and their digest", table.name);
            told.insert(table.name, digest);
        }
    }
    assert_eq!(told.len(), projections::TABLES.len());
    told
}

fn reckoned(conn: &Connection, table: &str) -> (u64, [u8; 32]) {
    let mut statement = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns = statement.column_count();
    let (mut count, mut sum) = (0, [0; 32]);
    let mut rows = statement.query(()).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let mut bytes = b"tradefold row 1\0".to_vec();
        put(&mut bytes, table.as_bytes());
        for column in 0..columns {
            match row.get_ref(column).unwrap() {
                ValueRef::Null => bytes.push(0),
                ValueRef::Integer(value) => bytes.extend([&[1][..], &value.to_be_bytes()].concat()),
                ValueRef::Real(value) => bytes.extend([&[2][..], &(value + 0.0).to_be_bytes()].concat()),
                ValueRef::Text(text) => {
                    bytes.push(3);
                    put(&mut bytes, text);
                }
                ValueRef::Blob(_) => panic!("a blob in {table}"),
            }
        }
        count += 1;
        add(&mut sum, &Sha256::digest(&bytes).into());
    }
    (count, sum)
}

fn put(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend((text.len() as u64).to_be_bytes());
    bytes.extend(text);
}

/// Adds as one does on paper, from the last digit on.
fn add(sum: &mut [u8; 32], other: &[u8; 32]) {
    let mut carry = 0;
    for (digit, other) in sum.iter_mut().zip(other).rev() {
        let total = u16::from(*digit) + u16::from(*other) + carry;
        *digit = total.to_be_bytes()[1];
        carry = total >> 8;
    }
}

/// Pages and snapshots of all sizes, among them those of the program itself.
fn paces() -> [Pace; 5] {
    [close(1, 10, 3), close(7, 20, 64), close(64, 100, 4), close(16_384, 50, 2), Pace::default()]
}

/// Records in batches of any size, in steps of any size, by journals that are closed at any time.
fn recorded(drafts: &[Draft], dice: &mut Dice) -> Place {
    let (place, mut rest, mut journal) = (Place::new(), drafts, None);
    let mut seq = 0;
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(rest.len().min(1 + usize::try_from(dice.below(60)).unwrap()));
        let pace = paces()[usize::try_from(dice.below(5)).unwrap()];
        let open = journal.get_or_insert_with(|| open_at(&place.dir, pace).unwrap());
        seq = open.append(batch.to_vec()).unwrap().head.seq;
        rest = after;
        match dice.below(4) {
            0 => open.wait_until(seq, LONG).unwrap(),
            1 => journal = None,
            _ => {}
        }
    }
    journal.get_or_insert_with(|| place.open()).wait_until(seq, LONG).unwrap();
    drop(journal);
    place
}

fn catch_up(place: &Place, pace: Pace) {
    let caught_up = projector::catch_up_within(&place.dir, LONG, pace).unwrap();
    assert!(caught_up.is_complete(), "{caught_up:?}");
}

fn logs() -> impl Iterator<Item = (String, Vec<Draft>)> {
    let traded = seeds().step_by(4).map(|seed| (format!("trading {seed}"), Trading::new(seed).drafts(250)));
    let odd = seeds().step_by(8).map(|seed| (format!("generated {seed}"), generated(seed, 200)));
    traded.chain(odd).filter(|(_, drafts)| !drafts.is_empty())
}

#[test]
fn pages_snapshots_threads_and_restarts_change_no_digest() {
    let mut dice = Dice::new(31);
    for (name, drafts) in logs() {
        let live = recorded(&drafts, &mut dice);
        let expected = told(&live.dir, &name);
        let copy = live.cold_copy();
        for pace in paces() {
            copy.delete_tables();
            catch_up(&copy, pace);
            let what = format!("{name}, a thread a projection, {pace:?}");
            assert_eq!(told(&copy.dir, &what), expected, "{what}");
            rebuild_at(&copy.dir, None, pace, &mut |_, _| {}).unwrap();
            let what = format!("{name}, one pass for both, {pace:?}");
            assert_eq!(told(&copy.dir, &what), expected, "{what}");
        }
        // Of one projection alone, in the middle of which nobody looks at the other.
        for tables in [["trades"], ["market_data"]] {
            rebuild_at(&copy.dir, Some(&tables), close(5, 30, 3), &mut |_, _| {}).unwrap();
            assert_eq!(told(&copy.dir, &name), expected, "{name}, {tables:?} alone");
        }
    }
}

#[test]
fn a_crash_at_any_page_changes_no_digest() {
    let mut dice = Dice::new(32);
    for seed in seeds().step_by(4) {
        let live = Place::traded(seed, 300);
        let expected = told(&live.dir, "live");
        let copy = live.cold_copy();
        let mut places = Vec::new();
        for _ in 0..4 {
            let mut child = spawn("child_that_folds", &copy, seed);
            wait_for(&mut child, "at work");
            thread::sleep(Duration::from_millis(dice.below(60)));
            kill(child);
            // Whatever it left are tables of some position, with the digests of their rows.
            if let Ok(conn) = Tables::read_only(&copy.dir) {
                let cursors = tables::cursors(&conn).unwrap_or_default();
                places.push(cursors.iter().map(|kept| kept.cursor.position).collect::<Vec<_>>());
                if !cursors.is_empty() {
                    told(&copy.dir, &format!("seed {seed}, killed"));
                }
            }
        }
        catch_up(&copy, paces()[usize::try_from(dice.below(5)).unwrap()]);
        assert_eq!(told(&copy.dir, "resumed"), expected, "seed {seed}, killed at {places:?}");
    }
}
