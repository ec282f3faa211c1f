"""A drop-in for the plain class that orchestrators keep: a few methods over SQLite tables that are written over. Here the
same calls append to an audited log, and read what follows from it::

    from tradefold.compat import Database     # instead of: from database import Database

Names of keywords and of rows are those of the table ``trades`` (docs/TABLES.md). What the plain class cannot say is a
call away: :attr:`Database.journal` is the journal behind it.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import warnings
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Optional, Union
from zoneinfo import ZoneInfo

from ._lines import Moment, Number
from ._lines import new_id
from .errors import QuestionError
from .events import parse_time
from .journal import Journal

# Columns of `trades` that TradeOpened says, and its fields.
PLAN = {
    "strategy_used": "strategy",
    "regime_at_entry": "regime",
    "timeframe": "timeframe",
    "stop_loss_price": "stop_price",
    "take_profit_price": "target_price",
    "portfolio_equity_at_entry": "equity",
    "order_type_entry": "order_type",
    "strategy_confidence_score": "confidence",
    "trade_success_probability": "success_probability",
    "dll_at_entry": "daily_loss_limit",
    "mental_state_pre_trade": "mental_state",
    "trade_trigger_signal": "signal",
    "notes": "notes",
    "account_id": "account_id",
    "risk_amount": "risk_amount",
}
# And those of its conditions.
CONDITIONS = {
    "volatility_at_entry": "atr",
    "volume_at_entry": "volume",
    "vwap_at_entry": "vwap",
    "vwap_slope_at_entry": "vwap_slope",
    "adx_at_entry": "adx",
    "spread_ticks_at_entry": "spread_ticks",
    "liquidity_quality_score": "liquidity_quality",
    "technical_signals_confluence": "signals_confluence",
    "tf_alignment_score": "tf_alignment",
    "conflicting_timeframes": "conflicting_timeframes",
}
# Those that the entry's fill says.
ENTRY = {
    "entry_slippage_ticks": "slippage_ticks",
    "entry_execution_latency_ms": "latency_ms",
    "order_type_entry": "order_type",
}
# Those that the exit says.
EXIT = {
    "exit_slippage_ticks": "slippage_ticks",
    "exit_execution_latency_ms": "latency_ms",
    "order_type_exit": "order_type",
    "execution_quality_score": "execution_quality",
    "dll_remaining_after": "daily_loss_limit_remaining",
    "notes": "notes",
}

_METRICS = {
    "profit_factor", "expected_r", "win_rate", "win_rate_wilson_lb", "max_drawdown_r", "current_drawdown_r", "costs_pct",
    "total_trades", "total_wins", "total_losses", "avg_win_r", "avg_loss_r",
}  # fmt: skip



class Database:
    """A journal behind the methods of a plain trades database."""

    def __init__(
        self,
        db_path: "Union[str, os.PathLike[str]]" = "./journal",
        *,
        time_zone: Optional[str] = None,
        journal: Optional[Journal] = None,
    ) -> None:
        """``db_path`` is the journal's folder. For ``trades.db`` of the plain class that is ``trades.journal`` beside it:
        the old file is left alone (``tradefold migrate-sqlite`` brings its trades in). ``time_zone`` is that of
        times without a zone, which are refused otherwise: an IANA name such as America/Chicago."""
        self._zone = None if time_zone is None else ZoneInfo(time_zone)
        path, ending = os.path.splitext(os.fspath(db_path))
        is_file = ending in (".db", ".sqlite", ".sqlite3")
        self._owns = journal is None
        #: The journal behind it, for all that the plain class cannot say.
        self.journal = Journal(path + ".journal" if is_file else db_path) if journal is None else journal

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the journal, if it was opened here."""
        if self._owns:
            self.journal.close()

    def log_trade(
        self,
        *,
        symbol: str,
        trade_type: str,
        entry_price: Number,
        position_size: Number,
        strategy_used: str = "unknown",
        timestamp_entry: Optional[Moment] = None,
        fees_paid: Optional[Number] = None,
        trade_id: Optional[str] = None,
        **columns: Any,
    ) -> str:
        """Records that a trade was opened and filled; returns its id. Other columns of ``trades`` that describe the entry
        go by their names; what nobody knows is kept among the trade's attributes."""
        trade_id = new_id() if trade_id is None else str(trade_id)
        side = side_of(trade_type)
        at = at_moment(timestamp_entry, self._zone)
        columns = {name: value for name, value in columns.items() if value is not None}
        plan, entry = taken(columns, PLAN), taken(columns, ENTRY)
        conditions = taken(columns, CONDITIONS)
        if isinstance(conditions.get("conflicting_timeframes"), str):
            conditions["conflicting_timeframes"] = list_of(conditions["conflicting_timeframes"])
        known = {*PLAN, *CONDITIONS, *ENTRY}
        rest = {name: value for name, value in columns.items() if name not in known}
        opened = {"trade_id": trade_id, "symbol": symbol, "side": side, "strategy": strategy_used, **plan}
        opened.update({"conditions": conditions} if conditions else {})
        opened.update({"attributes": rest} if rest else {})
        fill = {
            "fill_id": f"{trade_id}/entry",
            "trade_id": trade_id,
            "symbol": symbol,
            "side": "buy" if side == "long" else "sell",
            "quantity": position_size,
            "price": entry_price,
            **({} if fees_paid is None else {"fees": fees_paid}),
            **entry,
        }
        self.journal.append_many(
            [
                {"type": "TradeOpened", "occurred_at": at, "data": opened, "meta": _META},
                {"type": "FillRecorded", "occurred_at": at, "data": fill, "meta": _META},
            ]
        )
        return trade_id

    def update_trade_exit(
        self,
        trade_id: str,
        *,
        exit_price: Number,
        exit_reason: str = "manual",
        timestamp_exit: Optional[Moment] = None,
        fees_paid: Optional[Number] = None,
        mae: Optional[Number] = None,
        mfe: Optional[Number] = None,
        **columns: Any,
    ) -> "dict[str, Any]":
        """Records the exit of all that is open; returns the trade as it is then. ``fees_paid`` is the trade's whole fees,
        as the column is. Results (``pl_amount_net``, ``result_r``, ...) follow from fills: those that are given are kept
        among the exit's attributes."""
        at = at_moment(timestamp_exit, self._zone)
        trade = self._trade(trade_id)
        if trade["status"] != "open" or not trade["quantity_open"]:
            raise QuestionError(f"trade {trade_id} is not open: it has {trade['quantity_open']:g} left")
        columns = {name: value for name, value in columns.items() if value is not None}
        said = taken(columns, EXIT)
        rest = {name: value for name, value in columns.items() if name not in EXIT}
        data: "dict[str, Any]" = {"trade_id": trade_id, "reason": exit_reason, "price": exit_price, **said}
        if fees_paid is not None:
            data["fees"] = Decimal(str(fees_paid)) - Decimal(repr(trade["fees_paid"] or 0.0))
        if rest:
            data["attributes"] = rest
        events: "list[dict[str, Any]]" = []
        excursion = _excursion(trade, mae, mfe)
        if excursion:
            events.append({"type": "ExcursionMarked", "occurred_at": at, "data": excursion, "meta": _META})
        events.append({"type": "TradeExited", "occurred_at": at, "data": data, "meta": _META})
        self.journal.append_many(events)
        return self._trade(trade_id)

    def get_trade(self, trade_id: str) -> "Optional[dict[str, Any]]":
        """A trade, if it is known."""
        return self.journal.trade(trade_id)

    def get_recent_trades(self, limit: int = 10) -> "list[dict[str, Any]]":
        """The trades that were entered last, newest first."""
        sql = "SELECT * FROM trades WHERE status <> 'voided' ORDER BY timestamp_entry DESC, trade_id DESC LIMIT ?"
        return self.journal.sql(sql, [limit]).to_list()

    def get_open_trades(self) -> "list[dict[str, Any]]":
        """The trades that are open, oldest first."""
        return self.journal.trades(status="open").to_list()

    def get_trades_for_metrics(self, window: int = 20) -> "list[dict[str, Any]]":
        """The trades that were closed last, oldest first: the window that metrics are of; 0 is all."""
        newest = "SELECT * FROM trades WHERE status = 'closed' ORDER BY timestamp_exit DESC, trade_id DESC LIMIT ?"
        return self.journal.sql(newest, [window if window > 0 else -1]).to_list()[::-1]

    def save_system_state(
        self,
        system_state: str,
        *,
        current_regime: Optional[str] = None,
        active_strategy: Optional[str] = None,
        current_r: Optional[Number] = None,
        account_id: Optional[str] = None,
        timestamp: Optional[Moment] = None,
        reason: Optional[str] = None,
        **columns: Any,
    ) -> int:
        """Records the orchestrator's state; returns its ``state_id``. The day's and week's figures follow from trades:
        those that are given are kept among the attributes."""
        return self.journal.change_state(
            system_state,
            regime=current_regime,
            strategy=active_strategy,
            current_r=current_r,
            account_id=account_id,
            reason=reason,
            attributes=columns or None,
            occurred_at=at_moment(timestamp, self._zone),
            meta=_META,
        )

    def get_latest_system_state(self) -> "Optional[dict[str, Any]]":
        """The state that was recorded last."""
        return self.journal.state().last_state

    def save_performance_metrics(self, **metrics: Any) -> "Optional[dict[str, Any]]":
        """Records nothing: metrics follow from trades, and are kept for each position at which one closed. Returns the
        latest row of ``performance_metrics`` of the window that is named (``window_trades``, else 20), and warns where
        what is given is another figure, since one of both is reckoned otherwise."""
        window = int(metrics.get("window_trades", 20))
        account = metrics.get("account_id", "default")
        sql = (
            "SELECT * FROM performance_metrics WHERE account_id = ? AND window_trades = ? "
            "ORDER BY first_seq DESC LIMIT 1"
        )
        row = self.journal.sql(sql, [account, window]).first()
        for name in sorted(_METRICS & metrics.keys()):
            given, kept = metrics[name], None if row is None else row[name]
            if given is not None and kept is not None and abs(float(given) - kept) > 1e-6 * max(1.0, abs(kept)):
                message = f"{name} is {given} by the program and {kept} by the journal (docs/TABLES.md has the formula)"
                warnings.warn(message, stacklevel=2)
        return row

    def export_trades_to_csv(self, path: "Union[str, os.PathLike[str]]") -> int:
        """Writes all trades, with a head; returns how many there were. (``journal.export`` also writes a manifest that ties
        the file to the log.)"""
        rows = self.journal.trades()
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(rows.columns)
            count = 0
            for count, row in enumerate(rows.tuples(), 1):
                writer.writerow(row)
        return count

    def _trade(self, trade_id: str) -> "dict[str, Any]":
        trade = self.journal.trade(trade_id)
        if trade is None:
            raise QuestionError(f"there is no trade {trade_id}")
        return trade


