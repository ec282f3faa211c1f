//! `rebuild`, and `verify` of the tables, end to end.

use serde_json::{Value, json};

use crate::cli_support::Place;

/// Changes the tables behind everybody's back.
fn falsify(place: &Place) {
    let conn = rusqlite::Connection::open(place.path("journal/projections.db")).unwrap();
    conn.execute_batch(
        "UPDATE trades SET pl_amount_net = 1e6 WHERE trade_id = 'eval-0302-05'; \
         DELETE FROM notes WHERE note_id = (SELECT min(note_id) FROM notes)",
    )
    .unwrap();
}

#[test]
fn what_was_changed_in_the_tables_is_found_and_rebuilt() {
    let place = Place::with_week();
    place.run(["export", "all", "--out", "before/"]).ok();
    falsify(&place);
    let found = place.run(["verify"]);
    assert_eq!(found.code, 1, "{}{}", found.out, found.err);
    assert!(found.out.contains("trades, trade_id eval-0302-05: pl_amount_net is 1000000,"), "{}", found.out);
    assert!(found.out.contains("the row is missing"), "{}", found.out);
    let ran = place.run(["--json", "verify"]);
    assert_eq!(ran.code, 1);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["ok"], &report["findings_total"]), (&json!(false), &json!(2)));
    let rebuilt = place.run(["rebuild", "--verify"]);
    assert_eq!(rebuilt.code, 1, "{}{}", rebuilt.out, rebuilt.err);
    assert!(rebuilt.out.contains("2 differences"), "{}", rebuilt.out);
    assert!(rebuilt.out.contains("last touched by event"), "{}", rebuilt.out);
    assert!(rebuilt.out.contains("Nothing was replaced"), "{}", rebuilt.out);
    assert_eq!(place.run(["verify"]).code, 1);
    let swapped = place.run(["rebuild", "--verify", "--swap"]);
    assert!(swapped.code == 1 && swapped.out.contains("generation 2"), "{}", swapped.out);
    place.run(["rebuild", "--verify"]).ok();
    place.run(["verify"]).ok();
    place.run(["export", "all", "--out", "after/"]).ok();
    for name in place.names("before") {
        assert_eq!(place.text(&format!("before/{name}")), place.text(&format!("after/{name}")), "{name}");
    }
}

#[test]
fn a_rebuild_says_how_far_it_is() {
    let place = Place::with_week();
    let rebuilt = place.run(["--json", "rebuild"]).ok();
    let result: Value = serde_json::from_str(&rebuilt.out).unwrap();
    assert_eq!(result["projections"][0]["position"], 587);
    let last: Value = serde_json::from_str(rebuilt.err.lines().last().unwrap()).unwrap();
    let done = json!({ "done": 587, "total": 587 });
    assert_eq!(json!({ "done": last["progress"]["done"], "total": last["progress"]["total"] }), done);
    assert!(last["progress"]["per_second"].as_f64().is_some(), "{last}");
    assert!(place.run(["rebuild", "trades"]).ok().out.contains("ledger"));
    place.run(["rebuild", "trade"]).fails(2, &["did you mean trades?"]);
    place.run(["rebuild", "--until", "yesterday"]).fails(2, &["2026-03-02T14:31:07Z"]);
    place.run(["rebuild", "--into", "journal"]).fails(2, &["--into"]);
    assert_eq!(place.json(["status"])["projections"][0]["position"], 587);
}

#[test]
fn tables_as_of_then_are_read_from_their_folder() {
    let place = Place::with_week();
    place.run(["rebuild", "--until", "174", "--into", "monday"]).ok();
    assert_eq!(place.names("monday"), ["projections.db"]);
    let trades = |arguments: &[&str]| place.json(arguments)["metrics"][0]["total_trades"].as_u64().unwrap();
    let then = trades(&["metrics", "--tables", "monday"]);
    assert!(then > 0 && then < trades(&["metrics"]));
    let sql = "SELECT count(*) AS n FROM trades WHERE status = 'closed'";
    assert_eq!(place.json(["sql", "--tables", "monday", sql])[0]["n"], then);
    place.run(["export", "trades", "--tables", "monday", "--out", "then.csv"]).ok();
    let manifest: Value = serde_json::from_slice(&place.read("then.manifest.json")).unwrap();
    let event: Value =
        serde_json::from_str(place.run(["tail", "--after", "173"]).ok().out.lines().next().unwrap()).unwrap();
    assert_eq!((&manifest["position"], &manifest["chain_head"]), (&json!(174), &event["hash"]));
    place.run(["metrics", "--tables", "nowhere"]).fails(2, &["no tables at nowhere"]);
    // A cut of the journal's own tables lasts until somebody reads them.
    let note = place.run(["rebuild", "--until", "174"]).ok().err;
    assert!(note.contains("--into"), "{note}");
    assert_eq!(place.json(["status"])["projections"][0]["lag"], 0);
}
