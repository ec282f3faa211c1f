//! Owns the service's description of itself, an OpenAPI document: made from the routes that there are, the tables and
//! columns that the folds have and the event types that the vocabulary knows. A route without a description does not
//! get past the tests.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use projections::cell::{ColumnKind, Table};
use projections::ledger::DIMENSIONS;
use projections::{TABLES, schema};
use serde_json::{Map, Value as Json, json};

use super::app::{Access, Route, routes};
use super::rows::{COMPARISONS, ROWS, ROWS_MAX};

static DOCUMENT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// `GET /openapi.json`.
pub(super) async fn document_file() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

fn document() -> Json {
    let mut paths = Map::new();
    for route in routes() {
        if route.path == TABLE_PATH {
            paths.extend(TABLES.into_iter().map(|table| (format!("/api/v1/{}", table.name), of_table(&route, table))));
        } else if let Some(about) = about(route.path) {
            paths.insert(route.path.replace("{*", "{"), operation(&route, about));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "tradefold",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0" },
            "description": "A trading journal as a service: events in, tables and streams out. Errors are \
                application/problem+json (RFC 9457).",
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "tf_..., see `tradefold token`" } },
        },
    })
}

const TABLE_PATH: &str = "/api/v1/{table}";

/// What is said of a route.
struct About {
    summary: &'static str,
    parameters: Vec<Json>,
    body: Option<Json>,
    /// Status, meaning, and what comes with it.
    answers: Vec<(&'static str, &'static str, Json)>,
}

fn about(path: &str) -> Option<About> {
    let text = |kind: &str| json!({ kind: { "schema": { "type": "string" } } });
    let object = || json!({ "application/json": { "schema": { "type": "object" } } });
    let plain = |summary, parameters: Vec<Json>, content: Json| About {
        summary,
        parameters,
        body: None,
        answers: vec![("200", "the answer", content)],
    };
    let id = || in_path("id", "the trade's name");
    let account = || query("account", "only this account", "string");
    Some(match path {
        "/api/v1/events" => append(),
        "/api/v1/trades/{id}" => plain("One trade", vec![id(), as_of()], object()),
        "/api/v1/trades/{id}/history" => {
            plain("Every event of a trade, and each column it changed, before and after", vec![id(), as_of()], object())
        }
        "/api/v1/metrics" => {
            let by = json!({ "name": "by", "in": "query", "description": "one group for each value of a dimension",
                "schema": { "type": "string", "enum": DIMENSIONS } });
            let window = query("window", "only the last N closed trades; 0 is all", "integer");
            let [from, to] = dates();
            plain("Metrics of accounts, or by a dimension", vec![window, by, account(), from, to, as_of()], object())
        }
        "/api/v1/equity" => {
            let points = query("points", "at most so many points; thinning hides no drawdown", "integer");
            plain("The equity curve: a point for each closed trade", vec![account(), points, as_of()], object())
        }
        "/api/v1/restatements" => {
            let all = query("all", "also days that stand as they stood", "boolean");
            let parameters = dates().into_iter().chain([account(), all]).collect();
            plain(
                "What days said when they closed, what they say now, and which events moved them",
                parameters,
                object(),
            )
        }
        "/api/v1/status" => plain("Head, projections, sizes, digests, the last verification", Vec::new(), object()),
        "/api/v1/stream" => stream(),
        "/metrics" => plain("Counters and lags, for Prometheus", Vec::new(), text("text/plain")),
        "/healthz" => plain("Whether the process is alive", Vec::new(), text("text/plain")),
        "/readyz" => About {
            answers: vec![
                ("200", "every projection gets on", object()),
                ("503", "a projection is stopped or stands still", object()),
            ],
            ..plain("Whether it may be sent work", Vec::new(), object())
        },
        "/openapi.json" => plain("This document", Vec::new(), object()),
        "/docs" => plain("This document, to be read", Vec::new(), text("text/html")),
        "/" => plain("The dashboard", Vec::new(), text("text/html")),
        "/dashboard/{*file}" => plain("What it is made of", vec![in_path("file", "the file")], text("text/plain")),
        _ => return None,
    })
}

