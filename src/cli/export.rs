//! `export`: tables as files. Which tables, where to, and by which filters is settled here; rows, files and
//! manifests are `crate::export`'s work. All tables are read in one transaction, so that they agree.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use projections::TABLES;
use projections::calendar::TradingDate;
use projections::cell::Table;
use projections::projection::table;
use projections::validate::nearest;

use super::failure::Failure;
use super::grid::count;
use super::out::{Out, complain};
use super::reading::{Reading, Source};
use super::{Context, help};
use crate::export::{self, ExportError, Format, Manifest, PRESETS, Preset, Selection, SelectionError, Style};
use crate::tables::hold_still;

/// Where several tables go when nothing else is said.
const DEFAULT_FOLDER: &str = "./export";

/// Write tables as CSV, JSON Lines or Parquet
#[derive(Debug, Args)]
#[command(after_help = help::EXPORT)]
pub(crate) struct Export {
    /// Table names, or `all`
    #[arg(required = true, value_name = "TABLE")]
    names: Vec<String>,

    /// FILE.csv for one table, or a folder (one that exists, or ends in /) [default: standard output for one
    /// table, ./export/ for several]
    #[arg(long, value_name = "FILE|DIR")]
    out: Option<PathBuf>,

    /// How rows are written
    #[arg(long, value_enum, default_value_t = FormatName::Csv)]
    format: FormatName,

    /// Only these columns, in this order
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    columns: Vec<String>,

    /// Of trades, the columns that are asked for together: seed, minimal or broker
    #[arg(long, value_name = "NAME", conflicts_with = "columns", value_parser = preset)]
    preset: Option<Preset>,

    /// Only rows of this account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,

    /// From this trading date of the row's account on
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: Option<TradingDate>,

    /// To this trading date, included
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: Option<TradingDate>,

    /// Only rows whose column holds this value (nothing after = means an empty one); can be repeated
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = condition)]
    conditions: Vec<(String, String)>,

    /// For spreadsheets: a byte-order mark, and ' before texts that could be taken for formulas
    #[arg(long)]
    excel: bool,

    #[command(flatten)]
    source: Source,
}

pub(crate) fn date(text: &str) -> Result<TradingDate, String> {
    TradingDate::parse(text).ok_or_else(|| "expected a date such as 2026-03-02".to_owned())
}

fn preset(text: &str) -> Result<Preset, String> {
    let known = || PRESETS.map(|preset| format!("{} ({})", preset.name, preset.purpose)).join("; ");
    Preset::named(text).ok_or_else(|| format!("expected {}", known()))
}

fn condition(text: &str) -> Result<(String, String), String> {
    let (column, value) = text.split_once('=').ok_or("expected COLUMN=VALUE, such as strategy_used=orb")?;
    Ok((column.trim().to_owned(), value.to_owned()))
}

/// The formats by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// RFC 4180
    Csv,
    /// A JSON object a line
    Jsonl,
    /// Typed and compressed columns, for data frames; needs --out
    Parquet,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Csv => Self::Csv,
            FormatName::Jsonl => Self::Jsonl,
            FormatName::Parquet => Self::Parquet,
        }
    }
}

/// Where the rows go.
#[derive(Debug)]
enum Target {
    Stdout,
    File(PathBuf),
    Folder(PathBuf),
}

