"""Owns the same for asyncio: calls are awaited, and wait in threads, so that the loop goes on.

    async with AsyncJournal("./journal") as j:
        seq = await j.fill("T-1042", side="buy", quantity=2, price="5712.25")
        await j.wait(seq)
        async for event in j.follow():
            ...
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, Optional, TypeVar, Union

from ._lines import Event as EventDict
from ._lines import with_id
from ._recorder import Base
from ._reporting import Reporting
from ._trading import Trading
from .client import Client
from .events import Event
from .journal import Journal
from .receipt import Receipt
from .rows import Date, Rows
from .state import State

T = TypeVar("T")
J = TypeVar("J", bound=Union[Journal, Client])


async def _thread(call: "Callable[..., T]", *args: Any, **named: Any) -> T:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, functools.partial(call, *args, **named))


class AsyncRows:
    """Rows, read in threads."""

    def __init__(self, ask: "Callable[[], Rows]") -> None:
        self._ask = ask

    async def __aiter__(self) -> "AsyncIterator[dict[str, Any]]":
        rows = await _thread(lambda: iter(self._ask()))
        while True:
            # Many at a time: a thread's turn costs more than a row.
            batch = await _thread(_taken, rows, 256)
            for row in batch:
                yield row
            if len(batch) < 256:
                return

    async def first(self) -> "Optional[dict[str, Any]]":
        """The first row, if there is one."""
        return await _thread(lambda: self._ask().first())

    async def to_list(self) -> "list[dict[str, Any]]":
        """All rows as dicts."""
        return await _thread(lambda: self._ask().to_list())

    async def to_pandas(self) -> Any:
        """All rows as a pandas frame."""
        return await _thread(lambda: self._ask().to_pandas())

    async def to_polars(self) -> Any:
        """All rows as a polars frame."""
        return await _thread(lambda: self._ask().to_polars())

    async def to_arrow(self) -> Any:
        """All rows as an Arrow table."""
        return await _thread(lambda: self._ask().to_arrow())


def _taken(rows: "Iterator[T]", most: int) -> "list[T]":
    return [row for _, row in zip(range(most), rows)]


class _Async(Trading["Awaitable[int]"], Reporting["Awaitable[int]"], Generic[J]):
    """What both have. ``sync`` is the journal behind it, for all else (in a thread)."""

    #: What is asked.
    sync: J

    async def __aenter__(self: "T") -> "T":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Answers what was handed over, and closes the journal."""
        await _thread(self.sync.close)

    def _send(self, event: "dict[str, Any]", sync: bool) -> "Awaitable[int]":
        return _thread(self.sync._send, event, sync)

    async def append(self, event: EventDict) -> int:
        """Records an event in its edge form."""
        return await self._send(with_id(event), True)

    async def append_many(self, events: "Iterable[EventDict]") -> Receipt:
        """Records events as one batch: all of them or none."""
        return await _thread(self.sync.append_many, list(events))

    async def wait(self, position: int, timeout: Optional[float] = 30.0) -> None:
        """Waits until everything up to a position is in every table."""
        await _thread(self.sync.wait, position, timeout)

    async def state(self) -> State:
        """What an orchestrator needs after a restart."""
        return await _thread(self.sync.state)

    async def head(self) -> int:
        """The last position of the log."""
        return await _thread(lambda: self.sync.head)

    def table(self, name: str, **filters: Any) -> AsyncRows:
        """Rows of the table of that name."""
        return AsyncRows(lambda: self.sync.table(name, **filters))

    def trades(self, **filters: Any) -> AsyncRows:
        """Positions from flat to flat."""
        return self.table("trades", **filters)

    async def trade(self, trade_id: str) -> "Optional[dict[str, Any]]":
        """A trade, if it is known."""
        return await _thread(self.sync.trade, trade_id)

    async def metrics(
        self,
        *,
        window: int = 0,
        by: Optional[str] = None,
        account: Optional[str] = None,
        from_: Optional[Date] = None,
        to: Optional[Date] = None,
    ) -> "list[dict[str, Any]]":
        """Every metric over the last ``window`` closed trades, or those of some dates."""
        return await _thread(self.sync.metrics, window=window, by=by, account=account, from_=from_, to=to)

    async def audit(self, trade_id: str) -> "list[dict[str, Any]]":
        """Each event of a trade, with each column before and after."""
        return await _thread(self.sync.audit, trade_id)

    async def follow(
        self, after: Optional[int] = None, *, types: "Union[str, Sequence[str], None]" = None
    ) -> "AsyncIterator[Event]":
        """Events after a position (the head of now, where left out), and on as they are recorded."""
        place = await self.head() if after is None else after
        while True:
            # For half a second at a time, so that no thread is left behind when nobody asks any more.
            batch, place = await _thread(_followed, self.sync, place, types)
            for event in batch:
                yield event


def _followed(
    journal: "Union[Journal, Client]", after: int, types: "Union[str, Sequence[str], None]"
) -> "tuple[list[Event], int]":
    """What came after a position, and where one is then."""
    head = journal.head
    batch = _taken(journal.events(after, through=head, types=types), 256) if head > after else []
    if len(batch) == 256:
        return batch, batch[-1].seq
    if batch or head > after:
        return batch, head
    batch = _taken(journal.follow(after, types=types, timeout=0.5), 1)
    return batch, batch[-1].seq if batch else after


class AsyncJournal(_Async[Journal]):
    """:class:`tradefold.Journal` for asyncio."""

    def __init__(self, path: Any = "./journal", **options: Any) -> None:
        Base.__init__(self)
        self.sync = Journal(path, **options)

    async def sql(self, query: str, values: "Sequence[Any]" = (), *, timeout: float = 30.0) -> Rows:
        """The answer to one SELECT over the tables."""
        return await _thread(self.sync.sql, query, values, timeout=timeout)

    async def position_at(self, when: "Union[int, dt.datetime, str]") -> int:
        """The last position recorded by a moment."""
        return await _thread(self.sync.position_at, when)


class AsyncClient(_Async[Client]):
    """:class:`tradefold.Client` for asyncio."""

    def __init__(self, url: str, token: Optional[str] = None, **options: Any) -> None:
        Base.__init__(self)
        self.sync = Client(url, token, **options)
