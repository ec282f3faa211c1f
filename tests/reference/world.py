"""Owns what a made-up stream moves in: clock, prices, accounts, ids, and how values are spelled on the edge.

Everything random comes from one seeded generator, so a seed is a stream.
"""

import json
import random
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from facts import event_of
from fold import Journal

ACCOUNTS = {
    "default": {"currency": "USD", "starting_equity": "25000", "daily_loss_limit": "1000"},
    "eval-50k": {
        "currency": "USD", "starting_equity": "50000", "kind": "evaluation", "broker": "prop",
        "time_zone": "America/New_York", "day_rolls_at": "18:00", "daily_loss_limit": "200.50",
        "weekly_loss_limit": "400", "trailing_drawdown": "700", "profit_target": "3000",
        "trailing_drawdown_locks_at": "50000", "consistency_limit": "0.5", "metrics_windows": [5, 0, 20],
    },
    "trail-50k": {
        "currency": "USD", "starting_equity": "50000", "kind": "evaluation", "trailing_drawdown": "900",
        "trailing_drawdown_mode": "intraday", "trailing_drawdown_locks_at": "50100", "profit_target": "3000",
    },
    "london": {
        "currency": "GBP", "starting_equity": "10000.25", "kind": "live", "time_zone": "Europe/London",
        "day_rolls_at": "00:00", "metrics_windows": [3], "weekly_loss_limit": "700",
        "trailing_drawdown": "1000", "trailing_drawdown_mode": "end_of_day",
    },
    "tokyo": {
        "currency": "JPY", "starting_equity": "3000000", "kind": "sim", "time_zone": "Asia/Tokyo",
        "day_rolls_at": "06:00", "daily_loss_limit": "50000",
    },
}
LATE_ACCOUNT = "opened-late"
LATE_ACCOUNT_DATA = {
    "currency": "USD", "starting_equity": "5000", "time_zone": "America/Chicago", "day_rolls_at": "16:00",
    "daily_loss_limit": "300", "metrics_windows": [0, 2], "weekly_loss_limit": "500", "trailing_drawdown": "800",
    "trailing_drawdown_mode": "intraday",
}
GHOST_ACCOUNT = "never-opened"
ODD_ACCOUNT = "odd-roll"
ODD_ACCOUNT_DATA = {
    "currency": "USD", "starting_equity": "7000", "time_zone": "America/Chicago", "day_rolls_at": "01:30",
}

INSTRUMENTS = {  # symbol: tick, point value, price in ticks
    "ES": ("0.25", "50", 21000),
    "NQ": ("0.25", "20", 76000),
    "MES": ("0.25", "5", 21000),
    "ZN": ("0.015625", "1000", 7050),
    "CL": ("0.01", "1000", 7000),
    "BTC": ("0.5", "0.1", 180000),
}
UNDEFINED_SYMBOL = "XYZ"
LATE_SYMBOL = "GC"
LATE_INSTRUMENT = ("0.1", "100", 26000)

STARTS = [  # near the changes of daylight saving time on both sides of the Atlantic, and one far from any
    "2025-03-05T14:00", "2025-03-26T12:00", "2025-10-22T14:00", "2025-10-30T18:00", "2026-03-04T15:00",
    "2026-06-01T13:30",
]


