//! Owns exported files: each appears whole, private to its owner, beside a manifest that says what it is. A
//! crash leaves the old file or the new one; a manifest that is not the file's own has another checksum.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use projections::projection::keeper_of;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{ExportError, Format, Selection, Style, Written, write};
use crate::log::hex;
use crate::tables::{self, Connection, TablesError};

/// What an exported file is, and what it follows from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The table.
    pub table: String,
    /// The file's name.
    pub file: String,
    /// How its rows became bytes.
    #[serde(default)]
    pub format: Format,
    /// Its columns.
    pub columns: Vec<String>,
    /// Its rows, without a head.
    pub rows: u64,
    /// What the rows were chosen by.
    pub filters: Map<String, Value>,
    /// `excel` where texts are guarded against being taken for formulas; an apostrophe at the beginning of a
    /// text is then the guard's.
    pub guard: Option<String>,
    /// SHA-256 of the file.
    pub sha256: String,
    /// What it follows from.
    #[serde(flatten)]
    pub origin: Origin,
}

impl Manifest {
    /// How the file was written.
    #[must_use]
    pub fn style(&self) -> Style {
        Style { format: self.format, guard: self.guard.is_some() }
    }
}

/// Which log, up to where, folded by what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// The journal's UUID, where its log was there to ask.
    pub journal: Option<Uuid>,
    /// Everything up to this position is in the table.
    pub position: u64,
    /// The log's hash there.
    pub chain_head: String,
    /// The fold that keeps the table.
    pub projection: String,
    /// The fold's version.
    pub projection_version: u32,
}

impl Origin {
    /// Where a table of these tables comes from.
    ///
    /// # Errors
    /// [`TablesError`].
    pub fn of(conn: &Connection, selection: &Selection, journal: Option<Uuid>) -> Result<Self, TablesError> {
        let keeper = keeper_of(selection.table.name).map_or("", |about| about.name);
        let kept = tables::cursors(conn)?.into_iter().find(|kept| kept.name == keeper);
        let (position, hash, version) =
            kept.map_or((0, [0; 32], 0), |kept| (kept.cursor.position, kept.cursor.hash, kept.version));
        Ok(Self {
            journal,
            position,
            chain_head: hex(&hash),
            projection: keeper.to_owned(),
            projection_version: version,
        })
    }
}

/// Where the manifest of an exported file is: `trades.manifest.json` beside `trades.csv`, and, since a folder may hold
/// a table in several formats, `trades.parquet.manifest.json` beside `trades.parquet`.
#[must_use]
pub fn manifest_path(path: &Path, format: Format) -> PathBuf {
    let extension = match format {
        Format::Csv => "manifest.json".to_owned(),
        Format::Jsonl | Format::Parquet => format!("{}.manifest.json", format.extension()),
    };
    path.with_extension(extension)
}

/// Writes the selected rows to a file and the manifest beside it, over what was there, making missing folders.
///
/// # Errors
/// [`ExportError`]; what was there before still is.
pub fn to_file(
    conn: &Connection,
    selection: &Selection,
    style: Style,
    journal: Option<Uuid>,
    path: &Path,
) -> Result<Manifest, ExportError> {
    let mut file = NewFile::make(path)?;
    let mut output = BufWriter::with_capacity(256 * 1024, &mut file.file);
    let written = write(conn, selection, style, &mut output).map_err(|error| named(error, path))?;
    output.flush().map_err(failed("write", path))?;
    drop(output);
    let origin = Origin::of(conn, selection, journal)?;
    let manifest = manifest(selection, style, origin, &written, path);
    let mut text = serde_json::to_vec_pretty(&manifest).map_err(|error| failed("describe", path)(error.into()))?;
    text.push(b'\n');
    let beside = manifest_path(path, style.format);
    let mut description = NewFile::make(&beside)?;
    description.file.write_all(&text).map_err(failed("write", &beside))?;
    // The rows first: a manifest never names a file that isn't there.
    file.put_in_place()?;
    description.put_in_place()?;
    Ok(manifest)
}

/// Writes a whole file over what was there, making missing folders; private, and there whole or not at all.
///
/// # Errors
/// [`ExportError`]; what was there before still is.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), ExportError> {
    let mut file = NewFile::make(path)?;
    file.file.write_all(content).map_err(failed("write", path))?;
    file.put_in_place()
}

fn manifest(selection: &Selection, style: Style, origin: Origin, written: &Written, path: &Path) -> Manifest {
    Manifest {
        table: selection.table.name.to_owned(),
        file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        format: style.format,
        columns: selection.columns.iter().map(|column| column.name.to_owned()).collect(),
        rows: written.rows,
        filters: selection.said(),
        guard: style.guard.then(|| "excel".to_owned()),
        sha256: hex(&written.sha256),
        origin,
    }
}

/// Output errors name no file by themselves.
fn named(error: ExportError, path: &Path) -> ExportError {
    match error {
        ExportError::Output(source) => failed("write", path)(source),
        other => other,
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ExportError {
    let path = path.to_owned();
    move |source| ExportError::File { action, path, source }
}

/// A file under another name in the same folder, until it is whole. Dropped before that, it goes away.
struct NewFile {
    file: File,
    aside: PathBuf,
    path: PathBuf,
    in_place: bool,
}

impl NewFile {
    fn make(path: &Path) -> Result<Self, ExportError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed("make", folder))?;
        if path.is_dir() {
            return Err(failed("replace", path)(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let aside = folder.join(format!(".{name}.{}.part", Uuid::now_v7().simple()));
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).map_err(failed("make", path))?;
        Ok(Self { file, aside, path: path.to_owned(), in_place: false })
    }

    fn put_in_place(mut self) -> Result<(), ExportError> {
        self.file.sync_all().map_err(failed("sync", &self.path))?;
        // A symbolic link there is replaced, not followed.
        fs::rename(&self.aside, &self.path).map_err(failed("replace", &self.path))?;
        self.in_place = true;
        let folder = self.aside.parent().unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.in_place {
            // What can't be removed is found by its name.
            let _ = fs::remove_file(&self.aside);
        }
    }
}
