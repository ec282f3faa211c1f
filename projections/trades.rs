//! `trades`: a trade's row, from its fold state.

use crate::cell::{Cell, Row, Table, integer, real, text};
use crate::decimal::Dec;
use crate::event::Conditions;
use crate::ledger::rows;
use crate::ledger::trade::Trade;

/// One position from flat to flat.
pub static TABLE: Table = Table {
    name: "trades",
    sql: include_str!("trades.sql"),
    columns: &[
        text("trade_id", "the trade's name"),
        text("timestamp_entry", "occurred_at of the first entry fill; before any fill, TradeOpened's"),
        text("timestamp_exit", "occurred_at of the fill that closed it; NULL while open"),
        text("symbol", "instrument"),
        text("trade_type", "Long or Short"),
        text("strategy_used", "TradeOpened.strategy"),
        text("regime_at_entry", "TradeOpened.regime"),
        text("timeframe", "TradeOpened.timeframe"),
        real("entry_price", "quantity-weighted average of the entry fills"),
        real("exit_price", "quantity-weighted average of the exit fills"),
        real("stop_loss_price", "latest stop"),
        real("take_profit_price", "latest target"),
        real("position_size", "quantity entered; 0 before any fill"),
        real("portfolio_equity_at_entry", "TradeOpened.equity"),
        real("entry_execution_latency_ms", "quantity-weighted mean over the entry fills that have one"),
        real("exit_execution_latency_ms", "the same over the exit fills"),
        real(
            "entry_slippage_ticks",
            "quantity-weighted mean over the entry fills that have one, adverse positive: given, else (price − intended) / tick size, signed by side",
        ),
        real("exit_slippage_ticks", "the same over the exit fills"),
        real("execution_quality_score", "latest TradeExited.execution_quality"),
        text("order_type_entry", "TradeOpened.order_type, else the first entry fill's"),
        text("order_type_exit", "latest TradeExited.order_type, else the last exit fill's"),
        real("holding_duration_minutes", "exit − entry, with fractions; NULL while open"),
        text("exit_reason", "latest TradeExited.reason"),
        real("pl_amount_gross", "sum of the trade's FIFO round trips; what is realised so far while open"),
        real("pl_amount_net", "gross − fees"),
        real("pl_percentage", "net / portfolio_equity_at_entry × 100"),
        real("result_r", "net / initial risk; NULL while open, without a risk, or where it is 0"),
        real("fees_paid", "sum over all its fills"),
        text("win_loss", "Win, Loss or Breakeven by the sign of net; NULL while open"),
        real("risk_reward_ratio", "|first target − entry_price| / |entry_price − first stop|"),
        real("mae", "largest adverse distance from entry_price in points, at least 0: fills, marks, bars while open"),
        real("mfe", "largest favourable distance from entry_price in points, at least 0"),
        real("stop_distance_points", "|entry_price − first stop|"),
        real("volatility_at_entry", "conditions.atr"),
        real("volume_at_entry", "conditions.volume"),
        real("vwap_at_entry", "conditions.vwap"),
        real("entry_vwap_distance_pct", "(entry_price − vwap) / vwap × 100"),
        real("technical_signals_confluence", "conditions.signals_confluence"),
        real("adx_at_entry", "conditions.adx"),
        real("vwap_slope_at_entry", "conditions.vwap_slope"),
        real("strategy_confidence_score", "TradeOpened.confidence"),
        real("trade_success_probability", "TradeOpened.success_probability"),
        real("tf_alignment_score", "conditions.tf_alignment"),
        text("conflicting_timeframes", "conditions.conflicting_timeframes, a JSON list"),
        real("spread_ticks_at_entry", "conditions.spread_ticks"),
        real("liquidity_quality_score", "conditions.liquidity_quality"),
        text("account_id", "account"),
        real("dll_at_entry", "daily loss limit: TradeOpened's, else the account's"),
        real(
            "dll_remaining_after",
            "TradeExited's, else dll_at_entry + net of the account's trades closed on that trading date, in window order, up to and with this one",
        ),
        integer(
            "mental_state_pre_trade",
            "1..5: TradeOpened's, else the account's latest rating of that trading date, not later than entry",
        ),
        integer("rule_breaks", "how many RuleBroken name it"),
        text("trade_trigger_signal", "TradeOpened.signal"),
        text("notes", "TradeOpened's, then NoteAdded's and TradeExited's in order, a line each"),
        text("status", "open, closed or voided"),
        real("quantity_open", "quantity entered and not yet exited"),
        real("initial_stop_price", "earliest stop known: later moves never rewrite it"),
        real(
            "risk_amount",
            "initial risk: TradeOpened.risk_amount, else stop_distance_points × position_size × point value",
        ),
        integer("fills", "how many fills, or parts of fills, it has"),
        integer("corrections", "how many corrections named it or one of its fills"),
        text("tags", "TradeOpened's, then NoteAdded's, a JSON list"),
        text("attributes", "TradeOpened.attributes, a JSON object"),
    ],
    key: &["trade_id"],
    unique: "trade_id",
    order: &["timestamp_entry", "trade_id"],
    time: Some("timestamp_entry"),
    doc: "One position from flat to flat.",
};

pub(crate) fn row(trade: &Trade) -> Row {
    let mut row = Vec::with_capacity(TABLE.columns.len() + 2);
    row.extend(identity(trade));
    row.extend(execution(trade));
    row.extend(result(trade));
    row.extend(conditions(trade));
    row.extend(account(trade));
    row.extend(ours(trade));
    row
}

