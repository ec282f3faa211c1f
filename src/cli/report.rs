//! `report`: one page of HTML on an account's trading, written whole or not at all. What is on it is
//! `crate::report`'s work.

use std::path::PathBuf;

use clap::Args;
use projections::calendar::TradingDate;

use super::export::date;
use super::failure::Failure;
use super::grid::count;
use super::metrics::misused;
use super::out::Out;
use super::reading::Reading;
use super::{Context, help};
use crate::export::write_file;
use crate::metrics::check_account;
use crate::report::{ReportError, Request, html};
use crate::tables::hold_still;

/// Write one page on an account's trading, to be sent or printed
#[derive(Debug, Args)]
#[command(after_help = help::REPORT)]
pub(crate) struct Report {
    /// The account
    #[arg(long, value_name = "ACCOUNT", default_value = "default")]
    account: String,

    /// From this trading date of the account on [default: its first with anything on it]
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: Option<TradingDate>,

    /// To this trading date, included [default: the last]
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: Option<TradingDate>,

    /// Where to
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Report {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(Failure::usage(format!("there is no date from {from} to {to}: the first is the later one")));
        }
        let reading = Reading::journal(context.journal())?;
        let Some(log) = &reading.log else { return Err(Failure::journal("there is no log to ask".to_owned())) };
        hold_still(&reading.tables)?;
        check_account(&reading.tables, Some(&self.account)).map_err(|error| misused("--account", error))?;
        let request = Request { account: self.account.clone(), from: self.from, to: self.to };
        let page = html(log, &reading.tables, &request).map_err(|error| match error {
            ReportError::Tables(error) => error.into(),
            error => Failure::usage(super::failure::chain(&error)),
        })?;
        write_file(&self.out, page.as_bytes())?;
        if context.json {
            let file = self.out.display().to_string();
            return Ok(out.json(&serde_json::json!({ "file": file, "bytes": page.len() }))?);
        }
        Ok(out.line(format!("{}  {} bytes", self.out.display(), count(page.len() as u64)))?)
    }
}
