//! Owns the calendars of a journal's accounts, as its tables have them: whose trading days begin when.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use projections::accounts;
use projections::calendar::Calendar;
use projections::cell::Column;
use projections::event::AccountOpened;

use crate::tables::{Connection, TablesError, select};

/// The calendar of each account that was opened; all others have UTC dates.
#[derive(Debug, Default)]
pub(crate) struct Calendars {
    utc: Calendar,
    accounts: BTreeMap<String, Calendar>,
}

impl Calendars {
    pub(crate) fn read(conn: &Connection) -> Result<Self, TablesError> {
        let wanted = ["account_id", "time_zone", "day_rolls_at"];
        let columns: Vec<Column> = wanted
            .iter()
            .filter_map(|name| accounts::TABLE.all_columns().find(|column| column.name == *name))
            .collect();
        let mut calendars = Self::default();
        select(conn, &accounts::TABLE, &columns, &[], |row| {
            let text = |index: usize| row.get(index).and_then(|value| value.as_text()).map(str::to_owned);
            let terms = AccountOpened { time_zone: text(1), day_rolls_at: text(2), ..AccountOpened::default() };
            calendars.accounts.insert(text(0).unwrap_or_default(), Calendar::of(&terms));
            ControlFlow::Continue(())
        })?;
        Ok(calendars)
    }

    /// The calendar of accounts that were never opened.
    pub(crate) fn utc(&self) -> &Calendar {
        &self.utc
    }

    pub(crate) fn of(&self, account: &str) -> &Calendar {
        self.accounts.get(account).unwrap_or(&self.utc)
    }

    /// Every account that was opened, with its calendar.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&str, &Calendar)> {
        self.accounts.iter().map(|(account, calendar)| (account.as_str(), calendar))
    }
}
