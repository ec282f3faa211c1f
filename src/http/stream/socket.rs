//! Owns the WebSocket: who it is, what it wants, and what it is sent. One task a socket, which sends what is next only when
//! the last was taken: nothing waits in memory but that. Close codes say what to do next.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt as _;
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::subscription::{Subscription, Wish};
use crate::http::app::{App, stop_of};
use crate::http::problem::Problem;
use crate::http::tokens::{Scope, TokenEntry};

/// Why a socket is closed: RFC 6455's for stopping, and our own.
mod code {
    /// The service stops: connect again later, and resume.
    pub(super) const STOPPING: u16 = 1001;
    /// A message that can't be understood.
    pub(super) const WRONG: u16 = 4400;
    /// No good token, or none in time.
    pub(super) const UNAUTHORIZED: u16 = 4401;
    /// The position is too far back: read the tables, and subscribe from there.
    pub(super) const TOO_FAR_BACK: u16 = 4410;
    /// Nothing was taken for a while: connect again, and resume.
    pub(super) const TOO_SLOW: u16 = 4429;
    /// Something here failed: connect again, and resume.
    pub(super) const FAILED: u16 = 1011;
}

/// The longest reason that a close frame holds.
const REASON_BYTES_MAX: usize = 123;

/// How it ends.
enum End {
    /// The other side has gone.
    Gone,
    /// Closed from here.
    Closed(u16, String),
}

impl From<Problem> for End {
    fn from(problem: Problem) -> Self {
        let code = match problem.status() {
            410 => code::TOO_FAR_BACK,
            401 | 403 | 429 => code::UNAUTHORIZED,
            400..=499 => code::WRONG,
            _ => code::FAILED,
        };
        Self::Closed(code, problem.detail().to_owned())
    }
}

/// The first message of who could not say it before.
#[derive(Deserialize)]
struct Login {
    auth: String,
}

/// Serves a socket until it ends.
pub(super) async fn serve(app: App, from: IpAddr, entry: Option<TokenEntry>, socket: WebSocket) {
    let mut line = Line { app, socket, subscriptions: Vec::new(), heard: Instant::now() };
    let end = match line.login(from, entry).await {
        Ok(entry) => line.run(&entry).await,
        Err(end) => end,
    };
    if let End::Closed(code, reason) = end {
        let mut cut = reason.len().min(REASON_BYTES_MAX);
        while !reason.is_char_boundary(cut) {
            cut -= 1;
        }
        let frame = CloseFrame { code, reason: reason[..cut].into() };
        // Who was too slow may still take what waits, and this after it.
        let stall = line.app.limits.stall_time;
        let _ = timeout(stall, line.socket.send(Message::Close(Some(frame)))).await;
    }
}

struct Line {
    app: App,
    socket: WebSocket,
    subscriptions: Vec<Subscription>,
    /// When the other side last said anything.
    heard: Instant,
}

impl Line {
    async fn login(&mut self, from: IpAddr, entry: Option<TokenEntry>) -> Result<TokenEntry, End> {
        let entry = match entry {
            Some(entry) => entry,
            None => {
                let late =
                    || End::Closed(code::UNAUTHORIZED, "expected {\"auth\":\"tf_...\"} first, in time".to_owned());
                let mut stopping = self.app.stopping.clone();
                let first = tokio::select! {
                    first = timeout(self.app.limits.login_time, self.socket.recv()) => first.map_err(|_| late())?,
                    () = stop_of(&mut stopping) => return Err(stopped()),
                };
                let Some(Ok(Message::Text(text))) = first else { return Err(late()) };
                let login: Login = serde_json::from_str(text.as_str()).map_err(|_| late())?;
                self.app.door.check_token(Some(&login.auth), from, Scope::Read)?
            }
        };
        let head = *self.app.progress.head.borrow();
        self.send(json!({ "ready": { "head": head, "token": entry.id } }).to_string()).await?;
        Ok(entry)
    }

