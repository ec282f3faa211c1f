"""What can go wrong, by what the caller can do about it. All are :class:`TradefoldError`.

The sentence of an error says what was wrong, where, and what would be right; its attributes say the same to programs.
"""

from __future__ import annotations

from typing import Any, Optional

__all__ = [
    "BusyError",
    "ClosedError",
    "ConflictError",
    "DamagedError",
    "ForkedError",
    "LagError",
    "NoJournalError",
    "QuestionError",
    "ReadOnlyError",
    "RefusedError",
    "RemoteError",
    "StorageError",
    "TradefoldError",
    "UnknownOutcomeError",
    "VersionMismatchError",
]


class TradefoldError(Exception):
    """Whatever tradefold raises on purpose."""

    def __init__(self, message: str = "", **facts: Any) -> None:
        super().__init__(message)
        for name, value in facts.items():
            setattr(self, name, value)


class RefusedError(TradefoldError, ValueError):
    """An event is malformed. Nothing of its batch was recorded; the same again will be refused again."""

    #: Which event of the batch, from 1.
    line: int = 1
    #: The field at fault, such as ``data.price``; None where it is the event as a whole.
    field: Optional[str] = None


class ConflictError(TradefoldError):
    """The id is recorded with other content: ids are reused, or a fact changed. Nothing was recorded."""

    #: Which event of the batch, from 1.
    line: int = 1
    #: In what the two differ: ``type``, ``schema_version``, ``occurred_at``, ``data.FIELD`` or ``meta``.
    field: str = ""
    #: Where the recorded one stands.
    position: int = 0
    #: The id that both have.
    id: str = ""


class VersionMismatchError(TradefoldError):
    """The stream moved on since the caller looked: read it again, decide again. Nothing was recorded."""

    #: Which event of the batch, from 1.
    line: int = 1
    stream: str = ""
    #: What the caller last saw.
    expected: int = 0
    #: The stream's version in the log.
    actual: int = 0


class UnknownOutcomeError(TradefoldError):
    """The commit failed half-way, or its answer was lost: all of the batch is recorded or nothing of it. Append
    :attr:`events` again: they carry their ids, so that what is recorded already is answered as a duplicate."""

    #: The batch, with the ids it was sent under.
    events: "list[dict[str, Any]]"

    def __init__(self, message: str = "", **facts: Any) -> None:
        self.events = []
        super().__init__(message, **facts)


class BusyError(TradefoldError):
    """Another process (or another journal of this one) records, or does what only one may do at a time."""

    #: The process, as far as it is known.
    pid: Optional[int] = None


class NoJournalError(TradefoldError):
    """There is no journal in that folder."""


class StorageError(TradefoldError):
    """The system refused something, such as writing to a full disk. Nothing was recorded; the same again may work."""


class DamagedError(TradefoldError):
    """The journal is not as it was written: nothing is recorded before somebody has looked at it (``verify``)."""

    position: Optional[int] = None


class LagError(TradefoldError):
    """What was waited for is not there yet, or the tables get no further."""

    #: Where the projection is that is furthest behind, or where it stopped.
    position: Optional[int] = None


class ForkedError(TradefoldError):
    """The object comes from the process that this one was forked from, and is of no use here."""

    #: The process that opened it.
    pid: int = 0


class ClosedError(TradefoldError):
    """The journal was closed."""


class ReadOnlyError(TradefoldError):
    """The journal was opened to be read."""


class QuestionError(TradefoldError, ValueError):
    """What was asked for makes no sense: an unknown table, column, date, statement."""


class RemoteError(TradefoldError):
    """The service could not be reached, or answered something that no other error stands for."""

    #: The HTTP status, where there was an answer.
    status: Optional[int] = None
