"""Owns a journal on another machine (or in another process), asked through its service: ``tradefold serve``. The same calls
and the same exceptions as :class:`tradefold.Journal`. What is recorded is sent again under the same ids until there is an
answer, so that nothing is doubled and nothing is lost without a word.

Needs httpx, and websockets to follow: ``pip install tradefold[remote]``.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, Any, Optional, Union
from urllib.parse import quote

from ._calls import Calls
from ._http import Service
from ._lines import Event as EventDict
from ._lines import to_lines, with_id
from ._reading import Reading
from ._recorder import Base
from ._reporting import Reporting
from ._stream import followed
from ._trading import Trading
from .errors import LagError, QuestionError
from .events import Event
from .receipt import Receipt
from .rows import TABLES, Date, Rows, wish
from .state import State, told

if TYPE_CHECKING:
    import httpx

# Rows of a page.
_PAGE = 1_000

# What a journal does with its files, or with what no token allows.
_AT_HOME = ("sql", "verify", "rebuild", "roll_back", "export", "import_", "reconcile", "version", "uuid")


class RemoteReading(Reading):
    """Tables as the service answers them: of now, or as of a position."""

    _service: Service
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
        if name not in TABLES:
            raise QuestionError(f"there is no table `{name}`; there are {', '.join(TABLES)}")
        _, chosen, equal, first, last = wish(name, columns, from_, to, filters)
        kinds = TABLES[name].columns
        names = list(kinds) if chosen is None else chosen
        params: "list[tuple[str, str]]" = [*equal]
        params += [(key, value) for key, value in (("from", first), ("to", last)) if value is not None]
        params.append(("columns", ",".join(names)))
        if self._position is not None:
            params.append(("as_of", str(self._position)))

        def tuples() -> "Iterator[Sequence[Any]]":
            size = _PAGE if limit is None else min(limit, _PAGE)
            for row in self._service.pages(name, [*params, ("limit", str(size))]):
                yield [row[column] for column in names]

        def by_column() -> "list[list[Any]]":
            rows = list(tuples())
            return [list(column) for column in zip(*rows)] or [[] for _ in names]

        return Rows({column: kinds.get(column) for column in names}, tuples, by_column, limit)

    def _metrics(
        self, window: int, by: Optional[str], account: Optional[str], from_: Optional[str], to: Optional[str]
    ) -> Any:
        params = {"window": window, "by": by, "account": account, "from": from_, "to": to, "as_of": self._position}
        return self._service.get("metrics", params)


class RemotePast(RemoteReading):
    """Tables as they were at a position."""

    def __init__(self, service: Service, position: int) -> None:
        self._service = service
        self._position = position


class Client(RemoteReading, Calls):
    """A journal that ``tradefold serve`` serves.

    :param url: where, such as ``https://journal.example:7878``
    :param token: a token with the scopes that are needed (``tradefold token add``)
    :param timeout: seconds for an answer
    :param retries: how often what had no answer, or "not now", is sent again, with growing pauses of up to 2 s
    :param http: an httpx client of one's own, for certificates, proxies and the like
    """

    def __init__(
        self,
        url: str,
        token: Optional[str] = None,
        *,
        timeout: float = 30.0,
        retries: int = 6,
        http: "Optional[httpx.Client]" = None,
    ) -> None:
        Base.__init__(self)
        self._service = Service(url, token, timeout, retries, http)
        self._sender: "Optional[ThreadPoolExecutor]" = None
        self._lock = threading.Lock()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in _AT_HOME:
                raise AttributeError(f"{name} is not done through the service: do it where the journal is, by tradefold.Journal")
            raise AttributeError(f"'Client' object has no attribute {name!r}")

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Sends what was handed over, and closes the connections."""
        with self._lock:
            sender, self._sender = self._sender, None
        if sender is not None:
            sender.shutdown(wait=True)
        self._service.close()

    def append_many(self, events: "Iterable[EventDict]") -> Receipt:
        """Records events as one batch: all of them or none."""
        batch = [self._complete(with_id(event)) for event in events]
        return self._service.append(to_lines(batch), batch)

    def submit(self, events: "Iterable[EventDict]") -> "RemoteTicket":
        """Hands events over as one batch, and returns before they are sent. Batches are sent one after another."""
        batch = [self._complete(with_id(event)) for event in events]
        lines = to_lines(batch)
        with self._lock:
            if self._sender is None:
                self._sender = ThreadPoolExecutor(1, "tradefold-client")
            return RemoteTicket(self._sender.submit(self._service.append, lines, batch), batch)

    @property
    def later(self) -> "RemoteLater":
        """The same calls, each returning a ticket at once."""
        return RemoteLater(self)

    def wait(self, position: int, timeout: Optional[float] = 30.0) -> None:
        """Waits until everything up to a position is in every table."""
        self._service.wait(position, timeout)

    @property
    def head(self) -> int:
        """The last position of the log; 0 while it is empty."""
        return int(self.status()["head"]["seq"])

    @property
    def head_hash(self) -> str:
        """The hash there. Kept elsewhere, it shows whether history was rewritten."""
        return str(self.status()["head"]["hash"])

    def status(self) -> "dict[str, Any]":
        """How the journal is: what ``tradefold status --json`` prints."""
        answer: "dict[str, Any]" = self._service.get("status", {})
        return answer

    def as_of(self, when: "Union[int, dt.datetime, str]") -> RemotePast:
        """The tables as they were at a position, or after the last event recorded by a moment."""
        if isinstance(when, int):
            return RemotePast(self._service, when)
        text = when if isinstance(when, str) else when.isoformat()
        answer = self._service.get("accounts", {"limit": "1", "as_of": text})
        return RemotePast(self._service, int(answer["position"]))

    def audit(self, trade_id: str) -> "list[dict[str, Any]]":
        """Each event of a trade, with each column before and after."""
        steps: "list[dict[str, Any]]" = self._service.get(f"trades/{quote(trade_id, safe='')}/history", {})["steps"]
        return steps

    def restate(
        self, from_: Date, to: Date, *, account: Optional[str] = None, all_days: bool = False
    ) -> "dict[str, Any]":
        """Days whose figures are others now than when they closed, and which events moved them."""
        params = {"from": str(from_), "to": str(to), "account": account, "all": "true" if all_days else None}
        answer: "dict[str, Any]" = self._service.get("restatements", params)
        return answer

    def equity(self, *, account: Optional[str] = None, points: Optional[int] = None) -> "list[dict[str, Any]]":
        """A point for each closed trade: equity, cumulative R, drawdown."""
        answer: "list[dict[str, Any]]" = self._service.get("equity", {"account": account, "points": points})["points"]
        return answer

    def state(self) -> State:
        """What an orchestrator needs after a restart, all of it as of the same position."""
        position = int(self._service.get("accounts", {"limit": "1"})["position"])
        then = RemotePast(self._service, position)
        system = {row["account_id"]: row for row in then.system_state()}
        return told(
            position,
            then.trades(status="open").to_list(),
            [(row["account_id"], row["key"], row["value"]) for row in then.risk_state()],
            list(system.values()),
            then.accounts().to_list(),
        )

    def events(
        self, after: int = 0, *, through: Optional[int] = None, types: "Union[str, Sequence[str], None]" = None
    ) -> "Iterator[Event]":
        """Events after a position, up to the head of now, in their order."""
        end = self.head if through is None else through
        return followed(self._service, after, types, end, None)

    def follow(
        self,
        after: Optional[int] = None,
        *,
        types: "Union[str, Sequence[str], None]" = None,
        timeout: Optional[float] = None,
    ) -> "Iterator[Event]":
        """Events after a position (the head of now, where left out), and on as they are recorded. A connection that breaks is
        made again and resumed: none is missed or repeated. Ends when nothing has come for ``timeout`` seconds."""
        return followed(self._service, self.head if after is None else after, types, None, timeout)


