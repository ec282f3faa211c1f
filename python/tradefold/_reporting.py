"""Owns the calls that make the events of everything beside trades, and of corrections: one for each type, its fields as keywords, named as docs/EVENTS.md
names them. Values are checked by the journal, so that an error reads the same from wherever an event comes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Optional, Union

from ._lines import Moment, Number
from ._recorder import Base, Options, R

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Reporting(Base[R]):
    """Rules, states, money, bars, and what was recorded wrongly."""

    def break_rule(
        self,
        rule: str,
        *,
        trade_id: Optional[str] = None,
        account_id: Optional[str] = None,
        severity: Optional[Literal["info", "minor", "major"]] = None,
        detail: Optional[str] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """A trading rule was broken."""
        return self._record(
            "RuleBroken",
            {
                "rule": rule,
                "trade_id": trade_id,
                "account_id": account_id,
                "severity": severity,
                "detail": detail,
                "attributes": attributes,
            },
            options,
        )

    def rate_mental_state(
        self,
        score: int,
        *,
        account_id: Optional[str] = None,
        note: Optional[str] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """The trader rated his or her state."""
        return self._record(
            "MentalStateRated",
            {
                "score": score,
                "account_id": account_id,
                "note": note,
                "attributes": attributes,
            },
            options,
        )

    def note(
        self,
        text: str,
        *,
        trade_id: Optional[str] = None,
        account_id: Optional[str] = None,
        date: Optional[Union[dt.date, str]] = None,
        tags: Optional[Sequence[str]] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """A note on a trade, a date or an account."""
        return self._record(
            "NoteAdded",
            {
                "text": text,
                "trade_id": trade_id,
                "account_id": account_id,
                "date": date,
                "tags": tags,
                "attributes": attributes,
            },
            options,
        )

    def change_state(
        self,
        state: str,
        *,
        account_id: Optional[str] = None,
        regime: Optional[str] = None,
        strategy: Optional[str] = None,
        current_r: Optional[Number] = None,
        reason: Optional[str] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """The orchestrator changed its state."""
        return self._record(
            "StateChanged",
            {
                "state": state,
                "account_id": account_id,
                "regime": regime,
                "strategy": strategy,
                "current_r": current_r,
                "reason": reason,
                "attributes": attributes,
            },
            options,
        )

    def set_risk(
        self,
        key: str,
        value: Union[Number, bool],
        *,
        account_id: Optional[str] = None,
        reason: Optional[str] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """A risk setting got a new value."""
        return self._record(
            "RiskSet",
            {
                "key": key,
                "value": value,
                "account_id": account_id,
                "reason": reason,
                "attributes": attributes,
            },
            options,
        )

    def move_cash(
        self,
        account_id: str,
        *,
        amount: Number,
        kind: Literal["deposit", "withdrawal", "payout", "fee", "adjustment"],
        note: Optional[str] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """Money went into an account or out of it."""
        return self._record(
            "CashMoved",
            {
                "account_id": account_id,
                "amount": amount,
                "kind": kind,
                "note": note,
                "attributes": attributes,
            },
            options,
        )

    def close_bar(
        self,
        symbol: str,
        *,
        timeframe: str,
        timestamp: Moment,
        open: Number,
        high: Number,
        low: Number,
        close: Number,
        volume: Number,
        vwap: Optional[Number] = None,
        adx: Optional[Number] = None,
        atr: Optional[Number] = None,
        regime: Optional[str] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """A price bar ended. The latest bar of a start, symbol and timeframe wins."""
        return self._record(
            "BarClosed",
            {
                "symbol": symbol,
                "timeframe": timeframe,
                "timestamp": timestamp,
                "open": open,
                "high": high,
                "low": low,
                "close": close,
                "volume": volume,
                "vwap": vwap,
                "adx": adx,
                "atr": atr,
                "regime": regime,
                "attributes": attributes,
            },
            options,
        )

    def correct_fill(
        self,
        fill_id: str,
        *,
        reason: str,
        quantity: Optional[Number] = None,
        price: Optional[Number] = None,
        fees: Optional[Number] = None,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """A fill was recorded wrongly: these are the right figures."""
        return self._record(
            "FillCorrected",
            {
                "fill_id": fill_id,
                "reason": reason,
                "quantity": quantity,
                "price": price,
                "fees": fees,
                "attributes": attributes,
            },
            options,
        )

    def bust_fill(
        self,
        fill_id: str,
        *,
        reason: str,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """The exchange or broker took a fill back. Final."""
        return self._record(
            "FillBusted",
            {
                "fill_id": fill_id,
                "reason": reason,
                "attributes": attributes,
            },
            options,
        )

    def amend_trade(
        self,
        trade_id: str,
        changes: Mapping[str, Any],
        *,
        reason: str,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """Facts of a trade were recorded wrongly: these are the right ones."""
        return self._record(
            "TradeAmended",
            {
                "trade_id": trade_id,
                "changes": changes,
                "reason": reason,
                "attributes": attributes,
            },
            options,
        )

    def void_trade(
        self,
        trade_id: str,
        *,
        reason: str,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """A trade counts nowhere any more."""
        return self._record(
            "TradeVoided",
            {
                "trade_id": trade_id,
                "reason": reason,
                "attributes": attributes,
            },
            options,
        )

    def reassign_fills(
        self,
        fill_ids: Sequence[str],
        *,
        trade_id: str,
        reason: str,
        attributes: Optional[Mapping[str, Any]] = None,
        **options: "Unpack[Options]",
    ) -> R:
        """Fills belong to another trade: splits a wrongly merged trade, or merges two."""
        return self._record(
            "FillsReassigned",
            {
                "fill_ids": fill_ids,
                "trade_id": trade_id,
                "reason": reason,
                "attributes": attributes,
            },
            options,
        )
