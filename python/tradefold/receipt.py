"""Owns what is answered to who records: at once, or by a ticket that is asked later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any, NamedTuple, Optional

from . import _tradefold
from .errors import LagError, UnknownOutcomeError


class Receipt(NamedTuple):
    """A batch is on disk."""

    #: The position of each of its events.
    positions: "tuple[int, ...]"
    #: Those of them that were recorded before, under the same ids.
    duplicates: "frozenset[int]"
    #: How far the log went right after it, and the hash there: kept elsewhere, it shows whether history was rewritten.
    head: int
    head_hash: str

    @property
    def position(self) -> int:
        """The highest position among them: once it is in the tables, all are."""
        return max(self.positions, default=0)

    @property
    def appended(self) -> int:
        """How many of them were recorded now."""
        return len(self.positions) - sum(position in self.duplicates for position in self.positions)


def receipt_of(answer: "tuple[list[tuple[int, bool]], int, str]") -> Receipt:
    """What the journal answers, as a receipt."""
    answers, head, head_hash = answer
    return Receipt(
        tuple(position for position, _ in answers),
        frozenset(position for position, again in answers if again),
        head,
        head_hash,
    )


class Ticket:
    """The answer to come for a batch that was handed over. Until it is asked nobody knows whether the batch is safe."""

    def __init__(self, ticket: "_tradefold.Ticket", events: "list[dict[str, Any]]") -> None:
        self._ticket = ticket
        #: The batch, under its ids.
        self.events = events

    def receipt(self, timeout: Optional[float] = None) -> Receipt:
        """Waits until the batch is on disk; raises as ``append`` does where it is not recorded, and LagError where
        there is no answer in time."""
        answer = asked(lambda: self._ticket.wait(timeout), self.events)
        if answer is None:
            raise LagError(f"there was no answer within {timeout} s; the ticket is still good")
        return receipt_of(answer)

    def wait(self, timeout: Optional[float] = None) -> int:
        """The same, for the position alone."""
        return self.receipt(timeout).position

    def done(self) -> bool:
        """Whether the answer is there."""
        return self._ticket.done()

    def __await__(self) -> "Generator[Any, None, int]":
        return self._wait().__await__()

    async def _wait(self) -> int:
        return await asyncio.get_running_loop().run_in_executor(None, self.wait)


def asked(ask: "Callable[[], Any]", events: "list[dict[str, Any]]") -> Any:
    """Asks, and gives the events along where nobody knows what became of them."""
    try:
        return ask()
    except UnknownOutcomeError as error:
        error.events = events
        raise
