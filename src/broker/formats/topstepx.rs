//! Owns TopstepX's (ProjectX's) export of trades: each row is a round trip, and rows overlap, so that each is a trade of
//! its own.

use super::Format;
use crate::broker::futures::one_spelling;
use crate::broker::sheet::Row;
use crate::broker::statement::{BadRow, Cells, Fill, Statement};

pub(super) static TRADES: Format = Format {
    name: "topstepx",
    doc: "TopstepX, trades: one row a round trip, times with an offset, fees",
    columns: &["Id", "ContractName", "EnteredAt", "ExitedAt", "EntryPrice", "ExitPrice", "Fees", "PnL", "Size", "Type"],
    row: trade,
};

fn trade(row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement) -> Result<(), BadRow> {
    let own_id = format!("topstepx-{}", cells.name(row, "Id")?);
    let side = cells.side(row, "Type")?;
    let entry = Fill {
        symbol: one_spelling(&cells.name(row, "ContractName")?),
        quantity: cells.quantity(row, "Size")?,
        price: cells.price(row, "EntryPrice")?,
        ..Fill::of(row, side, cells.time(row, "EnteredAt")?)
    };
    let exit = Fill {
        side: side.opposite(),
        price: cells.price(row, "ExitPrice")?,
        at: cells.time(row, "ExitedAt")?,
        fees: cells.amount_if_any(row, "Fees")?,
        ..entry.clone()
    };
    statement.add_round_trip(&own_id, entry, exit);
    Ok(())
}
