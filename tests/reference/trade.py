"""Owns one trade: what its fills and its own events say, and the FIFO round trips among its fills.

Knows nothing of other trades, accounts or days.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

SIDE_OF_FILL = {"buy": "long", "sell": "short"}
ENTRY_FILL = {"long": "buy", "short": "sell"}
EXIT_FILL = {"long": "sell", "short": "buy"}


@dataclass
class Fill:
    """One execution as it stands after corrections; `trade_id` is that of the trade its first part went to."""
    id: str
    seq: int
    at: datetime
    account: str
    symbol: str
    side: str
    quantity: Fraction
    price: Fraction
    fees: Fraction
    status: str
    trade_id: str | None = None
    order_id: str | None = None
    order_type: str | None = None
    intended_price: Fraction | None = None
    slippage_ticks: Fraction | None = None
    latency_ms: Fraction | None = None
    liquidity: str | None = None


@dataclass
class Part:
    """The share of a fill that one trade holds."""
    fill: Fill
    quantity: Fraction

    @property
    def fees(self):
        return share(self.fill, self.quantity)


@dataclass
class RoundTrip:
    entry: Fill
    exit: Fill
    quantity: Fraction
    gross: Fraction

    @property
    def fees(self):
        return share(self.entry, self.quantity) + share(self.exit, self.quantity)


def share(fill, quantity):
    return fill.fees * quantity / fill.quantity


@dataclass
class Trade:
    id: str
    account: str
    symbol: str
    side: str
    first_seq: int
    point_value: Fraction
    tick_size: Fraction
    said: dict  # TradeOpened's data, amended; only the amendments while there is no TradeOpened
    opened_seq: int | None = None
    opened_at: datetime | None = None
    voided: bool = False
    closed: bool = False
    exit_at: datetime | None = None
    entries: list = field(default_factory=list)
    exits: list = field(default_factory=list)
    lots: deque = field(default_factory=deque)  # [fill, quantity still open], first in first out
    round_trips: list = field(default_factory=list)
    stops: list = field(default_factory=list)  # (seq, price) of StopMoved
    targets: list = field(default_factory=list)
    seen_prices: list = field(default_factory=list)  # of ExcursionMarked and bars
    exits_said: list = field(default_factory=list)  # TradeExited's data in order
    exit_ids: list = field(default_factory=list)
    remarks: list = field(default_factory=list)  # (text, tags) of NoteAdded and TradeExited in order
    rules: list = field(default_factory=list)
    last_price: Fraction | None = None  # of its latest fill, or of the latest bar that counts for it
    entered: Fraction = Fraction(0)
    exited: Fraction = Fraction(0)
    gross: Fraction = Fraction(0)  # of its round trips
    fees: Fraction = Fraction(0)  # of its fills

    def is_entry(self, fill_side):
        return fill_side == ENTRY_FILL[self.side]

    @property
    def open_quantity(self):
        return self.entered - self.exited

    @property
    def entry_at(self):
        """The first entry fill's time; before any fill, TradeOpened's."""
        return self.entries[0].fill.at if self.entries else self.opened_at

    @property
    def first_fill_seq(self):
        return self.entries[0].fill.seq if self.entries else None

    @property
    def status(self):
        if self.voided:
            return "voided"
        return "closed" if self.closed else "open"

    def can_take(self, fill_side):
        """Whether a fill of this side can add to the trade or reduce it."""
        return self.is_entry(fill_side) or self.open_quantity > 0

    def take(self, fill, quantity):
        """Takes as much of the fill as fits and returns what is left."""
        if self.is_entry(fill.side):
            self.enter(fill, quantity)
            return Fraction(0)
        taken = min(quantity, self.open_quantity)
        if taken > 0:
            self.leave(fill, taken)
        return quantity - taken

    def enter(self, fill, quantity):
        self.entries.append(Part(fill, quantity))
        self.entered += quantity
        self.fees += share(fill, quantity)
        self.lots.append([fill, quantity])
        self.closed, self.exit_at = False, None

    def leave(self, fill, quantity):
        self.exits.append(Part(fill, quantity))
        self.exited += quantity
        self.fees += share(fill, quantity)
        left = quantity
        while left > 0:
            left -= self.pair_with_oldest_lot(fill, left)
        if self.open_quantity == 0:
            self.closed, self.exit_at = True, fill.at

    def pair_with_oldest_lot(self, fill, wanted):
        entry, available = self.lots[0]
        paired = min(wanted, available)
        sign = 1 if self.side == "long" else -1
        gross = sign * (fill.price - entry.price) * paired * self.point_value
        self.round_trips.append(RoundTrip(entry, fill, paired, gross))
        self.gross += gross
        if paired == available:
            self.lots.popleft()
        else:
            self.lots[0][1] = available - paired
        return paired

    # Figures.

    @property
    def entry_price(self):
        return average_price(self.entries)

    @property
    def exit_price(self):
        return average_price(self.exits)

    @property
    def net(self):
        return self.gross - self.fees

    def worth_at(self, price):
        """What it has realised, and what closing the rest at a price would add."""
        sign = 1 if self.side == "long" else -1
        return self.net + sum(sign * (price - fill.price) * left * self.point_value for fill, left in self.lots)


def average_price(parts):
    quantity = sum((part.quantity for part in parts), Fraction(0))
    if not quantity:
        return None
    return sum(part.fill.price * part.quantity for part in parts) / quantity
