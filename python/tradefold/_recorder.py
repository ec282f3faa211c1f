"""Owns how a call becomes an event: its id and time, what a fill may leave out, options that are none. What is done with
the event (recorded here, later, or elsewhere) is the subclass's."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, Optional, TypedDict, TypeVar

from ._lines import Moment, moment, new_id, now, time_of
from .errors import RefusedError

if TYPE_CHECKING:
    import uuid
    from typing import Union

R = TypeVar("R")

# Trades whose symbol is remembered, so that a fill needn't say it.
_SYMBOLS = 4_096


class Options(TypedDict, total=False):
    """What every event may be given beside its fields."""

    #: When it happened, with a zone; left out, now (or, where an id of version 7 is given, when that was made: the
    #: same call with the same id says the same again).
    occurred_at: "Optional[Moment]"
    #: The event's id: the same event under the same id is recorded once.
    id: "Optional[Union[str, uuid.UUID]]"
    #: Anything: who sent it, what caused it. Kept as it is, never folded.
    meta: "Optional[Mapping[str, Any]]"
    #: The version of the event's stream that the caller last saw; the event is refused if it is another by now.
    expected_version: "Optional[int]"
    #: False returns at once, with a ticket to ask later.
    sync: bool


class Base(Generic[R]):
    """Makes events of calls."""

    def __init__(self) -> None:
        self._symbols: "dict[str, str]" = {}

    def _send(self, event: "dict[str, Any]", sync: bool) -> R:
        raise NotImplementedError

    def _look_up_symbol(self, trade_id: str) -> Optional[str]:
        raise NotImplementedError

    def _record(self, kind: str, data: "dict[str, Any]", options: Options) -> R:
        """Records an event of these fields, those that are None left out."""
        unknown = next((name for name in options if name not in Options.__annotations__), None)
        if unknown is not None:
            known = [*data, *Options.__annotations__]
            near = difflib.get_close_matches(unknown, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
            raise TypeError(f"{kind} has no {unknown}{hint}")
        given = options.get("id")
        event_id = new_id() if given is None else str(given)
        when = options.get("occurred_at")
        if when is None:
            when = (time_of(event_id) if given is not None else None) or now()
        event: "dict[str, Any]" = {
            "type": kind,
            "id": event_id,
            "occurred_at": moment(when, "occurred_at"),
            "data": {name: value for name, value in data.items() if value is not None},
        }
        for name in ("meta", "expected_version"):
            if options.get(name) is not None:
                event[name] = options.get(name)
        return self._send(event, options.get("sync", True))

    def _complete(self, event: "dict[str, Any]") -> "dict[str, Any]":
        """What the caller of ``fill`` may leave out: the fill's id is the event's, the symbol that of the trade."""
        data = event.get("data")
        kind = event.get("type")
        if not isinstance(data, Mapping):
            return event
        trade_id = data.get("trade_id")
        if kind == "TradeOpened" and isinstance(data.get("symbol"), str) and isinstance(trade_id, str):
            self._remember(trade_id, data["symbol"])
        elif kind == "TradeAmended" and isinstance(trade_id, str):
            self._symbols.pop(trade_id, None)
        elif kind == "FillRecorded":
            data = dict(data)
            if data.get("fill_id") is None:
                data["fill_id"] = event["id"]
            if data.get("symbol") is None:
                data["symbol"] = self._symbol_of(trade_id)
            return {**event, "data": data}
        return event

    def _remember(self, trade_id: str, symbol: str) -> None:
        if len(self._symbols) >= _SYMBOLS:
            self._symbols.clear()
        self._symbols[trade_id] = symbol

    def _symbol_of(self, trade_id: Any) -> str:
        if trade_id is None:
            raise RefusedError("data.symbol: missing; a fill without a trade names its symbol", field="data.symbol")
        symbol = self._symbols.get(trade_id) or self._look_up_symbol(str(trade_id))
        if symbol is None:
            message = f"data.symbol: missing, and no trade {trade_id} is known that it could be taken from"
            raise RefusedError(message, field="data.symbol")
        self._remember(trade_id, symbol)
        return symbol
