//! Owns server-sent events: one subscription, by its query string, for `curl` and whoever has no WebSocket. `Last-Event-ID`
//! resumes. A bounded number of items waits to be taken; the last place is kept for saying where to resume.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{self, OwnedPermit, Sender};
use tokio::time::{MissedTickBehavior, interval};

use super::subscription::{Item, Subscription, Wish};
use crate::http::app::{App, stop_of};
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::tokens::{Scope, TokenEntry};

/// Items that wait to be taken.
const WAITING_MAX: usize = 8;

/// Begins a stream.
pub(super) async fn serve(
    app: App,
    entry: TokenEntry,
    headers: &HeaderMap,
    uri: &Uri,
    room: OwnedSemaphorePermit,
) -> Result<Response, Problem> {
    let subscription = Subscription::begin(&app, wish(headers, uri)?)?;
    let (items, taken) = mpsc::channel::<Bytes>(WAITING_MAX + 1);
    // Nothing was sent yet, so that there is room.
    let last = items.clone().reserve_owned().await.map_err(|_| Problem::broken("a stream ended before it began"))?;
    let first = subscription.position_item();
    tokio::spawn(async move {
        let _held = (room, app.alive.clone());
        Line { app, entry, subscription, items }.run(first, last).await;
    });
    let body = stream::unfold(taken, |mut taken| async {
        let part = taken.recv().await?;
        Some((Ok::<_, Infallible>(part), taken))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(body)).into_response())
}

fn wish(headers: &HeaderMap, uri: &Uri) -> Result<Wish, Problem> {
    let mut params = Params::of(uri);
    let position = |text: &str| text.trim().parse().ok();
    let after = params.parsed("after", "a position", position)?;
    // What a client says by itself when it connects again is later than what it was once told to say.
    let resumed = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default());
    let wrong = || Problem::question("Last-Event-ID: expected a position");
    let resumed = resumed.map(|id| position(id).ok_or_else(wrong)).transpose()?;
    let wish = Wish {
        subscribe: params.take("subscribe").unwrap_or_else(|| "events".to_owned()),
        after: resumed.or(after),
        account: params.take("account"),
        types: params.take_all("type"),
        tables: params.take_all("table"),
    };
    params.done(&["subscribe", "after", "account", "type", "table"])?;
    Ok(wish)
}

struct Line {
    app: App,
    entry: TokenEntry,
    subscription: Subscription,
    items: Sender<Bytes>,
}

impl Line {
    async fn run(mut self, first: Item, last: OwnedPermit<Bytes>) {
        let end = match self.send(first).await {
            Ok(()) => self.follow().await,
            Err(end) => end,
        };
        if let Some(reason) = end {
            let data = json!({ "reason": reason, "resume": self.subscription.position() });
            last.send(Bytes::from(format!("event: close\ndata: {data}\n\n")));
        }
    }

    /// Sends what comes, until it ends. Returns why, if anybody is left to be told.
    async fn follow(&mut self) -> Option<String> {
        let mut head = self.app.progress.head.clone();
        let mut standing = self.app.progress.standing.clone();
        let mut stopping = self.app.stopping.clone();
        let mut ping = interval(self.app.limits.ping_time);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        loop {
            let app = self.app.clone();
            let batch = match self.subscription.next(&app).await {
                Ok(batch) => batch,
                Err(problem) => return Some(problem.detail().to_owned()),
            };
            for item in batch.items {
                if let Err(end) = self.send(item).await {
                    return end;
                }
            }
            let went = tokio::select! {
                () = stop_of(&mut stopping) => Err(Some("the service is stopping".to_owned())),
                () = self.items.closed() => Err(None),
                _ = ping.tick() => self.ping().await,
                _ = head.changed() => Ok(()),
                _ = standing.changed() => Ok(()),
                () = std::future::ready(()), if batch.more => Ok(()),
            };
            if let Err(end) = went {
                return end;
            }
        }
    }

    async fn ping(&self) -> Result<(), Option<String>> {
        if !self.app.door.is_good(&self.entry.id, Scope::Read) {
            return Err(Some("the token is not good any more".to_owned()));
        }
        self.hand_over(Bytes::from_static(b": alive\n\n")).await
    }

    async fn send(&mut self, item: Item) -> Result<(), Option<String>> {
        let id = item.position.map_or_else(String::new, |position| format!("id: {position}\n"));
        let text = format!("{id}event: {}\ndata: {}\n\n", item.kind, item.json);
        self.hand_over(text.into()).await?;
        self.subscription.told(&item);
        Ok(())
    }

    async fn hand_over(&self, bytes: Bytes) -> Result<(), Option<String>> {
        let slow: Duration = self.app.limits.slow_time;
        match self.items.send_timeout(bytes, slow).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(None),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                Err(Some(format!("nothing was taken for {:.1} s", slow.as_secs_f64())))
            }
        }
    }
}
