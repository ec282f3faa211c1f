"""Owns rows as Python has them: dicts one by one, however many there are, or all of them as a data frame. No data frame
library has to be there; the one that is asked for is imported then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

from . import _tradefold
from .errors import QuestionError
from .events import parse_time

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

Cell = Union[None, int, float, str, bytes]
Date = Union[dt.date, str]


class Table(NamedTuple):
    """A table: its name, its key, and the kind of each column (text, integer or real)."""

    name: str
    key: "tuple[str, ...]"
    columns: "dict[str, str]"


#: Every table there is, by name.
TABLES: "dict[str, Table]" = {
    name: Table(name, tuple(key), dict(columns)) for name, key, columns in _tradefold.tables()
}

# What people say beside what the columns are called, each where the table has the second and not the first.
_FRIENDLY = {
    "account": "account_id",
    "strategy": "strategy_used",
    "regime": "regime_at_entry",
    "side": "trade_type",
    "state": "system_state",
}



def wish(
    table: str,
    columns: Optional[Sequence[str]],
    from_: Optional[Date],
    to: Optional[Date],
    filters: Mapping[str, Any],
) -> "tuple[str, Optional[list[str]], list[tuple[str, str]], Optional[str], Optional[str]]":
    """What is asked of a table, as the journal takes it."""
    known = TABLES[table].columns if table in TABLES else {}
    equal = [_condition(known, name, value) for name, value in filters.items()]
    return (table, None if columns is None else list(columns), equal, date_of(from_), date_of(to))


def date_of(given: Optional[Date]) -> Optional[str]:
    if isinstance(given, dt.datetime):
        raise QuestionError(f"expected a trading date, got the moment {given}: which date it is depends on the account")
    return None if given is None else str(given)


def _condition(known: Mapping[str, str], name: str, value: Any) -> "tuple[str, str]":
    if name not in known:
        name = _FRIENDLY.get(name, name)
    if value is None:
        return name, ""
    if value == "":
        raise QuestionError(f"{name}: give None for rows that have nothing there")
    if isinstance(value, bool):
        return name, str(int(value))
    if name == "trade_type" and isinstance(value, str):
        return name, value.capitalize()
    return name, str(value)


class Rows:
    """Rows of a table or of an answer, each a dict. To be gone through as often as one likes: each time they are read
    again, one after another, so that size does not matter. ``to_pandas``, ``to_polars`` and ``to_arrow`` take all of
    them at once."""

    def __init__(
        self,
        columns: "Mapping[str, Optional[str]]",
        tuples: "Callable[[], Iterator[Sequence[Any]]]",
        by_column: "Callable[[], list[list[Any]]]",
        limit: Optional[int] = None,
    ) -> None:
        self._kinds = dict(columns)
        self._tuples = tuples
        self._by_column = by_column
        self._limit = limit

    @property
    def columns(self) -> "list[str]":
        """The columns' names."""
        return list(self._kinds)

    def tuples(self) -> "Iterator[Sequence[Any]]":
        """The rows as tuples, in the order of the columns."""
        for at, row in enumerate(self._tuples() if self._limit != 0 else ()):
            yield row
            if at + 1 == self._limit:
                return

    def __iter__(self) -> "Iterator[dict[str, Any]]":
        names = self.columns
        return (dict(zip(names, row)) for row in self.tuples())

    def first(self) -> "Optional[dict[str, Any]]":
        """The first row, if there is one."""
        return next(iter(self), None)

    def to_list(self) -> "list[dict[str, Any]]":
        """All rows as dicts."""
        return list(self)

    def to_dict(self) -> "dict[str, list[Any]]":
        """All rows as a dict of columns."""
        columns = self._by_column()
        return {name: column[: self._limit] for name, column in zip(self._kinds, columns)}

    def to_pandas(self, *, times: bool = True) -> "pandas.DataFrame":
        """All rows as a pandas frame: counts as Int64, texts as they are, and, with ``times``, times as datetimes in
        UTC."""
        import pandas

        series = {}
        for name, column in self.to_dict().items():
            kind = self._kind(name, times)
            if kind == "integer":
                series[name] = pandas.Series(column, dtype="Int64")
            elif kind == "real":
                series[name] = pandas.Series(column, dtype="float64")
            elif kind == "time":
                series[name] = pandas.to_datetime(pandas.Series(column, dtype="object"), utc=True, format="ISO8601")
            elif kind == "text":
                series[name] = pandas.Series(column, dtype="object")
            else:
                series[name] = pandas.Series(column)
        frame: pandas.DataFrame = pandas.DataFrame(series, columns=self.columns)
        return frame

    def to_polars(self, *, times: bool = True) -> "polars.DataFrame":
        """All rows as a polars frame; with ``times``, times as datetimes in UTC."""
        import polars

        types: "dict[Optional[str], Any]" = {
            "integer": polars.Int64,
            "real": polars.Float64,
            "text": polars.String,
            "time": polars.Datetime("us", "UTC"),
        }
        series = []
        for name, column in self.to_dict().items():
            kind = self._kind(name, times)
            values = [_time(value) for value in column] if kind == "time" else column
            series.append(polars.Series(name, values, dtype=types.get(kind), strict=kind is not None))
        return polars.DataFrame(series)

    def to_arrow(self, *, times: bool = True) -> "pyarrow.Table":
        """All rows as an Arrow table; with ``times``, times as timestamps in UTC."""
        import pyarrow

        types = {
            "integer": pyarrow.int64(),
            "real": pyarrow.float64(),
            "text": pyarrow.string(),
            "time": pyarrow.timestamp("us", tz="UTC"),
        }
        arrays = []
        for name, column in self.to_dict().items():
            kind = self._kind(name, times)
            values = [_time(value) for value in column] if kind == "time" else column
            arrays.append(pyarrow.array(values, type=types.get(kind) if kind else None))
        return pyarrow.table(arrays, names=self.columns)

    def _kind(self, name: str, times: bool) -> Optional[str]:
        kind = self._kinds[name]
        return "time" if kind == "text" and times and is_time(name) else kind

    def __repr__(self) -> str:
        return f"<Rows of {', '.join(self.columns)}>"


def is_time(column: str) -> bool:
    """Whether a column of a table holds times."""
    return column == "updated_at" or column.startswith("timestamp")


def _time(value: Optional[str]) -> Optional[dt.datetime]:
    return None if value is None else parse_time(value)


def gathered(names: Sequence[str], rows: "Sequence[Sequence[Any]]", kinds: "Optional[Mapping[str, str]]" = None) -> Rows:
    """Rows that are there already. Of names that are given twice, later ones are numbered."""
    unique: "dict[str, Optional[str]]" = {}
    for name in names:
        free = name
        number = 2
        while free in unique:
            free, number = f"{name}:{number}", number + 1
        unique[free] = (kinds or {}).get(name)
    return Rows(unique, lambda: iter(rows), lambda: [list(column) for column in zip(*rows)] or [[] for _ in unique])
