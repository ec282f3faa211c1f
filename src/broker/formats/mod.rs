//! Owns the list of formats: by which columns a file's head is known, and what turns a row into fills. A format says
//! what its columns mean; everything that is the same for all of them is elsewhere.

mod binance;
pub(crate) mod generic;
mod ibkr;
mod ninjatrader;
mod quantower;
mod rithmic;
mod topstepx;
mod tradovate;

use super::sheet::{Lines, Row, Sheet};
use super::statement::{BadRow, Cells, Statement};

/// Reads a row into a statement.
pub(crate) type ReadRow = fn(Row<'_>, &Cells<'_>, &mut Statement) -> Result<(), BadRow>;

/// A kind of file.
pub struct Format {
    /// Its name, as `--format` takes it.
    pub name: &'static str,
    /// What it is, in a line.
    pub doc: &'static str,
    /// The columns its head must have.
    pub(crate) columns: &'static [&'static str],
    pub(crate) row: ReadRow,
}

/// All formats with a fixed head. Of two whose columns a head has, the first is meant.
pub static FORMATS: [&Format; 13] = [
    &tradovate::FILLS,
    &tradovate::POSITION_HISTORY,
    &tradovate::PERFORMANCE,
    &tradovate::ORDERS,
    &tradovate::EXECUTIONS,
    &ninjatrader::EXECUTIONS,
    &ninjatrader::TRADES,
    &topstepx::TRADES,
    &ibkr::ACTIVITY,
    &rithmic::ORDERS,
    &quantower::TRADES,
    &binance::TRADES,
    &binance::TRADES_UTC,
];

/// A title, a date and the like may stand above the head.
const HEAD_WITHIN: usize = 40;

impl Format {
    /// Where the head is, if the file is of this format.
    pub(crate) fn head(&self, lines: &Lines) -> Option<usize> {
        let has_all = |at: &usize| {
            let head = Sheet::under(&lines.lines[*at], &[]);
            self.columns.iter().all(|column| head.has(column))
        };
        (0..lines.lines.len().min(HEAD_WITHIN)).find(has_all)
    }

    /// The rows under the head at a place.
    pub(crate) fn read(&self, lines: &Lines, head: usize, cells: &Cells<'_>) -> Statement {
        read_rows(lines, head, cells, self.row)
    }
}

/// Reads every row under a head; rows that can't be read are kept as such.
pub(super) fn read_rows(
    lines: &Lines,
    head: usize,
    cells: &Cells<'_>,
    mut read: impl FnMut(Row<'_>, &Cells<'_>, &mut Statement) -> Result<(), BadRow>,
) -> Statement {
    let mut statement = Statement::default();
    let sheet = Sheet::under(&lines.lines[head], &lines.lines[head + 1..]);
    for row in sheet.rows() {
        if let Err(bad) = read(row, cells, &mut statement) {
            statement.bad.push(bad);
        }
    }
    statement
}
