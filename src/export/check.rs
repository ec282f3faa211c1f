//! Owns whether an exported file still follows from the log: its manifest is held against the log's chain, the table is
//! folded afresh up to the manifest's position, and every row is compared. The live tables are not asked, except for
//! which rows have moved on since. Telling people is the callers' work.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use projections::projection::{PROJECTIONS, keeper_of, table};
use sha2::{Digest, Sha256};

use super::records::{Record, Records};
use super::{ExportError, Format, Manifest, Selection, SelectionError, manifest_path, write};
use crate::log::{ReadError, Reader, hex};
use crate::rebuild::{RebuildError, replayed};
use crate::tables::{Connection, TablesError};

/// Faults that are kept; those beyond are counted.
const KEPT_MAX: usize = 100;

/// Why a file could not be checked at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// There is no manifest beside the file.
    #[error("{} has no manifest: expected {} beside it, as export left it", path.display(), manifest.display())]
    NoManifest {
        /// The file.
        path: PathBuf,
        /// Where its manifest would be.
        manifest: PathBuf,
    },
    /// What is there is no manifest.
    #[error("{} is no manifest of an export: {why}", path.display())]
    NotAManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The table could not be written out again.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The log could not be folded.
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
}

impl From<ReadError> for CheckError {
    fn from(error: ReadError) -> Self {
        Self::Rebuild(error.into())
    }
}

impl From<TablesError> for CheckError {
    fn from(error: TablesError) -> Self {
        Self::Export(error.into())
    }
}

impl From<io::Error> for CheckError {
    fn from(error: io::Error) -> Self {
        Self::Export(error.into())
    }
}

/// In what a file doesn't follow from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The manifest names another journal.
    OtherJournal {
        /// That one.
        named: String,
        /// This one.
        here: String,
    },
    /// The log does not reach the manifest's position.
    BeyondHead {
        /// The position.
        position: u64,
        /// Where the log ends.
        head: u64,
    },
    /// The log has another hash at the manifest's position.
    OtherHash {
        /// The position.
        position: u64,
        /// What the manifest has.
        named: String,
        /// What the log has.
        here: String,
    },
    /// The file's bytes are not those that the manifest was written for.
    Checksum,
    /// The manifest has another count of rows than the log gives.
    Rows {
        /// What the manifest has.
        named: u64,
        /// What the log gives.
        here: u64,
    },
    /// The file's head has other columns than its manifest.
    Head {
        /// The line.
        line: u64,
    },
    /// The file can't be read on from here.
    Unreadable {
        /// The line.
        line: u64,
        /// Why.
        why: String,
    },
    /// A row has another value than the log gives.
    Differs {
        /// The line.
        line: u64,
        /// Which row.
        key: String,
        /// Each column: its name, what the file has, what the log gives.
        columns: Vec<(String, String, String)>,
    },
    /// The log gives no such row.
    Extra {
        /// The line.
        line: u64,
        /// Which row.
        key: String,
    },
    /// A row is there a second time.
    Twice {
        /// The line.
        line: u64,
        /// Which row.
        key: String,
    },
    /// A row that the log gives is not in the file.
    Missing {
        /// Which row.
        key: String,
    },
    /// The rows are right, and the bytes are not: their order, or how they are written.
    Bytes,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherJournal { named, here } => write!(f, "manifest: made from journal {named}; this is {here}"),
            Self::BeyondHead { position, head } => {
                write!(f, "manifest: made at position {position}; this log ends at {head}")
            }
            Self::OtherHash { position, named, here } => {
                write!(f, "manifest: the chain's hash at position {position} is said to be {named}; the log has {here}")
            }
            Self::Checksum => write!(f, "the file is not the one its manifest was written for: another SHA-256"),
            Self::Rows { named, here } => {
                write!(f, "manifest: {named} rows are said to be there; the log gives {here}")
            }
            Self::Head { line } => write!(f, "line {line}: the columns are not the manifest's"),
            Self::Unreadable { line, why } => write!(f, "line {line}: {why}"),
            Self::Differs { line, key, columns } => {
                write!(f, "line {line}, {key}: ")?;
                for (index, (column, file, log)) in columns.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "; " };
                    write!(f, "{comma}{column} is {}, the log gives {}", shown(file), shown(log))?;
                }
                Ok(())
            }
            Self::Extra { line, key } => write!(f, "line {line}, {key}: the log gives no such row"),
            Self::Twice { line, key } => write!(f, "line {line}, {key}: the row is there a second time"),
            Self::Missing { key } => write!(f, "{key}: the log gives this row, the file lacks it"),
            Self::Bytes => {
                write!(f, "each row is right, but the file's bytes are not: their order, or how they are written")
            }
        }
    }
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "empty" } else { text }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The file's manifest.
    pub manifest: Manifest,
    /// Rows that the log gives.
    pub rows: u64,
    /// In what the file differs, as far as there was room.
    pub faults: Vec<Fault>,
    /// How often it does.
    pub total: u64,
    /// Where the log ends.
    pub head: u64,
    /// Of a file that follows from the log: how many of its rows no longer stand so in the tables of today. `None` for
    /// Parquet, whose rows are not looked at one by one.
    pub changed_since: Option<u64>,
}

