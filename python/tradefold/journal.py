"""Owns the journal as an object: opened, recorded into, read, followed, closed."""

from __future__ import annotations

import atexit
import datetime as dt
import json
import os
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Optional, Union

from . import _tradefold
from ._calls import Calls
from ._lines import Event as EventDict
from ._lines import to_lines, with_id
from ._past import Past
from ._recorder import Base
from ._reporting import Reporting
from ._trading import Trading
from ._questions import Questions
from .errors import QuestionError, TradefoldError
from .events import Event
from .receipt import Receipt, Ticket, asked, receipt_of
from .state import QUESTIONS, State, state_of

#: Those of this process, closed at its end so that what was handed over is answered.
_OPEN: "weakref.WeakSet[Journal]" = weakref.WeakSet()


class Journal(Questions, Calls):
    """A journal in a folder, opened by this process.

    One process records into a journal at a time, this one until it is closed; others read it meanwhile, with
    ``read_only=True``. Any of its threads may call anything. While a call waits for the disk, other threads run.

    Whatever records returns when the event is safe on disk, with its position in the log; with ``sync=False`` it returns
    a :class:`Ticket` at once. Whatever reads sees all that this object has answered as recorded.

    :param path: the folder
    :param create: makes the journal where there is none
    :param read_only: only reads, beside a process that records
    :param lock_wait: seconds to wait for another process to let go of the journal
    :param stale_ok: with ``read_only``, reads tables that cannot be brought up to date as they are, instead of raising
        LagError
    """

    def __init__(
        self,
        path: "Union[str, os.PathLike[str]]" = "./journal",
        *,
        create: bool = True,
        read_only: bool = False,
        lock_wait: Optional[float] = 5.0,
        stale_ok: bool = False,
    ) -> None:
        Base.__init__(self)
        self.path = os.fspath(path)
        self._core = _tradefold.Journal(
            self.path, create=create, read_only=read_only, lock_wait=lock_wait, stale_ok=stale_ok
        )
        self._later: "Optional[Later]" = None
        _OPEN.add(self)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Answers what was handed over, ends its threads and lets go of the journal. Closing twice does nothing."""
        self._core.close()
        _OPEN.discard(self)

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._core.closed

    def __repr__(self) -> str:
        return f"<Journal {self.path}>"

    # Recording.

    def append_many(self, events: "Iterable[EventDict]") -> Receipt:
        """Records events as one batch: all of them or none."""
        batch = [self._complete(with_id(event)) for event in events]
        return receipt_of(asked(lambda: self._core.append(to_lines(batch)), batch))

    def submit(self, events: "Iterable[EventDict]") -> Ticket:
        """Hands events over as one batch, and returns before they are recorded."""
        batch = [self._complete(with_id(event)) for event in events]
        return Ticket(self._core.submit(to_lines(batch)), batch)

    @property
    def later(self) -> "Later":
        """The same calls, each returning a ticket at once: ``j.later.fill(...)`` is ``j.fill(..., sync=False)``."""
        if self._later is None:
            self._later = Later(self)
        return self._later

    # Waiting and following.

    def wait(self, position: int, timeout: Optional[float] = 30.0) -> None:
        """Waits until everything up to a position is in every table."""
        self._core.wait(position, timeout)

    @property
    def head(self) -> int:
        """The last position of the log; 0 while it is empty."""
        return self._core.head()[0]

    @property
    def head_hash(self) -> str:
        """The hash there. Kept elsewhere, it shows whether history was rewritten."""
        return self._core.head()[1]

    @property
    def uuid(self) -> str:
        """Whose log it is."""
        return self._core.uuid()

    def version(self, stream: str) -> int:
        """The version of a stream's last event, for ``expected_version``; 0 for a stream without any."""
        return self._core.stream_version(stream)

    def events(
        self,
        after: int = 0,
        *,
        through: Optional[int] = None,
        types: "Union[str, Sequence[str], None]" = None,
        stream: Optional[str] = None,
    ) -> "Iterator[Event]":
        """Events after a position, up to the head of now, in their order."""
        pages = self._core.events(after, through, _names(types), stream, False)
        while True:
            lines, _ = pages.next()
            if not lines:
                return
            yield from map(Event.parse, lines)

    def follow(
        self,
        after: Optional[int] = None,
        *,
        types: "Union[str, Sequence[str], None]" = None,
        stream: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> "Iterator[Event]":
        """Events after a position (the head of now, where left out), and on as they are recorded, by whichever process.
        None is missed or repeated: who comes back with the last ``seq`` goes on from there. Ends when nothing has come
        for ``timeout`` seconds, if that is given, or when the journal is closed (with ClosedError)."""
        pages = self._core.events(self.head if after is None else after, None, _names(types), stream, True)
        return _followed(pages, timeout)

    # The past, and all that is needed after a restart.

    def as_of(self, when: "Union[int, dt.datetime, str]") -> Past:
        """The tables as they were at a position, or after the last event recorded by a moment. To the last byte what a
        replay until there would make."""
        return Past(self._core, self.position_at(when))

    def position_at(self, when: "Union[int, dt.datetime, str]") -> int:
        """The last position recorded by a moment."""
        if isinstance(when, int):
            return when
        if isinstance(when, dt.datetime):
            if when.tzinfo is None:
                raise QuestionError(f"{when} has no time zone: use datetime.now(timezone.utc) or .replace(tzinfo=...)")
            when = when.isoformat()
        return self._core.position_at(when)

    def state(self) -> State:
        """What an orchestrator needs after a restart, all of it as of the same position: open trades, risk settings and
        limits, its last state, accounts."""
        return state_of(self._core.at_once(QUESTIONS, 30.0))


class Later(Trading[Ticket], Reporting[Ticket]):
    """A journal's calls, each returning a ticket at once."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = weakref.ref(journal)

    def _send(self, event: "dict[str, Any]", sync: bool) -> Ticket:
        journal = self._journal()
        if journal is None:
            raise TradefoldError("the journal is gone")
        return journal.submit([event])


def _names(types: "Union[str, Sequence[str], None]") -> "Optional[list[str]]":
    if types is None:
        return None
    return [types] if isinstance(types, str) else list(types)


def _followed(pages: "_tradefold.Events", timeout: Optional[float]) -> "Iterator[Event]":
    while True:
        lines, _ = pages.next()
        yield from map(Event.parse, lines)
        if not lines and not pages.rest(timeout):
            return


def _close_all() -> None:
    for journal in list(_OPEN):
        try:
            journal.close()
        except TradefoldError:
            # Of a process that this one was forked from: not ours to close.
            pass


def _let_go_of_locks() -> None:
    """In a forked child: closes its copies of the lock files, which would hold the journal for as long as the child
    lives, even when its parent is gone."""
    locks = {
        os.path.join(os.path.realpath(journal.path), name)
        for journal in list(_OPEN)
        for name in ("writer.lock", "projector.lock")
    }
    _OPEN.clear()
    if not locks:
        return
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}") in locks:
                os.close(int(name))
        except OSError:
            pass


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_of_locks)
