//! Owns the two questions an audit asks of the tables before it reads the log: where a trade belongs, and
//! which trades belong elsewhere.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension};

use super::error::TablesError;

/// The account and symbol of a trade; `None` where it has no row.
pub(crate) fn place_of_trade(tables: &Connection, trade_id: &str) -> Result<Option<(String, String)>, TablesError> {
    let sql = "SELECT account_id, symbol FROM trades WHERE trade_id = ?1";
    let place = tables.query_row(sql, [trade_id], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(place.optional()?)
}

/// The trades of all accounts but one.
pub(crate) fn trades_elsewhere(tables: &Connection, account: &str) -> Result<HashSet<String>, TablesError> {
    let mut statement = tables.prepare("SELECT trade_id FROM trades WHERE account_id <> ?1")?;
    let trades = statement.query_map([account], |row| row.get(0))?;
    Ok(trades.collect::<Result<_, _>>()?)
}
