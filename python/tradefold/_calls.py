"""Owns what a journal does alike wherever it is, in this process or behind its service: an event recorded by itself, a fold
of events. How batches are recorded and events are read is the subclass's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Optional, TypeVar, Union

from ._lines import Event as EventDict
from ._lines import with_id
from ._reporting import Reporting
from ._trading import Trading
from .events import Event
from .receipt import Receipt

S = TypeVar("S")


class Calls(Trading[int], Reporting[int]):
    """Calls that return when the event is safe on disk."""

    def append(self, event: EventDict, *, sync: bool = True) -> int:
        """Records an event in its edge form, a dict as docs/EVENTS.md has it. Without an id it gets one."""
        return self._send(with_id(event), sync)

    def append_many(self, events: "Iterable[EventDict]") -> Receipt:
        """Records events as one batch: all of them or none."""
        raise NotImplementedError

    def submit(self, events: "Iterable[EventDict]") -> Any:
        """Hands events over as one batch, and returns a ticket before they are recorded."""
        raise NotImplementedError

    def trade(self, trade_id: str) -> "Optional[dict[str, Any]]":
        """A trade, if it is known."""
        raise NotImplementedError

    def events(
        self, after: int = 0, *, through: Optional[int] = None, types: "Union[str, Sequence[str], None]" = None
    ) -> "Iterator[Event]":
        """Events after a position, up to the head of now, in their order."""
        raise NotImplementedError

    def fold(
        self,
        function: "Callable[[S, Event], S]",
        initial: S,
        after: int = 0,
        *,
        through: Optional[int] = None,
        types: "Union[str, Sequence[str], None]" = None,
    ) -> S:
        """Folds events after a position into a value: ``function(value, event)`` for each."""
        value = initial
        for event in self.events(after, through=through, types=types):
            value = function(value, event)
        return value

    def _send(self, event: "dict[str, Any]", sync: bool) -> int:
        if not sync:
            # Whoever says sync=False expects a ticket; `later` is the way that type checkers understand.
            return self.submit([event])  # type: ignore[no-any-return]
        return self.append_many([event]).position

    def _look_up_symbol(self, trade_id: str) -> Optional[str]:
        row = self.trade(trade_id)
        return None if row is None else row["symbol"]
