//! Owns metrics on demand: any window, account and dimension, from what the ledger remembers in its tables; and who can be
//! asked about. How they are reckoned is the ledger's business.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use projections::calendar::{TradingDate, WEEKDAYS};
use projections::ledger::{self, DIMENSIONS, on_demand};
use projections::metrics::{Figure, METRICS};
use projections::validate::nearest;
use projections::{accounts, risk_state};

pub use projections::ledger::on_demand::{Answer, Question};

use crate::tables::{Connection, SqlShelf, TablesError, select};

/// All accounts together.
pub const ALL: &str = "*";

/// What can't be asked, or not now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// Nobody ever opened the account or traded on it: it would look like one without closed trades.
    #[error("there is no account `{account}`; {hint}")]
    UnknownAccount {
        /// What was asked for.
        account: String,
        /// What there is.
        hint: String,
    },
    /// Trades are not told apart by that.
    #[error("there is no dimension `{dimension}`; {hint}")]
    UnknownDimension {
        /// What was asked for.
        dimension: String,
        /// What there is.
        hint: String,
    },
    /// The last date is before the first.
    #[error("there is no date from {from} to {to}: the first is the later one")]
    NoDates {
        /// The first.
        from: TradingDate,
        /// The last.
        to: TradingDate,
    },
    /// The tables could not be read.
    #[error(transparent)]
    Tables(#[from] TablesError),
}

/// Answers by value of the dimension; none where no trade is closed.
///
/// # Errors
/// [`TablesError`].
pub fn on_demand(tables: &Connection, question: &Question) -> Result<BTreeMap<String, Answer>, TablesError> {
    SqlShelf::ask(tables, ledger::ABOUT.name, |shelf| on_demand::metrics(shelf, question))
}

/// The figures of an account, or of a value of a dimension.
#[derive(Clone, Debug)]
pub struct Group {
    /// Which.
    pub name: String,
    /// Its figures.
    pub answer: Answer,
}

impl Group {
    /// A metric of the registry; `None` where there are too few trades for it.
    #[must_use]
    pub fn number(&self, metric: &str) -> Option<f64> {
        match self.figure(metric)? {
            Figure::Number(number) => number,
            Figure::Count(count) => Some(f64::from(count)),
        }
    }

    /// A metric that counts something.
    #[must_use]
    pub fn count(&self, metric: &str) -> u64 {
        match self.figure(metric) {
            Some(Figure::Count(count)) => count.into(),
            _ => 0,
        }
    }

    fn figure(&self, name: &str) -> Option<Figure> {
        METRICS.iter().find(|metric| metric.name == name).map(|metric| metric.of(&self.answer.summary))
    }
}

/// Which figures are asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Only this account; all of them together, and each, where left out.
    pub account: Option<String>,
    /// Only the last N closed trades; 0 for all.
    pub window: u32,
    /// A group for each value of this dimension, instead of for each account.
    pub by: Option<String>,
    /// Only trades closed on this trading date of their account or later.
    pub from: Option<TradingDate>,
    /// Only trades closed on this trading date or earlier.
    pub to: Option<TradingDate>,
}

impl Asked {
    fn question(&self, account: Option<&str>) -> Question {
        Question {
            account: account.map(str::to_owned),
            window: self.window,
            dimension: self.by.clone().unwrap_or_else(|| "all".to_owned()),
            from: self.from,
            to: self.to,
        }
    }
}

/// The figures asked for, by account or by value of the dimension; no group where no trade is closed.
///
/// # Errors
/// [`AskError`].
pub fn groups(tables: &Connection, asked: &Asked) -> Result<Vec<Group>, AskError> {
    check_dimension(asked.by.as_deref())?;
    check_account(tables, asked.account.as_deref())?;
    if let (Some(from), Some(to)) = (asked.from, asked.to)
        && from > to
    {
        return Err(AskError::NoDates { from, to });
    }
    let account = asked.account.as_deref();
    if let Some(dimension) = &asked.by {
        let answers = in_order(dimension, on_demand(tables, &asked.question(account))?);
        return Ok(answers.into_iter().map(|(name, answer)| Group { name, answer }).collect());
    }
    let mut accounts = vec![account.map(str::to_owned)];
    if account.is_none() {
        accounts.extend(known_accounts(tables)?.into_iter().map(Some));
    }
    let mut groups = Vec::new();
    for account in accounts {
        let answers = on_demand(tables, &asked.question(account.as_deref()))?;
        let name = account.unwrap_or_else(|| ALL.to_owned());
        groups.extend(answers.into_values().map(|answer| Group { name: name.clone(), answer }));
    }
    Ok(groups)
}

/// The values of a dimension as people expect them: weekdays from Monday on, all others by name.
pub(crate) fn in_order(dimension: &str, answers: BTreeMap<String, Answer>) -> Vec<(String, Answer)> {
    let mut answers: Vec<_> = answers.into_iter().collect();
    if dimension == "weekday" {
        answers.sort_by_key(|(name, _)| WEEKDAYS.iter().position(|day| day == name));
    }
    answers
}

/// Refuses an account that nobody has heard of.
///
/// # Errors
/// [`AskError::UnknownAccount`].
pub fn check_account(tables: &Connection, given: Option<&str>) -> Result<(), AskError> {
    let Some(given) = given else { return Ok(()) };
    let known = known_accounts(tables)?;
    if known.iter().any(|account| account == given) {
        return Ok(());
    }
    let hint = match nearest(given, known.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean {meant}?"),
        None if known.is_empty() => "there is none yet".to_owned(),
        None => format!("there are {}", known.join(", ")),
    };
    Err(AskError::UnknownAccount { account: given.to_owned(), hint })
}

/// Refuses a dimension that there isn't.
fn check_dimension(given: Option<&str>) -> Result<(), AskError> {
    let Some(given) = given.filter(|given| !DIMENSIONS.contains(given)) else { return Ok(()) };
    let hint = match nearest(given, DIMENSIONS) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("there are {}", DIMENSIONS.join(", ")),
    };
    Err(AskError::UnknownDimension { dimension: given.to_owned(), hint })
}

/// Accounts that were opened or traded on, by name.
///
/// # Errors
/// [`TablesError`].
pub fn known_accounts(tables: &Connection) -> Result<Vec<String>, TablesError> {
    let mut names = BTreeSet::new();
    for table in [&accounts::TABLE, &risk_state::TABLE] {
        let columns: Vec<_> = table.all_columns().filter(|column| column.name == "account_id").collect();
        select(tables, table, &columns, &[], |row| {
            names.extend(row[0].as_text().map(str::to_owned));
            ControlFlow::Continue(())
        })?;
    }
    Ok(names.into_iter().collect())
}
