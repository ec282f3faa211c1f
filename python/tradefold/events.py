"""Owns an event as it is read back: what the log holds, in Python's values."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Optional

from . import _tradefold

_KINDS: "dict[str, dict[str, str]]" = {
    name: {field_name: kind for field_name, kind, _ in fields} for name, fields in _tradefold.vocabulary()
}


def parse_time(text: str) -> dt.datetime:
    """A time of the log or a table as a datetime in UTC."""
    return dt.datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)


@dataclass(frozen=True)
class Event:
    """An event of the log. Decimals in ``data`` are Decimal, times are datetimes in UTC."""

    seq: int
    id: uuid.UUID
    type: str
    stream: str
    stream_version: int
    schema_version: int
    occurred_at: dt.datetime
    recorded_at: dt.datetime
    data: "dict[str, Any]"
    meta: "Optional[dict[str, Any]]"
    hash: str
    #: The event in its edge form, exactly: a line that can be appended to another journal.
    line: str = field(repr=False)

    @classmethod
    def parse(cls, line: str) -> "Event":
        """An event from a line of ``tail``."""
        told = json.loads(line, parse_float=Decimal)
        return cls(
            seq=told["seq"],
            id=uuid.UUID(told["id"]),
            type=told["type"],
            stream=told["stream"],
            stream_version=told["stream_version"],
            schema_version=told["schema_version"],
            occurred_at=parse_time(told["occurred_at"]),
            recorded_at=parse_time(told["recorded_at"]),
            data=_typed(told["data"], _KINDS.get(told["type"], {}), ""),
            meta=told.get("meta"),
            hash=told["hash"],
            line=line,
        )


def _typed(data: "dict[str, Any]", kinds: "dict[str, str]", within: str) -> "dict[str, Any]":
    return {name: _value(value, kinds.get(within + name), kinds, within + name) for name, value in data.items()}


def _value(value: Any, kind: Optional[str], kinds: "dict[str, str]", path: str) -> Any:
    if kind == "decimal" and isinstance(value, str):
        return Decimal(value)
    if kind == "time" and isinstance(value, str):
        return parse_time(value)
    if kind == "object" and isinstance(value, dict) and any(name.startswith(f"{path}.") for name in kinds):
        return _typed(value, kinds, f"{path}.")
    if kind == "changes" and isinstance(value, dict):
        return _typed(value, {**_KINDS["TradeExited"], **_KINDS["TradeOpened"]}, "")
    return value
