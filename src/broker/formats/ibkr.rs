//! Owns Interactive Brokers' activity statement: a file of sections, of which the trades are read, order by order.

use projections::decimal::Dec;

use super::Format;
use crate::broker::futures::one_spelling;
use crate::broker::sheet::Row;
use crate::broker::statement::{BadRow, Cells, Fill, Side, Statement, bad};

pub(super) static ACTIVITY: Format = Format {
    name: "ibkr-activity",
    doc: "Interactive Brokers, activity statement: its trades, local times, commissions",
    columns: &[
        "Trades",
        "Header",
        "DataDiscriminator",
        "Asset Category",
        "Symbol",
        "Date/Time",
        "Quantity",
        "T. Price",
    ],
    row: order,
};

/// What costs are called: by the currency of the account.
const FEES: [&str; 4] = ["Comm in USD", "Comm/Fee", "Comm in EUR", "Comm in GBP"];

fn order(row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement) -> Result<(), BadRow> {
    // The head's own first two cells name the section and the kind of its rows.
    if row.text("Trades") != "Trades" || row.text("Header") != "Data" {
        return Ok(());
    }
    if !matches!(row.text("DataDiscriminator"), "Order" | "Trade") {
        return Ok(());
    }
    let category = row.text("Asset Category");
    if !matches!(category, "Stocks" | "Futures" | "Equity and Index Options" | "Options On Futures" | "Bonds") {
        return statement.omit(row, &format!("{category} are no trades of an instrument"));
    }
    let signed = cells.amount(row, "Quantity")?;
    if signed.is_zero() {
        return Err(bad(row, "Quantity", "a quantity that is not 0"));
    }
    let fees = FEES.iter().find(|column| !row.text(column).is_empty());
    let facts = ["Symbol", "Date/Time", "Quantity", "T. Price", "Code"];
    let symbol = cells.name(row, "Symbol")?;
    let fill = Fill {
        symbol: if category == "Futures" { one_spelling(&symbol) } else { symbol },
        quantity: signed.abs(),
        price: cells.price(row, "T. Price")?,
        // Here a cost is negative.
        fees: fees.map(|column| cells.amount(row, column)).transpose()?.map(|cost| -cost),
        tick_size: (category == "Stocks").then(|| Dec::parse("0.01").unwrap_or_default()),
        point_value: (category == "Stocks").then(|| Dec::from_int(1)),
        ..Fill::of(row, if signed.is_positive() { Side::Buy } else { Side::Sell }, cells.time(row, "Date/Time")?)
    };
    let fill_id = statement.derived_id("ibkr", &facts.map(|column| row.text(column)));
    statement.add(Fill { fill_id, ..fill });
    Ok(())
}
