"""The trade that tests tell, and moments that don't depend on the clock."""

from __future__ import annotations

import datetime as dt

from tradefold import Journal

START = dt.datetime(2026, 3, 2, 14, 30, tzinfo=dt.timezone.utc)


def at(minutes: float) -> dt.datetime:
    """So many minutes after the start."""
    return START + dt.timedelta(minutes=minutes)


def a_trade(j: Journal, trade_id: str = "T-1", *, minutes: float = 0, price: str = "5724.00", **plan: str) -> int:
    """The trade of README.md: two contracts long from 5712.25."""
    defaults = {"symbol": "MESH6", "strategy": "vwap-pullback", "regime": "TREND", "stop_price": "5706.50"}
    fields = {**defaults, **plan}
    j.open_trade(trade_id, side="long", occurred_at=at(minutes), **fields)  # type: ignore[arg-type]
    j.fill(trade_id, side="buy", quantity=2, price="5712.25", fees="0.70", occurred_at=at(minutes))
    return j.exit(trade_id, reason="target", price=price, fees="0.70", occurred_at=at(minutes + 7.5))


def mesh(j: Journal) -> None:
    """What MESH6 is: five dollars a point."""
    j.define_instrument("MESH6", tick_size="0.25", point_value=5, occurred_at=at(-1))