class RemoteTicket:
    """The answer to come for a batch that was handed over."""

    def __init__(self, future: "Future[Receipt]", events: "list[dict[str, Any]]") -> None:
        self._future = future
        #: The batch, under its ids.
        self.events = events

    def receipt(self, timeout: Optional[float] = None) -> Receipt:
        """Waits until the batch is on disk; raises as ``append`` does."""
        try:
            return self._future.result(timeout)
        except FutureTimeout as late:
            if self._future.done():
                raise
            raise LagError(f"there was no answer within {timeout} s; the ticket is still good") from late

    def wait(self, timeout: Optional[float] = None) -> int:
        """The same, for the position alone."""
        return self.receipt(timeout).position

    def done(self) -> bool:
        """Whether the answer is there."""
        return self._future.done()

    def __await__(self) -> "Generator[Any, None, int]":
        return self._wait().__await__()

    async def _wait(self) -> int:
        return (await asyncio.wrap_future(self._future)).position


class RemoteLater(Trading[RemoteTicket], Reporting[RemoteTicket]):
    """A client's calls, each returning a ticket at once."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client

    def _send(self, event: "dict[str, Any]", sync: bool) -> RemoteTicket:
        return self._client.submit([event])


__all__ = ["Client", "RemotePast", "RemoteTicket"]
