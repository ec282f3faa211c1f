//! `restate`: days as they stood when they closed, by a clock that the tests set, beside what they are now.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use projections::moment::Moment;
use projections::validate::parse_edge;
use serde_json::{Value, json};
use tradefold::log::{self, Writer, WriterOptions};

use crate::cli_support::Place;

static NOW: AtomicI64 = AtomicI64::new(0);
static CLOCK: Mutex<()> = Mutex::new(());

/// Records events as if it were then.
fn record(place: &Place, at: &str, lines: &[&str]) {
    let _turn = CLOCK.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    NOW.store(Moment::parse(at).unwrap().0, Ordering::SeqCst);
    let (dir, options) = (place.path("journal"), WriterOptions::default());
    if !log::exists(&dir) {
        log::create(&dir, options.lock_wait).unwrap();
    }
    let writer = Writer::open(&dir, WriterOptions { clock: || Moment(NOW.load(Ordering::SeqCst)), ..options }).unwrap();
    writer.append(lines.iter().map(|line| parse_edge(line).unwrap()).collect()).unwrap();
}

fn event(kind: &str, at: &str, data: &Value) -> String {
    json!({ "type": kind, "occurred_at": at, "data": data, "meta": { "source": "broker" } }).to_string()
}

fn fill(at: &str, id: &str, trade: &str, side: &str, price: &str) -> String {
    let data = json!({
        "fill_id": id, "trade_id": trade, "account_id": "a", "symbol": "X", "side": side, "quantity": 1, "price": price,
    });
    event("FillRecorded", at, &data)
}

fn opened(at: &str, trade: &str) -> String {
    let data = json!({
        "trade_id": trade, "account_id": "a", "symbol": "X", "side": "long", "strategy": "s", "risk_amount": 10,
    });
    event("TradeOpened", at, &data)
}

/// Monday makes 10, Tuesday loses 5; both days close at 17:00 in Chicago, which is 23:00 in UTC.
fn two_days() -> Place {
    let place = Place::new();
    let account = json!({ "account_id": "a", "currency": "USD", "starting_equity": 1000 });
    record(
        &place,
        "2026-03-02T15:30:00Z",
        &[
            &event("AccountOpened", "2026-03-02T14:00:00Z", &account),
            &opened("2026-03-02T15:00:00Z", "t1"),
            &fill("2026-03-02T15:00:00Z", "f1", "t1", "buy", "100"),
            &fill("2026-03-02T15:30:00Z", "f2", "t1", "sell", "110"),
        ],
    );
    record(
        &place,
        "2026-03-03T15:30:00Z",
        &[
            &opened("2026-03-03T15:00:00Z", "t2"),
            &fill("2026-03-03T15:00:00Z", "f3", "t2", "buy", "100"),
            &fill("2026-03-03T15:30:00Z", "f4", "t2", "sell", "95"),
        ],
    );
    place
}

fn restated(place: &Place) -> Value {
    place.json(["restate", "--from", "2026-03-02", "--to", "2026-03-06"])
}

/// The positions of a day's events.
fn positions(day: &Value) -> Vec<u64> {
    day["events"].as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}

#[test]
fn days_that_nothing_was_recorded_for_later_stand() {
    let place = two_days();
    let answer = restated(&place);
    assert_eq!((&answer["days"], &answer["days_looked_at"]), (&json!([]), &json!(2)));
    // What changes no figure restates nothing.
    let amended = json!({ "trade_id": "t1", "changes": { "strategy": "other" }, "reason": "named wrongly" });
    record(&place, "2026-03-05T12:00:00Z", &[&event("TradeAmended", "2026-03-05T12:00:00Z", &amended)]);
    assert_eq!(restated(&place)["days"], json!([]));
    let text = place.run(["restate", "--from", "2026-03-02", "--to", "2026-03-06"]).ok().out;
    assert_eq!(text, "Nothing was restated: 2 days of 1 accounts stand as they stood when they closed.\n");
    let all = place.json(["restate", "--from", "2026-03-02", "--to", "2026-03-06", "--all"]);
    assert_eq!(all["days"][0]["restated"], json!(false));
    assert_eq!(all["days"][0]["then"], all["days"][0]["now"]);
    assert_eq!(all["days"][0]["closed_at"], "2026-03-02T23:00:00.000000Z");
}

