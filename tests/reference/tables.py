"""Owns the tables' columns and the rows of every table that is a function of the book alone.

The two history tables are kept by `fold`, which knows what was known when.
"""

from breakdown import breakdown_rows
from days import daily_rows, derived_risk, equity_now
from facts import iso, json_text, number
from limits import progress
from trade_rows import trade_row
from tradingday import DEFAULT_ROLL, DEFAULT_ZONE

DEFAULT_WINDOWS = [20, 0]

SEED_METRICS = (
    "profit_factor expected_r win_rate win_rate_wilson_lb max_drawdown_r current_drawdown_r costs_pct "
    "total_trades total_wins total_losses avg_win_r avg_loss_r"
)
EXTRA_METRICS = (
    "payoff_ratio sqn sharpe_r sortino_r largest_win_r largest_loss_r win_streak loss_streak avg_mae avg_mfe "
    "avg_holding_minutes kelly_fraction recovery_factor rule_breaks"
)
COLUMNS = {
    "trades": (
        "trade_id timestamp_entry timestamp_exit symbol trade_type strategy_used regime_at_entry timeframe "
        "entry_price exit_price stop_loss_price take_profit_price position_size portfolio_equity_at_entry "
        "entry_execution_latency_ms exit_execution_latency_ms entry_slippage_ticks exit_slippage_ticks "
        "execution_quality_score order_type_entry order_type_exit holding_duration_minutes exit_reason "
        "pl_amount_gross pl_amount_net pl_percentage result_r fees_paid win_loss risk_reward_ratio mae mfe "
        "stop_distance_points volatility_at_entry volume_at_entry vwap_at_entry entry_vwap_distance_pct "
        "technical_signals_confluence adx_at_entry vwap_slope_at_entry strategy_confidence_score "
        "trade_success_probability tf_alignment_score conflicting_timeframes spread_ticks_at_entry "
        "liquidity_quality_score account_id dll_at_entry dll_remaining_after mental_state_pre_trade rule_breaks "
        "trade_trigger_signal notes status quantity_open initial_stop_price risk_amount fills tags attributes"
    ),
    "performance_metrics": "metric_id timestamp account_id window_trades " + SEED_METRICS,
    "performance_breakdown": "account_id dimension value " + SEED_METRICS + " " + EXTRA_METRICS,
    "system_state": (
        "state_id timestamp system_state current_regime active_strategy daily_pnl_r weekly_pnl_r current_r "
        "consecutive_red_days account_id"
    ),
    "risk_state": "key value updated_at account_id",
    "daily_pnl": (
        "date account_id pnl_r is_red_day trades_count pl_gross pl_net fees wins losses rule_breaks equity_close"
    ),
    "fills": (
        "fill_id timestamp account_id symbol side quantity price fees trade_id order_id order_type intended_price "
        "slippage_ticks latency_ms liquidity status"
    ),
    "round_trips": (
        "entry_fill_id exit_fill_id trade_id account_id symbol side quantity entry_price exit_price "
        "timestamp_entry timestamp_exit pl_gross fees"
    ),
    "market_data": (
        "bar_id timestamp symbol timeframe open_price high_price low_price close_price volume vwap adx atr regime"
    ),
    "rule_breaks": "timestamp rule severity trade_id account_id detail",
    "notes": "timestamp account_id trade_id date text tags",
    "accounts": (
        "account_id currency starting_equity kind broker time_zone day_rolls_at daily_loss_limit weekly_loss_limit "
        "trailing_drawdown profit_target metrics_windows equity trailing_drawdown_mode trailing_drawdown_locks_at "
        "consistency_limit day_net daily_loss_limit_remaining week_net weekly_loss_limit_remaining high_water_mark "
        "drawdown_floor drawdown_remaining profit_target_progress best_day_net best_day_share"
    ),
    "limit_breaches": "account_id rule date timestamp threshold value",
    "anomalies": "seq kind trade_id fill_id detail",
}
COLUMNS = {table: columns.split() for table, columns in COLUMNS.items()}


