//! Tables as of a position are what a cold replay until there makes, whatever snapshots they are put together
//! from, and whatever state the live tables are in.

use std::collections::BTreeSet;
use std::path::Path;

use projections::calendar::TradingDate;
use projections::draft::Draft;
use rusqlite::Connection;
use tradefold::as_of::tables_as_of;
use tradefold::audit::{self, AuditError, Subject};
use tradefold::log::{Reader, TABLES_FILE};
use tradefold::metrics::{Question, on_demand};
use tradefold::projector::{self, Pace};
use tradefold::rebuild::{rebuild, rebuild_at, verify_tables};
use tradefold::tables::{self, Spacing, Tables};

use super::converge::seeds;
use super::events::{Dice, Trading, drafts_of, generated};
use super::support::{LONG, Place, assert_same, dump, dump_of, open_at};

/// Snapshots so close that a short journal has many, and too many.
pub(super) fn close(page_events: usize, snapshot_every: u64, snapshots_max: usize) -> Pace {
    Pace { page_events, spacing: Spacing { snapshot_every, snapshots_max } }
}

/// Records in batches of any size, with pages that end anywhere.
fn recorded(drafts: &[Draft], pace: Pace, dice: &mut Dice) -> Place {
    let place = Place::new();
    let journal = open_at(&place.dir, pace).unwrap();
    let mut rest = drafts;
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(rest.len().min(1 + usize::try_from(dice.below(40)).unwrap()));
        let seq = journal.append(batch.to_vec()).unwrap().head.seq;
        rest = after;
        if dice.below(3) == 0 || rest.is_empty() {
            journal.wait_until(seq, LONG).unwrap();
        }
    }
    drop(journal);
    place
}

fn count(conn: &Connection, sql: &str) -> u64 {
    conn.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap().cast_unsigned()
}

/// What is asked of tables beside their rows.
fn answers(conn: &Connection) -> String {
    let asked = ["all", "strategy", "symbol"].map(|dimension| {
        let question = Question { dimension: dimension.to_owned(), ..Question::default() };
        on_demand(conn, &question).unwrap()
    });
    format!("{asked:?}")
}

/// Compares tables as of some positions with cold replays.
struct Held {
    cold: Place,
}

impl Held {
    #[track_caller]
    fn at(&self, place: &Place, position: u64, what: &str) {
        let into = self.cold.dir.join("then");
        rebuild(&self.cold.dir, None, Some(position), Some(&into), &mut |_, _| {}).unwrap();
        let reader = Reader::open(&place.dir).unwrap();
        let past = tables_as_of(&reader, position, &mut |_, _| {}).unwrap();
        let cold = Tables::read_only(&into).unwrap();
        assert_same(&dump_of(&past), &dump_of(&cold), what);
        let digests = |conn| format!("{:?}", tables::digests(conn).unwrap());
        assert_eq!(digests(&past), digests(&cold), "{what}: digests");
        let cursors = |conn| {
            let each = tables::cursors(conn).unwrap().into_iter();
            each.map(|kept| (kept.name, kept.cursor.position, kept.cursor.hash, kept.digest)).collect::<Vec<_>>()
        };
        assert_eq!(cursors(&past), cursors(&cold), "{what}: cursors");
        assert_eq!(answers(&past), answers(&cold), "{what}: metrics");
    }
}

