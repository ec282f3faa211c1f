//! Owns which rows and columns of a table are exported, and refuses what the table doesn't have.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use projections::calendar::{Calendar, TradingDate};
use projections::cell::{Column, ColumnKind, Table};
use projections::validate::nearest;
use serde_json::{Map, json};

use super::page::Order;
use super::{ExportError, Preset};
use crate::calendars::Calendars;
use crate::tables::{Comparison, Connection, Filter, Operand, Query, TablesError, Value, is_searchable, search_words};

/// What a table doesn't have, or a filter doesn't mean.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// No such column.
    #[error("{table} has no column `{column}`; {}", suggestion(*meant, table))]
    UnknownColumn {
        /// The table.
        table: &'static str,
        /// What was asked for.
        column: String,
        /// The column that is near to it.
        meant: Option<&'static str>,
    },
    /// The column holds numbers.
    #[error("{column} of {table} holds numbers; `{value}` is none")]
    NotANumber {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The value it was to be compared with.
        value: String,
    },
    /// The table's rows hold no words to search for.
    #[error("{table} cannot be searched: trades and notes can")]
    NotSearchable {
        /// The table.
        table: &'static str,
    },
    /// Rows of the table belong to no account.
    #[error("{table} has no account_id: its rows belong to no account")]
    NoAccount {
        /// The table.
        table: &'static str,
    },
    /// Rows of the table have no time.
    #[error("{table} cannot be cut by date: its rows have none")]
    NoTime {
        /// The table.
        table: &'static str,
    },
    /// The preset is one of another table's columns.
    #[error("the preset {preset} is for {of}; {table} has other columns")]
    OtherTable {
        /// The preset.
        preset: &'static str,
        /// The table it is for.
        of: &'static str,
        /// The table that was asked for.
        table: &'static str,
    },
    /// There is nothing to search for.
    #[error("search: expected a word or more")]
    NoWords,
    /// From a later date to an earlier one.
    #[error("there is no date from {from} to {to}: the first is the later one")]
    Backwards {
        /// The first date.
        from: TradingDate,
        /// The last date.
        to: TradingDate,
    },
}

