//! Owns what every route shares, and which routes there are: each is behind the guard, and behind the scope it needs.
//! What a route does is its own file's business.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::auth::Door;
use super::desk::Desk;
use super::guard::{Names, guard};
use super::options::Limits;
use super::params::Params;
use super::problem::Problem;
use super::progress::Progress;
use super::tokens::Scope;
use super::{answers, append, pages, rows, stream};
use crate::journal::Journal;

/// What every route shares.
pub(super) struct Shared {
    pub(super) journal: Arc<Journal>,
    pub(super) desk: Desk,
    pub(super) door: Door,
    pub(super) names: Names,
    pub(super) limits: Limits,
    pub(super) progress: Progress,
    /// True from the moment on at which the service stops.
    pub(super) stopping: watch::Receiver<bool>,
    /// Held by what goes on for longer than a request: who stops the service waits for it.
    pub(super) alive: mpsc::Sender<()>,
    /// Appends under way at a time.
    pub(super) appends: Arc<Semaphore>,
    /// Streams at a time.
    pub(super) streams: Arc<Semaphore>,
}

/// A handle to it.
#[derive(Clone)]
pub(super) struct App(pub(super) Arc<Shared>);

impl Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// Comes back when the service stops.
pub(super) async fn stop_of(stopping: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone as well.
    drop(stopping.wait_for(|stopping| *stopping).await);
}

/// Where a request comes from.
pub(super) type From = ConnectInfo<IpAddr>;

/// Every route there is.
pub(super) fn router(app: &App) -> Router {
    let read = Router::new()
        .route("/api/v1/{table}", get(rows::table))
        .route("/api/v1/trades/{id}", get(answers::trade))
        .route("/api/v1/trades/{id}/history", get(answers::history))
        .route("/api/v1/metrics", get(answers::metrics))
        .route("/api/v1/equity", get(answers::equity))
        .route("/api/v1/restatements", get(answers::restatements))
        .route("/api/v1/status", get(answers::status))
        .route_layer(from_fn_with_state(app.clone(), wait_for))
        .route_layer(from_fn_with_state(app.clone(), may_read));
    let append = Router::new()
        .route("/api/v1/events", post(append::events))
        .route_layer(from_fn_with_state(app.clone(), may_append));
    let open = Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(answers::ready))
        .route("/", get(pages::index))
        .route("/dashboard/{*file}", get(pages::file));
    let streams = Router::new().route("/api/v1/stream", get(stream::stream));
    let timed = open
        .merge(read)
        .merge(append)
        .merge(streams)
        .layer(DefaultBodyLimit::max(app.limits.body_bytes))
        .layer(from_fn_with_state(app.clone(), in_time));
    timed
        .fallback(|| async { Problem::absent("there is nothing here; /docs says what there is") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "not with this method; /docs says with which")
        })
        .layer(from_fn(explain))
        .layer(from_fn_with_state(app.clone(), guard))
        .with_state(app.clone())
}

async fn may_read(State(app): State<App>, ConnectInfo(from): From, request: Request, next: Next) -> Response {
    admit(&app, from, Scope::Read, request, next).await
}

async fn may_append(State(app): State<App>, ConnectInfo(from): From, request: Request, next: Next) -> Response {
    admit(&app, from, Scope::Append, request, next).await
}

async fn admit(app: &App, from: IpAddr, scope: Scope, request: Request, next: Next) -> Response {
    match app.door.check(request.headers(), from, scope) {
        Ok(_) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Reads your own writes: answers once a position is in every table.
async fn wait_for(State(app): State<App>, request: Request, next: Next) -> Response {
    let in_query = Params::of(request.uri()).take("wait_for");
    let in_head = request.headers().get("x-wait-for").map(|value| value.to_str().unwrap_or("").to_owned());
    if let Some(given) = in_query.or(in_head) {
        let Ok(seq) = given.trim().parse() else {
            return Problem::question(format!("wait_for: expected a position, got `{given}`")).into_response();
        };
        if let Err(problem) = app.progress.wait_for(seq, app.limits.wait_time).await {
            return problem.into_response();
        }
    }
    next.run(request).await
}

/// Ends what takes too long, a body that drips in among it.
async fn in_time(State(app): State<App>, request: Request, next: Next) -> Response {
    let problem = || {
        let detail = "the request or its answer took too long";
        // Half of a body may still be on its way.
        let close = (header::CONNECTION, HeaderValue::from_static("close"));
        Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", detail).header(close.0, close.1)
    };
    let answer = timeout(app.limits.request_time, next.run(request)).await;
    answer.unwrap_or_else(|_| problem().into_response())
}

/// Gives a refusal of the framework's own, which is plain text, the form of all others.
async fn explain(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let plain =
        response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !plain || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(status, "too-large", "the body is too large").into_response(),
        status if status.is_client_error() => {
            Problem::new(status, "bad-request", "the request is malformed").into_response()
        }
        _ => response,
    }
}
