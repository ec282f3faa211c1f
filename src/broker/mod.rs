//! Brokers' files: read into one neutral statement, brought into the journal as fills, and held against what the journal
//! has.
//!
//! Layout, in reading order:
//! - `sheet`: a file as rows of named cells
//! - `value`: what a cell says
//! - `futures`: what a contract is
//! - `statement`: what a file says, whatever its format
//! - `formats`: what the columns of each broker's files mean
//! - `import`: a statement as events
//! - `pairs`: fills paired as brokers do
//! - `reconcile`: a statement beside the journal
//!
//! What it knows nothing of: how a fill becomes a trade. That is the folds' business.

mod formats;
pub mod futures;
pub mod import;
mod pairs;
pub mod reconcile;
mod sheet;
mod statement;
mod value;

use chrono_tz::Tz;

pub use formats::generic::Mapping;
pub use formats::{FORMATS, Format};
pub use statement::{BadRow, Fill, Omitted, Side, Statement, Trip};

use sheet::{Lines, SheetError};
use statement::Cells;
use value::{Clock, DecimalMark};

/// How a file is to be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading<'a> {
    /// One of [`FORMATS`]; found out by its head where left out.
    pub format: Option<&'a str>,
    /// A user's description, which stands for a format.
    pub mapping: Option<&'a Mapping>,
    /// Where local times are of.
    pub zone: Option<Tz>,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// It is no table.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// It has no head of the format.
    #[error("it is no {format} file: expected a head with {columns}")]
    NoHead {
        /// The format's name.
        format: &'static str,
        /// Its columns.
        columns: String,
    },
    /// No format has such a head.
    #[error("no format has a head like this; --format names one: {names}, or generic with --map")]
    Unknown {
        /// All of them.
        names: String,
    },
    /// The description does not fit.
    #[error("{0}")]
    Mapping(String),
}

/// Reads a broker's file. Rows that can't be read are among what it returns.
///
/// # Errors
/// [`StatementError`] where none of its rows can be.
pub fn read(bytes: &[u8], reading: &Reading<'_>) -> Result<(&'static str, Statement), StatementError> {
    let lines = Lines::read(bytes)?;
    if let Some(mapping) = reading.mapping {
        let head = mapping.head(&lines).map_err(StatementError::Mapping)?;
        let zone = mapping.zone.as_deref().map(|zone| zone.parse().map_err(|_| unknown_zone(zone))).transpose()?;
        let mark = match mapping.decimal_mark {
            Some(',') => DecimalMark::Comma,
            Some(_) => DecimalMark::Point,
            None => lines.mark,
        };
        let clock = Clock { zone: reading.zone.or(zone), format: mapping.time_format.as_deref() };
        return Ok(("generic", told(Cells::new(clock, mark), |cells| mapping.read(&lines, head, cells))));
    }
    let (format, head) = find(&lines, reading.format)?;
    let cells = Cells::new(Clock { zone: reading.zone, format: None }, lines.mark);
    Ok((format.name, told(cells, |cells| format.read(&lines, head, cells))))
}

fn told(cells: Cells<'_>, read: impl FnOnce(&Cells<'_>) -> Statement) -> Statement {
    let mut statement = read(&cells);
    statement.twice = cells.into_twice();
    statement
}

fn unknown_zone(zone: &str) -> StatementError {
    StatementError::Mapping(format!("zone: `{zone}` is no IANA zone such as America/Chicago"))
}

/// The format of a name whose head the file has; or the first whose head it has.
fn find(lines: &Lines, name: Option<&str>) -> Result<(&'static Format, usize), StatementError> {
    let candidates = || FORMATS.into_iter().filter(|format| name.is_none_or(|name| name == format.name));
    if let Some(found) = candidates().find_map(|format| Some((format, format.head(lines)?))) {
        return Ok(found);
    }
    match (name, candidates().next()) {
        (Some(_), Some(format)) => {
            Err(StatementError::NoHead { format: format.name, columns: format.columns.join(", ") })
        }
        _ => Err(StatementError::Unknown { names: names().join(", ") }),
    }
}

/// The names of all formats, each once.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    names.dedup();
    names
}
