//! Owns CSV: a table's rows as RFC 4180 text, exact and in a fixed order, so that equal tables give equal bytes;
//! and the manifest that says which log at which position the file follows from. Files appear whole or not at
//! all. What is in the tables, and whether they are up to date, is not decided here.
//!
//! - `selection`: which rows and columns
//! - `page`: parts of them, in other orders
//! - `csv`: rows as text
//! - `file`: whole files, with their manifests

mod csv;
mod file;
mod page;
mod selection;

use std::io;
use std::path::PathBuf;

use crate::tables::TablesError;

pub use csv::{Written, write};
pub use file::{Manifest, Origin, to_file};
pub use selection::{Selection, SelectionError};

/// Why a table could not be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The tables could not be read.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// Whoever takes the CSV failed.
    #[error("cannot write the CSV: {0}")]
    Output(#[from] io::Error),
    /// A file could not be made. What was there before still is.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}
