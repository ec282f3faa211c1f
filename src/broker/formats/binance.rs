//! Owns Binance's export of USDⓈ-M futures trades: one row a fill, with the realised profit it brought.

use projections::decimal::Dec;

use super::Format;
use crate::broker::sheet::Row;
use crate::broker::statement::{BadRow, Cells, Fill, Statement, bad, some};

pub(super) static TRADES: Format = Format {
    name: "binance-futures",
    doc: "Binance USD-M futures, trade history: one row a fill, times in UTC, fees",
    columns: &["Date(UTC)", "Symbol", "Side", "Price", "Quantity", "Fee", "Realized Profit"],
    row: |row, cells, statement| trade(row, cells, statement, "Date(UTC)"),
};

pub(super) static TRADES_UTC: Format = Format {
    name: "binance-futures",
    doc: "the same, as newer exports name its time",
    columns: &["Time(UTC)", "Symbol", "Side", "Price", "Quantity", "Fee", "Realized Profit"],
    row: |row, cells, statement| trade(row, cells, statement, "Time(UTC)"),
};

fn trade(row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement, time: &str) -> Result<(), BadRow> {
    let asset = row.text("Fee Coin");
    if !matches!(asset, "" | "USDT" | "USDC" | "BUSD") {
        return Err(bad(row, "Fee Coin", "a fee in the account's currency: USDT, USDC or BUSD"));
    }
    let own = row.text("Trade ID");
    let facts = [time, "Symbol", "Side", "Price", "Quantity", "Fee"];
    let fill_id = if own.is_empty() {
        statement.derived_id("binance", &facts.map(|column| row.text(column)))
    } else {
        // Its trades are counted by symbol.
        format!("{}-{own}", row.text("Symbol"))
    };
    let fill = Fill {
        fill_id,
        symbol: cells.name(row, "Symbol")?,
        quantity: cells.quantity(row, "Quantity")?,
        price: cells.price(row, "Price")?,
        // `0.0123 USDT` in some exports; a cost is negative in none.
        fees: cells.amount_if_any(row, "Fee")?,
        order_id: some(row.text("Order ID")),
        // Quantities are of the coin itself.
        point_value: Some(Dec::from_int(1)),
        ..Fill::of(row, cells.side(row, "Side")?, cells.time_in_utc(row, time)?)
    };
    statement.add(fill);
    Ok(())
}