impl Checked {
    /// Whether the file follows from the log.
    #[must_use]
    pub fn follows(&self) -> bool {
        self.total == 0
    }

    fn add(&mut self, fault: Fault) {
        self.total += 1;
        if self.faults.len() < KEPT_MAX {
            self.faults.push(fault);
        }
    }
}

/// Checks an exported file by its manifest. `live` are the tables of today; `report` is told (events folded, events in
/// all).
///
/// # Errors
/// [`CheckError`], where it does not come to a comparison.
pub fn check(
    reader: &Reader,
    live: &Connection,
    path: &Path,
    report: &mut dyn FnMut(u64, u64),
) -> Result<Checked, CheckError> {
    let manifest = read_manifest(path)?;
    let selection = selection(&manifest).map_err(|why| not_a_manifest(path, &manifest, why))?;
    let mut file = File::open(path).map_err(|source| CheckError::File { path: path.to_owned(), source })?;
    let sha256 = digest(&mut file).map_err(|source| CheckError::File { path: path.to_owned(), source })?;
    let head = reader.head()?.seq;
    let mut checked = Checked { manifest, rows: 0, faults: Vec::new(), total: 0, head, changed_since: None };
    check_origin(reader, &mut checked)?;
    if checked.manifest.sha256 != sha256 {
        checked.add(Fault::Checksum);
    }
    if checked.faults.iter().any(|fault| *fault != Fault::Checksum) {
        // There is nothing to compare with.
        return Ok(checked);
    }
    let origin = &checked.manifest.origin;
    let then = replayed(reader, &PROJECTIONS, origin.position, report)?;
    let (mut derived, written) = written_out(&then, &selection, &checked.manifest)?;
    checked.rows = written.rows;
    if checked.manifest.rows != written.rows {
        checked.add(Fault::Rows { named: checked.manifest.rows, here: written.rows });
    }
    if hex(&written.sha256) != sha256 {
        compare(&mut file, &mut derived, &selection, &mut checked)?;
    } else if checked.follows() && checked.manifest.format != Format::Parquet {
        let (mut now, _) = written_out(live, &selection, &checked.manifest)?;
        checked.changed_since = Some(gone(&mut file, &mut now, &selection, &checked.manifest)?);
    }
    Ok(checked)
}

fn read_manifest(path: &Path) -> Result<Manifest, CheckError> {
    let name = path.extension().unwrap_or_default();
    let format = [Format::Jsonl, Format::Parquet].into_iter().find(|format| name == format.extension());
    let beside = manifest_path(path, format.unwrap_or_default());
    let bytes = match std::fs::read(&beside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(CheckError::NoManifest { path: path.to_owned(), manifest: beside });
        }
        read => read.map_err(|source| CheckError::File { path: beside.clone(), source })?,
    };
    let wrong = |error: serde_json::Error| CheckError::NotAManifest { path: beside, why: error.to_string() };
    serde_json::from_slice(&bytes).map_err(wrong)
}

fn not_a_manifest(path: &Path, manifest: &Manifest, why: String) -> CheckError {
    CheckError::NotAManifest { path: manifest_path(path, manifest.format), why }
}

/// What the manifest says was exported.
fn selection(manifest: &Manifest) -> Result<Selection, String> {
    let of = table(&manifest.table).ok_or_else(|| format!("there is no table `{}`", manifest.table))?;
    if keeper_of(of.name).is_none_or(|about| about.name != manifest.origin.projection) {
        return Err(format!("{} is not kept by `{}`", of.name, manifest.origin.projection));
    }
    let said = |error: SelectionError| error.to_string();
    let columns = manifest.columns.iter().map(String::as_str);
    Selection::of(of).columns(columns).map_err(said)?.said_by(&manifest.filters)
}

fn check_origin(reader: &Reader, checked: &mut Checked) -> Result<(), CheckError> {
    let origin = checked.manifest.origin.clone();
    let here = reader.identity().uuid;
    // Tables that were rebuilt elsewhere may have been exported without their log: the hash tells.
    if let Some(named) = origin.journal.filter(|named| *named != here) {
        checked.add(Fault::OtherJournal { named: named.to_string(), here: here.to_string() });
    }
    let position = origin.position;
    if position > checked.head {
        checked.add(Fault::BeyondHead { position, head: checked.head });
    } else {
        let here = hex(&reader.hash_at(position)?.unwrap_or_default());
        if position > 0 && here != origin.chain_head {
            checked.add(Fault::OtherHash { position, named: origin.chain_head, here });
        }
    }
    Ok(())
}

