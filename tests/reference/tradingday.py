"""Owns the calendar: which trading date, week, weekday and hour a moment belongs to, for an account.

An account that was never opened lives by UTC dates.
"""

from datetime import timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

DEFAULT_ZONE = "America/Chicago"
DEFAULT_ROLL = "17:00"


def local_time(opened, at):
    """The moment on the account's wall clock; `opened` is AccountOpened's data or None."""
    if opened is None:
        return at.astimezone(timezone.utc)
    return at.astimezone(zone(opened.get("time_zone", DEFAULT_ZONE)))


def trading_date(opened, at):
    """The local date, and the next one from the roll on; a roll of 00:00 is the plain local date."""
    local = local_time(opened, at)
    if opened is None:
        return local.date()
    hour, minute = (int(part) for part in opened.get("day_rolls_at", DEFAULT_ROLL).split(":")[:2])
    rolled = (hour, minute) != (0, 0) and (local.hour, local.minute) >= (hour, minute)
    return local.date() + timedelta(days=1 if rolled else 0)


def week_of(date):
    """The Monday that begins the date's week."""
    return date - timedelta(days=date.weekday())


@lru_cache(maxsize=None)
def zone(name):
    return ZoneInfo(name)
