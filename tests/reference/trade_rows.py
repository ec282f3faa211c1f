"""Owns the rows of the trades table."""

from days import date_in, limit_at_entry, limit_remaining
from facts import DEFAULT_ACCOUNT, iso, json_text, number
from figures import (
    condition, distance, excursions, first_stop, holding_minutes, initial_risk, latency, latest_exit, latest_price,
    notes, result_r, risk_reward, said_number, slippage, tags,
)
from metrics import outcome


def trade_row(book, trade):
    return {
        **identity_columns(trade),
        **price_columns(trade),
        **execution_columns(book, trade),
        **result_columns(trade),
        **condition_columns(trade),
        **context_columns(book, trade),
    }


def identity_columns(trade):
    said = trade.said
    return {
        "trade_id": trade.id,
        "timestamp_entry": iso(trade.entry_at),
        "timestamp_exit": iso(trade.exit_at),
        "symbol": trade.symbol,
        "trade_type": trade.side.capitalize(),
        "strategy_used": said.get("strategy"),
        "regime_at_entry": said.get("regime"),
        "timeframe": said.get("timeframe"),
        "account_id": trade.account,
        "status": trade.status,
        "trade_trigger_signal": said.get("signal"),
        "notes": notes(trade),
        "tags": json_text(tags(trade)),
        "attributes": json_text(said.get("attributes")),
        "fills": len(trade.entries) + len(trade.exits),
        "rule_breaks": len(trade.rules),
    }


def price_columns(trade):
    mae, mfe = excursions(trade)
    return {
        "entry_price": trade.entry_price,
        "exit_price": trade.exit_price,
        "stop_loss_price": latest_price(trade, "stop_price", trade.stops),
        "take_profit_price": latest_price(trade, "target_price", trade.targets),
        "initial_stop_price": first_stop(trade),
        "stop_distance_points": distance(trade.entry_price, first_stop(trade)),
        "risk_reward_ratio": risk_reward(trade),
        "position_size": trade.entered,
        "quantity_open": trade.open_quantity,
        "mae": mae,
        "mfe": mfe,
    }


def execution_columns(book, trade):
    unsaid = book.corrections.exit_unsaid.get(trade.id, {})
    first_entry = trade.entries[0].fill if trade.entries else None
    last_exit = trade.exits[-1].fill if trade.exits else None
    order_in = trade.said.get("order_type") or (first_entry.order_type if first_entry else None)
    order_out = latest_exit(trade, "order_type", unsaid) or (last_exit.order_type if last_exit else None)
    return {
        "entry_execution_latency_ms": latency(trade.entries),
        "exit_execution_latency_ms": latency(trade.exits),
        "entry_slippage_ticks": slippage(trade, trade.entries),
        "exit_slippage_ticks": slippage(trade, trade.exits),
        "execution_quality_score": number(latest_exit(trade, "execution_quality", unsaid)),
        "order_type_entry": order_in,
        "order_type_exit": order_out,
        "exit_reason": latest_exit(trade, "reason", unsaid),
    }


def result_columns(trade):
    equity = said_number(trade, "equity")
    return {
        "portfolio_equity_at_entry": equity,
        "holding_duration_minutes": holding_minutes(trade),
        "pl_amount_gross": trade.gross,
        "pl_amount_net": trade.net,
        "pl_percentage": trade.net / equity * 100 if equity else None,
        "fees_paid": trade.fees,
        "win_loss": outcome(trade) if trade.closed else None,
        "result_r": result_r(trade),
        "risk_amount": initial_risk(trade),
    }


def condition_columns(trade):
    vwap = condition(trade, "vwap")
    entry = trade.entry_price
    return {
        "volatility_at_entry": condition(trade, "atr"),
        "volume_at_entry": condition(trade, "volume"),
        "vwap_at_entry": vwap,
        "entry_vwap_distance_pct": (entry - vwap) / vwap * 100 if entry is not None and vwap else None,
        "technical_signals_confluence": condition(trade, "signals_confluence"),
        "adx_at_entry": condition(trade, "adx"),
        "vwap_slope_at_entry": condition(trade, "vwap_slope"),
        "strategy_confidence_score": said_number(trade, "confidence"),
        "trade_success_probability": said_number(trade, "success_probability"),
        "tf_alignment_score": condition(trade, "tf_alignment"),
        "conflicting_timeframes": json_text(condition(trade, "conflicting_timeframes")),
        "spread_ticks_at_entry": condition(trade, "spread_ticks"),
        "liquidity_quality_score": condition(trade, "liquidity_quality"),
    }


def context_columns(book, trade):
    return {
        "dll_at_entry": limit_at_entry(book, trade),
        "dll_remaining_after": limit_remaining(book, trade),
        "mental_state_pre_trade": mental_state(book, trade),
    }


def mental_state(book, trade):
    """TradeOpened's, else the account's latest rating of that date, folded before the first fill, made by entry."""
    own = said_number(trade, "mental_state")
    if own is not None:
        return int(own)
    entry_date = date_in(book, trade.account, trade.entry_at)
    ratings = [
        rating
        for rating in book.moods
        if rating.data.get("account_id", DEFAULT_ACCOUNT) == trade.account
        and (trade.first_fill_seq is None or rating.seq < trade.first_fill_seq)
        and rating.at <= trade.entry_at
        and date_in(book, trade.account, rating.at) == entry_date
    ]
    if not ratings:
        return None
    return int(number(max(ratings, key=lambda rating: (rating.at, rating.seq)).data["score"]))