fn digest(file: &mut File) -> io::Result<String> {
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 256 * 1024]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&digest.finalize().into())),
            read => digest.update(&buffer[..read]),
        }
    }
}

/// The selected rows as the file would have them, in a file without a name.
fn written_out(
    conn: &Connection,
    selection: &Selection,
    manifest: &Manifest,
) -> Result<(File, super::Written), CheckError> {
    let mut output = BufWriter::with_capacity(256 * 1024, tempfile::tempfile()?);
    let written = write(conn, selection, manifest.style(), &mut output)?;
    output.flush()?;
    Ok((output.into_inner().map_err(io::IntoInnerError::into_error)?, written))
}

/// Finds out which rows differ. What the log gives is remembered as two hashes a row.
fn compare(
    file: &mut File,
    derived: &mut File,
    selection: &Selection,
    checked: &mut Checked,
) -> Result<(), CheckError> {
    let manifest = checked.manifest.clone();
    if manifest.format == Format::Parquet {
        checked.add(Fault::Bytes);
        return Ok(());
    }
    let faults_before = checked.total;
    let shape = Shape::of(selection);
    let mut expected = shape.rows_of(derived, &manifest)?;
    let (mut seen, mut differing) = (HashSet::new(), HashMap::new());
    file.rewind()?;
    let mut records = Records::of(file, &manifest);
    loop {
        let record = match records.next() {
            None => break,
            Some(Ok(record)) => record,
            Some(Err(fault)) => {
                checked.add(fault);
                // What follows has no place any more.
                return Ok(());
            }
        };
        let key = shape.key_hash(&record);
        match expected.remove(&key) {
            None if seen.contains(&key) => checked.add(Fault::Twice { line: record.line, key: shape.named(&record) }),
            None => checked.add(Fault::Extra { line: record.line, key: shape.named(&record) }),
            Some(hash) => {
                seen.insert(key);
                if hash != record.hash() {
                    if differing.len() < KEPT_MAX {
                        differing.insert(key, record);
                    } else {
                        checked.total += 1;
                    }
                }
            }
        }
    }
    derived.rewind()?;
    for record in Records::of(derived, &manifest) {
        let record = record.map_err(|fault| io::Error::other(fault.to_string()))?;
        let key = shape.key_hash(&record);
        if let Some(there) = differing.get(&key) {
            checked.add(shape.differs(there, &record));
        } else if expected.contains_key(&key) {
            checked.add(Fault::Missing { key: shape.named(&record) });
        }
    }
    if checked.total == faults_before {
        checked.add(Fault::Bytes);
    }
    Ok(())
}

/// How many rows of a file stand no longer so among others.
fn gone(file: &mut File, now: &mut File, selection: &Selection, manifest: &Manifest) -> Result<u64, CheckError> {
    let shape = Shape::of(selection);
    let standing = shape.rows_of(now, manifest)?;
    file.rewind()?;
    let mut gone = 0;
    for record in Records::of(file, manifest) {
        let record = record.map_err(|fault| io::Error::other(fault.to_string()))?;
        gone += u64::from(standing.get(&shape.key_hash(&record)) != Some(&record.hash()));
    }
    Ok(gone)
}

/// Which fields tell rows apart: the table's key where all of it was exported, else all of them.
struct Shape {
    columns: Vec<&'static str>,
    key: Vec<usize>,
}

impl Shape {
    fn of(selection: &Selection) -> Self {
        let columns: Vec<_> = selection.columns.iter().map(|column| column.name).collect();
        let place = |name: &&str| columns.iter().position(|column| column == name);
        let key = selection.table().key.iter().map(place).collect::<Option<Vec<_>>>();
        Self { key: key.unwrap_or_else(|| (0..columns.len()).collect()), columns }
    }

    fn rows_of(&self, file: &mut File, manifest: &Manifest) -> Result<HashMap<u128, u128>, CheckError> {
        file.rewind()?;
        let row = |record: Result<Record, Fault>| {
            let record = record.map_err(|fault| io::Error::other(fault.to_string()))?;
            Ok((self.key_hash(&record), record.hash()))
        };
        Records::of(file, manifest).map(row).collect()
    }

    fn key_hash(&self, record: &Record) -> u128 {
        record.hash_of(self.key.iter().copied())
    }

    fn named(&self, record: &Record) -> String {
        let part = |place: &usize| format!("{} {}", self.columns[*place], shown(&record.fields[*place]));
        self.key.iter().map(part).collect::<Vec<_>>().join(", ")
    }

    fn differs(&self, file: &Record, log: &Record) -> Fault {
        let pairs = self.columns.iter().zip(file.fields.iter().zip(&log.fields));
        let columns = pairs
            .filter(|(_, (file, log))| file != log)
            .map(|(column, (file, log))| ((*column).to_owned(), file.clone(), log.clone()))
            .collect();
        Fault::Differs { line: file.line, key: self.named(file), columns }
    }
}