fn suggestion(meant: Option<&str>, table: &str) -> String {
    match meant {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            let columns = projections::projection::table(table).into_iter().flat_map(Table::all_columns);
            format!("it has {}", columns.map(|column| column.name).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Which rows and columns of one table.
#[derive(Clone, Debug)]
pub struct Selection {
    pub(super) table: &'static Table,
    pub(super) columns: Vec<Column>,
    filters: Vec<Filter>,
    dates: Option<Dates>,
    pub(super) order: Order,
    said: Map<String, serde_json::Value>,
}

/// First and last trading date, both included.
#[derive(Clone, Copy, Debug)]
struct Dates {
    from: Option<TradingDate>,
    to: Option<TradingDate>,
}

impl Selection {
    /// All of a table.
    #[must_use]
    pub fn of(table: &'static Table) -> Self {
        let (filters, order) = (Vec::new(), Order::default());
        Self { table, columns: table.all_columns().collect(), filters, dates: None, order, said: Map::new() }
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &'static Table {
        self.table
    }

    /// Only these columns, in this order.
    ///
    /// # Errors
    /// [`SelectionError::UnknownColumn`].
    pub fn columns<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Result<Self, SelectionError> {
        self.columns = names.into_iter().map(|name| column(self.table, name)).collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Only the columns of a preset.
    ///
    /// # Errors
    /// [`SelectionError::OtherTable`] for a table that it is not of.
    pub fn preset(self, preset: Preset) -> Result<Self, SelectionError> {
        let (table, of) = (self.table.name, preset.table().name);
        if table != of {
            return Err(SelectionError::OtherTable { preset: preset.name, of, table });
        }
        self.columns(preset.columns())
    }

    /// Only rows of this account.
    ///
    /// # Errors
    /// [`SelectionError::NoAccount`].
    pub fn account(mut self, account: &str) -> Result<Self, SelectionError> {
        let lacking = |_| SelectionError::NoAccount { table: self.table.name };
        let column = column(self.table, "account_id").map_err(lacking)?;
        self.filters.push(Filter::text_is(column.name, account));
        self.said.insert("account".to_owned(), account.into());
        Ok(self)
    }

    /// Only rows whose column holds this value; an empty one stands for nothing there.
    ///
    /// # Errors
    /// [`SelectionError::UnknownColumn`] and [`SelectionError::NotANumber`].
    pub fn equal(mut self, name: &str, value: &str) -> Result<Self, SelectionError> {
        self = self.compared(name, Comparison::Is, value)?;
        let said = self.said.entry("where").or_insert_with(|| json!([]));
        said.as_array_mut().into_iter().for_each(|list| list.push(json!(format!("{name}={value}"))));
        Ok(self)
    }

    /// Only rows whose column compares like this with a value; an empty one stands for nothing there.
    ///
    /// # Errors
    /// [`SelectionError::UnknownColumn`] and [`SelectionError::NotANumber`].
    pub fn compared(mut self, name: &str, comparison: Comparison, value: &str) -> Result<Self, SelectionError> {
        let table = self.table.name;
        let column = column(self.table, name)?;
        let number = || {
            let number = value.trim().parse().ok().filter(|number: &f64| number.is_finite());
            let lacking = || SelectionError::NotANumber { table, column: column.name, value: value.to_owned() };
            number.map(Operand::Number).ok_or_else(lacking)
        };
        self.filters.push(match (column.kind, comparison) {
            (_, Comparison::Is) if value.is_empty() => Filter::Empty(column.name),
            (_, Comparison::IsNot) if value.is_empty() => Filter::Present(column.name),
            (ColumnKind::Text, _) => Filter::Compared(column.name, comparison, value.into()),
            (ColumnKind::Integer | ColumnKind::Real, _) => Filter::Compared(column.name, comparison, number()?),
        });
        Ok(self)
    }

    /// Only rows that full-text search finds under all of these words.
    ///
    /// # Errors
    /// [`SelectionError::NotSearchable`], and [`SelectionError::NoWords`].
    pub fn found(mut self, words: &str) -> Result<Self, SelectionError> {
        if !is_searchable(self.table) {
            return Err(SelectionError::NotSearchable { table: self.table.name });
        }
        let words = search_words(words);
        if words.is_empty() {
            return Err(SelectionError::NoWords);
        }
        self.filters.push(Filter::Found(words));
        Ok(self)
    }

    /// Only rows of these trading dates of their account, both included.
    ///
    /// # Errors
    /// [`SelectionError::NoTime`] and [`SelectionError::Backwards`].
    pub fn dates(mut self, from: Option<TradingDate>, to: Option<TradingDate>) -> Result<Self, SelectionError> {
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(SelectionError::Backwards { from, to });
        }
        if from.is_none() && to.is_none() {
            return Ok(self);
        }
        if self.table.time.is_none() {
            return Err(SelectionError::NoTime { table: self.table.name });
        }
        for (name, date) in [("from", from), ("to", to)] {
            self.said.extend(date.map(|date| (name.to_owned(), date.to_string().into())));
        }
        self.dates = Some(Dates { from, to });
        Ok(self)
    }

    /// The filters as a manifest has them, applied again.
    pub(super) fn said_by(self, filters: &Map<String, serde_json::Value>) -> Result<Self, String> {
        let wrong = |name: &str| format!("the filter `{name}` is none that export knows");
        let text = |name: &str, value: &serde_json::Value| value.as_str().map(str::to_owned).ok_or_else(|| wrong(name));
        let date = |text: &str| TradingDate::parse(text).ok_or_else(|| format!("`{text}` is no date"));
        let (mut selection, mut from, mut to) = (self, None, None);
        for (name, value) in filters {
            match name.as_str() {
                "account" => selection = selection.account(&text(name, value)?).map_err(|error| error.to_string())?,
                "from" => from = Some(date(&text(name, value)?)?),
                "to" => to = Some(date(&text(name, value)?)?),
                "where" => {
                    for condition in value.as_array().ok_or_else(|| wrong(name))? {
                        let condition = text(name, condition)?;
                        let (column, value) = condition.split_once('=').ok_or_else(|| wrong(&condition))?;
                        selection = selection.equal(column, value).map_err(|error| error.to_string())?;
                    }
                }
                _ => return Err(wrong(name)),
            }
        }
        selection.dates(from, to).map_err(|error| error.to_string())
    }

    /// The filters, for the manifest.
    pub(super) fn said(&self) -> Map<String, serde_json::Value> {
        self.said.clone()
    }

    /// Hands each selected row to `each`, in the table's order, until it fails, and returns how many there were.
    ///
    /// # Errors
    /// What `each` returns, and [`ExportError::Tables`].
    pub fn each(
        &self,
        conn: &Connection,
        mut each: impl FnMut(&[Value<'_>]) -> Result<(), ExportError>,
    ) -> Result<u64, ExportError> {
        let (mut rows, mut failed) = (0, None);
        self.select(conn, |row| match each(row) {
            Ok(()) => {
                rows += 1;
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        failed.map_or(Ok(rows), Err)
    }

    /// Hands each selected row to `each`, in the table's order, until it breaks.
    pub(crate) fn select(
        &self,
        conn: &Connection,
        mut each: impl FnMut(&[Value<'_>]) -> ControlFlow<()>,
    ) -> Result<(), TablesError> {
        let mut filters = self.filters.clone();
        let Some((dates, time)) = self.dates.zip(self.table.time) else {
            return self.query(&self.columns, &filters, self.order.limit).run(conn, each);
        };
        if time == "date" {
            // Trading dates already.
            filters.extend(dates.from.map(|date| Filter::at_least(time, date.to_string())));
            filters.extend(dates.to.map(|date| Filter::below(time, TradingDate(date.0 + 1).to_string())));
            return self.query(&self.columns, &filters, self.order.limit).run(conn, each);
        }
        let bounds = Bounds::of(dates, conn)?;
        filters.extend(bounds.widest(time));
        // Beside the columns asked for, the two that decide.
        let mut columns = self.columns.clone();
        columns.extend(column(self.table, time));
        columns.extend(column(self.table, "account_id"));
        let asked = self.columns.len();
        // Which rows these are, SQLite doesn't know, so that it can't count them.
        let mut left = self.order.limit.unwrap_or(u64::MAX);
        self.query(&columns, &filters, None).run(conn, |row| {
            let account = row.get(asked + 1).and_then(|value| value.as_text());
            if !row[asked].as_text().is_some_and(|time| bounds.hold(account, time)) {
                return ControlFlow::Continue(());
            }
            left = left.saturating_sub(1);
            let flow = each(&row[..asked]);
            if left == 0 { ControlFlow::Break(()) } else { flow }
        })
    }

    fn query<'a>(&'a self, columns: &'a [Column], filters: &'a [Filter], limit: Option<u64>) -> Query<'a> {
        let Order { sort, after, .. } = &self.order;
        Query { table: self.table, columns, filters, sort, after: after.as_deref(), limit }
    }
}

pub(super) fn column(table: &'static Table, name: &str) -> Result<Column, SelectionError> {
    table.all_columns().find(|column| column.name == name).ok_or_else(|| SelectionError::UnknownColumn {
        table: table.name,
        column: name.to_owned(),
        meant: nearest(name, table.columns.iter().map(|column| column.name)),
    })
}

/// The first moment of the first date, and the first after the last one, as the tables' texts, which sort as
/// the moments do.
#[derive(Clone, Debug)]
struct Span {
    from: Option<String>,
    before: Option<String>,
}

impl Span {
    fn of(dates: Dates, calendar: &Calendar) -> Self {
        let begins = |date| calendar.begins(date).to_string();
        Self {
            from: dates.from.map(begins),
            before: dates.to.map(|date| begins(TradingDate(date.0.saturating_add(1)))),
        }
    }

    fn holds(&self, time: &str) -> bool {
        self.from.as_deref().is_none_or(|from| time >= from) && self.before.as_deref().is_none_or(|end| time < end)
    }
}

/// The span of each account: their days begin at different moments.
struct Bounds {
    utc: Span,
    accounts: BTreeMap<String, Span>,
}

impl Bounds {
    fn of(dates: Dates, conn: &Connection) -> Result<Self, TablesError> {
        let calendars = Calendars::read(conn)?;
        let span = |(account, calendar): (&str, &Calendar)| (account.to_owned(), Span::of(dates, calendar));
        Ok(Self { utc: Span::of(dates, calendars.utc()), accounts: calendars.each().map(span).collect() })
    }

    fn hold(&self, account: Option<&str>, time: &str) -> bool {
        account.and_then(|account| self.accounts.get(account)).unwrap_or(&self.utc).holds(time)
    }

    /// What no account's span goes beyond, so that SQLite needn't hand over the rest.
    fn widest(&self, time: &'static str) -> Vec<Filter> {
        let spans = || self.accounts.values().chain([&self.utc]);
        let from = spans().filter_map(|span| span.from.clone()).min();
        let before = spans().filter_map(|span| span.before.clone()).max();
        from.map(|from| Filter::at_least(time, from))
            .into_iter()
            .chain(before.map(|end| Filter::below(time, end)))
            .collect()
    }
}
