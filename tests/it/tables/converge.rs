//! Live, replayed, restarted, deleted: the tables are the same to the bit.

use tradefold::projector;

use super::events::Trading;
use super::support::{LONG, Place, assert_same, dump};

/// The journals tried; TRADEFOLD_SEEDS=FROM..TO in the environment tries others.
pub(super) fn seeds() -> std::ops::Range<u64> {
    let given = std::env::var("TRADEFOLD_SEEDS").ok();
    given
        .and_then(|text| {
            let (from, to) = text.split_once("..")?;
            Some(from.parse().ok()?..to.parse().ok()?)
        })
        .unwrap_or(1..9)
}

#[test]
fn tables_do_not_depend_on_batches_restarts_or_deletion() {
    for seed in seeds() {
        let place = Place::new();
        let mut trading = Trading::new(seed);
        let mut journal = Some(place.open());
        let mut seq = 0;
        while seq < 400 {
            let count = 1 + trading.dice.below(40);
            let drafts = trading.drafts(count);
            let open = journal.get_or_insert_with(|| place.open());
            seq = open.append(drafts).unwrap().head.seq;
            match trading.dice.below(4) {
                // A page ends here.
                0 => open.wait_until(seq, LONG).unwrap(),
                // Closed wherever the projectors are; the next one goes on from there.
                1 => journal = None,
                _ => {}
            }
        }
        journal.get_or_insert_with(|| place.open()).wait_until(seq, LONG).unwrap();
        drop(journal);
        let live = dump(&place.dir);
        assert!(!live["trades"].is_empty() && !live["market_data"].is_empty());
        assert_same(&live, &place.replayed(), &format!("seed {seed}, live and replayed"));
    }
}

#[test]
fn an_empty_journal_has_empty_tables() {
    let place = Place::new();
    assert!(projector::catch_up(&place.dir).unwrap().is_complete());
    assert!(dump(&place.dir).values().all(Vec::is_empty));
    assert!(place.open().wait_until(0, LONG).is_ok());
}
