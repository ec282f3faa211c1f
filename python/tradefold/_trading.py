"""Owns the calls that make the events of trades: one for each type, its fields as keywords, named as docs/EVENTS.md
names them. Values are checked by the journal, so that an error reads the same from wherever an event comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Optional

from ._lines import Number
from ._recorder import Base, Options, R

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Trading(Base[R]):
    """Accounts, instruments and trades, from the plan to the exit."""

    def open_account(
        self,
        account_id: str,
        *,
        currency: str,
        starting_equity: Number,
        kind: Optional[Literal["live", "sim", "evaluation", "funded"]] = None,
        broker: Optional[str] = None,
        time_zone: Optional[str] = None,
        day_rolls_at: Optional[str] = None,
        daily_loss_limit: Optional[Number] = None,
        weekly_loss_limit: Optional[Number] = None,
        trailing_drawdown: Optional[Number] = None,
        trailing_drawdown_mode: Optional[Literal["end_of_day", "intraday"]] = None,
        trailing_drawdown_locks_at: Optional[Number] = None,
        profit_target: Optional[Number] = None,
        consistency_limit: Optional[Number] = None,
        metrics_windows: Optional[Sequence[int]] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """An account, its currency and its limits. One that its firm resets is opened anew under another name."""
        return self._record(
            "AccountOpened",
            {
                "account_id": account_id,
                "currency": currency,
                "starting_equity": starting_equity,
                "kind": kind,
                "broker": broker,
                "time_zone": time_zone,
                "day_rolls_at": day_rolls_at,
                "daily_loss_limit": daily_loss_limit,
                "weekly_loss_limit": weekly_loss_limit,
                "trailing_drawdown": trailing_drawdown,
                "trailing_drawdown_mode": trailing_drawdown_mode,
                "trailing_drawdown_locks_at": trailing_drawdown_locks_at,
                "profit_target": profit_target,
                "consistency_limit": consistency_limit,
                "metrics_windows": metrics_windows,
                "attributes": attributes,
            },
            options,
        )

    def define_instrument(
        self,
        symbol: str,
        *,
        tick_size: Number,
        point_value: Number,
        currency: Optional[str] = None,
        asset_class: Optional[str] = None,
        exchange: Optional[str] = None,
        name: Optional[str] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """What a symbol is. Trades that begin later are reckoned with it."""
        return self._record(
            "InstrumentDefined",
            {
                "symbol": symbol,
                "tick_size": tick_size,
                "point_value": point_value,
                "currency": currency,
                "asset_class": asset_class,
                "exchange": exchange,
                "name": name,
                "attributes": attributes,
            },
            options,
        )

    def open_trade(
        self,
        trade_id: str,
        *,
        symbol: str,
        side: Literal["long", "short"],
        strategy: str,
        account_id: Optional[str] = None,
        regime: Optional[str] = None,
        timeframe: Optional[str] = None,
        stop_price: Optional[Number] = None,
        target_price: Optional[Number] = None,
        planned_quantity: Optional[Number] = None,
        planned_entry_price: Optional[Number] = None,
        risk_amount: Optional[Number] = None,
        equity: Optional[Number] = None,
        order_type: Optional[str] = None,
        signal: Optional[str] = None,
        notes: Optional[str] = None,
        tags: Optional[Sequence[str]] = None,
        mental_state: Optional[int] = None,
        confidence: Optional[Number] = None,
        success_probability: Optional[Number] = None,
        daily_loss_limit: Optional[Number] = None,
        conditions: Optional[Mapping[str, Any]] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """A trade and its plan: why, where the stop and the target are, what the market looked like."""
        return self._record(
            "TradeOpened",
            {
                "trade_id": trade_id,
                "symbol": symbol,
                "side": side,
                "strategy": strategy,
                "account_id": account_id,
                "regime": regime,
                "timeframe": timeframe,
                "stop_price": stop_price,
                "target_price": target_price,
                "planned_quantity": planned_quantity,
                "planned_entry_price": planned_entry_price,
                "risk_amount": risk_amount,
                "equity": equity,
                "order_type": order_type,
                "signal": signal,
                "notes": notes,
                "tags": tags,
                "mental_state": mental_state,
                "confidence": confidence,
                "success_probability": success_probability,
                "daily_loss_limit": daily_loss_limit,
                "conditions": conditions,
                "attributes": attributes,
            },
            options,
        )

    def fill(
        self,
        trade_id: Optional[str] = None,
        *,
        side: Literal["buy", "sell"],
        quantity: Number,
        price: Number,
        fill_id: Optional[str] = None,
        symbol: Optional[str] = None,
        fees: Optional[Number] = None,
        account_id: Optional[str] = None,
        order_id: Optional[str] = None,
        order_type: Optional[str] = None,
        intended_price: Optional[Number] = None,
        slippage_ticks: Optional[Number] = None,
        latency_ms: Optional[Number] = None,
        liquidity: Optional[Literal["maker", "taker"]] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """An execution. Without a trade it goes to the open trade of its account and symbol, or opens one.

        Left out, ``fill_id`` is the event's id, and ``symbol`` that of the trade."""
        return self._record(
            "FillRecorded",
            {
                "fill_id": fill_id,
                "symbol": symbol,
                "side": side,
                "quantity": quantity,
                "price": price,
                "fees": fees,
                "trade_id": trade_id,
                "account_id": account_id,
                "order_id": order_id,
                "order_type": order_type,
                "intended_price": intended_price,
                "slippage_ticks": slippage_ticks,
                "latency_ms": latency_ms,
                "liquidity": liquidity,
                "attributes": attributes,
            },
            options,
        )

    def move_stop(
        self,
        trade_id: str,
        stop_price: Number,
        *,
        reason: Optional[str] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """The stop was moved. The first stop stays the measure of risk."""
        return self._record(
            "StopMoved",
            {
                "trade_id": trade_id,
                "stop_price": stop_price,
                "reason": reason,
                "attributes": attributes,
            },
            options,
        )

    def move_target(
        self,
        trade_id: str,
        target_price: Number,
        *,
        reason: Optional[str] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """The target was moved."""
        return self._record(
            "TargetMoved",
            {
                "trade_id": trade_id,
                "target_price": target_price,
                "reason": reason,
                "attributes": attributes,
            },
            options,
        )

    def mark_excursion(
        self,
        trade_id: str,
        *,
        high: Number,
        low: Number,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """How far the price went for and against a trade while it was open."""
        return self._record(
            "ExcursionMarked",
            {
                "trade_id": trade_id,
                "high": high,
                "low": low,
                "attributes": attributes,
            },
            options,
        )

    def exit(
        self,
        trade_id: str,
        *,
        reason: str,
        price: Optional[Number] = None,
        quantity: Optional[Number] = None,
        fees: Optional[Number] = None,
        intended_price: Optional[Number] = None,
        slippage_ticks: Optional[Number] = None,
        latency_ms: Optional[Number] = None,
        order_type: Optional[str] = None,
        execution_quality: Optional[Number] = None,
        daily_loss_limit_remaining: Optional[Number] = None,
        notes: Optional[str] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """The exit. With a price it is also the exit fill; without, it says why the fills closed the trade."""
        return self._record(
            "TradeExited",
            {
                "trade_id": trade_id,
                "reason": reason,
                "price": price,
                "quantity": quantity,
                "fees": fees,
                "intended_price": intended_price,
                "slippage_ticks": slippage_ticks,
                "latency_ms": latency_ms,
                "order_type": order_type,
                "execution_quality": execution_quality,
                "daily_loss_limit_remaining": daily_loss_limit_remaining,
                "notes": notes,
                "attributes": attributes,
            },
            options,
        )
