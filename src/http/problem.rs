//! Owns how a request ends otherwise than well: `application/problem+json` (RFC 9457), with a status that says whose turn
//! it is and a sentence that says what would be right. What went wrong is decided where it happens.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::audit::AuditError;
use crate::export::{ExportError, SelectionError};
use crate::journal::JournalError;
use crate::log::{AppendError, OpenError, ReadError};
use crate::projector::ProjectError;
use crate::said::chain;
use crate::tables::TablesError;

/// Why there is no better answer.
#[derive(Debug)]
pub(super) struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    /// Its kind, in a word that programs compare.
    kind: &'static str,
    detail: String,
    more: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner { status, kind, detail: detail.into(), more: Map::new(), headers: Vec::new() }))
    }

    /// The question is wrong.
    pub(super) fn question(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", detail)
    }

    /// There is no such thing.
    pub(super) fn absent(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    /// Not now: the same again, in a moment.
    pub(super) fn not_now(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, detail)
            .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Something here is broken.
    pub(super) fn broken(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "broken", detail)
    }

    /// A fact for programs beside the sentence.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.more.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    pub(super) fn status(&self) -> u16 {
        self.0.status.as_u16()
    }

    /// What it is about, for who has no use for a status.
    pub(super) fn detail(&self) -> &str {
        &self.0.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Inner { status, kind, detail, more, headers } = *self.0;
        let mut body = json!({
            "type": format!("/docs#{kind}"),
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": detail,
        });
        if let Some(object) = body.as_object_mut() {
            object.extend(more);
        }
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response();
        response.headers_mut().extend(headers.into_iter().map(|(name, value)| (Some(name), value)));
        response
    }
}

impl From<SelectionError> for Problem {
    fn from(error: SelectionError) -> Self {
        Self::question(error.to_string())
    }
}

impl From<TablesError> for Problem {
    fn from(error: TablesError) -> Self {
        match error {
            TablesError::NoTables { .. } | TablesError::OtherVersion { .. } => {
                Self::not_now("tables-not-ready", "the tables are being made")
            }
            TablesError::TooSlow { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "too-slow", error.to_string()),
            error => Self::broken(chain(&error)),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        Self::broken(chain(&error))
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        Self::broken(chain(&error))
    }
}

impl From<ProjectError> for Problem {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Tables(error) => error.into(),
            error => Self::broken(chain(&error)),
        }
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Project(error) => error.into(),
            JournalError::Tables(error) => error.into(),
            error => Self::broken(chain(&error)),
        }
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Unknown { .. } => Self::absent(error.to_string()),
            AuditError::Project(error) => error.into(),
            error => Self::broken(chain(&error)),
        }
    }
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Tables(error) => error.into(),
            error => Self::broken(chain(&error)),
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        let said = chain(&error);
        let conflict = |kind, index: usize| Self::new(StatusCode::CONFLICT, kind, said.clone()).with("index", index);
        match error {
            AppendError::Conflict { index, id, seq, field } => {
                conflict("conflict", index).with("id", id.to_string()).with("seq", seq).with("field", field)
            }
            AppendError::VersionMismatch { index, stream, expected, actual } => conflict("version-mismatch", index)
                .with("field", "expected_version")
                .with("stream", stream)
                .with("expected", expected)
                .with("actual", actual),
            AppendError::Refused { index, reason } => {
                let errors = json!([{ "index": index, "field": null, "message": reason }]);
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", said).with("errors", errors)
            }
            // Nobody knows, so nobody may say that nothing happened.
            AppendError::Unknown { .. } => return Self::not_now("outcome-unknown", said).with("outcome", "unknown"),
            AppendError::Damaged { .. } => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "damaged", said),
            AppendError::Busy => Self::not_now("busy", said),
            AppendError::QueueFull => Self::not_now("queue-full", said),
            AppendError::Closed => Self::not_now("stopping", said),
            _ => Self::not_now("not-recorded", said),
        }
        .with("outcome", "nothing recorded")
    }
}
