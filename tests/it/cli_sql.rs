//! `sql`, end to end: that it reads, and does nothing else.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::cli_support::Place;

#[test]
fn reads_the_tables_and_the_log() {
    let place = Place::with_week();
    let answer = place.json(["sql", "SELECT count(*) AS n, max(fees_paid) > 0 AS paid, NULL AS x FROM trades"]);
    assert_eq!(answer, json!([{ "n": 59, "paid": 1, "x": null }]));
    assert_eq!(place.json(["sql", "SELECT seq, type FROM log.history WHERE seq = 5"])[0]["type"], "AccountOpened");
    assert_eq!(place.json(["sql", "SELECT 1 WHERE 0"]), json!([]));
    assert_eq!(place.json(["sql", "SELECT 1 AS a, 2 AS a"]), json!([{ "a": 1, "a:2": 2 }]));
    assert_eq!(place.run(["sql", "--csv", "SELECT 'a,b' AS x, 1 AS y"]).ok().out, "x,y\r\n\"a,b\",1\r\n");
    let table = place.run(["sql", "SELECT date, trades_count FROM daily_pnl"]).ok().out;
    assert!(table.starts_with("date        trades_count\n──"), "{table}");
    let found = place.json([
        "sql",
        "SELECT note_id FROM notes WHERE note_id IN (SELECT rowid FROM notes_search WHERE notes_search MATCH 'payrolls OR ism')",
    ]);
    assert!(!found.as_array().unwrap().is_empty());
    assert!(
        !place
            .json([
                "sql",
                "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5) SELECT x FROM c"
            ])
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn does_nothing_but_read() {
    let place = Place::with_week();
    let stranger = place.path("stranger.db").display().to_string();
    for statement in [
        format!("ATTACH '{stranger}' AS x"),
        format!("ATTACH 'file:{stranger}?mode=rwc' AS x"),
        format!("VACUUM INTO '{stranger}'"),
        "PRAGMA query_only = 0".to_owned(),
        "PRAGMA writable_schema = 1".to_owned(),
        "CREATE TABLE x (y)".to_owned(),
        "CREATE TEMP TABLE x (y)".to_owned(),
        "DELETE FROM trades".to_owned(),
        "INSERT INTO log.events SELECT * FROM log.events".to_owned(),
        "UPDATE log.events SET data = '{}'".to_owned(),
        "DROP TABLE trades".to_owned(),
        "DETACH log".to_owned(),
        "BEGIN IMMEDIATE".to_owned(),
        "SELECT load_extension('x')".to_owned(),
        "SELECT writefile('x', 'y')".to_owned(),
        "SELECT readfile('/etc/passwd')".to_owned(),
        "SELECT zeroblob(1000000000)".to_owned(),
        "SELECT 1; DROP TABLE trades".to_owned(),
        "SELECT * FROM nothing".to_owned(),
        "".to_owned(),
    ] {
        let ran = place.run(["sql", &statement]).fails(2, &["sql: "]);
        assert_eq!(ran.out, "", "{statement}");
    }
    assert!(!place.path("stranger.db").exists());
    place.run(["verify"]).ok();
    assert_eq!(place.json(["sql", "SELECT count(*) AS n FROM trades"])[0]["n"], 59);
    place.run(["sql", "DELETE FROM trades"]).fails(2, &["only reading is allowed"]);
}

#[test]
fn an_endless_query_is_stopped() {
    let place = Place::new();
    place.run(["init"]).ok();
    let started = Instant::now();
    let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
    place.run(["sql", "--timeout", "1", endless]).fails(2, &["stopped after 1 s"]);
    assert!(started.elapsed() < Duration::from_secs(10));
}
