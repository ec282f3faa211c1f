"""What recording costs from Python, beside the standard library's sqlite3 and the disk's own fsync, in the same run, in turns:
`python append.py [FOLDER]`, with a release build installed. Prints the table of README.md."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tradefold import Journal

ROUNDS = 7
COUNT = 200


def each(call: "Callable[[int], object]", count: int = COUNT) -> float:
    """Microseconds a call, the median of all."""
    times = []
    for number in range(count):
        began = time.perf_counter()
        call(number)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def fsync(folder: Path) -> float:
    """What the disk takes for a write-ahead log's append: a page and its frame's head, written and synced."""
    file = os.open(folder / "fsync", os.O_CREAT | os.O_WRONLY, 0o600)
    page = b"x" * 4120
    try:

        def append(_: int) -> None:
            os.write(file, page)
            os.fdatasync(file)

        return each(append)
    finally:
        os.close(file)


def plain(folder: Path) -> float:
    """A plain table: a row of JSON, committed by itself, in WAL mode with synchronous=FULL."""
    db = sqlite3.connect(folder / "plain.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE IF NOT EXISTS fills (id INTEGER PRIMARY KEY, data TEXT)")
    try:
        return each(lambda number: db.execute("INSERT INTO fills (data) VALUES (?)", [json.dumps(_fill(number))]))
    finally:
        db.close()


def _fill(number: int) -> "dict[str, object]":
    return {"symbol": "MESH6", "side": "buy", "quantity": 1, "price": "5712.25", "fill_id": f"{number}"}


def main(folder: Path) -> None:
    names = ["fdatasync of the disk", "sqlite3, a row and a commit", "j.fill(...)", "j.later.fill(...), the call", "100 by j.append_many, each"]
    found: "dict[str, list[float]]" = {name: [] for name in names}
    for turn in range(ROUNDS):
        found[names[0]].append(fsync(folder))
        found[names[1]].append(plain(folder))
        with Journal(folder / f"journal-{turn}") as j:

            def fill(number: int, sync: bool = True) -> object:
                return j.fill(symbol="MESH6", side="buy", quantity=1, price="5712.25", sync=sync)

            each(fill, 20)
            found[names[2]].append(each(fill))
            found[names[3]].append(each(lambda number: fill(number, False)))
            j.wait(j.note("all before it"))
            events = [{"type": "NoteAdded", "occurred_at": "2026-03-02T14:30:00Z", "data": {"text": "x"}}] * 100
            found[names[4]].append(each(lambda _: j.append_many(events), 20) / 100)
        shutil.rmtree(folder / f"journal-{turn}")
    for name, times in found.items():
        print(f"{name:32} {statistics.median(times):8.0f} µs   ({min(times):.0f} to {max(times):.0f})")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else ".") as place:
        main(Path(place))
