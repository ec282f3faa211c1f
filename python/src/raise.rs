//! Owns how the library's errors become exceptions: each names a class of `tradefold/errors.py`, one sentence, and the
//! facts that a program would ask for. Made without Python, so that it can be made while others run; the exception
//! comes of it once the interpreter is at hand again.

use std::error::Error;

use projections::validate::Refusal;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value;
use tradefold::audit::AuditError;
use tradefold::export::{ExportError, SelectionError};
use tradefold::journal::JournalError;
use tradefold::log::{AppendError, OpenError, ReadError};
use tradefold::metrics::AskError;
use tradefold::projector::{ProjectError, WaitError};
use tradefold::rebuild::RebuildError;
use tradefold::said::chain;
use tradefold::tables::{QueryError, TablesError};

/// An exception to come.
#[derive(Clone, Debug)]
pub(crate) struct Raise {
    class: &'static str,
    message: String,
    facts: Vec<(&'static str, Value)>,
}

impl Raise {
    pub(crate) fn new(class: &'static str, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), facts: Vec::new() }
    }

    /// What was asked for makes no sense.
    pub(crate) fn question(message: impl Into<String>) -> Self {
        Self::new("QuestionError", message)
    }

    /// The journal, or what is read from it, was closed.
    pub(crate) fn closed() -> Self {
        Self::new("ClosedError", "the journal is closed")
    }

    /// The object came from the process that this one was forked from.
    pub(crate) fn forked(opened_by: u32) -> Self {
        let message = format!(
            "process {opened_by} had a journal open when this process was forked from it: neither that journal nor any \
             other can be used here, since the threads behind it are not here and SQLite's locks are in an unknown state. \
             Start workers with multiprocessing's `spawn`, or fork before a journal is opened"
        );
        Self::new("ForkedError", message).with("pid", opened_by)
    }

    /// What was waited for did not come in time.
    pub(crate) fn timeout(message: impl Into<String>) -> Self {
        Self::new("LagError", message)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.facts.push((name, value.into()));
        self
    }

    fn of(class: &'static str, error: &dyn Error) -> Self {
        Self::new(class, chain(error))
    }
}

/// `tradefold.errors.CLASS(message, **facts)`.
impl From<Raise> for PyErr {
    fn from(raise: Raise) -> Self {
        Python::attach(|py| {
            let made = || -> PyResult<PyErr> {
                let class = py.import("tradefold.errors")?.getattr(raise.class)?;
                let facts = PyDict::new(py);
                for (name, value) in &raise.facts {
                    set(&facts, name, value)?;
                }
                Ok(PyErr::from_value(class.call((raise.message.as_str(),), Some(&facts))?))
            };
            made().unwrap_or_else(|error| error)
        })
    }
}

fn set(facts: &Bound<'_, PyDict>, name: &str, value: &Value) -> PyResult<()> {
    match value {
        Value::Null => facts.set_item(name, facts.py().None()),
        Value::Number(number) => facts.set_item(name, number.as_u64()),
        Value::String(text) => facts.set_item(name, text),
        other => facts.set_item(name, other.to_string()),
    }
}

/// What is wrong with the event in this place of a batch, counted from 0.
pub(crate) fn refused(index: usize, refusal: &Refusal) -> Raise {
    Raise::new("RefusedError", refusal.to_string()).with("line", index + 1).with("field", refusal.field.clone())
}

impl From<AppendError> for Raise {
    fn from(error: AppendError) -> Self {
        let said = chain(&error);
        match error {
            AppendError::Conflict { index, id, seq, field } => {
                let message = format!("id {id} is recorded at position {seq} with another {field}");
                Self::new("ConflictError", message)
                    .with("line", index + 1)
                    .with("field", field)
                    .with("position", seq)
                    .with("id", id.to_string())
            }
            AppendError::VersionMismatch { index, stream, expected, actual } => {
                let message = format!("expected version {expected} of stream {stream}, which is at {actual}");
                Self::new("VersionMismatchError", message)
                    .with("line", index + 1)
                    .with("stream", stream)
                    .with("expected", expected)
                    .with("actual", actual)
            }
            AppendError::Refused { index, reason } => Self::new("RefusedError", reason).with("line", index + 1),
            AppendError::Busy | AppendError::QueueFull => Self::new("BusyError", said),
            AppendError::Unknown { .. } => Self::new("UnknownOutcomeError", said),
            AppendError::Damaged { .. } => Self::new("DamagedError", said),
            AppendError::Closed => Self::closed(),
            _ => Self::new("StorageError", said),
        }
    }
}

impl From<OpenError> for Raise {
    fn from(error: OpenError) -> Self {
        let said = chain(&error);
        match error {
            OpenError::NoJournal { .. } => Self::new("NoJournalError", said),
            OpenError::Busy { pid, .. } if pid == Some(std::process::id()) => Self::new(
                "BusyError",
                format!("{said}, which is this one: use the journal that it has open, from any thread"),
            )
            .with("pid", pid),
            OpenError::Busy { pid, .. } => Self::new("BusyError", said).with("pid", pid),
            OpenError::NotALog { .. } | OpenError::Damaged { .. } | OpenError::LogMissing { .. } => {
                Self::new("DamagedError", said)
            }
            _ => Self::new("StorageError", said),
        }
    }
}

impl From<ReadError> for Raise {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Malformed { .. } | ReadError::NoIdentity => Self::of("DamagedError", &error),
            error => Self::of("StorageError", &error),
        }
    }
}

