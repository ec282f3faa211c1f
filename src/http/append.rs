//! Owns `POST /api/v1/events`: a batch in, all of it recorded or nothing, one answer an event. Checking is
//! `projections::validate`'s, recording the writer's; here a body becomes drafts and a receipt becomes a status.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use projections::draft::Draft;
use projections::json::{self, Json};
use projections::validate::{self, Refusal};
use serde_json::{Value, json};

use super::app::App;
use super::problem::Problem;
use crate::log::{Answer, Receipt, hex};

/// How many refused events are listed.
const LISTED_MAX: usize = 100;

/// Records a batch.
pub(super) async fn events(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let form = Form::of(&headers)?;
    let drafts = read(form, &body)?;
    let permit = Arc::clone(&app.appends).acquire_owned().await;
    let permit = permit.map_err(|_| Problem::not_now("stopping", "the service is stopping"))?;
    let journal = Arc::clone(&app.journal);
    let began = Instant::now();
    let appended = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        journal.append(drafts)
    });
    let Ok(appended) = appended.await else {
        // The thread is gone, perhaps between the commit and its answer.
        let detail = "the outcome is unknown, retry with the same ids";
        return Err(Problem::not_now("outcome-unknown", detail).with("outcome", "unknown"));
    };
    app.numbers.count(&appended, began.elapsed());
    Ok(answer(&appended?))
}

fn answer(receipt: &Receipt) -> Response {
    let status = if receipt.appended() > 0 { StatusCode::CREATED } else { StatusCode::OK };
    let outcome = |answer: &Answer| match answer {
        Answer::Appended { seq } => json!({ "seq": seq, "outcome": "appended" }),
        Answer::Duplicate { seq } => json!({ "seq": seq, "outcome": "duplicate" }),
    };
    let body = json!({
        "appended": receipt.appended(),
        "duplicates": receipt.duplicates(),
        "first_seq": receipt.first_seq,
        "last_seq": receipt.last_seq,
        "head": { "seq": receipt.head.seq, "hash": hex(&receipt.head.hash) },
        "events": receipt.answers.iter().map(outcome).collect::<Vec<_>>(),
    });
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// How events come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// One object, or a list of them.
    Json,
    /// One object a line.
    Lines,
}

impl Form {
    /// A form that no other site's page can send without asking first.
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        if headers.contains_key(header::CONTENT_ENCODING) {
            return Err(unsupported("bodies are taken as they are, without a Content-Encoding"));
        }
        let given = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        match given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" => Ok(Self::Json),
            "application/x-ndjson" | "application/jsonl" => Ok(Self::Lines),
            _ => Err(unsupported("expected Content-Type application/json or application/x-ndjson")),
        }
    }
}

fn unsupported(detail: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", detail)
}

fn read(form: Form, body: &[u8]) -> Result<Vec<Draft>, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| {
        Problem::question(format!("expected UTF-8; byte {} of the body is something else", error.valid_up_to() + 1))
    })?;
    let checked: Vec<Result<Draft, Refusal>> = match form {
        Form::Lines => lines(text).map(validate::parse_edge).collect(),
        Form::Json => match json::parse(text) {
            Ok(Json::Array(events)) => events.iter().map(validate::check).collect(),
            Ok(event) => vec![validate::check(&event)],
            Err(error) => vec![Err(error.into())],
        },
    };
    let refused: Vec<Value> = checked.iter().enumerate().filter_map(|(index, event)| refusal(index, event)).collect();
    if refused.is_empty() {
        return Ok(checked.into_iter().filter_map(Result::ok).collect());
    }
    let (count, events) = (refused.len(), checked.len());
    let detail = format!("nothing was recorded: {count} of {events} events are malformed");
    let listed: Vec<Value> = refused.into_iter().take(LISTED_MAX).collect();
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", detail);
    Err(problem.with("outcome", "nothing recorded").with("errors", listed))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().filter(|line| !line.trim().is_empty())
}

fn refusal(index: usize, event: &Result<Draft, Refusal>) -> Option<Value> {
    let refusal = event.as_ref().err()?;
    Some(json!({ "index": index, "field": refusal.field, "message": refusal.problem.to_string() }))
}
