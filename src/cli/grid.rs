//! Owns how rows look on a terminal: aligned columns under a ruled head, numbers to the right, two decimals
//! for money and R. Values are rounded here, for the eye alone: `--json` and CSV have them in full.

use std::fmt;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, TableComponent, presets};

use super::out::visible;

/// Where a column's values stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table for people.
pub(crate) struct Grid {
    table: Table,
    aligns: Vec<Align>,
}

impl Grid {
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_style(TableComponent::HeaderLines, '─').set_style(TableComponent::MiddleHeaderIntersections, '─');
        let aligns: Vec<Align> = columns.iter().map(|(_, align)| *align).collect();
        table.set_header(columns.iter().map(|(name, align)| cell(name, *align)));
        for column in table.column_iter_mut() {
            column.set_padding((0, 1));
        }
        Self { table, aligns }
    }

    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.table.add_row(cells.into_iter().zip(&self.aligns).map(|(text, align)| cell(text.as_ref(), *align)));
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Empty cells at the end would leave blanks behind.
        for (number, line) in self.table.lines().enumerate() {
            let line = line.trim_end();
            if number > 0 {
                out.write_str("\n")?;
            }
            out.write_str(line)?;
        }
        Ok(())
    }
}

fn cell(text: &str, align: Align) -> Cell {
    let align = match align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    };
    Cell::new(visible(text, false)).set_alignment(align)
}

/// What stands for a value that isn't there.
pub(crate) const ABSENT: &str = "–";

/// A number with so many decimals, thousands parted, and no minus before a zero.
pub(crate) fn decimals(value: Option<f64>, places: usize) -> String {
    let Some(value) = value else { return ABSENT.to_owned() };
    let text = format!("{:.places$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut shown = String::new();
    if value < 0.0 && text.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        shown.push('-');
    }
    for (index, digit) in whole.char_indices() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown + rest
}

/// An amount of money, or an R.
pub(crate) fn amount(value: Option<f64>) -> String {
    decimals(value, 2)
}

/// A share as a percentage.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| ABSENT.to_owned(), |share| format!("{} %", decimals(Some(share * 100.0), 1)))
}

/// A count.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_and_parted() {
        assert_eq!(decimals(Some(-1_234_567.891), 2), "-1,234,567.89");
        assert_eq!(decimals(Some(-0.001), 2), "0.00");
        assert_eq!(decimals(Some(999.995), 0), "1,000");
        assert_eq!(decimals(None, 2), ABSENT);
        assert_eq!(percent(Some(0.541_666)), "54.2 %");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12), "12");
    }
}
