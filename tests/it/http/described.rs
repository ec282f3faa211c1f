//! What the service says of itself: its description, the page that shows it, and its numbers.

use serde_json::Value;

use super::support::Served;
use crate::cli_support::{note, note_saying, notes};

#[test]
fn everything_described_is_there_and_asks_for_what_it_says() {
    let served = Served::week();
    let document = served.get_as(None, "/openapi.json", &[]).ok().json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    for table in projections::TABLES {
        let described = &paths[&format!("/api/v1/{}", table.name)]["get"];
        for column in table.all_columns() {
            let named = |parameter: &Value| parameter["name"] == column.name;
            assert!(described["parameters"].as_array().unwrap().iter().any(named), "{} {}", table.name, column.name);
        }
    }
    for (path, methods) in paths {
        let path = path.replace("{id}", "eval-0302-05").replace("{file}", "style.css");
        let asked =
            if path.ends_with("restatements") { format!("{path}?from=2026-03-02&to=2026-03-03") } else { path.clone() };
        if let Some(described) = methods.get("get").filter(|_| !path.ends_with("stream")) {
            assert_eq!(served.get(&asked).status, 200, "{path}");
            let status = served.get_as(None, &asked, &[]).status;
            let expected = if described["security"].is_array() { [401, 429] } else { [200, 200] };
            assert!(expected.contains(&status), "{path}: {status}");
        }
    }
    assert_eq!(served.post_with(None, &[("content-type", "application/json")], "[]").status / 100, 4);
    let page = served.get_as(None, "/docs", &[]).ok();
    for file in ["/dashboard/docs.js", "/dashboard/docs.css"] {
        assert!(page.body.contains(file));
        let found = served.get_as(None, file, &[]).ok();
        // Offline, and under a policy that allows nothing of others.
        assert!(
            !found.body.contains("http://") && !found.body.contains("https://") && !found.body.contains("innerHTML")
        );
    }
}

fn number(text: &str, name: &str) -> f64 {
    let line = text.lines().find(|line| line.split(' ').next() == Some(name));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn numbers_count_what_was_done() {
    let served = Served::new();
    served.post("application/x-ndjson", &notes(1..=7));
    served.post("application/x-ndjson", &notes(1..=8));
    served.post("application/json", &note_saying(1, "other"));
    served.post("application/json", "{}");
    served.get("/api/v1/notes?wait_for=8").ok();
    let text = served.get("/metrics").ok().body;
    for (name, expected) in [
        ("tradefold_appends_total{outcome=\"recorded\"}", 2.0),
        ("tradefold_appends_total{outcome=\"conflict\"}", 1.0),
        ("tradefold_events_total{outcome=\"appended\"}", 8.0),
        ("tradefold_events_total{outcome=\"duplicate\"}", 7.0),
        ("tradefold_batch_events_sum", 15.0),
        ("tradefold_append_seconds_count", 2.0),
        ("tradefold_log_head", 8.0),
        ("tradefold_projection_position{projection=\"ledger\"}", 8.0),
        ("tradefold_projection_lag_events{projection=\"market_data\"}", 0.0),
        ("tradefold_projection_lag_seconds{projection=\"ledger\"}", 0.0),
        ("tradefold_rebuild_running", 0.0),
    ] {
        assert!((number(&text, name) - expected).abs() < f64::EPSILON, "{name}: {text}");
    }
    assert!(number(&text, "tradefold_tables_bytes") > 0.0);
    served.get_as(None, "/metrics", &[]).fails(401, "unauthorized", &[]);
    assert_eq!(served.post("application/json", &note(9)).status, 201);
}
