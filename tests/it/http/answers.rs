//! The answers that are no table: the same as the command line's, for the same journal.

use std::process::Command;

use serde_json::{Value, json};

use super::support::Served;
use crate::cli_support::note;

/// What the command line says of the same journal. Reading goes on beside the service.
fn cli(served: &Served, arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradefold"));
    let output = command.arg("--json").arg("--journal").arg(served.dir()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn without(mut answer: Value, name: &str) -> Value {
    answer.as_object_mut().unwrap().remove(name);
    answer
}

#[test]
fn metrics_restatements_history_and_status_are_the_command_lines() {
    let served = Served::week();
    for (path, arguments) in [
        ("metrics", &["metrics"][..]),
        ("metrics?by=strategy", &["metrics", "--by", "strategy"]),
        ("metrics?window=20&account=eval-50k", &["metrics", "--window", "20", "--account", "eval-50k"]),
        ("metrics?as_of=173", &["metrics", "--as-of", "173"]),
        ("metrics?from=2026-03-03&to=2026-03-04", &["metrics", "--from", "2026-03-03", "--to", "2026-03-04"]),
    ] {
        let answer = served.json(&format!("/api/v1/{path}"));
        assert!(answer["metrics"].as_array().unwrap().len() > 1 || path.contains("account"), "{path}");
        assert_eq!(without(answer, "position"), cli(&served, arguments), "{path}");
    }
    let days = ["restate", "--from", "2026-03-02", "--to", "2026-03-06", "--all"];
    let restated = served.json("/api/v1/restatements?from=2026-03-02&to=2026-03-06&all=true");
    assert_eq!(restated, cli(&served, &days));
    let history = served.json("/api/v1/trades/eval-0302-05/history");
    assert_eq!(history, cli(&served, &["audit", "trade", "eval-0302-05"]));
    assert_eq!(history["steps"].as_array().unwrap().last().unwrap()["type"], "FillCorrected");
    let status = served.json("/api/v1/status");
    assert_eq!((&status["events"], &status["projections"][0]["lag"]), (&json!(587), &json!(0)));
    assert_eq!(status["tables"], cli(&served, &["status"])["tables"]);
    assert_eq!(status["writer"]["pid"], json!(std::process::id()));
}

#[test]
fn a_trade_is_asked_for_by_name_now_and_then() {
    let served = Served::week();
    let trade = served.json("/api/v1/trades/eval-0302-05");
    assert_eq!((&trade["trade"]["pl_amount_net"], &trade["position"]), (&json!(-117.96), &json!(587)));
    assert_eq!(served.json("/api/v1/trades/eval-0302-05?as_of=173")["trade"]["pl_amount_net"], -107.96);
    served.get("/api/v1/trades/none").fails(404, "not-found", &["no trade `none`"]);
    served.get("/api/v1/trades/none/history").fails(404, "not-found", &["none"]);
    // A name is a name, however it looks.
    served.get("/api/v1/trades/%27%20OR%201=1%20--").fails(404, "not-found", &[]);
    served.get("/api/v1/trades/..%2Fmetrics").fails(404, "not-found", &[]);
}

#[test]
fn what_is_asked_wrongly_is_named() {
    let served = Served::week();
    served.get("/api/v1/metrics?by=strateg").fails(400, "bad-request", &["did you mean strategy?"]);
    served.get("/api/v1/metrics?account=eval-50").fails(404, "not-found", &["did you mean eval-50k?"]);
    served.get("/api/v1/equity?acount=x").fails(400, "bad-request", &["did you mean `account`?"]);
    served.get("/api/v1/restatements").fails(400, "bad-request", &["from and to"]);
    served.get("/api/v1/restatements?from=2020-01-01&to=2026-01-01").fails(400, "bad-request", &["too long"]);
    served.get("/api/v1/restatements?from=2026-03-03&to=2026-03-02").fails(400, "bad-request", &["later"]);
}

/// Two trades and a deposit, by hand: 10,000, then +100 - 2 fees, deposit of 500, then -60 - 2 fees, R of 100 and 50.
const CURVE: [&str; 6] = [
    r#"{"type":"AccountOpened","occurred_at":"2026-03-01T00:00:00Z","data":{"account_id":"a","currency":"USD","starting_equity":"10000"}}"#,
    r#"{"type":"TradeOpened","occurred_at":"2026-03-02T10:00:00Z","data":{"trade_id":"t1","symbol":"X","side":"long","strategy":"s","account_id":"a","risk_amount":"100"}}"#,
    r#"{"type":"FillRecorded","occurred_at":"2026-03-02T10:00:00Z","data":{"fill_id":"f1","trade_id":"t1","account_id":"a","symbol":"X","side":"buy","quantity":"10","price":"100","fees":"1"}}"#,
    r#"{"type":"FillRecorded","occurred_at":"2026-03-02T11:00:00Z","data":{"fill_id":"f2","trade_id":"t1","account_id":"a","symbol":"X","side":"sell","quantity":"10","price":"110","fees":"1"}}"#,
    r#"{"type":"CashMoved","occurred_at":"2026-03-02T12:00:00Z","data":{"account_id":"a","amount":"500","kind":"deposit"}}"#,
    r#"{"type":"TradeOpened","occurred_at":"2026-03-03T10:00:00Z","data":{"trade_id":"t2","symbol":"X","side":"short","strategy":"s","account_id":"a","risk_amount":"50"}}"#,
];
const CURVE_END: [&str; 2] = [
    r#"{"type":"FillRecorded","occurred_at":"2026-03-03T10:00:00Z","data":{"fill_id":"f3","trade_id":"t2","account_id":"a","symbol":"X","side":"sell","quantity":"10","price":"100","fees":"1"}}"#,
    r#"{"type":"FillRecorded","occurred_at":"2026-03-03T11:00:00Z","data":{"fill_id":"f4","trade_id":"t2","account_id":"a","symbol":"X","side":"buy","quantity":"10","price":"106","fees":"1"}}"#,
];

#[test]
fn the_equity_curve_is_what_a_hand_makes_of_it() {
    let events: Vec<&str> = CURVE.into_iter().chain(CURVE_END).collect();
    let served = Served::with(&events, Default::default(), |_| {});
    let curve = served.json("/api/v1/equity?account=a");
    let point = |at: usize, name: &str| curve["points"][at][name].as_f64().unwrap();
    let named =
        |at: usize| ["equity", "cumulative_net", "cumulative_r", "drawdown", "drawdown_r"].map(|name| point(at, name));
    assert_eq!(named(0), [10_098.0, 98.0, 0.98, 0.0, 0.0]);
    // 10,598 - 62; the peak of what was made is 98, the deposit no part of it; -62 / 50 is -1.24 R.
    assert_eq!(named(1), [10_536.0, 36.0, -0.26, 62.0, 1.24]);
    assert_eq!(curve["points"].as_array().unwrap().len(), 2);
    let day = served.json("/api/v1/daily_pnl?date=2026-03-03");
    assert_eq!(day["rows"][0]["equity_close"], json!(10_536.0));
}

#[test]
fn the_curve_of_the_week_ends_where_its_days_and_metrics_do() {
    let served = Served::week();
    let all = served.json("/api/v1/metrics");
    let accounts: Vec<&str> =
        all["metrics"].as_array().unwrap()[1..].iter().map(|group| group["account_id"].as_str().unwrap()).collect();
    assert_eq!(accounts.len(), 2);
    for account in accounts {
        let curve = served.json(&format!("/api/v1/equity?account={account}"));
        let last = curve["points"].as_array().unwrap().last().unwrap().clone();
        let metrics = served.json(&format!("/api/v1/metrics?account={account}"))["metrics"][0].clone();
        let drawdown = curve["points"].as_array().unwrap().iter().map(|point| point["drawdown_r"].as_f64().unwrap());
        let deepest = drawdown.fold(0.0, f64::max);
        assert!((deepest - metrics["max_drawdown_r"].as_f64().unwrap()).abs() < 1e-9);
        assert!((last["drawdown_r"].as_f64().unwrap() - metrics["current_drawdown_r"].as_f64().unwrap()).abs() < 1e-9);
        assert_eq!(curve["points"].as_array().unwrap().len(), metrics["total_trades"].as_u64().unwrap() as usize);
    }
    let thin = served.json("/api/v1/equity?points=5");
    assert!(thin["points"].as_array().unwrap().len() <= 5 && thin["every"].as_u64().unwrap() > 1, "{thin}");
}

#[test]
fn ready_means_that_every_projection_gets_on() {
    let served = Served::new();
    served.post("application/json", &note(1));
    served.get("/api/v1/notes?wait_for=1").ok();
    let ready = served.get_as(None, "/readyz", &[]).ok().json();
    assert_eq!((&ready["ready"], &ready["head"]), (&json!(true), &json!(1)));
    assert_eq!(served.get_as(None, "/healthz", &[]).ok().body, "alive\n");
}
