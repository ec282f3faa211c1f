//! Owns how the service is set up: where it listens, whom it answers, and every limit it keeps. What is not allowed is
//! refused before anything listens.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::ServeError;

/// The port when nothing else is said.
pub const DEFAULT_PORT: u16 = 7878;

/// How a journal is served.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to listen. Port 0 is any that is free.
    pub listen: SocketAddr,
    /// The certificate chain and its key, as PEM files.
    pub tls: Option<TlsFiles>,
    /// Names, or names with a port, by which it may be asked for beside those of loopback.
    pub allowed_hosts: Vec<String>,
    /// Whether tokens and trades may cross a network in clear text.
    pub plaintext_beyond_loopback: bool,
    /// What keeps one caller from taking everything.
    pub limits: Limits,
}

/// Files of a certificate.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What keeps one caller from taking everything.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// From a connection's beginning to its first byte, and for all of a request's head.
    pub head_time: Duration,
    /// From a request's head to its answer, the body included.
    pub request_time: Duration,
    /// How long somebody may take nothing of an answer.
    pub stall_time: Duration,
    /// Connections at a time; others wait to be accepted.
    pub connections: usize,
    /// Streams at a time, and CSV answers.
    pub streams: usize,
    /// How long a reader waits for a position to be in the tables.
    pub wait_time: Duration,
    /// How long one question may occupy the tables.
    pub query_time: Duration,
    /// How long a WebSocket may take to say who it is.
    pub login_time: Duration,
    /// How long a subscriber may take nothing before it is told where to resume.
    pub slow_time: Duration,
    /// How often a silent stream is shown to be alive. One that doesn't answer twice is closed.
    pub ping_time: Duration,
    /// For what is under way when the service stops.
    pub stop_time: Duration,
    /// How long a projection may be behind without getting on before it counts as stale.
    pub stale_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 8 << 20,
            head_time: Duration::from_secs(10),
            request_time: Duration::from_secs(60),
            stall_time: Duration::from_secs(30),
            connections: 256,
            streams: 64,
            wait_time: Duration::from_secs(5),
            query_time: Duration::from_secs(20),
            login_time: Duration::from_secs(5),
            slow_time: Duration::from_secs(10),
            ping_time: Duration::from_secs(30),
            stop_time: Duration::from_secs(10),
            stale_time: Duration::from_secs(10),
        }
    }
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
            tls: None,
            allowed_hosts: Vec::new(),
            plaintext_beyond_loopback: false,
            limits: Limits::default(),
        }
    }
}

impl ServeOptions {
    /// Refuses what would show tokens and trades to a network.
    pub(super) fn check(&self) -> Result<(), ServeError> {
        if self.listen.ip().is_loopback() || self.tls.is_some() || self.plaintext_beyond_loopback {
            return Ok(());
        }
        Err(ServeError::Plaintext { listen: self.listen })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_loopback_only_with_tls_or_said_in_so_many_words() {
        let at = |listen: &str| ServeOptions { listen: listen.parse().unwrap(), ..ServeOptions::default() };
        for loopback in ["127.0.0.1:0", "127.8.8.8:1", "[::1]:7878"] {
            assert!(at(loopback).check().is_ok(), "{loopback}");
        }
        for beyond in ["0.0.0.0:7878", "192.168.1.5:7878", "[::]:7878", "[2001:db8::1]:1"] {
            assert!(matches!(at(beyond).check(), Err(ServeError::Plaintext { .. })), "{beyond}");
            assert!(ServeOptions { plaintext_beyond_loopback: true, ..at(beyond) }.check().is_ok());
            let tls = Some(TlsFiles { certificate: "c".into(), key: "k".into() });
            assert!(ServeOptions { tls, ..at(beyond) }.check().is_ok());
        }
    }
}
