//! `serve`: the journal as a service, until it is told to stop. What is served is the library's; here are its options,
//! and what is said when it begins and ends.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::failure::{Failure, chain};
use super::out::Out;
use super::{Context, append, help};
use crate::http::{DEFAULT_PORT, ServeError, ServeOptions, Server, TlsFiles, first_token, tokens};
use crate::journal::Journal;

/// Serve the journal: HTTP, WebSocket and the dashboard
#[derive(Debug, Args)]
#[command(after_help = help::SERVE)]
pub(crate) struct Serve {
    #[command(flatten)]
    options: Options,
}

/// How to serve.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where to listen; port 0 is any that is free
    #[arg(long, value_name = "ADDR", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)))]
    listen: SocketAddr,

    /// The certificate chain, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// Its key, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Another name by which it may be asked for, such as journal.example or journal.example:443
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,

    /// Listen beyond loopback without TLS: everybody on the way can read tokens and trades, and use the tokens. Only where
    /// something in front of it speaks TLS, or the network is private
    #[arg(long)]
    plaintext_beyond_loopback: bool,
}

impl Options {
    /// Those of `demo --serve`.
    pub(crate) fn at(listen: SocketAddr) -> Self {
        Self { listen, tls_cert: None, tls_key: None, allow_host: Vec::new(), plaintext_beyond_loopback: false }
    }

    fn for_library(&self) -> ServeOptions {
        let files = self.tls_cert.clone().zip(self.tls_key.clone());
        ServeOptions {
            listen: self.listen,
            tls: files.map(|(certificate, key)| TlsFiles { certificate, key }),
            allowed_hosts: self.allow_host.clone(),
            plaintext_beyond_loopback: self.plaintext_beyond_loopback,
            ..ServeOptions::default()
        }
    }

    /// Serves a journal until SIGINT or SIGTERM. The token, where there is a new one, is shown now and never again.
    pub(crate) fn serve(
        &self,
        journal: Journal,
        token: Option<&str>,
        context: &Context,
        out: &mut Out,
    ) -> Result<(), Failure> {
        let dir = journal.dir().to_owned();
        let server = Server::start(journal, &self.for_library())?;
        let signals = server.signals()?;
        let url = server.url();
        let link = token.map(|token| format!("{url}#token={token}"));
        if context.json {
            out.json(
                &json!({ "journal": dir, "listening": server.address().to_string(), "url": url, "token": token }),
            )?;
        } else {
            self.greet(&dir, &url, link.as_deref(), out)?;
        }
        out.flush()?;
        server.run_until(signals);
        server.stop();
        if !context.json {
            out.line("stopped")?;
        }
        Ok(())
    }

    fn greet(&self, dir: &Path, url: &str, link: Option<&str>, out: &mut Out) -> Result<(), Failure> {
        out.line(format!("serving {} at {url}", dir.display()))?;
        if let Some(link) = link {
            out.line("A token that may do everything was made. It is shown this once:")?;
            out.line(link)?;
        }
        if self.plaintext_beyond_loopback && !self.listen.ip().is_loopback() && self.tls_cert.is_none() {
            out.line("Without TLS: everybody on the way can read tokens and trades.")?;
        }
        Ok(())
    }
}

impl Serve {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let journal = append::open(context)?;
        let token = first_token(journal.dir())?;
        self.options.serve(journal, token.as_deref(), context, out)
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Open(error) => error.into(),
            error => Self::usage(chain(&error)),
        }
    }
}

impl From<tokens::TokenError> for Failure {
    fn from(error: tokens::TokenError) -> Self {
        match error {
            tokens::TokenError::Unknown { .. } => Self::usage(chain(&error)),
            error => Self::journal(chain(&error)),
        }
    }
}
