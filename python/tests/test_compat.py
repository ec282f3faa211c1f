"""The plain class: the calls of a program that knows nothing of events."""

from __future__ import annotations

import csv
import datetime as dt
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tradefold import QuestionError, RefusedError
from tradefold.compat import Database

from journals import at, mesh


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with Database(str(tmp_path / "journal")) as database:
        mesh(database.journal)
        yield database


def a_long(db: Database, minutes: float = 0, exit_price: str = "5724.00") -> str:
    trade_id = db.log_trade(
        symbol="MESH6",
        trade_type="Long",
        entry_price="5712.25",
        position_size=2,
        strategy_used="vwap-pullback",
        regime_at_entry="TREND",
        stop_loss_price=5706.5,
        vwap_at_entry=5710.0,
        conflicting_timeframes="1h, 4h",
        strategy_confidence_score=0.8,
        entry_slippage_ticks=1,
        timestamp_entry=at(minutes),
        fees_paid="0.70",
        our_own_column="kept",
    )
    db.update_trade_exit(
        trade_id, exit_price=exit_price, exit_reason="target", timestamp_exit=at(minutes + 5), fees_paid="1.40", mae=2.5, mfe=12
    )
    return trade_id


def test_a_trade_goes_in_and_comes_back_by_the_names_of_the_table(db: Database) -> None:
    trade = db.get_trade(a_long(db))
    assert trade is not None
    expected = {
        "symbol": "MESH6", "trade_type": "Long", "strategy_used": "vwap-pullback", "regime_at_entry": "TREND",
        "entry_price": 5712.25, "exit_price": 5724.0, "position_size": 2.0, "stop_loss_price": 5706.5,
        # (5724 - 5712.25) * 2 * 5 = 117.5, less 1.40; a risk of 5.75 * 2 * 5 = 57.5.
        "pl_amount_gross": 117.5, "fees_paid": 1.4, "pl_amount_net": 116.1, "result_r": 116.1 / 57.5, "win_loss": "Win",
        "holding_duration_minutes": 5.0, "exit_reason": "target", "mae": 2.5, "mfe": 12.0, "entry_slippage_ticks": 1.0,
        "conflicting_timeframes": '["1h","4h"]', "strategy_confidence_score": 0.8, "vwap_at_entry": 5710.0,
        "attributes": '{"our_own_column":"kept"}',
    }  # fmt: skip
    assert {name: trade[name] for name in expected} == pytest.approx(expected)


def test_a_short_trade_is_reckoned_the_other_way(db: Database) -> None:
    trade_id = db.log_trade(symbol="MESH6", trade_type="Short", entry_price=5712, position_size=1, timestamp_entry=at(0))
    trade = db.update_trade_exit(trade_id, exit_price=Decimal("5710"), timestamp_exit=at(1), mae=1.5, mfe=4)
    assert (trade["pl_amount_net"], trade["win_loss"], trade["mae"], trade["mfe"]) == (10.0, "Win", 1.5, 4.0)


def test_recent_trades_are_newest_first_and_those_for_metrics_oldest_first(db: Database) -> None:
    ids = [a_long(db, minutes) for minutes in (0, 10, 20)]
    still_open = db.log_trade(symbol="MESH6", trade_type="long", entry_price=1, position_size=1, timestamp_entry=at(30))
    assert [trade["trade_id"] for trade in db.get_recent_trades(2)] == [still_open, ids[2]]
    assert [trade["trade_id"] for trade in db.get_trades_for_metrics(2)] == ids[1:]
    assert [trade["trade_id"] for trade in db.get_trades_for_metrics(0)] == ids
    assert [trade["trade_id"] for trade in db.get_open_trades()] == [still_open]


def test_states_are_recorded_and_metrics_follow(db: Database) -> None:
    a_long(db)
    state_id = db.save_system_state("ACTIVE", current_regime="TREND", daily_pnl_r=99, timestamp=at(10))
    state = db.get_latest_system_state()
    assert state is not None
    assert (state["state_id"], state["system_state"], state["current_regime"]) == (state_id, "ACTIVE", "TREND")
    assert state["daily_pnl_r"] == pytest.approx(116.1 / 57.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics = db.save_performance_metrics(win_rate=1.0, total_trades=1)
    assert metrics is not None and metrics["total_wins"] == 1
    with pytest.warns(UserWarning, match="win_rate is 0.5 by the program and 1.0 by the journal"):
        db.save_performance_metrics(win_rate=0.5)


def test_the_csv_has_every_trade(db: Database, tmp_path: Path) -> None:
    a_long(db)
    a_long(db, 10, "5700")
    assert db.export_trades_to_csv(tmp_path / "trades.csv") == 2
    with open(tmp_path / "trades.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["win_loss"] for row in rows] == ["Win", "Loss"]


def test_what_makes_no_sense_is_refused(db: Database) -> None:
    with pytest.raises(QuestionError, match="no trade"):
        db.update_trade_exit("nobody", exit_price=1)
    trade_id = a_long(db)
    with pytest.raises(QuestionError, match="not open"):
        db.update_trade_exit(trade_id, exit_price=1)
    with pytest.raises(QuestionError, match="Long or Short"):
        db.log_trade(symbol="ES", trade_type="sideways", entry_price=1, position_size=1)
    with pytest.raises(RefusedError, match="time zone"):
        db.log_trade(
            symbol="ES", trade_type="long", entry_price=1, position_size=1, timestamp_entry=dt.datetime(2026, 3, 2)
        )


def test_the_old_file_is_left_alone(tmp_path: Path) -> None:
    old = tmp_path / "trades.db"
    old.write_bytes(b"whatever it was")
    with Database(old) as db:
        a_long(db)
    assert old.read_bytes() == b"whatever it was"
    assert (tmp_path / "trades.journal" / "events.db").exists()
