"""Owns what a journal answers beside its tables. Answers are the objects that the command line prints with ``--json``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Optional, Union

from ._lines import Number
from ._past import Local
from .errors import QuestionError
from .rows import TABLES, Date, wish

Path = Union[str, "os.PathLike[str]"]


class Questions(Local):
    """Questions about the whole journal."""

    def audit(
        self,
        trade_id: Optional[str] = None,
        *,
        account: Optional[str] = None,
        date: Optional[Date] = None,
        through: Optional[int] = None,
    ) -> "list[dict[str, Any]]":
        """How a row came to be what it is: each event that touched a trade, an account, or an account's trading date, with
        who sent it, why, and each column before and after."""
        if date is not None and account is None:
            account = "default"
        answer: "list[dict[str, Any]]" = json.loads(
            self._core.audit(trade_id, account, None if date is None else str(date), through)
        )
        return answer

    def restate(
        self, from_: Date, to: Date, *, account: Optional[str] = None, all_days: bool = False
    ) -> "dict[str, Any]":
        """Days whose figures are others now than when they closed, both figures, and which events moved them; with
        ``all_days`` those that stand as they stood, too."""
        answer: "dict[str, Any]" = json.loads(self._core.restate(str(from_), str(to), account, all_days))
        return answer

    def status(self) -> "dict[str, Any]":
        """How the journal is: head, projections and their lag, digests, sizes, who writes."""
        answer: "dict[str, Any]" = json.loads(self._core.status())
        return answer

    def verify(self) -> "dict[str, Any]":
        """Whether the log is as it was recorded, and the tables are what a replay makes of it: ``ok``, and ``findings``."""
        answer: "dict[str, Any]" = json.loads(self._core.verify())
        return answer

    def rebuild(
        self,
        tables: "Optional[Sequence[str]]" = None,
        *,
        verify: bool = False,
        swap: Literal["if_equal", "always", "never"] = "if_equal",
    ) -> "dict[str, Any]":
        """Replays the log into fresh tables beside the live ones and puts them in place at once, while they are read. With
        ``verify`` each cell that differs is told first, and ``swap`` says whether they are put in place then."""
        names = None if tables is None else list(tables)
        answer: "dict[str, Any]" = json.loads(self._core.rebuild(names, swap if verify else None))
        return answer

    def roll_back(self) -> None:
        """Brings back the tables that the last rebuild replaced, with what was recorded since."""
        self._core.roll_back()

    def export(
        self,
        tables: "Union[str, Sequence[str]]",
        path: Path,
        *,
        format: Literal["csv", "jsonl", "parquet"] = "csv",
        columns: Optional[Sequence[str]] = None,
        from_: Optional[Date] = None,
        to: Optional[Date] = None,
        excel: bool = False,
        **filters: Any,
    ) -> "list[dict[str, Any]]":
        """Writes a table to a file, or several (``"all"``: every one) into a folder, each with a manifest that ties it to a
        position of the log; returns the manifests. ``excel`` keeps spreadsheets from taking texts for formulas."""
        place = os.fspath(path)
        one = isinstance(tables, str) and tables != "all" and not os.path.isdir(place)
        names = list(TABLES) if tables == "all" else [tables] if isinstance(tables, str) else list(tables)
        wishes = [
            (wish(name, columns, from_, to, filters), place if one else os.path.join(place, f"{name}.{format}"))
            for name in names
        ]
        answer: "list[dict[str, Any]]" = json.loads(self._core.export(wishes, format, excel, self._position))
        return answer

    def import_(
        self,
        file: Path,
        *,
        account: str = "default",
        format: Optional[str] = None,
        map: Optional[Path] = None,
        time_zone: Optional[str] = None,
        only: Optional[str] = None,
        strategy: str = "imported",
        instruments: "Optional[Mapping[str, tuple[Number, Number]]]" = None,
        dry_run: bool = False,
        skip_bad: bool = False,
    ) -> "dict[str, Any]":
        """Brings a broker's fills in (docs/BROKERS.md): those that are new, and corrections of those that the broker has
        corrected. The same file twice adds nothing.

        :param format: the broker's; found out by the file's head where left out
        :param map: a description of the columns in TOML, for any other file
        :param time_zone: of local times in the file
        :param only: the one of the file's accounts that is meant
        :param instruments: of symbols that nobody knows, tick size and point value
        """
        told = _file(file, format, map, time_zone, only, account, strategy, instruments)
        answer: "dict[str, Any]" = json.loads(self._core.import_(told, dry_run, skip_bad))
        return answer

    def reconcile(
        self,
        file: Path,
        *,
        account: str = "default",
        format: Optional[str] = None,
        map: Optional[Path] = None,
        time_zone: Optional[str] = None,
        only: Optional[str] = None,
        instruments: "Optional[Mapping[str, tuple[Number, Number]]]" = None,
        balance: Optional[Number] = None,
        settle: bool = False,
    ) -> "dict[str, Any]":
        """Holds a broker's file against the journal: whether it ties out, each difference in fills, round trips, days and
        balance, and the events that would settle them, which ``settle`` records."""
        told = _file(file, format, map, time_zone, only, account, "imported", instruments)
        answer: "dict[str, Any]" = json.loads(
            self._core.reconcile(told, None if balance is None else str(balance), settle)
        )
        return answer


def _file(
    file: Path,
    format: Optional[str],
    map: Optional[Path],
    time_zone: Optional[str],
    only: Optional[str],
    account: str,
    strategy: str,
    instruments: "Optional[Mapping[str, tuple[Number, Number]]]",
) -> "tuple[str, Optional[str], Optional[str], Optional[str], Optional[str], str, str, list[tuple[str, str, str]]]":
    known = [(symbol, str(tick), str(point)) for symbol, (tick, point) in (instruments or {}).items()]
    if not os.path.exists(file):
        raise QuestionError(f"there is no file {os.fspath(file)}")
    described = None if map is None else os.fspath(map)
    return (os.fspath(file), format, described, time_zone, only, account, strategy, known)
