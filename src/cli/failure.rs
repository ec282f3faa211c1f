//! Owns how a command ends otherwise than well: the exit code, and one message that says what is wrong, where,
//! and what would be right. What went wrong is decided where it happens; here it only gets its code.

use std::io;

use serde_json::{Map, Value};

use super::out;
use crate::log::{OpenError, ReadError};
pub(crate) use crate::said::chain;
use crate::tables::TablesError;

/// The exit codes beside 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// A check found something.
    Found = 1,
    /// Bad usage or input.
    Usage = 2,
    /// The journal is damaged or busy.
    Journal = 3,
}

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Whoever read the output has gone, as `head` does: nothing to say, and no failure.
    PipeClosed,
    /// What a check found has been printed.
    Found,
    /// What is to be said on stderr.
    Said {
        exit: Exit,
        message: String,
        /// More for programs: with `--json`, fields of the object beside `error`.
        facts: Map<String, Value>,
    },
}

impl Failure {
    /// The caller has to ask or send otherwise.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::said(Exit::Usage, message.into())
    }

    /// The journal can't do it, now or at all.
    pub(crate) fn journal(message: impl Into<String>) -> Self {
        Self::said(Exit::Journal, message.into())
    }

    fn said(exit: Exit, message: String) -> Self {
        Self::Said { exit, message, facts: Map::new() }
    }

    /// Adds a fact for programs.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Self::Said { facts, .. } = &mut self {
            facts.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Says it on stderr and gives the code to exit with.
    pub(crate) fn report(self, json: bool) -> u8 {
        let (exit, message, facts) = match self {
            Self::PipeClosed => return 0,
            Self::Found => return Exit::Found as u8,
            Self::Said { exit, message, facts } => (exit, message, facts),
        };
        if json {
            let mut object = Map::new();
            object.insert("error".to_owned(), message.into());
            object.insert("exit".to_owned(), (exit as u8).into());
            object.extend(facts);
            out::complain(&Value::Object(object).to_string());
        } else {
            out::complain(&format!("tradefold: {message}"));
        }
        exit as u8
    }
}

/// Writing the output failed. (Files that a command makes have errors of their own, which name them.)
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::PipeClosed;
        }
        Self::usage(format!("cannot write the output: {error}"))
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let message = chain(&error);
        match error {
            OpenError::NoJournal { .. } | OpenError::Exists { .. } => Self::usage(message),
            OpenError::Busy { pid, .. } => {
                Self::journal(format!("{message}; try again, or end that process")).with("busy", true).with("pid", pid)
            }
            _ => Self::journal(message),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::journal(chain(&error))
    }
}

impl From<TablesError> for Failure {
    fn from(error: TablesError) -> Self {
        match error {
            TablesError::Open(error) => error.into(),
            TablesError::NoTables { .. } => Self::usage(chain(&error)),
            error => Self::journal(chain(&error)),
        }
    }
}