#[test]
fn a_correction_the_day_after_restates_its_day_and_the_equity_since() {
    let place = two_days();
    let corrected = json!({ "fill_id": "f2", "price": "108", "reason": "statement" });
    // On the evening after Tuesday has closed.
    record(&place, "2026-03-03T23:30:00Z", &[&event("FillCorrected", "2026-03-03T23:30:00Z", &corrected)]);
    let answer = restated(&place);
    assert_eq!((&answer["days_restated"], &answer["days_looked_at"]), (&json!(2), &json!(2)));
    let monday = &answer["days"][0];
    assert_eq!((&monday["date"], &monday["position"]), (&json!("2026-03-02"), &json!(4)));
    assert_eq!((&monday["then"]["pl_net"], &monday["now"]["pl_net"]), (&json!(10.0), &json!(8.0)));
    assert_eq!((&monday["then"]["pnl_r"], &monday["now"]["pnl_r"]), (&json!(1.0), &json!(0.8)));
    assert_eq!(
        (&monday["metrics_then"]["expected_r"], &monday["metrics_now"]["expected_r"]),
        (&json!(1.0), &json!(0.8))
    );
    assert_eq!(positions(monday), [8]);
    let moved = &monday["events"][0];
    assert_eq!(
        (&moved["type"], &moved["reason"], &moved["source"]),
        (&json!("FillCorrected"), &json!("statement"), &json!("broker"))
    );
    let tuesday = &answer["days"][1];
    assert_eq!((&tuesday["then"]["pl_net"], &tuesday["now"]["pl_net"]), (&json!(-5.0), &json!(-5.0)));
    assert_eq!((&tuesday["then"]["equity_close"], &tuesday["now"]["equity_close"]), (&json!(1005.0), &json!(1003.0)));
    assert_eq!(
        (&tuesday["metrics_then"]["profit_factor"], &tuesday["metrics_now"]["profit_factor"]),
        (&json!(2.0), &json!(1.6))
    );
    assert_eq!(positions(tuesday), [8]);
    let text = place.run(["restate", "--from", "2026-03-02", "--to", "2026-03-02"]).ok().out;
    assert!(text.contains("because: statement") && text.contains("pl_net 10 → 8"), "{text}");
    assert!(text.ends_with("1 of 1 days of 1 accounts restated.\n"), "{text}");
    // Corrected back, the day says again what it said.
    let back = json!({ "fill_id": "f2", "price": "110", "reason": "it was right" });
    record(&place, "2026-03-04T12:00:00Z", &[&event("FillCorrected", "2026-03-04T12:00:00Z", &back)]);
    assert_eq!(restated(&place)["days"], json!([]));
}

#[test]
fn a_late_fill_a_void_and_a_bust_restate_what_they_touch() {
    let place = two_days();
    record(
        &place,
        "2026-03-04T12:00:00Z",
        &[
            &fill("2026-03-02T16:00:00Z", "f5", "t3", "buy", "50"),
            &fill("2026-03-02T16:10:00Z", "f6", "t3", "sell", "51"),
        ],
    );
    let voided = json!({ "trade_id": "t2", "reason": "the simulator's" });
    record(&place, "2026-03-04T13:00:00Z", &[&event("TradeVoided", "2026-03-04T13:00:00Z", &voided)]);
    let answer = restated(&place);
    let (monday, tuesday) = (&answer["days"][0], &answer["days"][1]);
    assert_eq!((&monday["then"]["trades_count"], &monday["now"]["trades_count"]), (&json!(1), &json!(2)));
    assert_eq!((&monday["then"]["pl_net"], &monday["now"]["pl_net"]), (&json!(10.0), &json!(11.0)));
    // Its entry alone moved no figure of the day.
    assert_eq!(positions(monday), [9]);
    // A voided trade leaves nothing of its day.
    assert_eq!((&tuesday["then"]["pl_net"], &tuesday["now"]), (&json!(-5.0), &Value::Null));
    assert_eq!(
        (&tuesday["metrics_then"]["total_losses"], &tuesday["metrics_now"]["total_losses"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(positions(tuesday).last(), Some(&10));
    let busted = json!({ "fill_id": "f6", "reason": "never was" });
    record(&place, "2026-03-04T14:00:00Z", &[&event("FillBusted", "2026-03-04T14:00:00Z", &busted)]);
    // Its entry alone moves no figure: Monday says again what it said.
    let answer = restated(&place);
    assert_eq!((&answer["days"][0]["date"], &answer["days_restated"]), (&json!("2026-03-03"), &json!(1)));
}

#[test]
fn what_cannot_be_asked_is_bad_usage() {
    let place = two_days();
    place.run(["restate", "--from", "2026-03-06", "--to", "2026-03-02"]).fails(2, &["the first is the later one"]);
    place.run(["restate", "--from", "monday", "--to", "2026-03-02"]).fails(2, &["expected a date such as"]);
    let unknown = ["restate", "--from", "2026-03-02", "--to", "2026-03-06", "--account", "b"];
    place.run(unknown).fails(2, &["there is no account `b`"]);
}

#[test]
fn days_that_were_imported_later_had_no_figures() {
    let place = Place::with_week();
    let answer = place.json(["restate", "--from", "2026-03-02", "--to", "2026-03-03", "--account", "eval-50k"]);
    let day = &answer["days"][0];
    assert_eq!((&day["recorded_later"], &day["then"], &day["events"]), (&json!(true), &Value::Null, &json!([])));
    assert_eq!((&day["now"]["trades_count"], &day["metrics_then"]["total_trades"]), (&json!(6), &json!(0)));
}
