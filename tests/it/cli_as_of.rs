//! The past through the program: `--as-of` on export, metrics, sql and audit; audits of days, accounts and columns.

use serde_json::{Value, json};

use crate::cli_support::Place;

#[test]
fn tables_as_of_a_position_are_those_of_a_replay_until_there() {
    let place = Place::with_week();
    for position in ["0", "1", "174", "301", "587"] {
        place.run(["rebuild", "--until", position, "--into", "replayed"]).ok();
        place.run(["export", "all", "--tables", "replayed", "--out", "cold/"]).ok();
        place.run(["export", "all", "--as-of", position, "--out", "then/"]).ok();
        for name in place.names("cold") {
            assert_eq!(place.text(&format!("then/{name}")), place.text(&format!("cold/{name}")), "{position}: {name}");
        }
        let metrics = |option: &str, value: &str| place.run(["--json", "metrics", option, value]).ok().out;
        assert_eq!(metrics("--as-of", position), metrics("--tables", "replayed"), "{position}");
    }
}

#[test]
fn a_time_is_the_position_of_the_last_event_recorded_by_then() {
    let place = Place::with_week();
    let count = |when: &str| place.json(["sql", "--as-of", when, "SELECT count(*) AS n FROM fills"])[0]["n"].clone();
    assert_eq!(count("2000-01-01T00:00:00Z"), 0);
    assert_eq!(count("2999-01-01T00:00:00Z"), count("587"));
    place.run(["metrics", "--as-of", "588"]).fails(2, &["--as-of 588", "ends at position 587"]);
    place.run(["metrics", "--as-of", "tuesday"]).fails(2, &["expected a position, or a time with an offset"]);
    place.run(["metrics", "--as-of", "1", "--tables", "x"]).fails(2, &["--tables"]);
}

#[test]
fn then_and_now_stand_side_by_side_in_sql() {
    let place = Place::with_week();
    let sql = "SELECT trade_id, t.pl_amount_net AS was, n.pl_amount_net AS is_now FROM trades t \
               JOIN live.trades n USING (trade_id) WHERE was <> is_now";
    let moved = place.json(["sql", "--as-of", "173", sql]);
    assert_eq!(moved, json!([{ "trade_id": "eval-0302-05", "was": -107.96, "is_now": -117.96 }]));
    let search = "SELECT count(*) FROM trades_search WHERE trades_search MATCH 'plan'";
    place.run(["sql", "--as-of", "173", search]).fails(2, &["use LIKE"]);
    place.run(["sql", "--as-of", "173", "DELETE FROM trades"]).fails(2, &["only reading is allowed"]);
    place.run(["sql", "--as-of", "173", "DELETE FROM live.trades"]).fails(2, &["only reading is allowed"]);
}

fn changes<'a>(audit: &'a Value, column: &str) -> Vec<(&'a Value, &'a Value, &'a Value)> {
    let steps = audit["steps"].as_array().unwrap().iter();
    let all = steps.flat_map(|step| step["changes"].as_array().unwrap().iter().map(move |change| (step, change)));
    let of_column = all.filter(|(_, change)| change["column"] == column);
    of_column.map(|(step, change)| (&step["seq"], &change["before"], &change["after"])).collect()
}

#[test]
fn a_day_and_an_account_are_followed_to_what_their_tables_say() {
    let place = Place::with_week();
    let day = place.json(["audit", "day", "eval-50k", "2026-03-02"]);
    assert_eq!((&day["table"], &day["date"]), (&json!("daily_pnl"), &json!("2026-03-02")));
    let net = changes(&day, "pl_net");
    let sql = "SELECT pl_net, equity_close FROM daily_pnl WHERE account_id = 'eval-50k' AND date = '2026-03-02'";
    let row = &place.json(["sql", sql])[0];
    assert_eq!(net.last().unwrap(), &(&json!(174), &json!(461.22), &row["pl_net"]));
    for pair in net.windows(2) {
        assert_eq!(pair[0].2, pair[1].1);
    }
    let account = place.json(["audit", "account", "eval-50k"]);
    let equity = changes(&account, "equity");
    let now = &place.json(["sql", "SELECT equity FROM accounts WHERE account_id = 'eval-50k'"])[0]["equity"];
    assert_eq!(equity.last().unwrap().2, now);
    place.run(["audit", "day", "eval-50k", "2026-03-08"]).fails(2, &["no day 2026-03-08 of account eval-50k"]);
    place.run(["audit", "account", "nobody"]).fails(2, &["no account nobody"]);
}