fn append() -> About {
    let event = json!({ "$ref": "#/components/schemas/Event" });
    let receipt = || json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Receipt" } } });
    About {
        summary: "Append a batch of events: all of it is recorded or nothing",
        parameters: Vec::new(),
        body: Some(json!({
            "application/json": { "schema": { "oneOf": [event, { "type": "array", "items": event }] } },
            "application/x-ndjson": { "schema": { "type": "string", "description": "one event a line" } },
        })),
        answers: vec![
            ("201", "recorded, on disk", receipt()),
            ("200", "all of it was recorded before", receipt()),
            ("409", "an id is recorded with other content, or a stream moved on: nothing was recorded", problem()),
            ("413", "the body is too large", problem()),
            ("415", "another Content-Type", problem()),
            ("422", "malformed: `errors` has index, field and message; nothing was recorded", problem()),
            ("503", "not now; where `outcome` is `unknown`, retry with the same ids to find out", problem()),
        ],
    }
}

fn stream() -> About {
    let each = |name: &str, said: &str| json!({ "name": name, "in": "query", "description": said, "schema": { "type": "array", "items": { "type": "string" } } });
    let subscribe =
        json!({ "name": "subscribe", "in": "query", "schema": { "type": "string", "enum": ["events", "tables"] } });
    About {
        summary: "Events, or rows, as they come: a WebSocket, or server-sent events (Last-Event-ID resumes)",
        parameters: vec![
            subscribe,
            query("after", "begin after this position", "integer"),
            query("account", "only what is of this account", "string"),
            each("type", "events of these types"),
            each("table", "rows of these tables"),
        ],
        body: None,
        answers: vec![
            ("101", "a WebSocket: see docs/HTTP.md", json!({})),
            ("200", "server-sent events", json!({ "text/event-stream": { "schema": { "type": "string" } } })),
        ],
    }
}

fn of_table(route: &Route, table: &'static Table) -> Json {
    let columns: Vec<&str> = table.all_columns().map(|column| column.name).collect();
    let filters = table.all_columns().map(|column| {
        let words: Vec<&str> = COMPARISONS.iter().map(|(word, _)| *word).collect();
        let said = format!("{}; also {}.{}", column.doc, column.name, words.join(&format!(", {}.", column.name)));
        query(column.name, &said, kind(column.kind))
    });
    let limit = format!("rows of a page: {ROWS} when nothing is said, at most {ROWS_MAX}");
    let own = [
        query("limit", &limit, "integer"),
        query("after", "`next` of the page before", "string"),
        query("sort", "columns, - before one that descends", "string"),
        query("columns", "only these", "string"),
        as_of(),
    ];
    let search = crate::tables::is_searchable(table).then(|| query("search", "rows with all of these words", "string"));
    let row = json!({ "$ref": format!("#/components/schemas/{}", table.name) });
    let page = json!({
        "type": "object",
        "required": ["table", "position", "rows", "next"],
        "properties": {
            "table": { "const": table.name },
            "position": { "type": "integer", "description": "up to where the log is in it" },
            "rows": { "type": "array", "items": row },
            "next": { "type": ["string", "null"], "description": "`after` of the next page" },
        },
    });
    let content = json!({ "application/json": { "schema": page }, "text/csv": { "schema": { "type": "string" } } });
    let mut described = operation(
        route,
        About {
            summary: table.doc,
            parameters: own.into_iter().chain(dates()).chain(search).chain(filters).collect(),
            body: None,
            answers: vec![("200", "a page; as CSV all rows", content)],
        },
    );
    described["get"]["x-columns"] = columns.into();
    described
}

