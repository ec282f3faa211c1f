//! Owns Tradovate's exports: Fills, Performance, Orders, Position History, and the executions that its orders are turned
//! into by other tools. Pairs name their fills, which are put together again from their parts.

use super::Format;
use crate::broker::futures::one_spelling;
use crate::broker::sheet::Row;
use crate::broker::statement::{BadRow, Cells, Fill, Side, Statement, Trip, some};

pub(super) static FILLS: Format = Format {
    name: "tradovate-fills",
    doc: "Tradovate, Fills: one row a fill, times in UTC, commissions",
    columns: &["_timestamp", "Fill ID", "B/S", "Contract", "commission"],
    row: fill,
};

pub(super) static PERFORMANCE: Format = Format {
    name: "tradovate-performance",
    doc: "Tradovate, Performance: pairs of fills, local times, no fees",
    columns: &["buyFillId", "sellFillId", "qty", "buyPrice", "sellPrice", "pnl", "boughtTimestamp", "soldTimestamp"],
    row: performance,
};

pub(super) static POSITION_HISTORY: Format = Format {
    name: "tradovate-position-history",
    doc: "Tradovate, Position History: pairs of fills, local times, no fees",
    columns: &["Pair ID", "Buy Fill ID", "Sell Fill ID", "Paired Qty", "Buy Price", "Sell Price", "P/L"],
    row: pair,
};

pub(super) static ORDERS: Format = Format {
    name: "tradovate-orders",
    doc: "Tradovate, Orders: one row an order, filled at its average, local times, no fees",
    columns: &["Order ID", "B/S", "Contract", "avgPrice", "filledQty", "Fill Time", "Status"],
    row: order,
};

pub(super) static EXECUTIONS: Format = Format {
    name: "tradovate-orders",
    doc: "executions made of Tradovate's orders: a row a part of a fill, local times",
    columns: &["orderId", "execId", "contractName", "action", "qty", "price", "timestamp", "commission"],
    row: execution,
};

fn fill(row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement) -> Result<(), BadRow> {
    if row.text("_active") == "false" {
        return statement.omit(row, "not active");
    }
    // The column in plain sight is rounded for people; the other is exact.
    let price = if row.text("_price").is_empty() { "Price" } else { "_price" };
    let fill = Fill {
        fill_id: cells.name(row, "Fill ID")?,
        symbol: one_spelling(&cells.name(row, "Contract")?),
        quantity: cells.quantity(row, "Quantity")?,
        price: cells.price(row, price)?,
        fees: cells.amount_if_any(row, "commission")?,
        order_id: some(row.text("Order ID")),
        account: some(row.text("Account")),
        tick_size: cells.amount_if_any(row, "_tickSize")?,
        ..Fill::of(row, cells.side(row, "B/S")?, cells.time(row, "_timestamp")?)
    };
    statement.add(fill);
    Ok(())
}

/// The columns of a pair, which differ between two exports in their names alone.
struct Columns {
    symbol: &'static str,
    quantity: &'static str,
    gross: &'static str,
    buy: [&'static str; 3],
    sell: [&'static str; 3],
}

fn performance(row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement) -> Result<(), BadRow> {
    paired(
        row,
        cells,
        statement,
        &Columns {
            symbol: "symbol",
            quantity: "qty",
            gross: "pnl",
            buy: ["buyFillId", "buyPrice", "boughtTimestamp"],
            sell: ["sellFillId", "sellPrice", "soldTimestamp"],
        },
    )
}

fn pair(row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement) -> Result<(), BadRow> {
    paired(
        row,
        cells,
        statement,
        &Columns {
            symbol: "Contract",
            quantity: "Paired Qty",
            gross: "P/L",
            buy: ["Buy Fill ID", "Buy Price", "Bought Timestamp"],
            sell: ["Sell Fill ID", "Sell Price", "Sold Timestamp"],
        },
    )
}

fn paired(row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement, columns: &Columns) -> Result<(), BadRow> {
    let symbol = one_spelling(&cells.name(row, columns.symbol)?);
    let quantity = cells.quantity(row, columns.quantity)?;
    let part = |side, [id, price, time]: [&str; 3]| -> Result<Fill, BadRow> {
        Ok(Fill {
            fill_id: cells.name(row, id)?,
            symbol: symbol.clone(),
            quantity,
            price: cells.price(row, price)?,
            account: some(row.text("Account")),
            tick_size: cells.amount_if_any(row, "_tickSize")?,
            ..Fill::of(row, side, cells.time(row, time)?)
        })
    };
    let (buy, sell) = (part(Side::Buy, columns.buy)?, part(Side::Sell, columns.sell)?);
    let trip = Trip {
        line: row.number(),
        symbol: symbol.clone(),
        buy_fill_id: buy.fill_id.clone(),
        sell_fill_id: sell.fill_id.clone(),
        quantity,
        buy_price: buy.price,
        sell_price: sell.price,
        gross: cells.amount(row, columns.gross)?,
    };
    statement.add_part(row, columns.buy[1], buy)?;
    statement.add_part(row, columns.sell[1], sell)?;
    statement.trips.push(trip);
    Ok(())
}

fn order(row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement) -> Result<(), BadRow> {
    if cells.amount_if_any(row, "filledQty")?.is_none_or(|filled| filled.is_zero()) {
        return statement.omit(row, row.text("Status"));
    }
    let order_id = cells.name(row, "Order ID")?;
    let fill = Fill {
        fill_id: format!("order-{order_id}"),
        symbol: one_spelling(&cells.name(row, "Contract")?),
        quantity: cells.quantity(row, "filledQty")?,
        price: cells.price(row, "avgPrice")?,
        order_id: Some(order_id),
        order_type: some(&row.text("Type").to_lowercase()),
        account: some(row.text("Account")),
        tick_size: cells.amount_if_any(row, "_tickSize")?,
        ..Fill::of(row, cells.side(row, "B/S")?, cells.time(row, "Fill Time")?)
    };
    statement.add(fill);
    Ok(())
}

fn execution(row: Row<'_>, cells: &Cells<'_>, statement: &mut Statement) -> Result<(), BadRow> {
    let execution = cells.name(row, "execId")?;
    let fill_id = execution.strip_suffix("_buy").or_else(|| execution.strip_suffix("_sell")).unwrap_or(&execution);
    let fill = Fill {
        fill_id: fill_id.to_owned(),
        symbol: one_spelling(&cells.name(row, "contractName")?),
        quantity: cells.quantity(row, "qty")?,
        price: cells.price(row, "price")?,
        fees: cells.amount_if_any(row, "commission")?,
        order_id: some(row.text("orderId")),
        account: some(row.text("accountId")),
        ..Fill::of(row, cells.side(row, "action")?, cells.time(row, "timestamp")?)
    };
    statement.add_part(row, "price", fill)
}
