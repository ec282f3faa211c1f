//! `audit trade` through the program: what each event did to a trade's row, in order, and only that.

use serde_json::{Value, json};

use crate::cli_support::Place;

fn changes(step: &Value) -> Vec<(&str, &Value, &Value)> {
    let list = step["changes"].as_array().unwrap();
    list.iter().map(|change| (change["column"].as_str().unwrap(), &change["before"], &change["after"])).collect()
}

#[test]
fn a_correction_shows_each_column_before_and_after() {
    let place = Place::with_week();
    let audit = place.json(["audit", "trade", "eval-0302-05"]);
    let steps = audit["steps"].as_array().unwrap();
    let kinds: Vec<&str> = steps.iter().map(|step| step["type"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"TradeOpened"));
    assert_eq!(kinds.last(), Some(&"FillCorrected"));
    let correction = steps.last().unwrap();
    assert_eq!(correction["source"], "broker-reconcile");
    let changes = changes(correction);
    assert!(changes.contains(&("exit_price", &json!(6877.0), &json!(6876.5))), "{changes:?}");
    assert!(changes.contains(&("pl_amount_net", &json!(-107.96), &json!(-117.96))), "{changes:?}");
    assert!(!changes.iter().any(|(column, _, _)| *column == "entry_price"), "{changes:?}");
}

#[test]
fn the_last_state_of_an_audit_is_the_row_of_the_table() {
    let place = Place::with_week();
    let rows = place.json(["sql", "SELECT * FROM trades"]);
    for row in rows.as_array().unwrap() {
        let id = row["trade_id"].as_str().unwrap();
        let audit = place.json(["audit", "trade", id]);
        let mut last = serde_json::Map::new();
        for step in audit["steps"].as_array().unwrap() {
            for (column, before, after) in changes(step) {
                let known = last.get(column).cloned().unwrap_or(Value::Null);
                assert_eq!(&known, before, "{id}: {column} at {}", step["seq"]);
                last.insert(column.to_owned(), after.clone());
            }
        }
        for (column, value) in row.as_object().unwrap() {
            if !matches!(column.as_str(), "first_seq" | "last_seq") {
                assert_eq!(last.get(column).unwrap_or(&Value::Null), value, "{id}: {column}");
            }
        }
    }
}

#[test]
fn an_unknown_trade_is_bad_input() {
    let place = Place::with_week();
    place.run(["audit", "trade", "nobody"]).fails(2, &["no trade nobody"]);
}