class World:
    def __init__(self, seed, tame=False, odd=False):
        self.rng = random.Random(seed)
        self.tame, self.odd = tame, odd
        self.journal = Journal()
        self.lines = []
        self.now = datetime.fromisoformat(self.rng.choice(STARTS)).replace(tzinfo=timezone.utc)
        self.ticks = {symbol: start for symbol, (_, _, start) in INSTRUMENTS.items()}
        self.ticks |= {UNDEFINED_SYMBOL: 5000, LATE_SYMBOL: LATE_INSTRUMENT[2]}
        self.counter = 0

    @property
    def book(self):
        return self.journal.book

    def chance(self, probability):
        return self.rng.random() < probability

    # Emitting.

    def emit(self, kind, data, at=None, event_id=None):
        """Appends an event and folds it, so that the next choice is made knowing the trades there are."""
        raw = {
            "type": kind,
            "id": event_id or self.new_uuid(),
            "occurred_at": self.spell_time(at or self.now),
            "data": {name: value for name, value in data.items() if value is not None},
            "meta": {"source": "generator", "correlation_id": self.next_id("c")},
        }
        self.lines.append(raw)
        exact = json.loads(json.dumps(raw), parse_float=Decimal)
        self.journal.take(event_of(exact, len(self.lines)))
        return raw

    def new_uuid(self):
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def next_id(self, prefix):
        self.counter += 1
        return f"{prefix}{self.counter:06}"

    def spell(self, value):
        """A decimal as JSON string or number; fifteen digits survive either."""
        value = Decimal(value)
        if self.chance(0.5):
            return str(value)
        return int(value) if value == value.to_integral_value() else float(value)

    def spell_time(self, at):
        offset = self.rng.choice([0, 0, -300, -360, 60, 540, 330])
        local = at.astimezone(timezone(timedelta(minutes=offset)))
        text = local.strftime("%Y-%m-%dT%H:%M:%S")
        if at.microsecond % 1000:
            text += f".{at.microsecond:06}" + self.rng.choice(["", "", "999"])
        elif at.microsecond or self.chance(0.5):
            text += f".{at.microsecond // 1000:03}"
        if offset == 0:
            return text + self.rng.choice(["Z", "+00:00"])
        sign = "-" if offset < 0 else "+"
        return f"{text}{sign}{abs(offset) // 60:02}:{abs(offset) % 60:02}"

    # Time.

    def advance(self):
        """Mostly minutes; at times to the next day roll, overnight, over a weekend, or to a clock change."""
        roll = self.rng.random()
        if roll < 0.03:
            self.jump_to_roll()
        elif roll < 0.06:
            self.now += timedelta(hours=self.rng.uniform(9, 20))
        elif roll < 0.065:
            self.now += timedelta(days=self.rng.randint(2, 5))
        elif roll < 0.075:
            self.jump_to_sunday_night()
        elif roll < 0.9 or self.tame:
            seconds = self.rng.expovariate(1 / 200)
            self.now += timedelta(milliseconds=1 + int(seconds * 1000))
        if self.chance(0.1):
            self.now += timedelta(microseconds=self.rng.randint(1, 999))

    def jump_to_roll(self):
        opened = self.rng.choice([data for data in self.book.accounts.values()] or [{}])
        hour, minute = (int(part) for part in opened.get("day_rolls_at", "17:00").split(":"))
        local = self.now.astimezone(ZoneInfo(opened.get("time_zone", "America/Chicago")))
        roll = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        roll += timedelta(days=1 if roll <= local else 0)
        nudge = self.rng.choice([0, 0, -1, 1, 1000, 30_000_000])
        self.now = max(self.now, roll.astimezone(timezone.utc) + timedelta(microseconds=nudge))

    def jump_to_sunday_night(self):
        """01:30 local on the next Sunday: on clock-change days an hour that is missing or there twice."""
        local = self.now.astimezone(ZoneInfo(self.rng.choice(["America/Chicago", "Europe/London"])))
        sunday = local + timedelta(days=6 - local.weekday())
        at = sunday.replace(hour=1, minute=30, second=0, microsecond=0, fold=self.rng.randint(0, 1))
        self.now = max(self.now + timedelta(milliseconds=1), at.astimezone(timezone.utc))

    def maybe_late(self):
        """Now, or, for a late event, some moment before."""
        if self.tame or not self.chance(0.08):
            return self.now
        return self.now - timedelta(seconds=self.rng.choice([5, 600, 7200, 90_000, 300_000]) * self.rng.random())

    # Markets.

    def tick_of(self, symbol):
        if symbol == UNDEFINED_SYMBOL:
            return Decimal("0.01")
        return Decimal((INSTRUMENTS | {LATE_SYMBOL: LATE_INSTRUMENT})[symbol][0])

    def price(self, symbol, off=0):
        """A fresh price after a random step, `off` ticks away."""
        self.ticks[symbol] += round(self.rng.gauss(0, 8))
        return self.tick_of(symbol) * (self.ticks[symbol] + off)

    def quantity(self, symbol):
        if symbol == "BTC":
            return Decimal(self.rng.choice(["0.1", "0.25", "0.5", "1", "1.75"]))
        return Decimal(self.rng.choice([1, 1, 1, 2, 2, 3, 4, 5, 7]))

    def fees(self, quantity):
        kind = self.rng.random()
        if kind < 0.1:
            return None
        each = Decimal("-0.15") if kind < 0.15 else Decimal(self.rng.choice(["2.05", "0.62", "1.333", "4.5"]))
        return self.spell(each * quantity)

    def any_symbol(self):
        symbols = list(INSTRUMENTS)
        if not self.tame and self.chance(0.08):
            symbols = [UNDEFINED_SYMBOL, LATE_SYMBOL]
        return self.rng.choice(symbols)

    def any_account(self):
        weighted = ["default"] * 4 + ["eval-50k"] * 4 + ["trail-50k"] * 4 + ["london"] * 2 + ["tokyo"] * 2 + [GHOST_ACCOUNT]
        if not self.tame:
            weighted.append(LATE_ACCOUNT)
        if self.odd:
            weighted += [ODD_ACCOUNT] * 2
        return self.rng.choice(weighted)

    def trades(self, status):
        return [trade for trade in self.book.trades.values() if trade.status == status]

    def any_trade(self, status):
        """One of the latest dozen trades of that status, or None."""
        trades = self.trades(status)
        return self.rng.choice(trades[-12:]) if trades else None

    def old_trade(self):
        closed = self.trades("closed")
        return self.rng.choice(closed) if closed else None
