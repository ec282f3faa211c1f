//! Owns brokers' files as Python hands them over: brought in, or held against the journal. What they say, and what follows, is
//! the library's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use projections::decimal::Dec;
use pyo3::prelude::*;
use serde_json::Value as Json;
use tradefold::broker::import::{ImportError, Order, plan};
use tradefold::broker::reconcile::reconcile;
use tradefold::broker::{self, Mapping, Reading, Statement};
use tradefold::json as told;
use tradefold::log;

use crate::journal::{Journal, tell};
use crate::raise::Raise;

/// A file and how it is read: path, format, description of its columns, zone, the one account of it, the journal's
/// account, strategy, and instruments as symbol, tick and point value.
type File = (
    PathBuf,
    Option<String>,
    Option<PathBuf>,
    Option<String>,
    Option<String>,
    String,
    String,
    Vec<(String, String, String)>,
);

struct Told {
    name: String,
    format: &'static str,
    statement: Statement,
    account: String,
    strategy: String,
    instruments: BTreeMap<String, (Dec, Dec)>,
}

impl Told {
    fn read(file: File) -> Result<Self, Raise> {
        let (path, format, map, zone, only, account, strategy, instruments) = file;
        let wrong =
            |path: &Path, error: &dyn std::fmt::Display| Raise::question(format!("{}: {error}", path.display()));
        let mapping = match &map {
            Some(map) => {
                let text = fs::read_to_string(map).map_err(|error| wrong(map, &error))?;
                Some(Mapping::parse(&text).map_err(|error| wrong(map, &error))?)
            }
            None => None,
        };
        if let Some(format) = format.as_deref().filter(|format| !broker::names().contains(format)) {
            return Err(Raise::question(format!(
                "format: expected one of {}, got {format}",
                broker::names().join(", ")
            )));
        }
        let unknown = |zone: &String| Raise::question(format!("time_zone: expected an IANA zone, got `{zone}`"));
        let zone = zone.map(|zone| zone.parse().map_err(|_| unknown(&zone))).transpose()?;
        let bytes = fs::read(&path).map_err(|error| wrong(&path, &error))?;
        let reading = Reading { format: format.as_deref(), mapping: mapping.as_ref(), zone };
        let (format, mut statement) = broker::read(&bytes, &reading).map_err(|error| wrong(&path, &error))?;
        keep_one_account(&mut statement, only.as_ref()).map_err(|error| wrong(&path, &error))?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let instruments = instruments.into_iter().map(instrument).collect::<Result<_, _>>()?;
        Ok(Self { name, format, statement, account, strategy, instruments })
    }

    fn order(&self) -> Order<'_> {
        Order {
            account: &self.account,
            file: &self.name,
            format: self.format,
            strategy: &self.strategy,
            instruments: &self.instruments,
            now: log::now(),
        }
    }
}

/// Two accounts of the broker in one of the journal would be one position that nobody has.
fn keep_one_account(statement: &mut Statement, only: Option<&String>) -> Result<(), String> {
    if let Some(only) = only {
        statement.fills.retain(|fill| fill.account.as_ref() == Some(only));
    }
    let mut accounts: Vec<&str> = statement.fills.iter().filter_map(|fill| fill.account.as_deref()).collect();
    accounts.sort_unstable();
    accounts.dedup();
    if accounts.len() > 1 {
        return Err(format!("it has fills of {}; `only` names one", accounts.join(", ")));
    }
    Ok(())
}

fn instrument((symbol, tick, point): (String, String, String)) -> Result<(String, (Dec, Dec)), Raise> {
    let positive = |text: &str| Dec::parse(text).ok().filter(|value| value.is_positive());
    let values = positive(&tick).zip(positive(&point));
    let wrong = || Raise::question(format!("instruments: {symbol}: expected tick size and point value above 0"));
    let values = values.ok_or_else(wrong)?;
    Ok((symbol, values))
}

fn failed(error: ImportError) -> Raise {
    match error {
        ImportError::Log(error) => error.into(),
        ImportError::Tables(error) => error.into(),
    }
}

#[pymethods]
impl Journal {
    /// Brings a file's fills in, all of them or nothing.
    fn import_(&self, py: Python<'_>, file: File, dry_run: bool, skip_bad: bool) -> PyResult<String> {
        let open = self.open()?;
        Ok(py.detach(|| {
            let file = Told::read(file)?;
            let order = file.order();
            let mut plan = plan(&open.log()?, &open.tables()?, &file.statement, &order).map_err(failed)?;
            let bad = plan.refused();
            if let (Some(first), false) = (bad.first(), skip_bad) {
                let message = format!("{}: {first} ({} such rows; nothing was recorded)", file.name, bad.len());
                let raise = Raise::new("RefusedError", message).with("line", first.line);
                return Err(raise.with("field", first.column.clone()));
            }
            let receipt = if dry_run {
                None
            } else {
                let receipt = open.recording()?.append(std::mem::take(&mut plan.drafts))?;
                tell(&receipt, &open.told);
                Some(receipt)
            };
            Ok::<_, Raise>(told::import(&plan, &file.statement, &order, receipt.as_ref()).to_string())
        })?)
    }

    /// Holds a file against the journal; records what settles the differences where that is asked for.
    fn reconcile(&self, py: Python<'_>, file: File, balance: Option<String>, settle: bool) -> PyResult<String> {
        let open = self.open()?;
        Ok(py.detach(|| {
            let wrong = |text: &String| Raise::question(format!("balance: expected a decimal, got `{text}`"));
            let balance = balance.map(|text| Dec::parse(&text).map_err(|_| wrong(&text))).transpose()?;
            let file = Told::read(file)?;
            let found = reconcile(&open.log()?, &open.tables()?, &file.statement, &file.order(), balance);
            let found = found.map_err(failed)?;
            if let Some(first) = found.bad.first() {
                return Err(Raise::new("RefusedError", format!("{}: {first}", file.name)).with("line", first.line));
            }
            let mut answer: Json = told::reconciliation(&found, true);
            if settle {
                let receipt = open.recording()?.append(found.settling)?;
                tell(&receipt, &open.told);
                answer["recorded"] = receipt.appended().into();
            }
            Ok::<_, Raise>(answer.to_string())
        })?)
    }
}
