//! Owns connections: accepted while there is room, each with deadlines for its first byte, its heads and what it takes of
//! an answer, and ended in order when the service stops. (The framework's own `serve` lets silent connections and
//! half-sent heads stay for as long as they like.) What is asked over them is the router's business.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use super::options::Limits;

/// The most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// The most headers.
const HEADERS_MAX: usize = 100;

/// How long to leave the system alone when it has no more sockets for us.
const BREATH: Duration = Duration::from_millis(50);

/// What every connection is served with.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) router: Router,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) limits: Limits,
    pub(super) stopping: watch::Receiver<bool>,
    /// Held as long as something is under way: who stops the service waits for all of them to be let go.
    pub(super) alive: mpsc::Sender<()>,
}

/// Accepts connections until the service stops.
pub(super) async fn accept(listener: TcpListener, service: Service) {
    let room = Arc::new(Semaphore::new(service.limits.connections));
    let mut stopping = service.stopping.clone();
    loop {
        let next = async {
            let permit = Arc::clone(&room).acquire_owned().await.ok()?;
            Some((permit, listener.accept().await))
        };
        let (permit, accepted) = tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return,
            next = next => match next {
                Some(next) => next,
                None => return,
            },
        };
        let Ok((stream, from)) = accepted else {
            sleep(BREATH).await;
            continue;
        };
        let service = service.clone();
        tokio::spawn(async move {
            let _permit = permit;
            service.begin(stream, from).await;
        });
    }
}

impl Service {
    /// Waits for the first byte, and agrees on TLS.
    async fn begin(self, stream: TcpStream, from: SocketAddr) {
        // Answers are small, and waiting for more to send with them only takes time.
        let _ = stream.set_nodelay(true);
        let mut stopping = self.stopping.clone();
        let first = timeout(self.limits.head_time, async { stream.peek(&mut [0]).await });
        let spoke = tokio::select! {
            first = first => matches!(first, Ok(Ok(1..))),
            _ = stopping.wait_for(|stopping| *stopping) => false,
        };
        if !spoke {
            return;
        }
        let from = from.ip();
        match &self.tls {
            None => self.serve(stream, from).await,
            Some(tls) => {
                if let Ok(Ok(stream)) = timeout(self.limits.head_time, tls.accept(stream)).await {
                    self.serve(stream, from).await;
                }
            }
        }
    }

    /// Answers requests until the other side, a deadline or the service ends it.
    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Send + 'static, from: IpAddr) {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.limits.stall_time));
        let router = self.router.clone();
        let answer = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(from));
            let mut router = router.clone();
            async move { tower_service::Service::call(&mut router, request.map(axum::body::Body::new)).await }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_time)
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX);
        let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), answer).with_upgrades();
        let mut connection = pin!(connection);
        let mut stopping = self.stopping.clone();
        let _alive = self.alive.clone();
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stopping.wait_for(|stopping| *stopping) => connection.as_mut().graceful_shutdown(),
        }
        // How it ended is of no use to anybody: whoever asked knows.
        let _ = connection.await;
    }
}
