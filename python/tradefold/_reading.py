"""Owns how tables are asked for by name, and for metrics. Where the rows come from (this process, a moment in the past, another machine)
is the subclass's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

from .rows import Date, Rows, date_of


class Reading:
    """Every table as rows. Filters are columns, or what people call them: ``strategy``, ``regime``, ``account``,
    ``side``; None stands for nothing there. ``from_`` and ``to`` are trading dates of the row's account, both included.
    docs/TABLES.md says what each column means."""

    def table(
        self,
        name: str,
        *,
        columns: Optional[Sequence[str]] = None,
        from_: Optional[Date] = None,
        to: Optional[Date] = None,
        limit: Optional[int] = None,
        **filters: Any,
    ) -> Rows:
        """Rows of the table of that name, in its order."""
        raise NotImplementedError

    def trades(self, **filters: Any) -> Rows:
        """Positions from flat to flat."""
        return self.table("trades", **filters)

    def trade(self, trade_id: str) -> "Optional[dict[str, Any]]":
        """A trade, if it is known."""
        return self.table("trades", trade_id=trade_id).first()

    def fills(self, **filters: Any) -> Rows:
        """Fills, as they stand after corrections."""
        return self.table("fills", **filters)

    def round_trips(self, **filters: Any) -> Rows:
        """Entry and exit fills of a trade, paired first in, first out."""
        return self.table("round_trips", **filters)

    def daily_pnl(self, **filters: Any) -> Rows:
        """Trading dates of accounts."""
        return self.table("daily_pnl", **filters)

    def day(self, date: Date, *, account: str = "default") -> "Optional[dict[str, Any]]":
        """A trading date of an account, if there was anything on it."""
        return self.table("daily_pnl", date=date, account_id=account).first()

    def performance_metrics(self, **filters: Any) -> Rows:
        """An account's metrics over its windows, as they were known at each position."""
        return self.table("performance_metrics", **filters)

    def performance_breakdown(self, **filters: Any) -> Rows:
        """Metrics of all closed trades by the values of a dimension."""
        return self.table("performance_breakdown", **filters)

    def system_state(self, **filters: Any) -> Rows:
        """The orchestrator's states, with where the account stood."""
        return self.table("system_state", **filters)

    def risk_state(self, **filters: Any) -> Rows:
        """Risk settings, and what of the limits is left."""
        return self.table("risk_state", **filters)

    def limit_breaches(self, **filters: Any) -> Rows:
        """Limits of accounts that were reached, each with the event that did it."""
        return self.table("limit_breaches", **filters)

    def market_data(self, **filters: Any) -> Rows:
        """Bars."""
        return self.table("market_data", **filters)

    def rule_breaks(self, **filters: Any) -> Rows:
        """Rules that were broken."""
        return self.table("rule_breaks", **filters)

    def notes(self, **filters: Any) -> Rows:
        """Notes."""
        return self.table("notes", **filters)

    def accounts(self, **filters: Any) -> Rows:
        """Accounts that were opened."""
        return self.table("accounts", **filters)

    def anomalies(self, **filters: Any) -> Rows:
        """What was surprising, and what was made of it."""
        return self.table("anomalies", **filters)

    def metrics(
        self,
        *,
        window: int = 0,
        by: Optional[str] = None,
        account: Optional[str] = None,
        from_: Optional[Date] = None,
        to: Optional[Date] = None,
    ) -> "list[dict[str, Any]]":
        """Every metric over the last ``window`` closed trades (0 is all): of all accounts together (``*``) and each, or by
        the values of a dimension, such as ``by="strategy"``; of those closed on trading dates from one to another, where
        they are given. docs/TABLES.md has the formulas."""
        groups: "list[dict[str, Any]]" = self._metrics(window, by, account, date_of(from_), date_of(to))["metrics"]
        return groups

    def _metrics(
        self, window: int, by: Optional[str], account: Optional[str], from_: Optional[str], to: Optional[str]
    ) -> Any:
        raise NotImplementedError
