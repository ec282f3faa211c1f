"""Owns tables of one's own: a fold in Python whose rows are kept, brought up to date, rebuilt and exported.

Such a table is not in ``projections.db``: a rebuild replaces that file as a whole, by what this program makes of the log,
and every cell of it can be verified against a replay, which a fold in another language could not be. It has a file of its
own beside, ``projections-NAME.db``: rows, the fold's memory and the position they are of, changed in one transaction, so
that whatever dies when, they are those of some position. Delete it, and it is made again.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import json
import os
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Optional, Union

from .errors import BusyError, ClosedError, DamagedError, QuestionError
from .events import Event
from .rows import Rows

if TYPE_CHECKING:
    from .journal import Journal

_KINDS = {"text": "TEXT", "integer": "INTEGER", "real": "REAL"}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

# Events of a page: one transaction.
_PAGE = 4_096

_CURSOR = """
    CREATE TABLE IF NOT EXISTS projection (
        name TEXT NOT NULL, fingerprint TEXT NOT NULL, journal TEXT NOT NULL,
        position INTEGER NOT NULL, hash TEXT NOT NULL, state TEXT NOT NULL
    )"""


class Projection:
    """A fold whose state is a table. A subclass names the table and says what an event makes of it::

        class Slippage(Projection):
            name = "slippage_by_hour"
            version = 1
            columns = {"hour": "integer", "fills": "integer", "ticks": "real"}
            key = ("hour",)
            types = ("FillRecorded",)

            def apply(self, event):
                ticks = event.data.get("slippage_ticks")
                if ticks is not None:
                    hour = event.occurred_at.hour
                    row = self.get(hour) or {"hour": hour, "fills": 0, "ticks": 0.0}
                    self.put({"hour": hour, "fills": row["fills"] + 1, "ticks": row["ticks"] + float(ticks)})

        with Journal("./journal") as j, Slippage(j) as slippage:
            slippage.rows().to_pandas()

    What is read has all that the journal has answered as recorded: what is missing is folded first, or beforehand by a
    thread of its own (:meth:`keep_up`). Any thread may call.

    ``apply`` must follow from the event, the rows and :attr:`state` alone: no clock, no randomness, no other files. Raise
    ``version`` with every change of what it makes of the same events: the table is then made anew.
    """

    #: The table, and part of its file's name.
    name: ClassVar[str]
    #: Raised with every change of the fold.
    version: ClassVar[int] = 1
    #: Each column and its kind: text, integer or real.
    columns: "ClassVar[Mapping[str, str]]"
    #: The columns that identify a row.
    key: "ClassVar[Sequence[str]]"
    #: The event types it reads; all of them where left out.
    types: "ClassVar[Optional[Sequence[str]]]" = None

    def __init__(self, journal: "Journal") -> None:
        self._check()
        self._journal = journal
        #: The fold's memory beside its rows: anything that JSON can hold (keys are texts, tuples become lists).
        self.state: "dict[str, Any]" = {}
        self.path = os.path.join(journal.path, f"projections-{self.name}.db")
        self._lock = _lock(os.path.join(journal.path, f"projections-{self.name}.lock"))
        self._conn: "Optional[sqlite3.Connection]" = None
        # One thread at a time; a fold that reads its own rows is in already, and within a transaction.
        self._turn = threading.RLock()
        self._keeper: "Optional[threading.Thread]" = None
        self._closing = threading.Event()
        try:
            self._conn = self._open()
        except BaseException:
            self.close()
            raise

    def apply(self, event: Event) -> None:
        """Folds one event. The subclass's."""
        raise NotImplementedError

    # What a fold calls.

    def get(self, *key: Any) -> "Optional[dict[str, Any]]":
        """The row under a key, if there is one."""
        where = " AND ".join(f'"{column}" = ?' for column in self.key)
        with self._turn:
            found = self._db.execute(f'SELECT {self._names} FROM "{self.name}" WHERE {where}', key).fetchone()
        return None if found is None else dict(zip(self.columns, found))

    def put(self, row: "Mapping[str, Any]") -> None:
        """Writes a row over the one with the same key. Decimals are rounded once, to the nearest double."""
        unknown = [name for name in row if name not in self.columns]
        if unknown:
            raise QuestionError(f"{self.name} has no column {unknown[0]}; it has {', '.join(self.columns)}")
        values = [_cell(row.get(column)) for column in self.columns]
        places = ", ".join("?" for _ in self.columns)
        self._db.execute(f'INSERT OR REPLACE INTO "{self.name}" ({self._names}) VALUES ({places})', values)

    def delete(self, *key: Any) -> None:
        """Deletes the row under a key, if there is one."""
        where = " AND ".join(f'"{column}" = ?' for column in self.key)
        self._db.execute(f'DELETE FROM "{self.name}" WHERE {where}', key)

    # What its owner calls.

    @property
    def position(self) -> int:
        """Everything up to here is in the table."""
        with self._turn:
            return int(self._cursor()[0])

    def catch_up(self) -> int:
        """Folds what was recorded since; returns the position. Raises what ``apply`` raised, with the page before in place."""
        with self._turn:
            head = self._journal.head
            while not self._db.in_transaction and self.position < head:
                self._page(self.position, head)
            return self.position

    def keep_up(self) -> None:
        """From now on, folds what is recorded as it is recorded, in a thread that ends when this is closed, or where
        ``apply`` fails: whoever reads is told of that."""
        with self._turn:
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name=f"projection-{self.name}", daemon=True)
                self._keeper.start()

    def _keep(self) -> None:
        try:
            while not self._closing.is_set():
                position = self.catch_up()
                # For a moment at a time, so that closing is not kept waiting.
                next(self._journal.follow(position, timeout=0.2), None)
        except Exception:  # noqa: BLE001 - whoever reads meets the same, and is told
            return

    def rebuild(self) -> int:
        """Makes the table anew from the whole log."""
        with self._turn:
            with self._transaction():
                self._begin_anew()
            return self.catch_up()

    def rows(self, *, limit: Optional[int] = None, **filters: Any) -> Rows:
        """The rows, in the order of their key, those whose columns hold these values."""
        unknown = [name for name in filters if name not in self.columns]
        if unknown:
            raise QuestionError(f"{self.name} has no column {unknown[0]}; it has {', '.join(self.columns)}")
        where = " AND ".join(f'"{column}" IS ?' for column in filters)
        order = ", ".join(f'"{column}"' for column in self.key)
        sql = f'SELECT {self._names} FROM "{self.name}"{" WHERE " + where if where else ""} ORDER BY {order}'
        values = [_cell(value) for value in filters.values()]

        def tuples() -> "Iterator[Sequence[Any]]":
            with self._turn:
                self.catch_up()
                return iter(self._db.execute(sql, values).fetchall())

        def by_column() -> "list[list[Any]]":
            return [list(column) for column in zip(*tuples())] or [[] for _ in self.columns]

        return Rows(dict(self.columns), tuples, by_column, limit)

    def export(self, path: "Union[str, os.PathLike[str]]") -> "dict[str, Any]":
        """Writes the rows as CSV, and beside them a manifest that ties the file to a position of the log, as for every other
        table; returns the manifest."""
        place = os.fspath(path)
        with self._turn:
            rows = list(self.rows().tuples())
            position, chain_head = self._cursor()[:2]
        with open(place + ".part", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(self.columns)
            writer.writerows(rows)
        with open(place + ".part", "rb") as file_:
            digest = hashlib.sha256(file_.read()).hexdigest()
        manifest = {
            "table": self.name,
            "file": os.path.basename(place),
            "format": "csv",
            "columns": list(self.columns),
            "rows": len(rows),
            "filters": {},
            "guard": None,
            "sha256": digest,
            "journal": self._journal.uuid,
            "position": position,
            "chain_head": chain_head,
            "projection": self.name,
            "projection_version": self.version,
        }
        os.replace(place + ".part", place)
        with open(os.path.splitext(place)[0] + ".manifest.json", "w", encoding="utf-8") as file:
            json.dump(manifest, file, indent=2)
            file.write("\n")
        return manifest

    def close(self) -> None:
        """Lets go of the table."""
        self._closing.set()
        if self._keeper is not None:
            self._keeper.join()
            self._keeper = None
        if self._conn is not None:
            self._conn.close()
            self._conn = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> "Projection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The file.

    @property
    def _db(self) -> sqlite3.Connection:
        if self._conn is None:
            raise ClosedError(f"the table {self.name} is closed")
        return self._conn

    @property
    def _names(self) -> str:
        return ", ".join(f'"{column}"' for column in self.columns)

    def _check(self) -> None:
        for name in (self.name, *self.columns):
            if not _NAME.fullmatch(name):
                raise QuestionError(f"expected a name of small letters, digits and _, got {name!r}")
        wrong = [kind for kind in self.columns.values() if kind not in _KINDS]
        if wrong:
            raise QuestionError(f"expected text, integer or real as the kind of a column, got {wrong[0]!r}")
        if not self.key or any(column not in self.columns for column in self.key):
            raise QuestionError(f"{self.name}: the key names columns of the table, at least one")

    def _fingerprint(self) -> str:
        types = None if self.types is None else sorted(self.types)
        return json.dumps([self.version, dict(self.columns), list(self.key), types], sort_keys=True)

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        # With a rollback journal, which any version of SQLite writes safely; the file is this module's alone.
        conn = self._conn = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        conn.execute(_CURSOR)
        found = conn.execute("SELECT fingerprint, journal FROM projection").fetchone()
        if found != (self._fingerprint(), self._journal.uuid):
            with self._transaction():
                self._begin_anew()
        self._compare_with_the_log()
        self.state = json.loads(self._cursor()[2])
        return conn

    def _begin_anew(self) -> None:
        self._db.execute(f'DROP TABLE IF EXISTS "{self.name}"')
        columns = ", ".join(f'"{column}" {_KINDS[kind]}' for column, kind in self.columns.items())
        key = ", ".join(f'"{column}"' for column in self.key)
        self._db.execute(f'CREATE TABLE "{self.name}" ({columns}, PRIMARY KEY ({key}))')
        self._db.execute("DELETE FROM projection")
        mark = (self.name, self._fingerprint(), self._journal.uuid, 0, "0" * 64, "{}")
        self._db.execute("INSERT INTO projection VALUES (?, ?, ?, ?, ?, ?)", mark)

    def _compare_with_the_log(self) -> None:
        """A table that has seen more than the log has, or another log, is a sign of a lost tail: nothing is made over it."""
        position, stored, _ = self._cursor()
        if position == 0:
            return
        event = next(self._journal.events(after=position - 1, through=position), None)
        if event is None or event.hash != stored:
            raise DamagedError(
                f"the log is damaged: {self.name} has folded position {position}, which the log does not have as it was; "
                f"restore a backup that has it, or, to give those events up, delete {self.path}",
                position=position,
            )

    def _cursor(self) -> "tuple[int, str, str]":
        position, stored, state = self._db.execute("SELECT position, hash, state FROM projection").fetchone()
        return int(position), str(stored), str(state)

    def _page(self, after: int, head: int) -> None:
        through = min(after + _PAGE, head)
        with self._transaction():
            self.state = json.loads(self._cursor()[2])
            for event in self._journal.events(after=after, through=through, types=self.types):
                self.apply(event)
            [last] = self._journal.events(after=through - 1, through=through)
            state = self._remembered()
            self._db.execute("UPDATE projection SET position = ?, hash = ?, state = ?", (through, last.hash, state))

    def _remembered(self) -> str:
        """The memory as JSON. What would come back as something else would make the table depend on where pages end."""
        try:
            text = json.dumps(self.state)
        except TypeError as error:
            raise QuestionError(f"the state of {self.name} must be what JSON can hold: {error}") from None
        if json.loads(text) != self.state:
            raise QuestionError(f"the state of {self.name} must be what JSON can hold: keys are texts, lists no tuples")
        return text

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db)


class _Transaction:
    """All of it or nothing."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def __enter__(self) -> None:
        self._conn.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._conn.execute("COMMIT" if kind is None else "ROLLBACK")


def _cell(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=str)
    if value is None or isinstance(value, (int, float, str)):
        return value
    return str(value)


def _lock(path: str) -> int:
    file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise BusyError(f"another process, or another object of this one, keeps this table ({path} is locked)") from None
    return file