fn identity(trade: &Trade) -> [Cell; 14] {
    let opened = trade.opened();
    [
        (&trade.trade_id).into(),
        trade.entered_at().into(),
        trade.exited_at().into(),
        (&trade.symbol).into(),
        trade.direction.trade_type().into(),
        rows::strategy(trade).into(),
        opened.and_then(|opened| opened.regime.as_ref()).into(),
        opened.and_then(|opened| opened.timeframe.as_ref()).into(),
        trade.position.entries.price().into(),
        trade.position.exits.price().into(),
        trade.latest_stop().into(),
        trade.latest_target().into(),
        trade.position.entries.quantity.into(),
        opened.and_then(|opened| opened.equity).into(),
    ]
}

fn execution(trade: &Trade) -> [Cell; 9] {
    let position = &trade.position;
    let order_type_entry = trade.opened().and_then(|opened| opened.order_type.as_ref());
    let first_fill = position.entry.as_ref().and_then(|entry| entry.order_type.as_ref());
    let order_type_exit = trade.exits().rev().find_map(|exit| exit.order_type.as_ref());
    let last_fill = position.exit.as_ref().and_then(|exit| exit.order_type.as_ref());
    [
        position.entries.latency_ms.mean().into(),
        position.exits.latency_ms.mean().into(),
        position.entries.slippage_ticks.mean().into(),
        position.exits.slippage_ticks.mean().into(),
        trade.exits().rev().find_map(|exit| exit.execution_quality).into(),
        order_type_entry.or(first_fill).into(),
        order_type_exit.or(last_fill).into(),
        holding_minutes(trade).into(),
        trade.exit_reason().into(),
    ]
}

fn holding_minutes(trade: &Trade) -> Option<Dec> {
    let held = trade.exited_at()?.0 - trade.entered_at()?.0;
    Dec::from_int(held).ratio(Dec::from_int(60_000_000))
}

fn result(trade: &Trade) -> [Cell; 10] {
    let net = trade.position.net();
    let equity = trade.opened().and_then(|opened| opened.equity);
    let hundred = Dec::from_int(100);
    let excursions = trade.excursions();
    [
        trade.position.gross.into(),
        net.into(),
        equity.and_then(|equity| (net * hundred).ratio(equity)).into(),
        trade.result_r().filter(|_| rows::is_final(trade)).into(),
        trade.position.fees.into(),
        rows::win_loss(trade).into(),
        risk_reward(trade).into(),
        excursions.map(|(mae, _)| mae).into(),
        excursions.map(|(_, mfe)| mfe).into(),
        trade.stop_distance().into(),
    ]
}

fn risk_reward(trade: &Trade) -> Option<Dec> {
    let reward = (trade.first_target()? - trade.position.entries.price()?).abs();
    reward.ratio(trade.stop_distance()?)
}

fn conditions(trade: &Trade) -> [Cell; 13] {
    let opened = trade.opened();
    let at_entry = opened.and_then(|opened| opened.conditions.as_ref());
    let figure = |field: fn(&Conditions) -> Option<Dec>| Cell::from(at_entry.and_then(field));
    let conflicting = at_entry.and_then(|at_entry| at_entry.conflicting_timeframes.as_deref());
    [
        figure(|at_entry| at_entry.atr),
        figure(|at_entry| at_entry.volume),
        figure(|at_entry| at_entry.vwap),
        vwap_distance_pct(trade, at_entry).into(),
        figure(|at_entry| at_entry.signals_confluence),
        figure(|at_entry| at_entry.adx),
        figure(|at_entry| at_entry.vwap_slope),
        opened.and_then(|opened| opened.confidence).into(),
        opened.and_then(|opened| opened.success_probability).into(),
        figure(|at_entry| at_entry.tf_alignment),
        conflicting.map(rows::json_list).into(),
        figure(|at_entry| at_entry.spread_ticks),
        figure(|at_entry| at_entry.liquidity_quality),
    ]
}

fn vwap_distance_pct(trade: &Trade, at_entry: Option<&Conditions>) -> Option<Dec> {
    let vwap = at_entry?.vwap?;
    let distance = trade.position.entries.price()? - vwap;
    (distance * Dec::from_int(100)).ratio(vwap)
}

fn account(trade: &Trade) -> [Cell; 7] {
    let rule_breaks = u32::try_from(trade.rules_broken().count()).unwrap_or(u32::MAX);
    [
        (&trade.account).into(),
        trade.daily_loss_limit().into(),
        trade.daily_loss_limit_remaining().into(),
        trade.mental_state().map(u32::from).into(),
        rule_breaks.into(),
        trade.opened().and_then(|opened| opened.signal.as_ref()).into(),
        rows::notes(trade).into(),
    ]
}

fn ours(trade: &Trade) -> [Cell; 10] {
    let attributes = trade.opened().and_then(|opened| opened.attributes.as_ref());
    [
        trade.status.name().into(),
        trade.position.open().into(),
        trade.first_stop().into(),
        trade.initial_risk().into(),
        trade.position.fills.into(),
        trade.corrections.into(),
        rows::tags(trade).into(),
        attributes.map(|attributes| &attributes.0).into(),
        Cell::seq(trade.first_seq),
        Cell::seq(trade.last_seq),
    ]
}
