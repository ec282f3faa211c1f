"""Owns what an orchestrator needs after a restart, told as of one position."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Optional, Union

_SYSTEM = """
    SELECT * FROM system_state
    WHERE state_id IN (SELECT max(state_id) FROM system_state GROUP BY account_id) ORDER BY state_id"""

#: Asked at once, in this order.
QUESTIONS = [
    "SELECT min(position) FROM projections",
    "SELECT * FROM trades WHERE status = 'open' ORDER BY timestamp_entry, trade_id",
    "SELECT account_id, key, value FROM risk_state ORDER BY account_id, key",
    _SYSTEM,
    "SELECT * FROM accounts ORDER BY account_id",
]



@dataclass(frozen=True)
class State:
    """Where things stand at a position."""

    #: The position: ``events(after=position)`` has what came since.
    position: int
    #: The trades that are open, oldest first, each as a row of ``trades``.
    open_trades: "list[dict[str, Any]]"
    #: Of each account, its risk settings and the derived figures, by key. Numbers are Decimal.
    risk: "dict[str, dict[str, Union[Decimal, str, None]]]"
    #: The last row of ``system_state`` of each account, by account.
    system: "dict[str, dict[str, Any]]"
    #: Each account that was opened, by name, as a row of ``accounts``.
    accounts: "dict[str, dict[str, Any]]"

    @property
    def last_state(self) -> "Optional[dict[str, Any]]":
        """The last row of ``system_state`` of all."""
        return max(self.system.values(), key=lambda row: int(row["state_id"]), default=None)


def state_of(answers: "list[tuple[list[str], list[list[Any]]]]") -> State:
    """The answers to :data:`QUESTIONS`, told."""
    (_, position), trades, risk, system, accounts = answers
    return told(position[0][0] or 0, _dicts(trades), risk[1], _dicts(system), _dicts(accounts))


def told(
    position: int,
    open_trades: "list[dict[str, Any]]",
    risk: "Iterable[Sequence[Any]]",
    system: "list[dict[str, Any]]",
    accounts: "list[dict[str, Any]]",
) -> State:
    """Rows as a state; those of risk are account, key and value."""
    settings: "dict[str, dict[str, Union[Decimal, str, None]]]" = {}
    for account, key, value in risk:
        settings.setdefault(account, {})[key] = _number(value)
    return State(
        position=position,
        open_trades=open_trades,
        risk=settings,
        system={row["account_id"]: row for row in system},
        accounts={row["account_id"]: row for row in accounts},
    )


def _dicts(answer: "tuple[list[str], list[list[Any]]]") -> "list[dict[str, Any]]":
    names, rows = answer
    return [dict(zip(names, row)) for row in rows]


def _number(value: Optional[str]) -> Union[Decimal, str, None]:
    if value is None:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    return number if number.is_finite() else value
