//! Owns Quantower's export of trades: one row a fill.

use super::Format;
use crate::broker::futures::one_spelling;
use crate::broker::sheet::Row;
use crate::broker::statement::{BadRow, Cells, Fill, Statement, some};

pub(super) static TRADES: Format = Format {
    name: "quantower",
    doc: "Quantower, trades: one row a fill, local times, fees",
    columns: &["Account", "Date/Time", "Symbol", "Side", "Quantity", "Price", "Fee", "Trade ID", "Order ID"],
    row: trade,
};

fn trade(row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement) -> Result<(), BadRow> {
    let fill = Fill {
        fill_id: cells.name(row, "Trade ID")?,
        symbol: one_spelling(&cells.name(row, "Symbol")?),
        // Sells are negative in some versions; the side says it too.
        quantity: cells.amount(row, "Quantity")?.abs(),
        price: cells.price(row, "Price")?,
        // A cost is negative, as in its net P/L.
        fees: cells.amount_if_any(row, "Fee")?.map(|cost| -cost),
        order_id: some(row.text("Order ID")),
        order_type: some(&row.text("Order type").to_lowercase()),
        account: some(row.text("Account")),
        ..Fill::of(row, cells.side(row, "Side")?, cells.time(row, "Date/Time")?)
    };
    statement.add_above_zero(row, "Quantity", fill)
}
