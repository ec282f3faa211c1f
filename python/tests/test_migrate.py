"""An old program's table, brought in as events."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from journals import mesh

from tradefold import Journal, QuestionError
from tradefold.migrate import main, migrate_sqlite

ROWS = [
    # id, entry, exit, symbol, type, strategy, entry price, exit price, size, stop, fees, net, R, reason, mae
    ("1", "2026-03-02 08:30:00", "2026-03-02 08:40:00", "MESH6", "Long", "vwap", 5712.25, 5724.0, 2, 5706.5, 1.4, 116.1, 2.019, "target", 1.5),
    ("2", "2026-03-02 09:00:00", "2026-03-02 09:01:30", "MESH6", "Short", None, 5700.0, 5702.5, 1, None, 0.7, -13.2, None, "stop", None),
    ("3", "2026-03-02T10:00:00-06:00", None, "MESH6", "long", "orb", 5690.0, None, 1, None, None, None, None, None, None),
]  # fmt: skip


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE trades (id TEXT, timestamp_entry TEXT, timestamp_exit TEXT, symbol TEXT, trade_type TEXT,"
            " strategy_used TEXT, entry_price REAL, exit_price REAL, position_size REAL, stop_loss_price REAL,"
            " fees_paid REAL, pl_amount_net REAL, result_r REAL, exit_reason TEXT, mae REAL)"
        )
        db.executemany(f"INSERT INTO trades VALUES ({', '.join('?' * 15)})", ROWS)
    db.close()
    return path


def test_trades_come_in_once_and_are_marked(journal: Journal, old: Path) -> None:
    mesh(journal)
    found = migrate_sqlite(old, journal, time_zone="America/Chicago")
    # Opened and filled three times, two exits, one of them with an excursion.
    assert (found.trades, found.events, found.known, found.refused) == (3, 9, 0, [])
    # The second's 2.5 points against it are 12.50, and 0.70: 13.20, as the old program had it.
    assert found.differing == []
    first, second, third = journal.trades()
    assert (first["trade_id"], first["timestamp_entry"]) == ("1", "2026-03-02T14:30:00.000000Z")
    assert (first["pl_amount_net"], first["win_loss"], first["mae"]) == (116.1, "Win", 1.5)
    assert (second["strategy_used"], second["pl_amount_net"], second["exit_reason"]) == ("unknown", -13.2, "stop")
    assert (third["status"], third["quantity_open"]) == ("open", 1.0)
    metas = [event.meta for event in journal.events(after=1)]
    assert all(meta == {"source": "migrate-sqlite", "migrated": True, "file": "old.db"} for meta in metas)
    again = migrate_sqlite(old, journal, time_zone="America/Chicago")
    assert (again.events, again.known) == (0, 9)
    # Closed since: the exit is new, and nothing else.
    with sqlite3.connect(old) as db:
        db.execute("UPDATE trades SET exit_price = 5691, timestamp_exit = '2026-03-02T11:00:00-06:00' WHERE id = '3'")
    db.close()
    again = migrate_sqlite(old, journal, time_zone="America/Chicago")
    assert (again.events, again.known) == (1, 9)


def test_what_the_journal_reckons_otherwise_is_told(journal: Journal, old: Path) -> None:
    # No point value is known: a point is worth 1.
    found = migrate_sqlite(old, journal, time_zone="America/Chicago")
    differing = [(trade_id, then, round(now, 9)) for trade_id, then, now in found.differing]
    assert differing == [("1", 116.1, 22.1), ("2", -13.2, -3.2)]


def test_rows_that_cannot_be_read_keep_all_out_unless_they_are_left_out(journal: Journal, old: Path) -> None:
    # Times without a zone.
    found = migrate_sqlite(old, journal)
    assert (found.events, journal.head, len(found.refused)) == (0, 0, 2)
    assert "no time zone" in found.refused[0]
    # What no journal would take.
    with sqlite3.connect(old) as db:
        db.execute("UPDATE trades SET position_size = -2 WHERE id = '1'")
    db.close()
    found = migrate_sqlite(old, journal, time_zone="UTC")
    assert (found.events, journal.head, len(found.refused)) == (0, 0, 1)
    assert found.refused[0].startswith("trade 1: data.quantity: expected a decimal above 0")
    with sqlite3.connect(old) as db:
        db.execute("UPDATE trades SET position_size = 2 WHERE id = '1'")
    db.close()
    with sqlite3.connect(old) as db:
        db.execute("UPDATE trades SET trade_type = 'sideways' WHERE id = '2'")
    db.close()
    found = migrate_sqlite(old, journal, time_zone="UTC")
    assert (found.events, journal.head) == (0, 0)
    assert found.refused == ["trade 2: trade_type: expected Long or Short, got 'sideways'"]
    found = migrate_sqlite(old, journal, time_zone="UTC", skip_bad=True)
    assert found.events == 6
    with pytest.raises(QuestionError, match="no file"):
        migrate_sqlite("nowhere.db", journal)


def test_the_command_says_what_it_did(folder: str, old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["migrate-sqlite", str(old), "--journal", folder, "--time-zone", "America/Chicago"]
    command = [sys.executable, "-m", "tradefold", *arguments, "--instrument", "MESH6=0.25:5"]
    told = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)
    assert told.stdout == "3 trades: recorded 9 events, 0 were known\n"
    assert main(arguments[1:]) == 0
    assert capsys.readouterr().out == "3 trades: recorded 0 events, 9 were known\n"
    assert main(["nowhere.db", "--journal", folder]) == 2
