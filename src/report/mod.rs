//! Owns the report: one page of HTML that holds everything it shows, to be sent or printed, on an account's trading over
//! some dates. The same journal and dates give the same bytes: no clock is read.
//!
//! - `facts`: what is asked of the tables
//! - `page`: how it is laid out
//! - `chart`: curves and calendar as SVG

mod chart;
mod facts;
mod page;

use projections::calendar::TradingDate;

use crate::audit::AuditError;
use crate::log::Reader;
use crate::tables::{Connection, TablesError};

/// What the report is about.
#[derive(Clone, Debug)]
pub struct Request {
    /// The account.
    pub account: String,
    /// The first trading date; the first with anything on it when left out.
    pub from: Option<TradingDate>,
    /// The last one, included; the last with anything on it when left out.
    pub to: Option<TradingDate>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Nothing was realised, paid or broken on those dates.
    #[error("account {account} has no day with a fill, a closed trade, a rule break or cash moved {}", between(*from, *to))]
    NoDays {
        /// The account.
        account: String,
        /// The first date that was asked for.
        from: Option<TradingDate>,
        /// The last one.
        to: Option<TradingDate>,
    },
    /// The tables could not be read.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// The past could not be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

fn between(from: Option<TradingDate>, to: Option<TradingDate>) -> String {
    match (from, to) {
        (None, None) => "yet".to_owned(),
        (Some(from), None) => format!("from {from} on"),
        (None, Some(to)) => format!("to {to}"),
        (Some(from), Some(to)) => format!("from {from} to {to}"),
    }
}

/// The page. `conn` reads the journal's tables, up to date and held still.
///
/// # Errors
/// [`ReportError`].
pub fn html(reader: &Reader, conn: &Connection, request: &Request) -> Result<String, ReportError> {
    Ok(page::of(&facts::gather(reader, conn, request)?))
}
