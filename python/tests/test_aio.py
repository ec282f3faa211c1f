"""asyncio: the loop goes on while calls wait."""

from __future__ import annotations

import asyncio

from journals import at

from tradefold import AsyncJournal, Journal


def test_calls_are_awaited_and_the_loop_goes_on(folder: str) -> None:
    async def work() -> None:
        async with AsyncJournal(folder) as j:
            await j.define_instrument("MESH6", tick_size="0.25", point_value=5, occurred_at=at(-1))
            await j.open_trade("T", symbol="MESH6", side="long", strategy="orb", occurred_at=at(0))
            await j.fill("T", side="buy", quantity=2, price="5712.25", occurred_at=at(0))
            seq = await j.exit("T", reason="target", price=5724, occurred_at=at(5))
            await j.wait(seq)
            trade = await j.trade("T")
            assert trade is not None and trade["pl_amount_net"] == 117.5
            assert [row["trade_id"] async for row in j.trades()] == ["T"]
            assert (await j.metrics())[0]["total_wins"] == 1
            assert (await j.state()).open_trades == []
            assert (await j.sql("SELECT count(*) AS n FROM fills")).first() == {"n": 2}
            positions = await asyncio.gather(*(j.note(str(number)) for number in range(50)))
            assert sorted(positions) == list(range(5, 55))
            assert len(await j.table("notes").to_list()) == 50

    asyncio.run(work())


def test_tickets_are_awaited(journal: Journal) -> None:
    async def work() -> "list[int]":
        tickets = [journal.later.note(str(number)) for number in range(20)]
        return [await ticket for ticket in tickets]

    assert asyncio.run(work()) == list(range(1, 21))


def test_events_are_followed(folder: str) -> None:
    async def work() -> "list[int]":
        async with AsyncJournal(folder) as j:
            await j.note("before")

            async def record() -> None:
                for number in range(10):
                    await j.break_rule(str(number))
                    await j.note("between")

            task = asyncio.create_task(record())
            seen = []
            async for event in j.follow(0, types="RuleBroken"):
                seen.append(event.seq)
                if len(seen) == 10:
                    break
            await task
            return seen

    assert asyncio.run(work()) == list(range(2, 22, 2))
