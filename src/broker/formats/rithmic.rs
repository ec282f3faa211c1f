//! Owns the order history of Rithmic's R|Trader Pro: one row an order, filled at its average.

use super::Format;
use crate::broker::futures::one_spelling;
use crate::broker::sheet::Row;
use crate::broker::statement::{BadRow, Cells, Fill, Statement, some};

pub(super) static ORDERS: Format = Format {
    name: "rithmic-orders",
    doc: "Rithmic R|Trader Pro, order history: one row an order, filled at its average, local times",
    columns: &["Account", "Status", "Buy/Sell", "Symbol", "Avg Fill Price", "Order Number"],
    row: order,
};

fn order(row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement) -> Result<(), BadRow> {
    // The sections of an export repeat the head, and have a title each.
    if row.text("Buy/Sell").is_empty() || row.text("Status") == "Status" {
        return Ok(());
    }
    if cells.amount_if_any(row, "Qty Filled")?.is_none_or(|filled| filled.is_zero()) {
        return statement.omit(row, row.text("Status"));
    }
    let time = ["Update Time", "Update Time (CST)", "Update Time (CDT)", "Last Fill Time", "Create Time"];
    let time = time.into_iter().find(|column| !row.text(column).is_empty()).unwrap_or("Update Time");
    let order_id = cells.name(row, "Order Number")?;
    let fill = Fill {
        fill_id: format!("order-{order_id}"),
        symbol: one_spelling(&cells.name(row, "Symbol")?),
        quantity: cells.quantity(row, "Qty Filled")?,
        price: cells.price(row, "Avg Fill Price")?,
        fees: cells.amount_if_any(row, "Commission Fill Rate")?,
        order_id: Some(order_id),
        order_type: some(&row.text("Price Type").to_lowercase()),
        account: some(row.text("Account")),
        ..Fill::of(row, cells.side(row, "Buy/Sell")?, cells.time(row, time)?)
    };
    statement.add(fill);
    Ok(())
}
