"""Owns bringing a plain program's ``trades`` table in as events. Ids follow from the trades, so that the same file twice adds
nothing; what a row cannot say (each single fill, when the stop was moved) is not made up: a trade gets one entry and one
exit, marked in their metadata as migrated. Results the old program had reckoned are kept with the exit, and compared."""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Optional, Union
from zoneinfo import ZoneInfo

from . import _tradefold
from ._lines import to_lines
from .compat import CONDITIONS, ENTRY, EXIT, PLAN, at_moment, list_of, side_of, taken
from .errors import ConflictError, QuestionError, RefusedError, TradefoldError
from .journal import Journal

_NAMES = uuid.UUID("74726164-6566-6f6c-642f-6d6967726174")
_RESULTS = ("pl_amount_gross", "pl_amount_net", "result_r", "win_loss", "holding_duration_minutes")
_BATCH = 500


@dataclass
class Migration:
    """What became of an old file."""

    #: Rows of its table.
    trades: int = 0
    #: Events recorded now, and those that were there before.
    events: int = 0
    known: int = 0
    #: Rows that could not be brought in: which, and why.
    refused: "list[str]" = field(default_factory=list)
    #: Trades whose net result the journal reckons otherwise: id, then, now.
    differing: "list[tuple[str, float, float]]" = field(default_factory=list)


def migrate_sqlite(
    file: "Union[str, os.PathLike[str]]",
    journal: Journal,
    *,
    time_zone: Optional[str] = None,
    skip_bad: bool = False,
    dry_run: bool = False,
) -> Migration:
    """Brings the table ``trades`` of an SQLite file into a journal. ``time_zone`` is that of times without one. Where a row
    cannot be read, nothing is recorded, unless ``skip_bad`` leaves it out. Define instruments first: results are reckoned
    with their point values."""
    zone = None if time_zone is None else ZoneInfo(time_zone)
    found = Migration()
    batches: "list[list[dict[str, Any]]]" = []
    told: "dict[str, float]" = {}
    for row in _rows(file):
        found.trades += 1
        trade_id = str(row.get("trade_id") or row.get("id") or "")
        try:
            events = _events(row, trade_id, zone, os.path.basename(os.fspath(file)))
            _tradefold.Journal.check_lines(to_lines(events))
            batches.append(events)
        except (TradefoldError, ValueError, ArithmeticError, KeyError) as error:
            found.refused.append(f"trade {trade_id or '?'}: {error}")
            continue
        if row.get("pl_amount_net") is not None:
            told[trade_id] = float(row["pl_amount_net"])
    if dry_run or (found.refused and not skip_bad):
        found.events = sum(map(len, batches))
        if found.refused and not skip_bad:
            found.events = 0
        return found
    for events in _gathered(batches):
        _record(journal, events, found)
    for trade in journal.trades(columns=["trade_id", "pl_amount_net"]):
        then = told.get(trade["trade_id"])
        if then is not None and abs(then - trade["pl_amount_net"]) > 0.005:
            found.differing.append((trade["trade_id"], then, trade["pl_amount_net"]))
    return found


def _rows(file: "Union[str, os.PathLike[str]]") -> "Iterator[dict[str, Any]]":
    if not os.path.exists(file):
        raise QuestionError(f"there is no file {os.fspath(file)}")
    old = sqlite3.connect(f"file:{os.path.abspath(os.fspath(file))}?mode=ro", uri=True)
    try:
        old.row_factory = sqlite3.Row
        try:
            rows = old.execute("SELECT * FROM trades ORDER BY timestamp_entry, rowid")
        except sqlite3.DatabaseError as error:
            raise QuestionError(f"{os.fspath(file)}: {error}; expected a table trades with timestamp_entry") from None
        yield from ({name: row[name] for name in row.keys() if row[name] is not None} for row in rows)
    finally:
        old.close()


