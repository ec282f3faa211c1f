//! `daily_pnl`: each account's days; the money columns tie to a broker's statement.

use crate::calendar::TradingDate;
use crate::cell::{Cell, Row, Table, integer, real, text};
use crate::ledger::account::Day;

/// A trading date of an account with a fill, a closed trade, a rule break or cash moved.
pub static TABLE: Table = Table {
    name: "daily_pnl",
    sql: include_str!("daily_pnl.sql"),
    columns: &[
        text("date", "trading date, YYYY-MM-DD"),
        text("account_id", "account"),
        real("pnl_r", "sum of result_r of trades closed that date; 0 where none"),
        integer("is_red_day", "1 where pl_net < 0, else 0"),
        integer("trades_count", "trades by the date of their exit"),
        real("pl_gross", "round trips by the closing fill's date"),
        real("pl_net", "pl_gross − fees"),
        real("fees", "fees by each fill's date"),
        integer("wins", "trades with net > 0 by the date of their exit"),
        integer("losses", "trades with net < 0"),
        integer("rule_breaks", "RuleBroken that date"),
        real("equity_close", "starting equity (0 for an account that was never opened) + cash moved + pl_net, to date"),
    ],
    key: &["date", "account_id"],
    unique: "date, account_id",
    order: &["date", "account_id"],
    time: Some("date"),
    doc: "A trading date of an account with a fill, a closed trade, a rule break or cash moved.",
};

pub(crate) fn row(account: &str, date: TradingDate, day: &Day) -> Row {
    vec![
        date.to_string().into(),
        account.into(),
        day.pnl_r.into(),
        u32::from(day.is_red()).into(),
        day.trades.into(),
        day.gross.into(),
        day.net().into(),
        day.fees.into(),
        day.wins.into(),
        day.losses.into(),
        Cell::seq(day.rule_breaks.len() as u64),
        day.equity_close.into(),
        Cell::seq(day.first_seq),
        Cell::seq(day.last_seq),
    ]
}
