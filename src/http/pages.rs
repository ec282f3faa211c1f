//! Owns the files that are served as they are, each embedded in the program: the dashboard. What they do is theirs; what
//! they may do is the guard's policy: scripts and styles from here alone, and no other place to talk to.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// A file: its path below the root, its type, its bytes.
type Page = (&'static str, &'static str, &'static [u8]);

/// The page at `/`.
const INDEX: Page = ("dashboard/index.html", HTML, include_bytes!("../../dashboard/index.html"));

/// The page at `/docs`, which shows `/openapi.json`.
const DOCS: Page = ("docs/index.html", HTML, include_bytes!("docs/index.html"));

/// What the pages are made of.
const FILES: &[Page] = &[
    ("dashboard/style.css", CSS, include_bytes!("../../dashboard/style.css")),
    ("dashboard/docs.js", SCRIPT, include_bytes!("docs/docs.js")),
    ("dashboard/docs.css", CSS, include_bytes!("docs/docs.css")),
];

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The dashboard.
pub(super) async fn index() -> Response {
    answer(&INDEX)
}

/// The description of what there is to ask.
pub(super) async fn docs() -> Response {
    answer(&DOCS)
}

/// A file of a page.
pub(super) async fn file(Path(file): Path<String>) -> Result<Response, Problem> {
    let path = format!("dashboard/{file}");
    let found = FILES.iter().find(|(known, ..)| *known == path);
    found.map(answer).ok_or_else(|| Problem::absent("there is no such file"))
}

pub(super) fn answer((_, kind, bytes): &Page) -> Response {
    let headers = [(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "no-cache")];
    (headers, *bytes).into_response()
}
