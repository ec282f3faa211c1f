//! Owns the format that a user describes: which column holds what, in a TOML file. For every broker that has no format
//! of its own.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::read_rows;
use crate::broker::futures::one_spelling;
use crate::broker::sheet::{Lines, Row, Sheet};
use crate::broker::statement::{BadRow, Cells, Fill, Side, Statement, bad, some};

/// A user's description of a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    columns: Columns,
    /// How times are written, in chrono's letters; what is written in none of the usual ways needs it.
    #[serde(default)]
    pub(crate) time_format: Option<String>,
    /// The IANA zone of local times; `--zone` comes first.
    #[serde(default)]
    pub(crate) zone: Option<String>,
    /// `.` or `,`; what the file's separator of cells suggests where it is left out.
    #[serde(default)]
    pub(crate) decimal_mark: Option<char>,
    /// What buys and sells are called, beside the usual words.
    #[serde(default)]
    buy: Vec<String>,
    #[serde(default)]
    sell: Vec<String>,
    /// Only rows whose columns say one of these words are fills; the others are left out.
    #[serde(default)]
    only: BTreeMap<String, Vec<String>>,
    /// Costs are written as negative numbers.
    #[serde(default)]
    fees_are_negative: bool,
}

/// Which column holds what.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Columns {
    time: String,
    symbol: String,
    price: String,
    quantity: String,
    /// Left out where the sign of the quantity says it.
    side: Option<String>,
    /// Left out where the broker gives none: ids are then made of what a row says.
    fill_id: Option<String>,
    order_id: Option<String>,
    order_type: Option<String>,
    account: Option<String>,
    tick_size: Option<String>,
    /// Added up.
    #[serde(default)]
    fees: Vec<String>,
}

impl Mapping {
    /// Reads a description.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mapping: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        match mapping.decimal_mark {
            None | Some('.' | ',') => Ok(mapping),
            Some(other) => Err(format!("decimal_mark: expected `.` or `,`, found `{other}`")),
        }
    }

    fn named(&self) -> Vec<&String> {
        let columns = &self.columns;
        let optional = [
            &columns.side,
            &columns.fill_id,
            &columns.order_id,
            &columns.order_type,
            &columns.account,
            &columns.tick_size,
        ];
        [&columns.time, &columns.symbol, &columns.price, &columns.quantity]
            .into_iter()
            .chain(optional.into_iter().flatten())
            .chain(&columns.fees)
            .chain(self.only.keys())
            .collect()
    }

    /// Where the head is: the first line that has all columns, or the column that is missing from the likeliest.
    pub(crate) fn head(&self, lines: &Lines) -> Result<usize, String> {
        let missing = |at: usize| {
            let head = Sheet::under(&lines.lines[at], &[]);
            self.named().into_iter().filter(|column| !head.has(column)).cloned().collect::<Vec<_>>()
        };
        let likeliest =
            (0..lines.lines.len().min(40)).map(|at| (missing(at), at)).min_by_key(|(missing, _)| missing.len());
        match likeliest {
            Some((missing, at)) if missing.is_empty() => Ok(at),
            Some((missing, at)) => {
                let line = lines.lines[at].number;
                Err(format!("line {line}: there is no column `{}`", missing.join("`, `")))
            }
            None => Err("it is empty".to_owned()),
        }
    }

    pub(crate) fn read(&self, lines: &Lines, head: usize, cells: &Cells<'_>) -> Statement {
        read_rows(lines, head, cells, |row, cells, statement| self.row(row, cells, statement))
    }

    fn row(&self, row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement) -> Result<(), BadRow> {
        for (column, words) in &self.only {
            if !words.iter().any(|word| word == row.text(column)) {
                return statement.omit(row, &format!("{column} is `{}`", row.text(column)));
            }
        }
        let columns = &self.columns;
        let text = |column: &Option<String>| column.as_ref().and_then(|column| some(row.text(column)));
        let signed = cells.amount(row, &columns.quantity)?;
        let side = match &columns.side {
            Some(column) => self.side(row, column, cells)?,
            None if signed.is_negative() => Side::Sell,
            None => Side::Buy,
        };
        let fill_id = match &columns.fill_id {
            Some(column) => cells.name(row, column)?,
            None => {
                let facts =
                    [&columns.time, &columns.symbol, &columns.quantity, &columns.price].map(|name| row.text(name));
                let side = columns.side.as_ref().map_or("", |column| row.text(column));
                statement.derived_id("generic", &[facts.as_slice(), &[side]].concat())
            }
        };
        let fill = Fill {
            fill_id,
            symbol: one_spelling(&cells.name(row, &columns.symbol)?),
            quantity: signed.abs(),
            price: cells.price(row, &columns.price)?,
            fees: self.fees(row, cells)?,
            order_id: text(&columns.order_id),
            order_type: text(&columns.order_type).map(|word| word.to_lowercase()),
            account: text(&columns.account),
            tick_size: columns.tick_size.as_ref().map_or(Ok(None), |column| cells.amount_if_any(row, column))?,
            ..Fill::of(row, side, cells.time(row, &columns.time)?)
        };
        statement.add_above_zero(row, &columns.quantity, fill)
    }

    fn side(&self, row: Row<'_>, column: &str, cells: &Cells<'_>) -> Result<Side, BadRow> {
        let word = row.text(column);
        if self.buy.iter().any(|buy| buy == word) {
            return Ok(Side::Buy);
        }
        if self.sell.iter().any(|sell| sell == word) {
            return Ok(Side::Sell);
        }
        cells.side(row, column).map_err(|_| bad(row, column, "a buy or a sell (buy = [...], sell = [...] name others)"))
    }

    fn fees(&self, row: Row<'_>, cells: &Cells<'_>) -> Result<Option<projections::decimal::Dec>, BadRow> {
        let mut sum = None;
        for column in &self.columns.fees {
            if let Some(fee) = cells.amount_if_any(row, column)? {
                let fee = if self.fees_are_negative { -fee } else { fee };
                sum = Some(sum.map_or(fee, |sum| sum + fee));
            }
        }
        Ok(sum)
    }
}