def current_tables(book):
    """The rows of every table but the history tables."""
    return {
        "trades": [trade_row(book, trade) for trade in book.trades.values()],
        "performance_breakdown": breakdown_rows(book),
        "risk_state": risk_rows(book),
        "daily_pnl": daily_rows(book),
        "fills": [fill_row(fill) for fill in book.fills.values()],
        "round_trips": round_trip_rows(book),
        "market_data": bar_rows(book),
        "rule_breaks": rule_break_rows(book),
        "notes": note_rows(book),
        "accounts": account_rows(book),
        "anomalies": [vars(anomaly) for anomaly in book.anomalies],
    }


def risk_rows(book):
    rows = {}
    for (account, key), event in book.risk_set.items():
        rows[account, key] = risk_row(account, key, event.data["value"], event)
    for account, event in book.last_event.items():
        for key, value in derived_risk(book, account, event.at).items():
            rows[account, key] = risk_row(account, key, value, event)
    return [row for _, row in sorted(rows.items())]


def risk_row(account, key, value, event):
    return {"key": key, "value": value, "updated_at": iso(event.at), "account_id": account}


def fill_row(fill):
    row = {column: getattr(fill, column, None) for column in COLUMNS["fills"]}
    return row | {"fill_id": fill.id, "timestamp": iso(fill.at), "account_id": fill.account}


def round_trip_rows(book):
    return [
        {
            "entry_fill_id": trip.entry.id, "exit_fill_id": trip.exit.id, "trade_id": trade.id,
            "account_id": trade.account, "symbol": trade.symbol, "side": trade.side, "quantity": trip.quantity,
            "entry_price": trip.entry.price, "exit_price": trip.exit.price,
            "timestamp_entry": iso(trip.entry.at), "timestamp_exit": iso(trip.exit.at),
            "pl_gross": trip.gross, "fees": trip.fees,
        }
        for trade in book.trades.values()
        if not trade.voided
        for trip in trade.round_trips
    ]


def bar_rows(book):
    rows = []
    for bar_id, ((timestamp, symbol, timeframe), event) in enumerate(sorted(book.bars.items()), 1):
        row = {"bar_id": bar_id, "timestamp": timestamp, "symbol": symbol, "timeframe": timeframe}
        for name in ("open", "high", "low", "close"):
            row[name + "_price"] = number(event.data[name])
        for name in ("volume", "vwap", "adx", "atr"):
            row[name] = number(event.data.get(name))
        rows.append(row | {"regime": event.data.get("regime")})
    return rows


def rule_break_rows(book):
    return [
        {
            "timestamp": iso(event.at), "rule": event.data["rule"], "severity": event.data.get("severity"),
            "trade_id": trade_id, "account_id": account, "detail": event.data.get("detail"),
        }
        for event, account, trade_id in book.rule_breaks
    ]


def note_rows(book):
    return [
        {
            "timestamp": iso(event.at), "account_id": account, "trade_id": trade_id,
            "date": event.data.get("date"), "text": event.data["text"], "tags": json_text(event.data.get("tags")),
        }
        for event, account, trade_id in book.notes
    ]


def account_rows(book):
    rows = []
    for account, opened in book.accounts.items():
        row = {column: opened.get(column) for column in COLUMNS["accounts"]}
        for name in ("starting_equity", "daily_loss_limit", "weekly_loss_limit", "trailing_drawdown",
                     "profit_target"):
            row[name] = number(opened.get(name))
        row["time_zone"] = opened.get("time_zone", DEFAULT_ZONE)
        row["day_rolls_at"] = opened.get("day_rolls_at", DEFAULT_ROLL)
        row["metrics_windows"] = json_text(opened.get("metrics_windows", DEFAULT_WINDOWS))
        rows.append(row | {"equity": equity_now(book, account)} | progress(book, account))
    return rows
