"""Owns how Python values become an event's line: one JSON object, its numbers exact. What a line may say is checked
by the journal."""

from __future__ import annotations

import datetime as dt
import enum
import json
import numbers
import os
import time
import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Optional, Union

from .errors import RefusedError

Number = Union[Decimal, int, float, str]
"""An exact number: Decimal, int and str as they are, a float as it is printed."""

Moment = Union[dt.datetime, str]
"""A moment: a datetime with a zone, or an RFC 3339 text."""

Event = Mapping[str, Any]


def new_id(at: Optional[dt.datetime] = None) -> str:
    """A new event id: a UUID of version 7, which begins with the time."""
    nanos = time.time_ns() if at is None else _nanos(at)
    millis, rest = divmod(nanos, 1_000_000)
    value = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    # After the milliseconds 12 bits of what is finer, so that ids made one after another sort so.
    value |= (millis & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (rest * 4096 // 1_000_000) << 64 | 0x2 << 62
    return str(uuid.UUID(int=value))


def _nanos(at: dt.datetime) -> int:
    since = at - dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def now() -> str:
    """The machine's clock, as events say it."""
    return dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def time_of(event_id: str) -> Optional[str]:
    """When an id was made, if it says so: version 7 does, to the millisecond."""
    try:
        parsed = uuid.UUID(event_id)
    except ValueError:
        return None
    if parsed.version != 7:
        return None
    millis = parsed.int >> 80
    at = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc) + dt.timedelta(milliseconds=millis)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(value: Moment, field: str) -> str:
    """A moment as the journal reads it."""
    if isinstance(value, dt.datetime):
        try:
            return _moment(value)
        except _Unfit as unfit:
            raise RefusedError(f"{field}: {unfit}", line=1, field=field) from None
    return value


def with_id(event: Event) -> "dict[str, Any]":
    """The event under an id, so that it can be sent again under the same one."""
    if not isinstance(event, Mapping):
        raise RefusedError(f"expected a dict that is an event, got {type(event).__name__}", line=1, field=None)
    event = dict(event)
    if event.get("id") is None:
        event["id"] = new_id()
    return event


def to_lines(events: Iterable[Event]) -> "list[str]":
    """Each event as a line."""
    return [_line(event, at) for at, event in enumerate(events)]


def _line(event: Event, at: int) -> str:
    try:
        return _ENCODER.encode(event)
    except (_Unfit, TypeError, ValueError, RecursionError) as error:
        # Walked through again only now, for the name of the field.
        field = _field(event, "")
        place = f"{field}: " if field else ""
        raise RefusedError(f"{place}{error}", line=at + 1, field=field) from None


class _Unfit(Exception):
    """A value that an event cannot hold."""


def _moment(value: dt.datetime) -> str:
    if value.tzinfo is None or value.utcoffset() is None:
        raise _Unfit(
            f"{value.isoformat(' ')} has no time zone, and could be any of two dozen moments: use"
            " datetime.now(timezone.utc), or value.replace(tzinfo=ZoneInfo('America/Chicago'))"
        )
    return value.isoformat()


def _plain(value: Any) -> Any:
    """What JSON has no form for, in one that the journal reads."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        return _moment(value)
    if isinstance(value, (dt.date, uuid.UUID)):
        return str(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        raise _Unfit("a set has no order: give a list")
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        # As it prints itself: a numpy.float32 of 0.1 is 0.1, not what a double would make of it.
        return str(value)
    raise _Unfit(f"expected a value that JSON has, got {type(value).__name__}")


_ENCODER = json.JSONEncoder(default=_plain, separators=(",", ":"))


def _field(value: Any, path: str) -> Optional[str]:
    """Where the value is that cannot be encoded."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            found = _field(inner, f"{path}.{name}" if path else str(name))
            if found is not None:
                return found
        return None
    if isinstance(value, (list, tuple)):
        for at, inner in enumerate(value):
            found = _field(inner, f"{path}.{at}")
            if found is not None:
                return found
        return None
    try:
        _ENCODER.encode(value)
    except Exception:  # noqa: BLE001 - whatever it is, this is the place
        return path
    return None
