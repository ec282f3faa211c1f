"""A small orchestrator with a simulated broker: `python orchestrator.py [FOLDER]`.

Prices are made up by a seeded random walk. What it shows is how the journal is used: recover what is open, record the
plan before the order, tickets where nobody has to wait, and limits asked of the tables.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from tradefold import Journal, new_id

TICK = Decimal("0.25")


class Fill(NamedTuple):
    price: Decimal
    fees: Decimal
    fill_id: str


class SimulatedBroker:
    """Fills every order at the price of now, a tick worse at times."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.price = Decimal("5712.25")

    def prices(self, count: int) -> Iterator[Decimal]:
        for _ in range(count):
            self.price += self._random.choice((-2, -1, -1, 0, 1, 1, 2)) * TICK
            yield self.price

    def order(self, side: str, quantity: int) -> Fill:
        slip = self._random.choice((0, 0, 1)) * TICK
        price = self.price + (slip if side == "buy" else -slip)
        return Fill(price, Decimal("0.35") * quantity, new_id())


class Orchestrator:
    """Buys after three rises in a row; gets out at the stop or the target."""

    def __init__(self, journal: Journal, broker: SimulatedBroker) -> None:
        self.journal, self.broker = journal, broker
        state = journal.state()
        # After a restart: what was open still is.
        self.open = state.open_trades[0] if state.open_trades else None
        self.rises, self.last = 0, broker.price

    def on_price(self, price: Decimal) -> None:
        self.rises = self.rises + 1 if price > self.last else 0
        self.last = price
        if self.open is not None:
            self.manage(price)
        elif self.rises >= 3 and self.may_trade():
            self.enter(price)

    def may_trade(self) -> bool:
        risk = self.journal.state().risk.get("default", {})
        left = risk.get("daily_loss_limit_remaining")
        return not isinstance(left, Decimal) or left > 0

    def enter(self, price: Decimal) -> None:
        trade_id = f"sim-{self.journal.head + 1}"
        stop, target = price - 8 * TICK, price + 12 * TICK
        # The plan is on disk before the order goes out: a crash between both leaves a trade that says what was meant.
        self.journal.open_trade(
            trade_id, symbol="MESH6", side="long", strategy="three-rises", stop_price=stop, target_price=target
        )
        fill = self.broker.order("buy", 2)
        self.journal.fill(
            trade_id, side="buy", quantity=2, price=fill.price, fees=fill.fees, fill_id=fill.fill_id, intended_price=price
        )
        self.open = self.journal.trade(trade_id)

    def manage(self, price: Decimal) -> None:
        assert self.open is not None
        stop, target = Decimal(str(self.open["stop_loss_price"])), Decimal(str(self.open["take_profit_price"]))
        reason = "stop" if price <= stop else "target" if price >= target else None
        if reason is None:
            # Nice to know, and nobody waits for it.
            self.journal.later.mark_excursion(self.open["trade_id"], high=price, low=price)
            return
        fill = self.broker.order("sell", 2)
        self.journal.exit(
            self.open["trade_id"], reason=reason, price=fill.price, fees=fill.fees, intended_price=price
        )
        self.open = None


def main(folder: str, steps: int = 2_000) -> None:
    with Journal(folder) as journal:
        if journal.head == 0:
            journal.open_account("default", currency="USD", starting_equity=10_000, daily_loss_limit=200)
            journal.define_instrument("MESH6", tick_size=TICK, point_value=5)
        orchestrator = Orchestrator(journal, SimulatedBroker(seed=7))
        journal.change_state("ACTIVE", strategy="three-rises")
        for price in orchestrator.broker.prices(steps):
            orchestrator.on_price(price)
        journal.change_state("IDLE", reason="the simulation is over")
        [everything, *_] = journal.metrics()
        print(f"{everything['total_trades']} trades, {everything['total_wins']} won, mean {everything['expected_r']:.2f} R")
        print(f"head {journal.head_hash[:16]} at position {journal.head}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "./journal")
