"""Owns reading: JSON Lines to events, with exact numbers and UTC times.

An event's data comes out with its null fields dropped, since null in an optional field is its absence.
Decides nothing about trades.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

DEFAULT_ACCOUNT = "default"

RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))"
)


@dataclass(frozen=True)
class Event:
    seq: int
    id: str
    type: str
    at: datetime
    data: dict


def read_events(lines):
    """Events of JSON Lines in position order; a line that repeats an id is a retry and is skipped."""
    events, ids = [], set()
    for line in lines:
        if not line.strip():
            continue
        raw = json.loads(line, parse_float=Decimal)
        if raw.get("id") is not None and raw["id"] in ids:
            continue
        ids.add(raw.get("id"))
        events.append(event_of(raw, len(events) + 1))
    return events


def event_of(raw, position):
    data = {name: value for name, value in raw["data"].items() if value is not None}
    return Event(
        seq=int(raw.get("seq") or position),
        id=raw.get("id") or f"event-{position}",
        type=raw["type"],
        at=moment(raw["occurred_at"]),
        data=data,
    )


def moment(text):
    """RFC 3339 to a UTC datetime, cut (not rounded) to the microsecond."""
    match = RFC3339.fullmatch(text)
    if not match:
        raise ValueError(f"not an RFC 3339 time with an offset: {text!r}")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    micros = int((match[7] or "").ljust(6, "0")[:6])
    local = datetime(year, month, day, hour, minute, second, micros, timezone.utc)
    if match[8]:
        return local
    offset = timedelta(hours=int(match[10]), minutes=int(match[11]))
    return local - offset if match[9] == "+" else local + offset


def number(value):
    """An exact Fraction of a decimal given as JSON string or number; None stays None."""
    if value is None:
        return None
    if isinstance(value, str):
        return Fraction(Decimal(value))
    return Fraction(value)


def iso(at):
    """The tables' text of a moment."""
    if at is None:
        return None
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def json_text(value):
    """The tables' text of a list or an object; None stays None."""
    if value is None:
        return None
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=float)
