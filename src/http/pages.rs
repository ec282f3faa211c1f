//! Owns the files that are served as they are, each embedded in the program: the dashboard and the description of
//! the interface. What they do is theirs; what they may do is the guard's policy: scripts and styles from here alone, and
//! no other place to talk to. They have tags, so that who has them already is not sent them again.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::problem::Problem;
use crate::log::hex;

/// A file: its path below `/dashboard/`, its type, its bytes.
type Page = (&'static str, &'static str, &'static [u8]);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const TEXT: &str = "text/plain; charset=utf-8";

macro_rules! page {
    ($path:literal, $kind:expr) => {
        ($path, $kind, include_bytes!(concat!("../../dashboard/", $path)))
    };
}

/// The page at `/`.
const INDEX: &str = "index.html";

/// The page at `/docs`, which shows `/openapi.json`.
const DOCS: &str = "docs.html";

/// What the pages are made of; a test holds it against the folder of the dashboard.
const FILES: [Page; 30] = [
    page!("index.html", HTML),
    page!("style.css", CSS),
    page!("icon.svg", SVG),
    page!("js/api.js", SCRIPT),
    page!("js/charts.js", SCRIPT),
    page!("js/dom.js", SCRIPT),
    page!("js/format.js", SCRIPT),
    page!("js/keys.js", SCRIPT),
    page!("js/live.js", SCRIPT),
    page!("js/main.js", SCRIPT),
    page!("js/marks.js", SCRIPT),
    page!("js/page.js", SCRIPT),
    page!("js/past.js", SCRIPT),
    page!("js/state.js", SCRIPT),
    page!("js/views/calendar.js", SCRIPT),
    page!("js/views/door.js", SCRIPT),
    page!("js/views/overview.js", SCRIPT),
    page!("js/views/restated.js", SCRIPT),
    page!("js/views/review.js", SCRIPT),
    page!("js/views/system.js", SCRIPT),
    page!("js/views/timeline.js", SCRIPT),
    page!("js/views/today.js", SCRIPT),
    page!("js/views/trade.js", SCRIPT),
    page!("js/views/trades.js", SCRIPT),
    page!("vendor/lightweight-charts.mjs", SCRIPT),
    page!("vendor/LICENSE", TEXT),
    page!("vendor/NOTICE", TEXT),
    ("docs.html", HTML, include_bytes!("docs/index.html")),
    ("docs.js", SCRIPT, include_bytes!("docs/docs.js")),
    ("docs.css", CSS, include_bytes!("docs/docs.css")),
];

/// The tags of the files, in their order: what they hash to.
static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let tag = |(_, _, bytes): &Page| format!("\"{}\"", &hex(&Sha256::digest(bytes).into())[..32]);
    FILES.iter().map(tag).collect()
});

/// The dashboard.
pub(super) async fn index(headers: HeaderMap) -> Result<Response, Problem> {
    find(INDEX, &headers)
}

/// The description of what there is to ask.
pub(super) async fn docs(headers: HeaderMap) -> Result<Response, Problem> {
    find(DOCS, &headers)
}

/// A file of a page.
pub(super) async fn file(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    find(&file, &headers)
}

fn find(path: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let at = FILES.iter().position(|(known, ..)| *known == path);
    let at = at.ok_or_else(|| Problem::absent("there is no such file"))?;
    let tag = TAGS[at].as_str();
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|given| given.to_str().ok());
    let is_known = known.flat_map(|given| given.split(',')).any(|given| given.trim().trim_start_matches("W/") == tag);
    let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { whole(&FILES[at]) };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

fn whole((_, kind, bytes): &Page) -> Response {
    ([(header::CONTENT_TYPE, *kind)], *bytes).into_response()
}