/// How many positions of each journal are asked for.
fn positions_per_journal() -> u64 {
    std::env::var("TRADEFOLD_POSITIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

fn streams() -> Vec<(String, Vec<Draft>)> {
    let traded = seeds().step_by(2).map(|seed| (format!("trading {seed}"), Trading::new(seed).drafts(400)));
    let odd = seeds().step_by(4).map(|seed| (format!("generated {seed}"), generated(seed, 300)));
    let fixture = |name: &str| {
        let path = format!("{}/replay-fixtures/{name}/events.jsonl", env!("CARGO_MANIFEST_DIR"));
        (name.to_owned(), drafts_of(&std::fs::read_to_string(path).unwrap()))
    };
    traded.chain(odd).chain(["week", "random-106", "random-113", "random-131"].map(fixture)).collect()
}

#[test]
fn any_position_is_what_a_cold_replay_makes_of_it() {
    let mut dice = Dice::new(5);
    for (name, drafts) in streams() {
        let pace = close(
            1 + usize::try_from(dice.below(30)).unwrap(),
            10 + dice.below(40),
            3 + usize::from(dice.below(2) == 0) * 60,
        );
        let place = recorded(&drafts, pace, &mut dice);
        let head = drafts.len() as u64;
        if head == 0 {
            continue;
        }
        let kept = count(&place.raw(), "SELECT count(*) FROM snapshots");
        assert!(kept >= 4 && kept <= 2 * pace.spacing.snapshots_max as u64, "{name}: {kept} snapshots");
        let held = Held { cold: place.cold_copy() };
        for _ in 0..positions_per_journal() {
            let position = dice.below(head + 1);
            held.at(&place, position, &format!("{name}, {pace:?}, as of {position}"));
        }
        held.at(&place, head, &format!("{name}, {pace:?}, as of the head"));
    }
}

#[test]
fn what_is_folded_on_from_then_is_the_present() {
    let mut dice = Dice::new(6);
    for seed in seeds() {
        let place = recorded(&Trading::new(seed).drafts(400), close(16, 30, 5), &mut dice);
        let live = dump(&place.dir);
        let (position, other) = (1 + dice.below(399), place.cold_copy());
        let into = place.dir.join("then");
        rebuild(&place.dir, None, Some(position), Some(&into), &mut |_, _| {}).unwrap();
        std::fs::copy(into.join(TABLES_FILE), other.dir.join(TABLES_FILE)).unwrap();
        assert!(projector::catch_up(&other.dir).unwrap().is_complete());
        assert_same(&dump(&other.dir), &live, &format!("seed {seed}, on from {position}"));
        assert!(verify_tables(&other.dir, &mut |_, _| {}).unwrap().differences.is_empty());
    }
}

#[test]
fn a_rebuilt_generation_knows_the_past_too() {
    let (drafts, mut dice) = (Trading::new(21).drafts(400), Dice::new(7));
    let place = recorded(&drafts, Pace::default(), &mut dice);
    let held = Held { cold: place.cold_copy() };
    for (tables, pace) in [(None, close(7, 20, 100)), (Some(&["market_data"][..]), close(31, 31, 4))] {
        rebuild_at(&place.dir, tables, pace, &mut |_, _| {}).unwrap();
        assert!(count(&place.raw(), "SELECT count(*) FROM snapshots WHERE projection = 'market_data'") >= 4);
        for position in (0..=400).step_by(67) {
            held.at(&place, position, &format!("{pace:?}, as of {position}"));
        }
    }
}

#[test]
fn the_past_needs_neither_snapshots_nor_tables_that_are_up_to_date() {
    let (mut trading, mut dice) = (Trading::new(22), Dice::new(8));
    let drafts = trading.drafts(300);
    let place = recorded(&drafts, close(16, 30, 100), &mut dice);
    // Behind: what was recorded since is in the log alone.
    tradefold::log::Writer::open(&place.dir, tradefold::log::WriterOptions::default())
        .unwrap()
        .append(trading.drafts(60))
        .unwrap();
    let held = Held { cold: place.cold_copy() };
    let positions = [0, 150, 300, 301, 360];
    let all = |what: &str| positions.iter().for_each(|at| held.at(&place, *at, &format!("{what}, as of {at}")));
    all("behind");
    place.raw().execute_batch("DELETE FROM snapshots; DELETE FROM past_rows; DELETE FROM past_state").unwrap();
    all("without snapshots");
    place.edit("UPDATE projections SET fingerprint = 'of an older fold' WHERE name = 'ledger'");
    all("outdated");
    place.delete_tables();
    all("missing");
    std::fs::write(place.dir.join(TABLES_FILE), vec![b'x'; 8192]).unwrap();
    all("unreadable");
}

#[test]
fn a_position_that_is_not_recorded_yet_is_the_head() {
    let place = recorded(&Trading::new(22).drafts(40), Pace::default(), &mut Dice::new(1));
    let reader = Reader::open(&place.dir).unwrap();
    let past = tables_as_of(&reader, 1_000, &mut |_, _| {}).unwrap();
    assert_same(&dump_of(&past), &dump(&place.dir), "beyond the head");
}

/// Every row that ever stood in the tables that can be audited.
fn subjects(dir: &Path, head: u64) -> Vec<Subject> {
    let reader = Reader::open(dir).unwrap();
    let mut names = BTreeSet::new();
    for position in (0..=head).step_by(9) {
        let past = tables_as_of(&reader, position, &mut |_, _| {}).unwrap();
        for (kind, sql) in [
            (0, "SELECT trade_id, '' FROM trades"),
            (1, "SELECT account_id, date FROM daily_pnl"),
            (2, "SELECT account_id, '' FROM accounts"),
        ] {
            let mut statement = past.prepare(sql).unwrap();
            let found = statement.query_map((), |row| Ok((kind, row.get(0)?, row.get(1)?))).unwrap();
            names.extend(found.collect::<Result<Vec<(i32, String, String)>, _>>().unwrap());
        }
    }
    let subject = |(kind, name, date): (i32, String, String)| match kind {
        0 => Subject::Trade(name),
        1 => Subject::Day { account: name, date: TradingDate::parse(&date).unwrap() },
        _ => Subject::Account(name),
    };
    names.into_iter().map(subject).collect()
}

/// The steps as text; `None` where there is no such thing.
fn told(dir: &Path, subject: &Subject, after: u64, through: u64) -> Option<Vec<String>> {
    match audit::steps(&Reader::open(dir).unwrap(), subject, after, through) {
        Ok(steps) => Some(steps.iter().map(|step| format!("{step:?}")).collect()),
        Err(AuditError::Unknown { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn an_audit_tells_the_same_whatever_snapshots_there_are() {
    let mut dice = Dice::new(9);
    for seed in seeds().step_by(8) {
        let place = recorded(&Trading::new(seed).drafts(180), close(16, 40, 4), &mut dice);
        let cold = place.cold_copy();
        for subject in subjects(&place.dir, 180) {
            let whole = told(&cold.dir, &subject, 0, u64::MAX);
            assert_eq!(told(&place.dir, &subject, 0, u64::MAX), whole, "seed {seed}: {subject}");
            let then = told(&cold.dir, &subject, 100, 170);
            assert_eq!(told(&place.dir, &subject, 100, 170), then, "seed {seed}: {subject} after 100 until 170");
        }
    }
}

#[test]
fn a_day_that_came_and_went_between_two_snapshots_has_its_history() {
    let place = Place::new();
    let journal = open_at(&place.dir, close(16, 40, 4)).unwrap();
    let seq = journal.append(Trading::new(632).drafts(180)).unwrap().head.seq;
    journal.wait_until(seq, LONG).unwrap();
    drop(journal);
    let day = Subject::Day { account: "live".to_owned(), date: TradingDate::parse("2026-03-03").unwrap() };
    let whole = told(&place.cold_copy().dir, &day, 0, u64::MAX);
    assert_eq!(whole.as_ref().map(Vec::len), Some(2));
    assert_eq!(told(&place.dir, &day, 0, u64::MAX), whole);
}
