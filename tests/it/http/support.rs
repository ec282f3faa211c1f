//! What the service's tests share: a journal that is served from this process, with a plain client, a rude one, and
//! tokens.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use projections::validate::parse_edge;
use serde_json::Value;
use tempfile::TempDir;
use tradefold::http::tokens::{self, Scope};
use tradefold::http::{Limits, ServeOptions, Server};
use tradefold::journal::{Journal, JournalOptions};
use tradefold::log;

use crate::cli_support::WEEK;

/// A served journal.
pub(crate) struct Served {
    server: Option<Server>,
    pub(crate) at: SocketAddr,
    /// A token that may do everything.
    pub(crate) token: String,
    folder: TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Served {
    /// An empty journal.
    pub(crate) fn new() -> Self {
        Self::with(&[], Limits::default(), |_| {})
    }

    /// The shipped week.
    pub(crate) fn week() -> Self {
        let events = std::fs::read_to_string(WEEK).unwrap();
        Self::with(&events.lines().collect::<Vec<_>>(), Limits::default(), |_| {})
    }

    pub(crate) fn with(events: &[&str], limits: Limits, set: impl FnOnce(&mut ServeOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("journal");
        let options = JournalOptions::default();
        log::create(&dir, options.writer.lock_wait).unwrap();
        let journal = Journal::open(&dir, options).unwrap();
        let drafts: Vec<_> = events.iter().map(|line| parse_edge(line).unwrap()).collect();
        if let Some(last) = journal.append(drafts).unwrap().last_seq {
            journal.wait_until(last, Duration::from_secs(60)).unwrap();
        } else {
            journal.wait_until(0, Duration::from_secs(60)).unwrap();
        }
        Self::serve(folder, journal, limits, set)
    }

    /// A journal that was served before.
    pub(crate) fn over(folder: TempDir) -> Self {
        let journal = Journal::open(&folder.path().join("journal"), JournalOptions::default()).unwrap();
        Self::serve(folder, journal, Limits::default(), |_| {})
    }

    fn serve(folder: TempDir, journal: Journal, limits: Limits, set: impl FnOnce(&mut ServeOptions)) -> Self {
        let (token, _) = tokens::add(journal.dir(), "test", &Scope::ALL, None).unwrap();
        let mut options = ServeOptions { listen: "127.0.0.1:0".parse().unwrap(), limits, ..ServeOptions::default() };
        set(&mut options);
        let server = Server::start(journal, &options).unwrap();
        Self { at: server.address(), server: Some(server), token, folder }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    pub(crate) fn journal(&self) -> &Journal {
        self.server.as_ref().unwrap().journal()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// Stops the service in order, and leaves the journal.
    pub(crate) fn stop(mut self) -> TempDir {
        self.server.take().unwrap().stop();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.get_as(Some(&self.token), path, headers)
    }

    pub(crate) fn get_as(&self, token: Option<&str>, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = agent().get(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        Answer::of(request.call().unwrap())
    }

    /// The JSON of an answer that is well.
    pub(crate) fn json(&self, path: &str) -> Value {
        self.get(path).ok().json()
    }

    pub(crate) fn post(&self, kind: &str, body: &str) -> Answer {
        self.post_with(Some(&self.token), &[("content-type", kind)], body)
    }

    pub(crate) fn post_with(&self, token: Option<&str>, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = agent().post(self.url("/api/v1/events"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        Answer::of(request.send(body).unwrap())
    }

    /// A connection on which anything can be said.
    pub(crate) fn raw(&self) -> TcpStream {
        let stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// What is answered to these bytes until the other side closes.
    pub(crate) fn say(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.raw();
        // It may have been refused and closed half-way.
        let _ = stream.write_all(bytes.as_ref());
        until_closed(&mut stream)
    }

    /// What is answered to a request with this head and `Connection: close`.
    pub(crate) fn ask(&self, line: &str, headers: &str) -> String {
        self.say(format!("{line} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop();
        }
    }
}

pub(crate) fn until_closed(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

impl Answer {
    fn of(mut response: ureq::http::Response<ureq::Body>) -> Self {
        let text = |value: &ureq::http::HeaderValue| value.to_str().unwrap().to_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let status = response.status().as_u16();
        Self { status, headers, body: response.body_mut().read_to_string().unwrap() }
    }

    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.body);
        self
    }

    /// A problem with this status and kind, that says all of this.
    pub(crate) fn fails(self, status: u16, kind: &str, said: &[&str]) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["type"], format!("/docs#{kind}"), "{}", self.body);
        assert_eq!(problem["status"], status);
        for words in said {
            assert!(problem["detail"].as_str().unwrap().contains(words), "{words:?} is not in: {}", self.body);
        }
        problem
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}
