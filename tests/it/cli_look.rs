//! The commands that look at a journal as a whole, and what all commands have in common: help, usage errors,
//! exit codes.

use serde_json::{Value, json};

use crate::cli_support::{Place, WEEK, mode, note_saying};

#[test]
fn init_makes_a_private_journal_once() {
    let place = Place::new();
    place.run(["init"]).ok();
    assert_eq!(mode(&place.path("journal")), 0o700);
    assert_eq!(mode(&place.path("journal/events.db")), 0o600);
    place.run(["init"]).fails(2, &["there is a journal at ./journal already"]);
    let made = place.json(["--journal", "other", "init"]);
    assert_eq!(made["journal"], "other");
}

#[test]
fn the_journal_is_named_by_flag_then_environment() {
    let place = Place::new();
    let by = |arguments: &[&str]| place.command().env("TRADEFOLD_JOURNAL", "env").args(arguments).output().unwrap();
    assert!(by(&["init"]).status.success());
    assert!(by(&["init", "--journal", "flag"]).status.success());
    assert!(place.path("env/events.db").exists() && place.path("flag/events.db").exists());
}

#[test]
fn without_a_journal_the_hint_is_to_make_one() {
    let place = Place::new();
    for command in [&["status"][..], &["tail"], &["export", "trades"], &["verify"], &["metrics"], &["sql", "SELECT 1"]]
    {
        place.run(command).fails(2, &["no journal at ./journal", "tradefold init"]);
    }
    assert!(!place.path("journal").exists());
}

#[test]
fn bad_usage_is_2_and_says_what_was_meant() {
    let place = Place::new();
    place.run(["apend"]).fails(2, &["append"]);
    place.run(["append", "--batch", "0"]).fails(2, &["--batch"]);
    place.run(["tail", "--afer", "3"]).fails(2, &["--after"]);
    let ran = place.run(["--json", "tail", "--after", "x"]).fails(2, &[]);
    let error: Value = serde_json::from_str(&ran.err).unwrap();
    assert!(error["error"].as_str().unwrap().contains("--after"));
    place.run(Vec::<&str>::new()).fails(2, &["Usage"]);
}

#[test]
fn every_command_has_examples_and_no_promise_is_made_of_what_is_not_there() {
    let place = Place::new();
    let manual = place.run(["help"]).ok().out;
    for said in ["Exit codes:", "TRADEFOLD_JOURNAL", "tradefold append"] {
        assert!(manual.contains(said), "{said}");
    }
    for command in [
        "init",
        "append",
        "import",
        "reconcile",
        "tail",
        "status",
        "export",
        "audit",
        "restate",
        "verify",
        "rebuild",
        "metrics",
        "sql",
        "demo",
        "completions",
        #[cfg(feature = "http")]
        "serve",
        #[cfg(feature = "http")]
        "token",
    ] {
        assert!(manual.contains(&format!("  {command} ")), "{command}");
        assert!(place.run([command, "--help"]).ok().out.contains("Examples:\n  tradefold"), "{command}");
    }
    for missing in ["backup", "restore"] {
        assert!(!manual.contains(missing), "{missing}");
    }
    assert!(place.run(["--version"]).ok().out.starts_with("tradefold "));
    for shell in ["bash", "zsh", "fish"] {
        assert!(place.run(["completions", shell]).ok().out.contains("append"));
    }
}

#[test]
fn status_tells_where_everything_is() {
    let place = Place::with_week();
    let status = place.json(["status"]);
    assert_eq!((&status["events"], &status["head"]["seq"]), (&json!(587), &json!(587)));
    for projection in status["projections"].as_array().unwrap() {
        assert_eq!((&projection["position"], &projection["lag"]), (&json!(587), &json!(0)));
    }
    assert!(status["sizes"]["events.db"].as_u64().unwrap() > 0);
    assert_eq!(status["last_verification"], Value::Null);
    place.run(["verify"]).ok();
    assert_eq!(place.json(["status"])["last_verification"]["ok"], true);
    assert!(place.run(["status"]).ok().out.contains("up to date"));
}

#[test]
fn metrics_are_for_accounts_windows_and_dimensions() {
    let place = Place::with_week();
    let of = |arguments: &[&str]| place.json([&["metrics"], arguments].concat())["metrics"].clone();
    let all = of(&[]);
    assert_eq!(
        all.as_array().unwrap().iter().map(|group| group["account_id"].clone()).collect::<Vec<_>>(),
        [json!("*"), json!("eval-50k"), json!("live-main")]
    );
    assert_eq!(all[0]["total_trades"], 58);
    let sql = "SELECT * FROM performance_breakdown WHERE account_id = '*' AND dimension = 'all'";
    let row = &place.json(["sql", sql])[0];
    for (name, value) in row.as_object().unwrap() {
        if let Some(figure) = all[0].get(name).filter(|_| name != "account_id") {
            assert_eq!(figure, value, "{name}");
        }
    }
    assert!(all[0]["slippage_ticks_p90"].is_number());
    assert_eq!(of(&["--window", "7", "--account", "live-main"])[0]["total_trades"], 7);
    let strategies = of(&["--by", "strategy"]);
    assert!(strategies.as_array().unwrap().iter().any(|group| group["value"] == "trend_pullback"));
    let text = place.run(["metrics"]).ok().out;
    assert!(text.contains("51.7 %") && text.contains("39.2 %"), "{text}");
    place.run(["metrics", "--by", "stratgy"]).fails(2, &["did you mean strategy?"]);
    place.run(["metrics", "--account", "live"]).fails(2, &["live-main"]);
    let empty = Place::new();
    empty.run(["init"]).ok();
    assert_eq!(empty.run(["metrics"]).ok().out, "No trade is closed yet.\n");
}

