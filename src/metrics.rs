//! Owns metrics on demand: any window, account and dimension, from what the ledger remembers in its tables. How
//! they are reckoned is the ledger's business.

use std::collections::BTreeMap;

use projections::ledger::{self, on_demand};

pub use projections::ledger::on_demand::{Answer, Question};

use crate::tables::{Connection, SqlShelf, TablesError};

/// Answers by value of the dimension; none where no trade is closed.
///
/// # Errors
/// [`TablesError`].
pub fn on_demand(tables: &Connection, question: &Question) -> Result<BTreeMap<String, Answer>, TablesError> {
    SqlShelf::ask(tables, ledger::ABOUT.name, |shelf| on_demand::metrics(shelf, question))
}
