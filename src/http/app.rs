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
use axum::routing::{MethodRouter, get, post};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::auth::Door;
use super::desk::Desk;
use super::guard::{Names, guard};
use super::numbers::Numbers;
use super::options::Limits;
use super::params::Params;
use super::problem::Problem;
use super::progress::Progress;
use super::tokens::Scope;
use super::{answers, append, numbers, openapi, pages, rows, stream};
use crate::journal::Journal;

/// What every route shares.
pub(super) struct Shared {
    pub(super) journal: Arc<Journal>,
    pub(super) desk: Desk,
    pub(super) door: Door,
    pub(super) names: Names,
    pub(super) limits: Limits,
    pub(super) numbers: Numbers,
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

/// What a route asks of who comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Nothing.
    Open,
    /// A token that may read.
    Read,
    /// The same, asked for by the route itself: a socket's comes in its first message.
    Stream,
    /// A token that may append.
    Append,
}

impl Access {
    pub(super) fn scope(self) -> Option<Scope> {
        match self {
            Self::Open => None,
            Self::Read | Self::Stream => Some(Scope::Read),
            Self::Append => Some(Scope::Append),
        }
    }
}

/// A route.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) access: Access,
    handler: MethodRouter<App>,
}

/// Every route there is.
pub(super) fn routes() -> Vec<Route> {
    let get_at = |access, path, handler| Route { method: "get", path, access, handler };
    let read = |path, handler| get_at(Access::Read, path, handler);
    let open = |path, handler| get_at(Access::Open, path, handler);
    vec![
        Route { method: "post", path: "/api/v1/events", access: Access::Append, handler: post(append::events) },
        read("/api/v1/{table}", get(rows::table)),
        read("/api/v1/trades/{id}", get(answers::trade)),
        read("/api/v1/trades/{id}/history", get(answers::history)),
        read("/api/v1/metrics", get(answers::metrics)),
        read("/api/v1/equity", get(answers::equity)),
        read("/api/v1/restatements", get(answers::restatements)),
        read("/api/v1/status", get(answers::status)),
        get_at(Access::Stream, "/api/v1/stream", get(stream::stream)),
        read("/metrics", get(numbers::metrics)),
        open("/healthz", get(|| async { "alive\n" })),
        open("/readyz", get(answers::ready)),
        open("/openapi.json", get(openapi::document_file)),
        open("/docs", get(pages::docs)),
        open("/", get(pages::index)),
        open("/dashboard/{*file}", get(pages::file)),
    ]
}

/// All of them, each behind what it asks for, and all behind the guard.
pub(super) fn router(app: &App) -> Router {
    let mut timed = Router::new();
    for route in routes() {
        let handler = match route.access {
            Access::Open | Access::Stream => route.handler,
            Access::Read => {
                let waiting = route.handler.route_layer(from_fn_with_state(app.clone(), wait_for));
                waiting.route_layer(from_fn_with_state(app.clone(), may_read))
            }
            Access::Append => route.handler.route_layer(from_fn_with_state(app.clone(), may_append)),
        };
        timed = timed.route(route.path, handler);
    }
    timed
        .layer(DefaultBodyLimit::max(app.limits.body_bytes))
        .layer(from_fn_with_state(app.clone(), in_time))
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
        if let Err(problem) = app.progress.wait_for(&app.desk, seq, app.limits.wait_time).await {
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
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if length.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > app.limits.body_bytes as u64)
    {
        // Before it has come to that.
        return too_large().into_response();
    }
    let answer = timeout(app.limits.request_time, next.run(request)).await;
    answer.unwrap_or_else(|_| problem().into_response())
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "the body is too large: send events in smaller batches")
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
        StatusCode::PAYLOAD_TOO_LARGE => too_large().into_response(),
        status if status.is_client_error() => {
            Problem::new(status, "bad-request", "the request is malformed").into_response()
        }
        _ => response,
    }
}
