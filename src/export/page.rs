//! Owns pages: a selection in an order of one's own, cut where the last page ended by what that row said, so that a page
//! costs the same however far it lies, and rows that come meanwhile move nothing.

use std::ops::ControlFlow;

use projections::cell::{Column, Row};

use super::selection::{Selection, SelectionError, column};
use crate::tables::{Connection, Sort, TablesError, Value};

/// In which order rows come, where that is not the table's, and which part of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    pub(super) sort: Vec<Sort>,
    pub(super) after: Option<Row>,
    pub(super) limit: Option<u64>,
}

impl Selection {
    /// The columns of a row.
    #[must_use]
    pub fn chosen(&self) -> &[Column] {
        &self.columns
    }

    /// Sorted by these columns, each descending or not, instead of the table's own order. What else identifies a row is
    /// added, so that the order is total.
    ///
    /// # Errors
    /// [`SelectionError::UnknownColumn`].
    pub fn sorted<'n>(mut self, by: impl IntoIterator<Item = (&'n str, bool)>) -> Result<Self, SelectionError> {
        let mut sort: Vec<Sort> = Vec::new();
        for (name, descending) in by {
            sort.push(Sort { column: column(self.table, name)?, descending });
        }
        let descending = sort.last().is_some_and(|last| last.descending);
        for name in self.table.order.iter().chain(self.table.key) {
            if !sort.iter().any(|sort| sort.column.name == *name) {
                sort.push(Sort { column: column(self.table, name)?, descending });
            }
        }
        self.order.sort = sort;
        Ok(self)
    }

    /// What rows are sorted by, where that was said.
    #[must_use]
    pub fn sort(&self) -> &[Sort] {
        &self.order.sort
    }

    /// Only rows after one that had these values in the columns of [`Self::sort`].
    #[must_use]
    pub fn after(mut self, row: Row) -> Self {
        self.order.after = Some(row);
        self
    }

    /// At most so many rows.
    #[must_use]
    pub fn limit(mut self, rows: u64) -> Self {
        self.order.limit = Some(rows);
        self
    }

    /// Hands the rows of a page to `each`, and returns where the next page begins, where there is one.
    ///
    /// # Errors
    /// [`TablesError`].
    pub fn page(&self, conn: &Connection, mut each: impl FnMut(&[Value<'_>])) -> Result<Option<Row>, TablesError> {
        let limit = self.order.limit.unwrap_or(u64::MAX - 1);
        let asked = self.columns.len();
        // Beside the columns asked for, those that say where the row stands; and one row more, to know that there is one.
        let mut wider = self.clone().limit(limit + 1);
        wider.columns.extend(self.order.sort.iter().map(|sort| sort.column));
        let (mut rows, mut last, mut more) = (0, None, false);
        wider.select(conn, |row| {
            more = rows == limit;
            if more {
                return ControlFlow::Break(());
            }
            rows += 1;
            each(&row[..asked]);
            if rows == limit {
                last = Some(row[asked..].iter().map(|value| value.to_cell()).collect());
            }
            ControlFlow::Continue(())
        })?;
        Ok(last.filter(|_| more))
    }
}