def _events(row: "dict[str, Any]", trade_id: str, zone: Any, file: str) -> "list[dict[str, Any]]":
    """What a row says, as events. Numbers of the old file are doubles: they are taken as they are printed."""
    for needed in ("symbol", "trade_type", "entry_price", "position_size", "timestamp_entry"):
        if needed not in row:
            raise QuestionError(f"{needed} is missing")
    if not trade_id:
        raise QuestionError("it has neither trade_id nor id")
    side, meta = side_of(row["trade_type"]), {"source": "migrate-sqlite", "migrated": True, "file": file}
    conditions = taken(row, CONDITIONS)
    if isinstance(conditions.get("conflicting_timeframes"), str):
        conditions["conflicting_timeframes"] = list_of(conditions["conflicting_timeframes"])
    plan = {**taken(row, PLAN), "trade_id": trade_id, "symbol": row["symbol"], "side": side}
    plan.setdefault("strategy", "unknown")
    is_closed = "exit_price" in row and "timestamp_exit" in row
    fees = Decimal(str(row.get("fees_paid", 0)))
    entry = {
        "fill_id": f"{trade_id}/entry",
        "trade_id": trade_id,
        "symbol": row["symbol"],
        "side": "buy" if side == "long" else "sell",
        "quantity": row["position_size"],
        "price": row["entry_price"],
        "fees": 0 if is_closed else fees,
        **taken(row, ENTRY),
    }
    at = at_moment(row["timestamp_entry"], zone)
    told = [("TradeOpened", at, {**plan, **({"conditions": conditions} if conditions else {})}), ("FillRecorded", at, entry)]
    if is_closed:
        # The notes are the plan's already: the row has them once.
        said = {name: value for name, value in taken(row, EXIT).items() if name != "notes"}
        results = {name: row[name] for name in _RESULTS if name in row}
        exit_at = at_moment(row["timestamp_exit"], zone)
        entry_price = Decimal(str(row["entry_price"]))
        if "mae" in row or "mfe" in row:
            against, along = abs(Decimal(str(row.get("mae", 0)))), abs(Decimal(str(row.get("mfe", 0))))
            up, down = (along, against) if side == "long" else (against, along)
            marks = {"trade_id": trade_id, "high": entry_price + up, "low": entry_price - down}
            told.append(("ExcursionMarked", exit_at, marks))
        data = {"trade_id": trade_id, "reason": str(row.get("exit_reason") or "unknown"), "price": row["exit_price"]}
        data.update({"fees": fees, **said, **({"attributes": {"migrated": results}} if results else {})})
        told.append(("TradeExited", exit_at, data))
    return [
        {"type": kind, "id": str(uuid.uuid5(_NAMES, f"{trade_id}/{kind}")), "occurred_at": when, "data": data, "meta": meta}
        for kind, when, data in told
    ]


def _gathered(batches: "list[list[dict[str, Any]]]") -> "Iterator[list[dict[str, Any]]]":
    events: "list[dict[str, Any]]" = []
    for batch in batches:
        events += batch
        if len(events) >= _BATCH:
            yield events
            events = []
    if events:
        yield events


def _record(journal: Journal, events: "list[dict[str, Any]]", found: Migration) -> None:
    """As one batch; where that is refused, trade by trade, so that the one at fault is named and the others are in."""
    try:
        receipt = journal.append_many(events)
    except (ConflictError, RefusedError) as error:
        trades = list(dict.fromkeys(event["data"]["trade_id"] for event in events))
        if len(trades) == 1:
            found.refused.append(f"trade {trades[0]}: {error}")
            return
        for trade_id in trades:
            _record(journal, [event for event in events if event["data"]["trade_id"] == trade_id], found)
        return
    found.events += receipt.appended
    found.known += len(events) - receipt.appended


def main(arguments: "Optional[Sequence[str]]" = None) -> int:
    """``tradefold migrate-sqlite OLD.db``."""
    migrate = argparse.ArgumentParser(
        prog="tradefold migrate-sqlite",
        description="Brings the trades of a plain SQLite file in as events. The same file again adds only what is new.",
    )
    migrate.add_argument("file", metavar="OLD.db", help="with a table trades; only read")
    migrate.add_argument("--journal", default=os.environ.get("TRADEFOLD_JOURNAL", "./journal"), metavar="DIR")
    migrate.add_argument("--time-zone", metavar="ZONE", help="of times without one, such as America/Chicago")
    migrate.add_argument(
        "--instrument", action="append", default=[], metavar="SYMBOL=TICK:POINT", help="define it first"
    )
    migrate.add_argument("--dry-run", action="store_true", help="say what would be recorded, and record nothing")
    migrate.add_argument("--skip-bad", action="store_true", help="leave out rows that can't be read")
    given = migrate.parse_args(arguments)
    try:
        with Journal(given.journal) as journal:
            for text in [] if given.dry_run else given.instrument:
                symbol, values = text.split("=", 1)
                tick, point = values.split(":", 1)
                if not journal.sql("SELECT 1 FROM log.history WHERE stream = ?", [f"instrument/{symbol}"]).to_list():
                    journal.define_instrument(symbol, tick_size=tick, point_value=point)
            found = migrate_sqlite(
                given.file, journal, time_zone=given.time_zone, skip_bad=given.skip_bad, dry_run=given.dry_run
            )
    except (TradefoldError, ValueError) as error:
        print(f"tradefold: {error}", file=sys.stderr)
        return 2
    verb = "would record" if given.dry_run else "recorded"
    print(f"{found.trades} trades: {verb} {found.events} events, {found.known} were known")
    for line in found.refused:
        print(f"left out: {line}", file=sys.stderr)
    for trade_id, then, now in found.differing:
        print(f"differs: trade {trade_id}: net {then:g} in the old file, {now:g} by its fills")
    return 2 if found.refused and not given.skip_bad else 0
