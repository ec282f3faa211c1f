"""Reading: rows and frames, the past, state, SQL, what follows from the log, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from journals import a_trade, at, mesh

from tradefold import ClosedError, Event, Journal, LagError, QuestionError
from tradefold._reading import Reading
from tradefold.rows import TABLES


@pytest.fixture
def told(journal: Journal) -> Journal:
    """Three trades: won 116.10, lost 58.90, won 116.10; the last of another strategy. A fourth is open."""
    journal.open_account("default", currency="USD", starting_equity=50_000, time_zone="UTC", day_rolls_at="00:00")
    mesh(journal)
    a_trade(journal, "T-1")
    a_trade(journal, "T-2", minutes=10, price="5706.50")
    a_trade(journal, "T-3", minutes=20, strategy="orb")
    journal.open_trade("T-4", symbol="MESH6", side="short", strategy="orb", occurred_at=at(30))
    journal.fill("T-4", side="sell", quantity=1, price=5700, occurred_at=at(30))
    return journal


def test_every_table_has_a_method(told: Journal) -> None:
    assert set(TABLES) <= set(vars(Reading))
    for name in TABLES:
        rows = getattr(told, name)()
        assert rows.columns == list(TABLES[name].columns)
        assert rows.to_list() == told.table(name).to_list()


def test_rows_are_filtered_by_what_people_call_columns(told: Journal) -> None:
    def ids(**filters: object) -> "list[str]":
        return [row["trade_id"] for row in told.trades(**filters)]

    assert ids() == ["T-1", "T-2", "T-3", "T-4"]
    assert ids(strategy="orb") == ["T-3", "T-4"]
    assert ids(win_loss="Loss") == ["T-2"]
    assert ids(timestamp_exit=None) == ["T-4"]
    assert ids(side="short", account="default") == ["T-4"]
    assert ids(result_r=told.trade("T-2")["result_r"]) == ["T-2"]  # type: ignore[index]
    assert ids(limit=2) == ["T-1", "T-2"]
    assert ids(limit=0) == []
    assert ids(from_="2026-03-03") == []
    assert ids(from_=dt.date(2026, 3, 2), to="2026-03-02") == ["T-1", "T-2", "T-3", "T-4"]
    assert list(told.trades(columns=["trade_id", "fills"]).tuples())[3] == ("T-4", 1)


def test_what_no_table_has_is_refused_with_what_was_meant(told: Journal) -> None:
    questions: "list[tuple[Callable[[], object], str]]" = [
        (lambda: told.table("trade"), "did you mean trades"),
        (lambda: told.trades(strategy_use="x"), "did you mean `strategy_used`"),
        (lambda: told.trades(columns=["pl_net"]), "no column"),
        (lambda: told.trades(fills="many"), "holds numbers"),
        (lambda: told.trades(from_="yesterday"), "expected a date"),
        (lambda: told.trades(from_=dt.datetime(2026, 3, 2)), "a trading date"),
        (lambda: told.sql("DELETE FROM trades"), "only reading"),
        (lambda: told.sql("SELECT 1; SELECT 2"), "one SQL statement"),
        (lambda: told.sql("SELECT ?", []), "1 parameters; 0 values"),
        (lambda: told.metrics(by="mood"), "no dimension"),
        (lambda: told.metrics(account="apx"), "no account"),
        (lambda: told.metrics(from_="2026-03-03", to="2026-03-02"), "no date from"),
        (lambda: told.metrics(from_="yesterday"), "expected a date"),
        (lambda: told.audit("T-9"), "no trade T-9"),
        (lambda: told.as_of(10_000).trades().to_list(), "the log ends"),
        (lambda: list(told.events(types="FillRecrded")), "did you mean FillRecorded"),
    ]
    for ask, meant in questions:
        with pytest.raises(QuestionError, match=meant):
            ask()


def test_a_large_table_is_read_row_by_row_and_may_be_left(journal: Journal) -> None:
    batch = [{"type": "NoteAdded", "occurred_at": at(0), "data": {"text": str(n)}} for n in range(3_000)]
    journal.append_many(batch)
    rows = iter(journal.notes())
    assert next(rows)["text"] == "0"
    del rows
    assert [row["text"] for row in journal.notes()] == [str(n) for n in range(3_000)]
    assert len(journal.notes().to_dict()["text"]) == 3_000


def test_tables_are_frames(told: Journal) -> None:
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    frame = told.trades().to_pandas()
    assert frame["pl_amount_net"].tolist()[:3] == pytest.approx([116.1, -58.9, 116.1])
    assert frame["timestamp_entry"][0] == pandas.Timestamp(at(0))
    assert frame["timestamp_exit"].isna().tolist() == [False, False, False, True]
    assert (str(frame["fills"].dtype), str(frame["result_r"].dtype)) == ("Int64", "float64")
    arrow = told.trades().to_arrow()
    assert arrow.schema.field("timestamp_exit").type == pyarrow.timestamp("us", tz="UTC")
    assert arrow.column("fills").to_pylist() == [2, 2, 2, 1]
    table = told.trades(limit=2).to_polars()
    assert table["timestamp_entry"].to_list() == [at(0), at(10)]
    assert table.schema["pl_amount_net"] == polars.Float64 and table.height == 2
    for empty in (told.rule_breaks().to_pandas(), told.rule_breaks().to_polars(), told.rule_breaks().to_arrow()):
        assert len(empty) == 0 and "rule" in list(getattr(empty, "columns", [])) + list(getattr(empty, "column_names", []))


def test_state_is_all_that_is_needed_after_a_restart(folder: str) -> None:
    with Journal(folder) as j:
        mesh(j)
        j.open_account("default", currency="USD", starting_equity="50000", daily_loss_limit=500)
        a_trade(j)
        j.open_trade("T-2", symbol="MESH6", side="short", strategy="orb", occurred_at=at(10))
        j.fill("T-2", side="sell", quantity=1, price=5700, occurred_at=at(10))
        j.set_risk("max_contracts", 4)
        j.set_risk("mode", "careful")
        j.change_state("IDLE")
        j.change_state("ACTIVE", regime="TREND")
    with Journal(folder) as j:
        state = j.state()
        assert state.position == j.head == 11
        assert [trade["trade_id"] for trade in state.open_trades] == ["T-2"]
        assert state.risk["default"]["max_contracts"] == Decimal(4)
        assert state.risk["default"]["mode"] == "careful"
        assert state.last_state is not None and state.last_state["system_state"] == "ACTIVE"
        assert state.accounts["default"]["equity"] == pytest.approx(50_116.1)
        j.note("later")
        assert [event.type for event in j.events(after=state.position)] == ["NoteAdded"]


def test_the_past_is_read_like_the_present(told: Journal) -> None:
    then = told.as_of(5)
    assert [trade["trade_id"] for trade in then.trades()] == ["T-1"]
    assert then.position == 5
    assert then.metrics()[0]["total_trades"] == 1
    assert then.sql("SELECT count(*) AS n FROM trades").first() == {"n": 1}
    moment = next(told.events(after=4)).recorded_at
    assert told.as_of(moment).position == 5
    assert told.position_at("1999-01-01T00:00:00Z") == 0
    with pytest.raises(QuestionError, match="time zone"):
        told.as_of(dt.datetime(2026, 3, 2))


def test_metrics_and_audits_are_those_of_the_command_line(told: Journal) -> None:
    [everything, default] = told.metrics()
    assert (everything["account_id"], default["account_id"]) == ("*", "default")
    assert (default["total_trades"], default["total_wins"]) == (3, 2)
    assert default["profit_factor"] == pytest.approx(232.2 / 58.9)
    assert told.metrics(window=1)[1]["total_wins"] == 1
    assert told.metrics(from_="2026-03-02", to=dt.date(2026, 3, 2)) == told.metrics()
    assert told.metrics(to="2026-03-01") == []
    assert {group["value"]: group["total_trades"] for group in told.metrics(by="strategy")} == {"orb": 1, "vwap-pullback": 2}
    told.correct_fill(told.fills(trade_id="T-2").to_list()[0]["fill_id"], reason="statement", price=5713)
    steps = told.audit("T-2")
    assert [step["type"] for step in steps] == ["TradeOpened", "FillRecorded", "TradeExited", "FillCorrected"]
    assert steps[-1]["reason"] == "statement"
    changed = {change["column"]: (change["before"], change["after"]) for change in steps[-1]["changes"]}
    assert changed["entry_price"] == (5712.25, 5713.0)
    assert told.audit(date="2026-03-02")[-1]["type"] == "FillCorrected"
    assert told.restate("2026-03-01", "2026-03-03")["days_looked_at"] >= 1
    day = told.day("2026-03-02")
    assert day is not None and day["trades_count"] == 3


def test_tables_are_verified_and_rebuilt_beside_their_readers(told: Journal) -> None:
    found = told.verify()
    assert found["ok"] and found["events"] == told.head and found["rows"] > 20
    before = told.trades().to_list()
    assert told.rebuild(verify=True)["differences"] == 0
    assert told.rebuild(["trades"])["position"] == told.head
    assert told.trades().to_list() == before
    told.roll_back()
    a_trade(told, "T-9", minutes=60)
    assert told.trade("T-9") is not None
    assert told.status()["head"]["seq"] == told.head


def test_a_damaged_table_is_found_cell_by_cell(folder: str) -> None:
    with Journal(folder) as j:
        mesh(j)
        a_trade(j)
        j.wait(j.head)
    # By another SQLite, while no journal of this process is open.
    other = sqlite3.connect(f"{folder}/projections.db")
    other.execute("UPDATE trades SET pl_amount_net = 1 WHERE trade_id = 'T-1'")
    other.commit()
    other.close()
    with Journal(folder) as j:
        found = j.verify()
        assert not found["ok"]
        [finding] = [finding for finding in found["findings"] if finding.get("column") == "pl_amount_net"]
        assert (finding["table"], finding["key"]) == ("trades", {"trade_id": "T-1"})
        assert (finding["live"], finding["replayed"]) == (1.0, pytest.approx(116.1))
        assert j.rebuild(verify=True, swap="always")["differences"] > 0
        assert j.verify()["ok"]


def test_exports_carry_their_manifest(told: Journal, tmp_path: Path) -> None:
    [manifest] = told.export("trades", tmp_path / "t.csv", strategy="orb", columns=["trade_id", "fills"])
    assert (tmp_path / "t.csv").read_bytes() == b"trade_id,fills\r\nT-3,2\r\nT-4,1\r\n"
    assert (manifest["rows"], manifest["position"]) == (2, told.head)
    assert json.loads((tmp_path / "t.manifest.json").read_text())["sha256"] == manifest["sha256"]
    manifests = told.export("all", tmp_path / "all", format="jsonl")
    assert {manifest["table"] for manifest in manifests} == set(TABLES)
    told.export(["trades", "fills"], tmp_path / "two", format="parquet")
    pyarrow = pytest.importorskip("pyarrow.parquet")
    assert pyarrow.read_table(tmp_path / "two" / "trades.parquet").num_rows == 4


def test_a_brokers_file_is_brought_in_and_held_against_the_journal(journal: Journal, tmp_path: Path) -> None:
    mapping = tmp_path / "map.toml"
    mapping.write_text((Path(__file__).parent / "broker.toml").read_text())
    file = tmp_path / "fills.csv"
    file.write_text(
        "id,time,contract,side,qty,price,fee\n"
        "1,2026-03-02T14:30:00Z,MESH6,Buy,2,5712.25,0.70\n"
        "2,2026-03-02T14:40:00Z,MESH6,Sell,2,5724.00,0.70\n"
    )
    told = journal.import_(file, map=mapping, instruments={"MESH6": (Decimal("0.25"), 5)}, dry_run=True)
    assert (told["added"], told["recorded"], journal.head) == (2, False, 0)
    told = journal.import_(file, map=mapping, instruments={"MESH6": ("0.25", 5)})
    assert (told["added"], told["recorded"]) == (2, True)
    assert journal.import_(file, map=mapping)["added"] == 0
    assert journal.day("2026-03-02")["pl_net"] == pytest.approx(116.1)  # type: ignore[index]
    assert journal.reconcile(file, map=mapping)["ties_out"]
    file.write_text(file.read_text().replace("5724.00", "5723.00"))
    found = journal.reconcile(file, map=mapping)
    assert not found["ties_out"] and found["settling"][0]["type"] == "FillCorrected"
    assert journal.reconcile(file, map=mapping, settle=True)["recorded"] == 1
    assert journal.reconcile(file, map=mapping)["ties_out"]
    with pytest.raises(QuestionError, match="no file"):
        journal.import_(tmp_path / "none.csv")


def test_following_misses_and_repeats_nothing(folder: str) -> None:
    with Journal(folder) as j, Journal(folder, read_only=True) as beside:
        j.note("before")
        threads = [threading.Thread(target=lambda: [j.note("x") for _ in range(40)]) for _ in range(2)]
        here, there = j.follow(0, timeout=10), beside.follow(0, timeout=10)
        for thread in threads:
            thread.start()
        assert [next(here).seq for _ in range(81)] == list(range(1, 82))
        assert [next(there).seq for _ in range(81)] == list(range(1, 82))
        assert list(j.follow(timeout=0.05)) == []
        assert [event.seq for event in j.follow(80, timeout=0.05)] == [81]
        some = j.follow(types="RuleBroken", timeout=10)
        threading.Timer(0.1, lambda: (j.note("no"), j.break_rule("yes"))).start()
        assert next(some).data["rule"] == "yes"
        waiting = j.follow(timeout=10)
        threading.Timer(0.1, j.close).start()
        with pytest.raises(ClosedError):
            next(waiting)


def test_a_wait_for_what_is_not_recorded_ends(journal: Journal) -> None:
    journal.wait(journal.note("x"))
    with pytest.raises(LagError) as lag:
        journal.wait(1_000, timeout=0.05)
    assert lag.value.position == 1


def test_a_fold_of_ones_own(told: Journal) -> None:
    def fees(total: Decimal, event: Event) -> Decimal:
        fees: Decimal = event.data.get("fees", Decimal(0))
        return total + fees

    assert told.fold(fees, Decimal(0)) == Decimal("4.20")
    assert told.fold(fees, Decimal(0), after=5) == Decimal("2.80")
    assert told.fold(fees, Decimal(0), through=5, types="FillRecorded") == Decimal("0.70")
