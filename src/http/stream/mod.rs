//! Streams: events as they are recorded, and rows as they change, over a WebSocket or as server-sent events.
//!
//! The log is the queue, and a bell only says that there is something new: each subscription reads after its own position,
//! whatever the others do, so that nothing is queued for anybody and nothing is ever missed or told twice. Who takes
//! nothing for a while is told from where to resume, and let go.
//!
//! - `subscription`: what is wanted, from where
//! - `events`: the log after a position
//! - `changes`: rows changed after a position
//! - `socket`: the WebSocket
//! - `sse`: the same for who has no WebSocket

mod changes;
mod events;
mod socket;
mod sse;
mod subscription;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};

use super::app::{App, From};
use super::problem::Problem;
use super::tokens::Scope;

/// The most bytes of a message of a subscriber's.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// The most bytes that wait to be sent on a socket: more than any one message has.
const WAITING_BYTES_MAX: usize = 4 << 20;

/// `GET /api/v1/stream`.
pub(super) async fn stream(
    State(app): State<App>,
    ConnectInfo(from): From,
    headers: HeaderMap,
    uri: Uri,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let room = std::sync::Arc::clone(&app.streams).try_acquire_owned();
    let Ok(room) = room else {
        return Problem::not_now("busy", "too many streams are open").into_response();
    };
    if headers.contains_key(header::UPGRADE) {
        let upgrade = match upgrade {
            Ok(upgrade) => upgrade,
            Err(_) => return Problem::question("expected a WebSocket's handshake").into_response(),
        };
        // Who can send a header may say who he is at once; a browser can't, and says it in its first message.
        let entry = match headers.get(header::AUTHORIZATION).map(|_| app.door.check(&headers, from, Scope::Read)) {
            Some(Err(problem)) => return problem.into_response(),
            Some(Ok(entry)) => Some(entry),
            None => None,
        };
        let alive = app.alive.clone();
        let upgrade = upgrade.max_message_size(MESSAGE_BYTES_MAX).max_frame_size(MESSAGE_BYTES_MAX);
        return upgrade.max_write_buffer_size(WAITING_BYTES_MAX).on_upgrade(move |socket| async move {
            let _held = (room, alive);
            socket::serve(app, from, entry, socket).await;
        });
    }
    match app.door.check(&headers, from, Scope::Read) {
        Ok(entry) => sse::serve(app, entry, &headers, &uri, room).await.unwrap_or_else(IntoResponse::into_response),
        Err(problem) => problem.into_response(),
    }
}
