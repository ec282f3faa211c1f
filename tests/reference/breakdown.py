"""Owns performance_breakdown: the metrics of all closed trades, by each value of each dimension."""

from collections import defaultdict

from days import closed_trades
from figures import Figures, latest_exit
from metrics import extra_metrics, seed_metrics
from trade_rows import mental_state
from tradingday import local_time

ABSENT = "none"
EVERY_ACCOUNT = "*"


def breakdown_rows(book):
    closed = closed_trades(book)
    rows = group_rows(book, EVERY_ACCOUNT, closed)
    for account in sorted({trade.account for trade in closed}):
        rows += group_rows(book, account, [trade for trade in closed if trade.account == account])
    return rows


def group_rows(book, account, trades):
    groups = defaultdict(list)
    for trade in trades:
        for dimension, values in dimensions(book, trade).items():
            for value in values:
                groups[dimension, value].append(Figures(trade))
    return [
        {"account_id": account, "dimension": dimension, "value": value}
        | seed_metrics(figures)
        | extra_metrics(figures)
        for (dimension, value), figures in sorted(groups.items())
    ]


def dimensions(book, trade):
    """dimension -> the values the trade counts under."""
    strategy = trade.said.get("strategy") or ABSENT
    regime = trade.said.get("regime") or ABSENT
    entry = local_time(book.accounts.get(trade.account), trade.entry_at)
    reason = latest_exit(trade, "reason", book.corrections.exit_unsaid.get(trade.id, {}))
    mood = mental_state(book, trade)
    return {
        "all": ["all"],
        "strategy": [strategy],
        "regime": [regime],
        "strategy_regime": [f"{strategy} / {regime}"],
        "symbol": [trade.symbol],
        "weekday": [entry.strftime("%A")],
        "hour": [entry.strftime("%H")],
        "exit_reason": [reason or ABSENT],
        "mental_state": [ABSENT if mood is None else str(mood)],
        "rule_broken": sorted(set(trade.rules)) or [ABSENT],
        "account": [trade.account],
    }
