"""Owns tables as rows of this process: of now, or as of a position."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Optional

from . import _tradefold
from ._reading import Reading
from .rows import Cell, Date, Rows, gathered, wish


class Local(Reading):
    """Tables that this process reads."""

    _core: "_tradefold.Journal"
    _position: Optional[int] = None

    def table(
        self,
        name: str,
        *,
        columns: Optional[Sequence[str]] = None,
        from_: Optional[Date] = None,
        to: Optional[Date] = None,
        limit: Optional[int] = None,
        **filters: Any,
    ) -> Rows:
        """Rows of the table of that name, in its order."""
        asked = wish(name, columns, from_, to, filters)
        names = self._core.check(asked)
        core, position = self._core, self._position

        def tuples() -> "Iterator[Sequence[Any]]":
            if limit == 1:
                row = core.first(asked, position)
                return iter([] if row is None else [row])
            return _tuples(core.batches(asked, position))

        return Rows(dict(names), tuples, lambda: core.columns(asked, position), limit)

    def trade(self, trade_id: str) -> "Optional[dict[str, Any]]":
        """A trade, if it is known."""
        return self.table("trades", trade_id=trade_id, limit=1).first()

    def sql(self, query: str, values: Sequence[Cell] = (), *, timeout: float = 30.0) -> Rows:
        """The answer to one SELECT over the tables, its ``?`` standing for the values; the log is there as
        ``log.history``. It can read and nothing else, and is stopped after ``timeout`` seconds."""
        names, rows = self._core.sql(query, list(values), self._position, timeout)
        return gathered(names, rows)


    def _metrics(
        self, window: int, by: Optional[str], account: Optional[str], from_: Optional[str], to: Optional[str]
    ) -> Any:
        return json.loads(self._core.metrics(window, by, account, (from_, to), self._position))


def _tuples(batches: "_tradefold.Batches") -> "Iterator[Sequence[Any]]":
    while True:
        batch = batches.next()
        if not batch:
            return
        yield from batch


class Past(Local):
    """Tables as they were at a position, to be asked like those of now."""

    def __init__(self, core: "_tradefold.Journal", position: int) -> None:
        self._core = core
        self._position = position

    @property
    def position(self) -> int:
        """Everything up to here is in the tables, and nothing after it."""
        assert self._position is not None
        return self._position