_META = {"source": "tradefold.compat"}


def taken(columns: Mapping[str, Any], names: Mapping[str, str]) -> "dict[str, Any]":
    return {field: columns[column] for column, field in names.items() if column in columns}


def side_of(trade_type: str) -> str:
    side = {"long": "long", "buy": "long", "short": "short", "sell": "short"}.get(str(trade_type).lower())
    if side is None:
        raise QuestionError(f"trade_type: expected Long or Short, got {trade_type!r}")
    return side


def at_moment(given: Optional[Moment], zone: Optional[dt.tzinfo]) -> dt.datetime:
    """A moment as such programs have it: a datetime or its text, with a zone or in that one."""
    if given is None:
        return dt.datetime.now(dt.timezone.utc)
    at = parse_time(given.strip()) if isinstance(given, str) else given
    return at.replace(tzinfo=zone) if at.tzinfo is None else at


def list_of(text: str) -> "list[str]":
    """A list as the column has it (JSON), or as people write it."""
    try:
        told = json.loads(text)
    except ValueError:
        return [part.strip() for part in text.split(",") if part.strip()]
    return [str(part) for part in told] if isinstance(told, list) else [str(told)]


def _excursion(trade: Mapping[str, Any], mae: Optional[Number], mfe: Optional[Number]) -> "dict[str, Any]":
    """The extremes that distances from the entry price come to."""
    if mae is None and mfe is None:
        return {}
    entry = Decimal(repr(trade["entry_price"]))
    against, along = (abs(Decimal(str(distance or 0))) for distance in (mae, mfe))
    up, down = (along, against) if trade["trade_type"] == "Long" else (against, along)
    return {"trade_id": trade["trade_id"], "high": entry + up, "low": entry - down}
