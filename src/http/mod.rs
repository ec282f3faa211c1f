//! A journal as a service: HTTP, with the tables, the log and what follows from them as JSON and CSV, and streams of both.
//!
//! One process, the journal's writer and projector. Everything asked of SQLite runs on threads that may wait, with
//! a bounded number of connections; appends go through the journal's own writer, which commits what comes
//! together together.
//!
//! Layout, in reading order:
//! - `options`: where to listen, and every limit
//! - `connection`: connections, with their deadlines
//! - `guard`: by which names, and from whose pages
//! - `tokens`, `auth`: who may do what
//! - `app`: the routes
//! - `append`: events in
//! - `params`, `rows`: tables out
//! - `answers`: what is no table
//! - `desk`: the connections that read
//! - `stream`: events and rows as they come
//! - `progress`: doorbells, and reading one's own writes
//! - `problem`: how a request ends otherwise than well
//! - `openapi`: what there is to ask, told by the service itself
//! - `numbers`: what Prometheus reads
//! - `pages`: files served as they are
//!
//! What this knows nothing of: what an event means, how a figure is reckoned, how anything is kept. The rest of the
//! library knows nothing of this.

mod answers;
mod app;
mod append;
mod auth;
mod connection;
mod desk;
mod guard;
mod numbers;
mod openapi;
mod options;
mod pages;
mod params;
mod problem;
mod progress;
mod rows;
mod stream;
mod tls;
pub mod tokens;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::journal::Journal;
use crate::log::{OpenError, Reader};
use app::{App, Shared};
use auth::Door;
use connection::{Service, accept};
use desk::{Desk, Seat};
use guard::Names;
use numbers::Numbers;
use progress::Progress;

pub use options::{DEFAULT_PORT, Limits, ServeOptions, TlsFiles};

/// Threads that wait for the disk: readers, appenders, and what streams need.
const BLOCKING_THREADS: usize = 160;

/// Appends at a time. The writer commits together what comes together.
const APPENDS: usize = 64;

/// Why a journal is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Tokens and trades would cross a network in clear text.
    #[error(
        "{listen} is beyond loopback: give --tls-cert and --tls-key, or, where something else in front speaks TLS, \
         --plaintext-beyond-loopback"
    )]
    Plaintext {
        /// Where it was to listen.
        listen: SocketAddr,
    },
    /// The address can't be had.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The certificate or its key can't be used.
    #[error("cannot use {}: {detail}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why not.
        detail: String,
    },
    /// The log can't be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The system has no threads for it.
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
}

/// A journal that is being served. Dropping it stops the service at once; [`Server::stop`] in order.
#[derive(Debug)]
pub struct Server {
    at: SocketAddr,
    is_tls: bool,
    limits: Limits,
    journal: Arc<Journal>,
    stop: watch::Sender<bool>,
    ended: mpsc::Receiver<()>,
    runtime: Runtime,
}

impl Server {
    /// Begins to serve a journal.
    ///
    /// # Errors
    /// [`ServeError`].
    pub fn start(journal: Journal, options: &ServeOptions) -> Result<Self, ServeError> {
        options.check()?;
        let tls = options.tls.as_ref().map(tls::acceptor).transpose()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("http")
            .enable_all()
            .build()?;
        let failed = |source| ServeError::Listen { listen: options.listen, source };
        let listener = runtime.block_on(TcpListener::bind(options.listen)).map_err(failed)?;
        let at = listener.local_addr().map_err(failed)?;
        let journal = Arc::new(journal);
        wait_for_tables(journal.dir());
        // From now on, so that who follows tables finds what was changed.
        let _ = journal.changed();
        let progress = Progress::follow(&journal, Reader::open(journal.dir())?)?;
        let (stop, stopping) = watch::channel(false);
        let (alive, ended) = mpsc::channel(1);
        let limits = options.limits;
        let app = App(Arc::new(Shared {
            desk: Desk::new(journal.dir().to_owned()),
            door: Door::new(journal.dir().to_owned()),
            journal: Arc::clone(&journal),
            names: Names::new(at, &options.allowed_hosts, tls.is_some()),
            limits,
            numbers: Numbers::new().map_err(io::Error::other)?,
            progress,
            stopping: stopping.clone(),
            alive: alive.clone(),
            appends: Arc::new(Semaphore::new(APPENDS)),
            streams: Arc::new(Semaphore::new(limits.streams)),
        }));
        let is_tls = tls.is_some();
        let service = Service { router: app::router(&app), tls, limits, stopping, alive };
        runtime.spawn(accept(listener, service));
        Ok(Self { at, is_tls, limits, journal, stop, ended, runtime })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.at
    }

    /// What to open in a browser.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        if self.at.ip().is_unspecified() {
            return format!("{scheme}://localhost:{}/", self.at.port());
        }
        format!("{scheme}://{}/", self.at)
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Takes SIGINT and SIGTERM from here on.
    ///
    /// # Errors
    /// What the system refused.
    pub fn signals(&self) -> io::Result<Signals> {
        let _inside = self.runtime.enter();
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Serves until one of the signals comes.
    pub fn run_until(&self, mut signals: Signals) {
        self.runtime.block_on(async {
            tokio::select! {
                _ = signals.interrupt.recv() => {}
                _ = signals.terminate.recv() => {}
            }
        });
    }

    /// Stops in order: nothing new is taken, what is under way is answered, streams are told, and the tables are brought to
    /// where the log is. What takes longer than the limits allow is cut off; no acknowledged event is concerned.
    pub fn stop(mut self) {
        self.stop.send_replace(true);
        let patience = self.limits.stop_time;
        self.runtime.block_on(async {
            // Ends when the last connection has let go of its end.
            let _ = tokio::time::timeout(patience, self.ended.recv()).await;
        });
        self.runtime.shutdown_timeout(patience);
        if let Ok(status) = self.journal.status() {
            // The next one to open the journal folds what is left.
            let _ = self.journal.wait_until(status.head.seq, patience);
        }
        close(self.journal, patience);
    }
}

/// How long the tables of a new journal may take to be there.
const TABLES_PATIENCE: Duration = Duration::from_secs(2);

/// Waits for tables to be made, so that who asks at once is answered. Those that have to be rebuilt take longer; then
/// readers are told, and events are taken meanwhile.
fn wait_for_tables(dir: &Path) {
    let deadline = Instant::now() + TABLES_PATIENCE;
    while Seat::open(dir).is_err() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// SIGINT and SIGTERM, taken.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

/// Closes the journal here, so that it is closed when this returns.
fn close(mut journal: Arc<Journal>, patience: Duration) {
    let deadline = Instant::now() + patience;
    loop {
        match Arc::try_unwrap(journal) {
            Ok(journal) => return drop(journal),
            // The thread that looks after the tables has it for a moment at a time.
            Err(shared) if Instant::now() < deadline => journal = shared,
            Err(shared) => return drop(shared),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Makes the first token of a journal, where it has none yet.
///
/// # Errors
/// [`tokens::TokenError`].
pub fn first_token(dir: &Path) -> Result<Option<String>, tokens::TokenError> {
    tokens::first(dir)
}
