//! Owns the files that are served as they are, each embedded in the program: the dashboard. What they do is theirs; what
//! they may do is the guard's policy: scripts and styles from here alone, and no other place to talk to.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// A file: its path below the root, its type, its bytes.
type Page = (&'static str, &'static str, &'static [u8]);

/// The page at `/`.
const INDEX: Page = ("dashboard/index.html", "text/html; charset=utf-8", include_bytes!("../../dashboard/index.html"));

/// What it is made of.
const FILES: &[Page] =
    &[("dashboard/style.css", "text/css; charset=utf-8", include_bytes!("../../dashboard/style.css"))];

/// The dashboard.
pub(super) async fn index() -> Response {
    answer(&INDEX)
}

/// A file of it.
pub(super) async fn file(Path(file): Path<String>) -> Result<Response, Problem> {
    let path = format!("dashboard/{file}");
    let found = FILES.iter().find(|(known, ..)| *known == path);
    found.map(answer).ok_or_else(|| Problem::absent("there is no such file"))
}

pub(super) fn answer((_, kind, bytes): &Page) -> Response {
    let headers = [(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "no-cache")];
    (headers, *bytes).into_response()
}