    async fn run(&mut self, entry: &TokenEntry) -> End {
        let mut head = self.app.progress.head.clone();
        let mut standing = self.app.progress.standing.clone();
        let mut stopping = self.app.stopping.clone();
        let mut ping = interval(self.app.limits.ping_time);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        loop {
            let more = match self.advance().await {
                Ok(more) => more,
                Err(end) => return end,
            };
            let went = tokio::select! {
                () = stop_of(&mut stopping) => return stopped(),
                message = self.socket.recv() => self.hear(message).await,
                _ = ping.tick() => self.ping(entry).await,
                rung = head.changed() => rung.map_err(|_| stopped()),
                rung = standing.changed() => rung.map_err(|_| stopped()),
                () = std::future::ready(()), if more => Ok(()),
            };
            if let Err(end) = went {
                return end;
            }
        }
    }

    /// Sends what is next of each subscription. Returns whether there is more.
    async fn advance(&mut self) -> Result<bool, End> {
        let mut more = false;
        for at in 0..self.subscriptions.len() {
            let app = self.app.clone();
            let batch = self.subscriptions[at].next(&app).await?;
            more |= batch.more;
            for item in batch.items {
                self.hand_over(item.json.clone()).await?;
                self.subscriptions[at].told(&item);
            }
            self.flush().await?;
        }
        Ok(more)
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        self.heard = Instant::now();
        match message {
            None | Some(Err(_) | Ok(Message::Close(_))) => Err(End::Gone),
            Some(Ok(Message::Text(text))) => self.subscribe(text.as_str()).await,
            Some(Ok(Message::Binary(_))) => Err(End::Closed(code::WRONG, "expected text".to_owned())),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
        }
    }

    /// One subscription to events and one to tables at most; another one takes its place.
    async fn subscribe(&mut self, text: &str) -> Result<(), End> {
        let wrong = |error: serde_json::Error| {
            End::Closed(code::WRONG, format!("expected {{\"subscribe\":\"events\"}} or \"tables\": {error}"))
        };
        let wish: Wish = serde_json::from_str(text).map_err(wrong)?;
        let subscription = Subscription::begin(&self.app, wish)?;
        let said = json!({ "subscribed": subscription.name(), "position": subscription.position() });
        self.subscriptions.retain(|other| other.name() != subscription.name());
        self.subscriptions.push(subscription);
        self.send(said.to_string()).await
    }

    /// Shows that the line is alive, asks whether the other side is, and whether its token is still good.
    async fn ping(&mut self, entry: &TokenEntry) -> Result<(), End> {
        if !self.app.door.is_good(&entry.id, Scope::Read) {
            return Err(End::Closed(code::UNAUTHORIZED, "the token is not good any more".to_owned()));
        }
        if self.heard.elapsed() > 2 * self.app.limits.ping_time {
            return Err(End::Gone);
        }
        let ping = self.in_time(Message::Ping(Vec::new().into()));
        ping.await?;
        self.flush().await
    }

    async fn send(&mut self, text: String) -> Result<(), End> {
        self.hand_over(text).await?;
        self.flush().await
    }

    async fn hand_over(&mut self, text: String) -> Result<(), End> {
        self.in_time(Message::Text(text.into())).await
    }

    async fn in_time(&mut self, message: Message) -> Result<(), End> {
        let slow = self.app.limits.slow_time;
        match timeout(slow, self.socket.feed(message)).await {
            Ok(sent) => sent.map_err(|_| End::Gone),
            Err(_) => Err(self.too_slow(slow)),
        }
    }

    async fn flush(&mut self) -> Result<(), End> {
        let slow = self.app.limits.slow_time;
        match timeout(slow, self.socket.flush()).await {
            Ok(sent) => sent.map_err(|_| End::Gone),
            Err(_) => Err(self.too_slow(slow)),
        }
    }

    fn too_slow(&self, slow: Duration) -> End {
        let from = self.subscriptions.iter().map(|one| format!("{} from position {}", one.name(), one.position()));
        let from = from.collect::<Vec<_>>().join(", ");
        End::Closed(code::TOO_SLOW, format!("nothing was taken for {:.1} s: resume {from}", slow.as_secs_f64()))
    }
}

fn stopped() -> End {
    End::Closed(code::STOPPING, "the service is stopping".to_owned())
}
