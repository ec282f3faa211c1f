//! Owns tables as files: a table's rows as CSV, JSON Lines or Parquet, exact and in a fixed order, so that equal
//! tables give equal bytes; the manifest that says which log at which position a file follows from; and whether it
//! still does. Files appear whole or not at all. What is in the tables, and whether they are up to date, is not
//! decided here.
//!
//! - `selection`: which rows and columns
//! - `preset`: columns that are asked for together
//! - `csv`, `jsonl`, `parquet`: rows as bytes
//! - `page`: parts of them, in other orders
//! - `file`: whole files, with their manifests
//! - `records`: a file's rows read back
//! - `check`: whether a file follows from the log

mod check;
mod csv;
mod file;
mod jsonl;
mod page;
#[cfg(feature = "parquet")]
mod parquet;
mod preset;
mod records;
mod selection;

use std::io::{self, Write};
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::tables::{Connection, TablesError};

pub use check::{CheckError, Checked, Fault, check};
pub use file::{Manifest, Origin, manifest_path, to_file, write_file};
pub use preset::{PRESETS, Preset};
pub use selection::{Selection, SelectionError};

/// How rows become bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// RFC 4180.
    #[default]
    Csv,
    /// A JSON object a line, a member a column.
    Jsonl,
    /// Parquet, its columns compressed; for files alone, since it is written from its end.
    Parquet,
}

impl Format {
    /// What such files' names end in.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        }
    }
}

/// A format, and for whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// The format.
    pub format: Format,
    /// For spreadsheets, CSV alone: a byte-order mark, and an apostrophe before texts that look like formulas (or
    /// begin with one, so that taking it away is always right).
    pub guard: bool,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Rows, without a head.
    pub rows: u64,
    /// SHA-256 of all bytes.
    pub sha256: [u8; 32],
}

/// Writes the selected rows.
///
/// # Errors
/// [`ExportError`].
pub fn write(
    conn: &Connection,
    selection: &Selection,
    style: Style,
    output: impl Write + Send,
) -> Result<Written, ExportError> {
    let mut output = Hashing { output, digest: Sha256::new() };
    let rows = match style.format {
        Format::Csv => csv::write(conn, selection, style.guard, &mut output)?,
        Format::Jsonl => jsonl::write(conn, selection, &mut output)?,
        #[cfg(feature = "parquet")]
        Format::Parquet => parquet::write(conn, selection, &mut output)?,
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => return Err(ExportError::NoParquet),
    };
    Ok(Written { rows, sha256: output.digest.finalize().into() })
}

/// Passes bytes on and hashes them.
struct Hashing<W> {
    output: W,
    digest: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// Why a table could not be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The tables could not be read.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// Whoever takes the rows failed.
    #[error("cannot write the rows: {0}")]
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
    /// The program was built without it.
    #[error("this program was built without Parquet: build it with the feature `parquet`, or choose csv or jsonl")]
    NoParquet,
}