#[test]
fn metrics_of_some_dates_are_those_of_the_trades_closed_then() {
    let place = Place::with_week();
    let dates = ["--from", "2026-03-03", "--to", "2026-03-04"];
    let groups = place.json([&["metrics", "--account", "eval-50k"], &dates[..]].concat());
    assert_eq!((&groups["from"], &groups["to"]), (&json!("2026-03-03"), &json!("2026-03-04")));
    // The days' own figures, added up by SQLite.
    let days = place.json([
        "sql",
        "SELECT sum(trades_count) AS trades, sum(wins) AS wins FROM daily_pnl \
        WHERE account_id = 'eval-50k' AND date BETWEEN '2026-03-03' AND '2026-03-04'",
    ]);
    let found = &groups["metrics"][0];
    assert_eq!((&found["total_trades"], &found["total_wins"]), (&days[0]["trades"], &days[0]["wins"]));
    let told = place.run([&["metrics", "--by", "strategy"], &dates[..]].concat()).ok().out;
    assert!(told.starts_with("Over all closed trades from 2026-03-03 to 2026-03-04\n"), "{told}");
    assert_eq!(place.run(["metrics", "--from", "2027-01-01"]).ok().out, "No trade was closed then.\n");
    place.run(["metrics", "--from", "2026-03-04", "--to", "2026-03-03"]).fails(2, &["--to", "no date from"]);
    place.run(["metrics", "--from", "tuesday"]).fails(2, &["expected a date such as"]);
}

#[test]
fn an_audit_shows_what_each_event_changed() {
    let place = Place::with_week();
    let audit = place.json(["audit", "trade", "eval-0302-05"]);
    let steps = audit["steps"].as_array().unwrap();
    let corrected = steps.iter().find(|step| step["type"] == "FillCorrected").unwrap();
    assert_eq!(corrected["source"], "broker-reconcile");
    let change = corrected["changes"].as_array().unwrap().iter().find(|change| change["column"] == "pl_amount_net");
    assert_eq!((&change.unwrap()["before"], &change.unwrap()["after"]), (&json!(-107.96), &json!(-117.96)));
    let text = place.run(["audit", "trade", "eval-0302-05"]).ok().out;
    assert!(text.contains("because: daily statement: average price 6876.50"), "{text}");
    assert!(text.lines().any(|line| line.split_whitespace().eq(["result_r", "-1.0796", "-1.1796"])), "{text}");
    place.run(["audit", "trade", "nobody"]).fails(2, &["nobody"]);
}

#[test]
fn verify_finds_what_was_changed_and_what_was_lost() {
    let place = Place::with_week();
    place.run(["verify"]).ok();
    assert_eq!(place.json(["verify"])["ok"], true);
    let conn = rusqlite::Connection::open(place.path("journal/events.db")).unwrap();
    conn.execute_batch(
        "DROP TRIGGER events_no_update; UPDATE events SET data = replace(data, '0.25', '0.50') WHERE seq = 1",
    )
    .unwrap();
    drop(conn);
    let ran = place.run(["verify"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("event 1 is not what was recorded"), "{}", ran.out);
    assert_eq!(place.json(["status"])["last_verification"]["ok"], false);
}

#[test]
fn a_log_behind_its_tables_is_damage() {
    let place = Place::with_week();
    let conn = rusqlite::Connection::open(place.path("journal/events.db")).unwrap();
    conn.execute_batch("DROP TRIGGER events_no_delete; DELETE FROM events WHERE seq > 580").unwrap();
    drop(conn);
    place.run(["status"]).fails(3, &["the log is damaged"]);
    place.run(["export", "trades"]).fails(3, &["the log is damaged"]);
    assert_eq!(place.run(["verify"]).code, 1);
    place.feed(note_saying(1, "x"), ["append"]).fails(3, &["the log is damaged"]);
}

#[test]
fn a_journal_that_is_none_is_damage() {
    let place = Place::new();
    std::fs::create_dir(place.path("journal")).unwrap();
    place.write("journal/events.db", "this is no database, whatever its name says");
    place.run(["status"]).fails(3, &["events.db"]);
    place.run(["verify"]).fails(3, &["events.db"]);
}

#[test]
fn the_demo_shows_the_same_again_and_leaves_other_journals_alone() {
    let place = Place::new();
    let shown = place.run(["demo"]).ok().out;
    for said in ["587 events", "ACCOUNTS", "trend_pullback", "-939.52", "moved_stop_away", "csv"] {
        assert!(shown.contains(said), "{said}");
    }
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
    assert_eq!(place.run(["demo"]).ok().out, shown);
    assert!(place.path("demo-journal/csv/trades.csv").exists());
    place.feed(note_saying(1, "mine"), ["append"]).ok();
    place.run(["demo", "--journal", "journal"]).fails(2, &["is not the demo's"]);
    assert_eq!(place.json(["append", WEEK, "--journal", "demo-journal"])["duplicates"], 587);
}
