//! Owns who may do what: the token of a request, or of a socket's first message, held against the journal's tokens as
//! they are now. A failed attempt learns nothing but that it failed, and many of them from one address get no
//! further answers for a while; a good token is let in all the same, lest a stranger lock the owner out. (Nobody
//! guesses 256 random bits: the limit is against the noise.)

use std::collections::HashMap;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::problem::Problem;
use super::tokens::{Scope, TOKENS_FILE, TokenEntry, Tokens};
use crate::log;

/// Failed attempts from one address before it has to wait.
const FAILURES_MAX: u32 = 10;

/// How long one failed attempt counts.
const FAILURE_COUNTS: Duration = Duration::from_secs(6);

/// Addresses that failures are counted of; with more, all are forgotten.
const ADDRESSES_MAX: usize = 4_096;

/// The door.
#[derive(Debug)]
pub(super) struct Door {
    dir: PathBuf,
    known: Mutex<(Option<Stamp>, Tokens)>,
    failures: Mutex<HashMap<IpAddr, (u32, Instant)>>,
}

/// What tells one version of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    file: u64,
    seconds: i64,
    nanos: i64,
    bytes: u64,
}

impl Door {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, known: Mutex::default(), failures: Mutex::default() }
    }

    /// Lets a request in that carries a token with this scope.
    pub(super) fn check(&self, headers: &HeaderMap, from: IpAddr, scope: Scope) -> Result<TokenEntry, Problem> {
        self.check_token(bearer(headers), from, scope)
    }

    /// Lets somebody in who has this token, if it has this scope.
    pub(super) fn check_token(&self, token: Option<&str>, from: IpAddr, scope: Scope) -> Result<TokenEntry, Problem> {
        let Some(entry) = token.and_then(|token| self.find(token)) else { return Err(self.failed(from)) };
        if entry.allows(scope) {
            return Ok(entry);
        }
        let detail = format!("this token may not {}", scope.name());
        Err(Problem::new(StatusCode::FORBIDDEN, "out-of-scope", detail).with("scope", scope.name()))
    }

    /// Whether a token that was let in would be still.
    pub(super) fn is_good(&self, id: &str, scope: Scope) -> bool {
        self.with_tokens(|tokens| {
            tokens.list().iter().any(|entry| entry.id == id && entry.allows(scope) && !entry.is_expired(log::now()))
        })
    }

    fn find(&self, token: &str) -> Option<TokenEntry> {
        self.with_tokens(|tokens| tokens.find(token, log::now()).cloned())
    }

    /// The tokens of now: a revoked one is refused from the next request on.
    fn with_tokens<T>(&self, ask: impl FnOnce(&Tokens) -> T) -> T {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = self.stamp();
        if known.0 != stamp || stamp.is_none() {
            // A file that can't be read lets nobody in.
            *known = (stamp, Tokens::read(&self.dir).unwrap_or_default());
        }
        ask(&known.1)
    }

    fn stamp(&self) -> Option<Stamp> {
        let meta = fs::metadata(self.dir.join(TOKENS_FILE)).ok()?;
        Some(Stamp { file: meta.ino(), seconds: meta.mtime(), nanos: meta.mtime_nsec(), bytes: meta.len() })
    }

    fn failed(&self, from: IpAddr) -> Problem {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= ADDRESSES_MAX {
            failures.clear();
        }
        let now = Instant::now();
        let (count, since) = failures.entry(from).or_insert((0, now));
        // One is forgiven for each while that has passed.
        while *count > 0 && now.duration_since(*since) >= FAILURE_COUNTS {
            *count -= 1;
            *since += FAILURE_COUNTS;
        }
        if *count == 0 {
            *since = now;
        }
        if *count >= FAILURES_MAX {
            let wait = HeaderValue::from(FAILURE_COUNTS.as_secs());
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-failures", "too many failed attempts");
            return problem.header(header::RETRY_AFTER, wait);
        }
        *count += 1;
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "a token is needed: Authorization: Bearer tf_...")
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
