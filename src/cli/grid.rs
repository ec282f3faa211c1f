//! Owns how rows look on a terminal: aligned columns under a ruled head, numbers to the right. Values are rounded for the
//! eye alone: `--json` and CSV have them in full.

use std::fmt;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, TableComponent, presets};

use super::out::visible;
pub(crate) use crate::shown::{ABSENT, amount, count, counted, decimals, percent};

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
