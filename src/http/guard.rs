//! Owns what is looked at before anybody is asked who they are: by which name the service was called (a page that has
//! its own name resolve to this address gets nothing), where a browser's request comes from, and the headers that
//! every answer carries. No cookies are ever set or read and no CORS header is ever sent, so that no other site's
//! page has any authority here.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::app::App;
use super::problem::Problem;

/// The names by which the service may be called.
#[derive(Clone, Debug)]
pub(super) struct Names {
    hosts: Vec<String>,
    scheme: &'static str,
}

impl Names {
    pub(super) fn new(at: SocketAddr, allowed: &[String], is_tls: bool) -> Self {
        let port = at.port();
        let mut hosts = vec![format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}")];
        if !at.ip().is_unspecified() {
            hosts.push(at.to_string());
        }
        for host in allowed {
            hosts.push(host.to_ascii_lowercase());
            hosts.push(format!("{}:{port}", host.to_ascii_lowercase()));
        }
        Self { hosts, scheme: if is_tls { "https" } else { "http" } }
    }

    /// Compared whole; only in the case of letters names have no meaning.
    fn knows(&self, host: &str) -> bool {
        self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    /// Whether a page of this origin is one of ours.
    fn knows_origin(&self, origin: &str) -> bool {
        let rest = origin.strip_prefix(self.scheme).and_then(|rest| rest.strip_prefix("://"));
        rest.is_some_and(|host| self.knows(host))
    }
}

/// Passes on what was asked by one of our names and by nobody else's page, and marks every answer.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let refused = refuse_host(&app.names, &request).or_else(|| refuse_origin(&app.names, &request));
    let mut response = match refused {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    mark(response.headers_mut());
    response
}

fn refuse_host(names: &Names, request: &Request) -> Option<Problem> {
    let mut given = request.headers().get_all(header::HOST).iter();
    let (first, second) = (given.next(), given.next());
    let is_ours = |host: &HeaderValue| host.to_str().is_ok_and(|host| names.knows(host));
    // A whole URL in the request line names a host, too.
    let in_line = request.uri().authority().is_none_or(|authority| names.knows(authority.as_str()));
    let is_good = second.is_none() && in_line && first.is_some_and(is_ours) && request.version() >= Version::HTTP_10;
    let problem = || {
        let detail = "this service answers by the names it was told alone; see serve --allow-host";
        Problem::new(StatusCode::MISDIRECTED_REQUEST, "unknown-host", detail)
    };
    (!is_good).then(problem)
}

/// A browser says where a request comes from. What changes something, and a socket (which no same-origin rule
/// protects), must come from a page of ours, or from no page at all.
fn refuse_origin(names: &Names, request: &Request) -> Option<Problem> {
    let headers = request.headers();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads && !headers.contains_key(header::UPGRADE) {
        return None;
    }
    let sites = headers.get_all("sec-fetch-site").iter();
    let is_ours = |origin: &HeaderValue| origin.to_str().is_ok_and(|origin| names.knows_origin(origin));
    let same_site = sites.into_iter().all(|site| site == "same-origin" || site == "none");
    let same_origin = headers.get_all(header::ORIGIN).iter().all(is_ours);
    let problem = || Problem::new(StatusCode::FORBIDDEN, "cross-site", "the request comes from another site's page");
    (!(same_site && same_origin)).then(problem)
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

fn mark(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_origins_are_compared_whole() {
        let names = Names::new("127.0.0.1:7878".parse().unwrap(), &["Journal.example".to_owned()], false);
        for good in [
            "127.0.0.1:7878",
            "localhost:7878",
            "LOCALHOST:7878",
            "[::1]:7878",
            "journal.example",
            "journal.example:7878",
        ] {
            assert!(names.knows(good), "{good}");
            assert!(names.knows_origin(&format!("http://{good}")), "{good}");
        }
        for bad in [
            "",
            "localhost",
            "127.0.0.1",
            "127.0.0.1:78780",
            "127.0.0.1:787",
            "localhost.:7878",
            "evil.example:7878",
            "a@localhost:7878",
            "localhost:7878.evil.example",
            "127.0.0.1:7878 ",
            "journal.example.evil",
            "127.0.0.1.nip.io:7878",
        ] {
            assert!(!names.knows(bad), "{bad}");
        }
        for bad in [
            "null",
            "https://localhost:7878",
            "http://localhost:7878/",
            "http://localhost:7878.evil.example",
            "localhost:7878",
        ] {
            assert!(!names.knows_origin(bad), "{bad}");
        }
        let any = Names::new("0.0.0.0:443".parse().unwrap(), &[], true);
        assert!(!any.knows("0.0.0.0:443") && any.knows_origin("https://localhost:443"));
    }
}