impl From<TablesError> for Raise {
    fn from(error: TablesError) -> Self {
        match error {
            TablesError::Open(error) => error.into(),
            TablesError::NoTables { .. } | TablesError::OtherVersion { .. } => Self::of("LagError", &error),
            TablesError::Damaged { .. } | TablesError::State { .. } => Self::of("DamagedError", &error),
            error => Self::of("StorageError", &error),
        }
    }
}

impl From<ProjectError> for Raise {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::LostTail { position, .. } => Self::of("DamagedError", &error).with("position", position),
            ProjectError::Open(error) => error.into(),
            ProjectError::Log(error) => error.into(),
            ProjectError::Tables(error) => error.into(),
            error => Self::of("StorageError", &error),
        }
    }
}

impl From<JournalError> for Raise {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Open(error) => error.into(),
            JournalError::Log(error) => error.into(),
            JournalError::Project(error) => error.into(),
            JournalError::Tables(error) => error.into(),
            error => Self::of("StorageError", &error),
        }
    }
}

impl From<WaitError> for Raise {
    fn from(error: WaitError) -> Self {
        let said = error.to_string();
        match error {
            WaitError::Stopped { at, .. } => Self::new("LagError", said).with("position", at),
            WaitError::Timeout { position, .. } => Self::new("LagError", said).with("position", position),
            _ => Self::new("LagError", said),
        }
    }
}

impl From<SelectionError> for Raise {
    fn from(error: SelectionError) -> Self {
        Self::question(error.to_string())
    }
}

impl From<QueryError> for Raise {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Tables(error) => error.into(),
            error => Self::question(error.to_string()),
        }
    }
}

impl From<ExportError> for Raise {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Tables(error) => error.into(),
            error => Self::of("StorageError", &error),
        }
    }
}

impl From<AskError> for Raise {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Tables(error) => error.into(),
            error => Self::question(error.to_string()),
        }
    }
}

impl From<AuditError> for Raise {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::Unknown { .. } => Self::question(error.to_string()),
            AuditError::Project(error) => error.into(),
            error => Self::of("LagError", &error),
        }
    }
}

impl From<RebuildError> for Raise {
    fn from(error: RebuildError) -> Self {
        match error {
            RebuildError::Project(error) => error.into(),
            RebuildError::Held { pid, .. } => Self::of("BusyError", &error).with("pid", pid),
            error => Self::question(error.to_string()),
        }
    }
}