fn operation(route: &Route, about: About) -> Json {
    let mut parameters = about.parameters;
    let mut answers: Map<String, Json> = Map::new();
    for (status, said, content) in about.answers {
        answers.insert(status.to_owned(), json!({ "description": said, "content": content }));
    }
    if route.access != Access::Open {
        answers.insert("401".to_owned(), json!({ "description": "no good token", "content": problem() }));
        answers.insert("403".to_owned(), json!({ "description": "the token may not do this", "content": problem() }));
    }
    if route.access == Access::Read && route.path.starts_with("/api/") {
        parameters.push(query("wait_for", "answer once this position is in every table (also X-Wait-For)", "integer"));
        for (status, said) in [("400", "the question is wrong"), ("503", "not now"), ("504", "wait_for did not come")] {
            answers.insert(status.to_owned(), json!({ "description": said, "content": problem() }));
        }
    }
    let mut operation = json!({ "summary": about.summary, "parameters": parameters, "responses": answers });
    if let Some(content) = about.body {
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    if let Some(scope) = route.access.scope() {
        operation["security"] = json!([{ "token": [] }]);
        operation["x-scope"] = scope.name().into();
    }
    json!({ route.method: operation })
}

fn schemas() -> Json {
    let mut schemas = Map::new();
    for table in TABLES {
        let column = |column: projections::cell::Column| {
            (column.name.to_owned(), json!({ "type": [kind(column.kind), "null"], "description": column.doc }))
        };
        let columns: Map<String, Json> = table.all_columns().map(column).collect();
        schemas.insert(
            table.name.to_owned(),
            json!({ "type": "object", "description": table.doc, "properties": columns }),
        );
    }
    let types: Vec<&str> = schema::TYPES.iter().map(|known| known.name).collect();
    let text = |said: &str| json!({ "type": "string", "description": said });
    schemas.insert(
        "Event".to_owned(),
        json!({
            "type": "object",
            "required": ["type", "occurred_at", "data"],
            "properties": {
                "type": { "type": "string", "enum": types },
                "occurred_at": text("RFC 3339 with an offset"),
                "data": { "type": "object", "description": "the type's fields: docs/EVENTS.md" },
                "id": text("a UUID, the caller's idempotency key"),
                "meta": { "type": "object" },
                "expected_version": { "type": "integer", "minimum": 0 },
                "schema_version": { "type": "integer", "minimum": 1 },
            },
        }),
    );
    let count = json!({ "type": "integer" });
    let position = json!({ "type": ["integer", "null"] });
    schemas.insert(
        "Receipt".to_owned(),
        json!({
            "type": "object",
            "properties": {
                "appended": count, "duplicates": count, "first_seq": position, "last_seq": position,
                "head": { "type": "object", "properties": { "seq": count, "hash": { "type": "string" } } },
                "events": { "type": "array", "items": { "type": "object", "properties": {
                    "seq": count, "outcome": { "enum": ["appended", "duplicate"] } } } },
            },
        }),
    );
    schemas.insert("Problem".to_owned(), json!({
        "type": "object",
        "properties": { "type": text("what kind"), "title": text(""), "status": count, "detail": text("what would be right") },
    }));
    Json::Object(schemas)
}

fn problem() -> Json {
    json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } })
}

fn query(name: &str, said: &str, kind: &str) -> Json {
    json!({ "name": name, "in": "query", "description": said, "schema": { "type": kind } })
}

fn in_path(name: &str, said: &str) -> Json {
    json!({ "name": name, "in": "path", "required": true, "description": said, "schema": { "type": "string" } })
}

fn dates() -> [Json; 2] {
    [("from", "the first trading date"), ("to", "the last one, included")]
        .map(|(name, said)| query(name, said, "string"))
}

fn as_of() -> Json {
    query("as_of", "as it was at this position, or after the last event recorded by this time", "string")
}

fn kind(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "string",
        ColumnKind::Integer => "integer",
        ColumnKind::Real => "number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described() {
        for route in routes() {
            assert!(route.path == TABLE_PATH || about(route.path).is_some(), "{}", route.path);
        }
    }

    #[test]
    fn what_is_referred_to_is_there() {
        let document = document();
        let text = document.to_string();
        for part in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
        assert!(document["paths"]["/api/v1/trades"]["get"]["parameters"].as_array().unwrap().len() > 60);
    }
}