#[test]
fn a_value_is_followed_to_the_events_that_made_it() {
    let place = Place::with_week();
    let column = ["audit", "column", "trades.exit_price", "--trade", "eval-0302-05"];
    let audit = place.json(column);
    assert_eq!(
        changes(&audit, "exit_price"),
        [(&json!(116), &Value::Null, &json!(6877.0)), (&json!(174), &json!(6877.0), &json!(6876.5))]
    );
    let steps = audit["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["changes"].as_array().unwrap().len() == 1));
    assert!(steps[0]["causation_id"].is_string() && steps[0]["correlation_id"].is_string());
    let text = place.run(column).ok().out;
    assert!(text.contains("caused by ") && text.contains("because: daily statement"), "{text}");
    let then = place.json(["audit", "column", "trades.exit_price", "--trade", "eval-0302-05", "--as-of", "173"]);
    assert_eq!(then["steps"].as_array().unwrap().len(), 1);
    for (arguments, said) in [
        (&["trades.exit_prise", "--trade", "t"][..], "did you mean trades.exit_price?"),
        (&["exit_price", "--trade", "t"], "expected trades.COLUMN"),
        (&["daily_pnl.pl_net", "--trade", "t"], "--trade names a row of trades"),
        (&["trades.exit_price"], "--trade ID"),
        (&["daily_pnl.pl_net", "--date", "2026-03-02"], "--account"),
    ] {
        place.run([&["audit", "column"], arguments].concat()).fails(2, &[said]);
    }
}

#[test]
fn each_check_of_verify_answers_for_itself() {
    let place = Place::with_week();
    place.run(["status"]).ok();
    let raw = rusqlite::Connection::open(place.path("journal/projections.db")).unwrap();
    raw.execute_batch("UPDATE trades SET notes = 'mine' WHERE trade_id = 'eval-0302-05'").unwrap();
    place.run(["verify", "--check", "chain", "--check", "positions"]).ok();
    let found = place.run(["--json", "verify", "--check", "tables"]);
    assert_eq!(found.code, 1);
    let report: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(report["first_bad_position"], 174);
    let last = &report["findings"][0]["last_event"];
    assert_eq!((&last["seq"], &last["type"]), (&json!(174), &json!("FillCorrected")));
    let log = rusqlite::Connection::open(place.path("journal/events.db")).unwrap();
    let sql = "DROP TRIGGER events_no_update; UPDATE events SET data = replace(data, '6872.25', '6872.50') WHERE seq = \
               (SELECT min(seq) FROM events WHERE instr(data, '6872.25') > 0)";
    log.execute_batch(sql).unwrap();
    let changed: i64 =
        log.query_row("SELECT min(seq) FROM events WHERE instr(data, '6872.50') > 0", (), |row| row.get(0)).unwrap();
    let report = place.run(["--json", "verify"]);
    assert_eq!(report.code, 1);
    let report: Value = serde_json::from_str(&report.out).unwrap();
    assert_eq!(report["checks"]["chain"]["first_bad_position"], changed);
    assert_eq!((&report["checks"]["positions"]["ok"], &report["checks"]["tables"]), (&json!(true), &Value::Null));
    place.run(["verify", "--check", "positions"]).ok();
    let text = place.run(["verify", "--check", "chain"]);
    assert!(text.code == 1 && text.out.contains(&format!("first bad position: {changed}")), "{}", text.out);
}
