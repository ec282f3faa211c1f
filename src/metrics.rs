//! Owns metrics on demand: any window, account and dimension, from what the ledger remembers in its tables; and who can be
//! asked about. How they are reckoned is the ledger's business.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use projections::calendar::WEEKDAYS;
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

/// All accounts together, and each; or one.
///
/// # Errors
/// [`TablesError`].
pub fn accounts(tables: &Connection, account: Option<&str>, window: u32) -> Result<Vec<Group>, TablesError> {
    let ask = |account: Option<&str>| -> Result<Option<Group>, TablesError> {
        let name = account.unwrap_or(ALL).to_owned();
        let answer = answers(tables, account, window, "all")?.into_values().next();
        Ok(answer.map(|answer| Group { name, answer }))
    };
    if account.is_some() {
        return Ok(ask(account)?.into_iter().collect());
    }
    let mut groups: Vec<Group> = ask(None)?.into_iter().collect();
    for account in known_accounts(tables)? {
        groups.extend(ask(Some(&account))?);
    }
    Ok(groups)
}

/// One group a value of a dimension.
///
/// # Errors
/// [`TablesError`].
pub fn by(tables: &Connection, account: Option<&str>, window: u32, dimension: &str) -> Result<Vec<Group>, TablesError> {
    let answers = in_order(dimension, answers(tables, account, window, dimension)?);
    Ok(answers.into_iter().map(|(name, answer)| Group { name, answer }).collect())
}

/// The values of a dimension as people expect them: weekdays from Monday on, all others by name.
pub(crate) fn in_order(dimension: &str, answers: BTreeMap<String, Answer>) -> Vec<(String, Answer)> {
    let mut answers: Vec<_> = answers.into_iter().collect();
    if dimension == "weekday" {
        answers.sort_by_key(|(name, _)| WEEKDAYS.iter().position(|day| day == name));
    }
    answers
}

fn answers(
    tables: &Connection,
    account: Option<&str>,
    window: u32,
    dimension: &str,
) -> Result<BTreeMap<String, Answer>, TablesError> {
    let question = Question {
        account: account.map(str::to_owned),
        window,
        dimension: dimension.to_owned(),
        ..Question::default()
    };
    on_demand(tables, &question)
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
///
/// # Errors
/// [`AskError::UnknownDimension`].
pub fn check_dimension(given: Option<&str>) -> Result<(), AskError> {
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
