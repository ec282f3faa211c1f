"""Tables of one's own: live, restarted, rebuilt and cut anywhere, they are the same."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from pathlib import Path

import pytest
from journals import a_trade, at, mesh

from tradefold import BusyError, DamagedError, Event, Journal, Projection, QuestionError
from tradefold import projection as module


class FillsByHour(Projection):
    """How many fills, and contracts, in each hour; and the longest run of buys."""

    name = "fills_by_hour"
    columns = {"hour": "integer", "fills": "integer", "quantity": "real", "run": "integer"}
    key = ("hour",)
    types = ("FillRecorded",)

    def apply(self, event: Event) -> None:
        run = self.state.get("run", 0) + 1 if event.data["side"] == "buy" else 0
        self.state["run"] = run
        hour = event.occurred_at.hour
        row = self.get(hour) or {"hour": hour, "fills": 0, "quantity": 0.0, "run": 0}
        quantity = row["quantity"] + float(event.data["quantity"])
        self.put({"hour": hour, "fills": row["fills"] + 1, "quantity": quantity, "run": max(run, row["run"])})


def fills(j: Journal, count: int, start: int = 0) -> None:
    sides = ["buy", "buy", "sell", "buy", "buy", "buy", "sell"]
    for number in range(start, start + count):
        j.later.fill(symbol="ES", side=sides[number % 7], quantity=1, price=1, occurred_at=at(7 * number))  # type: ignore[arg-type]
    j.note("between")


def by_hand(j: Journal) -> "list[dict[str, object]]":
    """The same by other means: all events at once."""
    hours: "dict[int, list[int]]" = {}
    run = 0
    for event in j.events(types="FillRecorded"):
        run = run + 1 if event.data["side"] == "buy" else 0
        hours.setdefault(event.occurred_at.hour, []).append(run)
    return [
        {"hour": hour, "fills": len(runs), "quantity": float(len(runs)), "run": max(runs)}
        for hour, runs in sorted(hours.items())
    ]


def test_a_table_is_the_same_live_restarted_rebuilt_and_in_any_pages(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(folder) as j:
        with FillsByHour(j) as table:
            assert table.catch_up() == 0
            fills(j, 20)
            table.catch_up()
            fills(j, 13, 20)
        # Restarted, in pages of one, two and three events.
        for page in (1, 2, 3):
            monkeypatch.setattr(module, "_PAGE", page)
            with FillsByHour(j) as table:
                table.catch_up()
                live = table.rows().to_list()
            fills(j, 5, 33 + 5 * page)
        with FillsByHour(j) as table:
            assert table.catch_up() == j.head == table.position
            live = table.rows().to_list()
            assert live == by_hand(j)
            monkeypatch.undo()
            table.rebuild()
            assert table.rows().to_list() == live
            assert table.rows(hour=14).to_dict()["fills"] == [live[0]["fills"]]
        os.remove(f"{folder}/projections-fills_by_hour.db")
        with FillsByHour(j) as table:
            table.catch_up()
            assert table.rows().to_list() == live
        # What tradefold keeps itself is not concerned.
        assert j.verify()["ok"]


def test_another_version_or_another_journal_makes_it_anew(folder: str, tmp_path: Path) -> None:
    class Newer(FillsByHour):
        version = 2

        def apply(self, event: Event) -> None:
            self.put({"hour": 0, "fills": event.seq})

    with Journal(folder) as j:
        mesh(j)
        a_trade(j)
        with FillsByHour(j) as table:
            table.catch_up()
            assert table.rows().first() == {"hour": 14, "fills": 1, "quantity": 2.0, "run": 1}
        with Newer(j) as table:
            assert table.position == 0
            table.catch_up()
            assert table.rows().to_list() == [{"hour": 0, "fills": 3, "quantity": None, "run": None}]


def test_a_page_is_all_there_or_not_at_all(folder: str) -> None:
    class Fails(FillsByHour):
        name = "fails"

        def apply(self, event: Event) -> None:
            super().apply(event)
            if event.data["price"] == 13:
                raise RuntimeError("a defect")

    with Journal(folder) as j, Fails(j) as table:
        fills(j, 3)
        table.catch_up()
        [hour] = [row["hour"] for row in table.rows()]
        before = table.get(hour), table.position
        j.fill(symbol="ES", side="buy", quantity=1, price=1, occurred_at=at(0))
        j.fill(symbol="ES", side="buy", quantity=1, price=13, occurred_at=at(0))
        with pytest.raises(RuntimeError):
            table.catch_up()
        assert (table.get(hour), table.position) == before


def test_one_keeps_it_at_a_time(journal: Journal) -> None:
    with FillsByHour(journal), pytest.raises(BusyError, match="keeps this table"):
        FillsByHour(journal)
    FillsByHour(journal).close()


def test_a_lost_tail_is_no_reason_to_make_it_anew(folder: str) -> None:
    with Journal(folder) as j, FillsByHour(j) as table:
        fills(j, 2)
        table.catch_up()
    other = sqlite3.connect(f"{folder}/projections-fills_by_hour.db")
    other.execute("UPDATE projection SET position = 99")
    other.commit()
    other.close()
    with Journal(folder) as j:
        with pytest.raises(DamagedError, match="has folded position 99") as damage:
            FillsByHour(j)
        assert damage.value.position == 99


def test_what_would_depend_on_where_pages_end_is_refused(journal: Journal) -> None:
    class Tuples(FillsByHour):
        name = "tuples"

        def apply(self, event: Event) -> None:
            self.state["pair"] = (1, 2)

    journal.fill(symbol="ES", side="buy", quantity=1, price=1)
    with Tuples(journal) as table, pytest.raises(QuestionError, match="what JSON can hold"):
        table.catch_up()
    for wrong in ({"name": "a b"}, {"columns": {"hour": "money"}}, {"key": ("day",)}):
        with pytest.raises(QuestionError):
            type("Wrong", (FillsByHour,), wrong)(journal)


def test_it_is_exported_with_a_manifest(journal: Journal, tmp_path: Path) -> None:
    with FillsByHour(journal) as table:
        fills(journal, 3)
        table.catch_up()
        manifest = table.export(tmp_path / "hours.csv")
    content = (tmp_path / "hours.csv").read_bytes()
    assert content == b"hour,fills,quantity,run\r\n14,3,3.0,2\r\n"
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert (manifest["position"], manifest["chain_head"]) == (journal.head, journal.head_hash)
    assert json.loads((tmp_path / "hours.manifest.json").read_text()) == manifest


def test_what_is_read_is_up_to_date(journal: Journal) -> None:
    with FillsByHour(journal) as table:
        assert table.rows().to_list() == []
        fills(journal, 10)
        assert table.rows().to_list() == by_hand(journal)
        assert table.position == journal.head


def test_it_keeps_up_by_itself(journal: Journal) -> None:
    with FillsByHour(journal) as table:
        table.keep_up()
        table.keep_up()
        for number in range(20):
            fills(journal, 10, 10 * number)
        deadline = time.monotonic() + 60
        while table.position < journal.head and time.monotonic() < deadline:
            time.sleep(0.01)
        assert table.position == journal.head
    # Closed, it can be opened again at once.
    with FillsByHour(journal) as table:
        assert table.rows().to_list() == by_hand(journal)


def test_a_fold_that_fails_tells_who_reads(journal: Journal) -> None:
    class Failing(FillsByHour):
        name = "failing"

        def apply(self, event: Event) -> None:
            raise ZeroDivisionError("a defect")

    with Failing(journal) as table:
        table.keep_up()
        fills(journal, 1)
        with pytest.raises(ZeroDivisionError, match="a defect"):
            table.rows().to_list()