impl Export {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let tables = self.chosen()?;
        let style = self.style()?;
        let target = self.target(tables.len())?;
        if style.format == Format::Parquet && matches!(target, Target::Stdout) {
            return Err(Failure::usage(
                "--format parquet: expected --out, a file or a folder; it is no text".to_owned(),
            ));
        }
        let selections = self.selections(&tables)?;
        let reading = Reading::open(context, &self.source)?;
        hold_still(&reading.tables)?;
        let journal = reading.log.as_ref().map(|log| log.identity().uuid);
        for selection in &selections {
            let path = match &target {
                Target::Stdout => {
                    export::write(&reading.tables, selection, style, &mut *out)?;
                    return Ok(out.flush()?);
                }
                Target::File(path) => path.clone(),
                Target::Folder(folder) => {
                    folder.join(format!("{}.{}", selection.table().name, style.format.extension()))
                }
            };
            let manifest = export::to_file(&reading.tables, selection, style, journal, &path)?;
            tell(&manifest, &path, context.json, out)?;
        }
        Ok(())
    }

    fn style(&self) -> Result<Style, Failure> {
        let style = Style { format: self.format.into(), guard: self.excel };
        if style.guard && style.format != Format::Csv {
            return Err(Failure::usage("--excel is for CSV: leave it out, or --format".to_owned()));
        }
        Ok(style)
    }

    fn is_all(&self) -> bool {
        self.names.iter().any(|name| name == "all")
    }

    fn chosen(&self) -> Result<Vec<&'static Table>, Failure> {
        if self.is_all() {
            return Ok(TABLES.to_vec());
        }
        let mut chosen: Vec<&'static Table> = Vec::new();
        for name in &self.names {
            let table = table(name).ok_or_else(|| unknown_table(name))?;
            if !chosen.iter().any(|other| other.name == table.name) {
                chosen.push(table);
            }
        }
        Ok(chosen)
    }

    fn target(&self, tables: usize) -> Result<Target, Failure> {
        let several = tables > 1 || self.is_all();
        let Some(path) = &self.out else {
            return Ok(if several { Target::Folder(DEFAULT_FOLDER.into()) } else { Target::Stdout });
        };
        let ends_in_slash = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        if path.is_dir() || ends_in_slash || (several && !path.exists() && path.extension().is_none()) {
            return Ok(Target::Folder(path.clone()));
        }
        if several {
            let message = format!("--out {}: expected a folder for several tables, such as export/", path.display());
            return Err(Failure::usage(message));
        }
        Ok(Target::File(path.clone()))
    }

    fn selections(&self, tables: &[&'static Table]) -> Result<Vec<Selection>, Failure> {
        let mut whole = Vec::new();
        let mut selections = Vec::new();
        for table in tables {
            match self.selection(table) {
                // Where all tables are asked for, those without an account or a time can't be meant.
                Err(SelectionError::NoAccount { .. } | SelectionError::NoTime { .. }) if self.is_all() => {
                    whole.push(table.name);
                    selections.push(self.all_but_impossible(table)?);
                }
                selection => selections.push(selection?),
            }
        }
        if !whole.is_empty() {
            let names = whole.join(", ");
            complain(&format!("tradefold: note: not every filter applies to {names}; their manifests say which did"));
        }
        Ok(selections)
    }

    fn selection(&self, table: &'static Table) -> Result<Selection, SelectionError> {
        let mut selection = self.basic(table)?;
        if let Some(account) = &self.account {
            selection = selection.account(account)?;
        }
        selection.dates(self.from, self.to)
    }

    fn all_but_impossible(&self, table: &'static Table) -> Result<Selection, SelectionError> {
        let mut selection = self.basic(table)?;
        if let Some(account) = &self.account {
            selection = selection.clone().account(account).unwrap_or(selection);
        }
        Ok(selection.clone().dates(self.from, self.to).unwrap_or(selection))
    }

    fn basic(&self, table: &'static Table) -> Result<Selection, SelectionError> {
        let mut selection = Selection::of(table);
        if !self.columns.is_empty() {
            selection = selection.columns(self.columns.iter().map(|name| name.trim()))?;
        }
        if let Some(preset) = self.preset {
            selection = selection.preset(preset)?;
        }
        for (column, value) in &self.conditions {
            selection = selection.equal(column, value)?;
        }
        Ok(selection)
    }
}

/// The failure for a table that doesn't exist.
pub(crate) fn unknown_table(name: &str) -> Failure {
    let known = || TABLES.iter().map(|table| table.name);
    let meant = match nearest(name, known()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("there are {}, and all", known().collect::<Vec<_>>().join(", ")),
    };
    Failure::usage(format!("there is no table `{name}`; {meant}"))
}

fn tell(manifest: &Manifest, path: &Path, json: bool, out: &mut Out) -> Result<(), Failure> {
    if json {
        return Ok(out.json(manifest)?);
    }
    Ok(out.line(format!("{}  {} rows", path.display(), count(manifest.rows)))?)
}

impl From<SelectionError> for Failure {
    fn from(error: SelectionError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Tables(error) => error.into(),
            ExportError::Output(error) => error.into(),
            // The path was the caller's.
            error => Self::usage(error.to_string()),
        }
    }
}
