//! Owns NinjaTrader 8's exports: Executions, one row a fill, and Trades, one row a round trip.

use super::Format;
use crate::broker::futures::one_spelling;
use crate::broker::sheet::Row;
use crate::broker::statement::{BadRow, Cells, Fill, Statement, some};

pub(super) static EXECUTIONS: Format = Format {
    name: "ninjatrader-executions",
    doc: "NinjaTrader 8, Executions: one row a fill, local times, commissions",
    columns: &["Instrument", "Action", "Quantity", "Price", "Time", "ID", "E/X", "Commission"],
    row: execution,
};

pub(super) static TRADES: Format = Format {
    name: "ninjatrader-trades",
    doc: "NinjaTrader 8, Trades: one row a round trip, local times, commissions",
    columns: &["Instrument", "Market pos.", "Entry price", "Exit price", "Entry time", "Exit time", "Commission"],
    row: trade,
};

fn execution(row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement) -> Result<(), BadRow> {
    let fill = Fill {
        fill_id: cells.name(row, "ID")?,
        symbol: one_spelling(&cells.name(row, "Instrument")?),
        quantity: cells.quantity(row, "Quantity")?,
        price: cells.price(row, "Price")?,
        fees: cells.amount_if_any(row, "Commission")?,
        order_id: some(row.text("Order ID")),
        account: some(row.text("Account")),
        ..Fill::of(row, cells.side(row, "Action")?, cells.time(row, "Time")?)
    };
    statement.add(fill);
    Ok(())
}

fn trade(row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement) -> Result<(), BadRow> {
    let side = cells.side(row, "Market pos.")?;
    // `Qty` in some versions.
    let quantity = if row.text("Quantity").is_empty() { "Qty" } else { "Quantity" };
    let entry = Fill {
        symbol: one_spelling(&cells.name(row, "Instrument")?),
        quantity: cells.quantity(row, quantity)?,
        price: cells.price(row, "Entry price")?,
        account: some(row.text("Account")),
        ..Fill::of(row, side, cells.time(row, "Entry time")?)
    };
    let exit = Fill {
        side: side.opposite(),
        price: cells.price(row, "Exit price")?,
        at: cells.time(row, "Exit time")?,
        fees: cells.amount_if_any(row, "Commission")?,
        ..entry.clone()
    };
    // The number of a trade is one of the export, not of the trade.
    let facts =
        ["Account", "Instrument", "Market pos.", quantity, "Entry price", "Exit price", "Entry time", "Exit time"];
    let own_id = statement.derived_id("ninjatrader", &facts.map(|column| row.text(column)));
    statement.add_round_trip(&own_id, entry, exit);
    Ok(())
}
