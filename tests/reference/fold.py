"""Reference fold: JSON Lines of events in, every table out, written for obviousness and not for speed.

Owns the order of things: each event is folded once as it comes, a correction folds everything again from the first
event with the corrected facts known, and the history tables keep what was known at each position.

    python3 fold.py events.jsonl --out DIR
"""

import argparse
import csv
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from book import Book, account_of
from corrections import CORRECTION_TYPES, Corrections
from days import closed_trades, derived_risk
from facts import iso, number, read_events
from figures import Figures
from limits import breaches
from metrics import seed_metrics
from tables import COLUMNS, DEFAULT_WINDOWS, current_tables
from trade_rows import trade_row


# Types that move no money: after these no limit can be nearer.
NO_MONEY = {
    "InstrumentDefined", "StopMoved", "TargetMoved", "RuleBroken", "MentalStateRated", "NoteAdded", "StateChanged",
    "RiskSet",
}

# Types that may move the money of accounts whose events they are not.
CONCERN_ALL = CORRECTION_TYPES | {"BarClosed"}


def fold(events):
    """table -> rows, for Events in position order."""
    return folded(events).tables()


def folded(events):
    journal = Journal()
    for event in events:
        journal.take(event)
    return journal


class Journal:
    """Everything folded so far: the book as known now, and the history rows as known then."""

    def __init__(self):
        self.events = []
        self.corrections = Corrections()
        self.book = Book(self.corrections)
        self.metrics = []
        self.states = []
        self.breaches = {}  # (account, what is breached once) -> row

    def take(self, event):
        self.events.append(event)
        if event.type in CORRECTION_TYPES:
            before = closed_rows(self.book)
            self.corrections.learn(event, self.book)
            self.book = refold(self.events, self.corrections)
            accounts = changed_accounts(before, closed_rows(self.book))
        else:
            self.book.fold(event)
            accounts = {trade.account for trade in self.book.just_closed}
        for account in sorted(accounts):
            self.metrics += metric_rows(self.book, account, event)
        if event.type not in NO_MONEY:
            self.note_breaches(event)
        if event.type == "StateChanged":
            self.states.append(state_row(self.book, event))

    def note_breaches(self, event):
        concerned = [
            account for account in self.book.accounts
            if event.type in CONCERN_ALL or self.book.last_event.get(account) is event
        ]
        for account in concerned:
            for breach in breaches(self.book, account):
                self.breaches.setdefault((account, breach.once), {
                    "account_id": account, "rule": breach.rule, "date": breach.date.isoformat(),
                    "timestamp": iso(event.at), "threshold": breach.threshold, "value": breach.value,
                })

    def tables(self):
        tables = current_tables(self.book)
        tables["performance_metrics"] = numbered(self.metrics, "metric_id")
        tables["system_state"] = numbered(self.states, "state_id")
        tables["limit_breaches"] = list(self.breaches.values())
        return {table: [finished(row, columns) for row in tables[table]] for table, columns in COLUMNS.items()}


def refold(events, corrections):
    book = Book(corrections)
    for event in events:
        book.fold(event)
    return book


def closed_rows(book):
    return {trade.id: trade_row(book, trade) for trade in closed_trades(book)}


def changed_accounts(before, after):
    """Accounts whose closed trades a correction changed, added or took away."""
    changed = set()
    for trade_id in before.keys() | after.keys():
        old, new = before.get(trade_id), after.get(trade_id)
        if old != new:
            changed |= {row["account_id"] for row in (old, new) if row}
    return changed


def metric_rows(book, account, event):
    windows = book.accounts.get(account, {}).get("metrics_windows", DEFAULT_WINDOWS)
    figures = [Figures(trade) for trade in closed_trades(book, account)]
    return [
        {"timestamp": iso(event.at), "account_id": account, "window_trades": int(window)}
        | seed_metrics(figures[-int(window):])  # -0 is all
        for window in windows
    ]


def state_row(book, event):
    derived = derived_risk(book, account_of(event), event.at)
    derived.pop("daily_loss_limit_remaining")
    return derived | {
        "timestamp": iso(event.at),
        "system_state": event.data["state"],
        "current_regime": event.data.get("regime"),
        "active_strategy": event.data.get("strategy"),
        "current_r": number(event.data.get("current_r")),
        "account_id": account_of(event),
    }


def numbered(rows, column):
    return [row | {column: n} for n, row in enumerate(rows, 1)]


def finished(row, columns):
    """The row with exactly the table's columns and each exact number rounded once."""
    return {column: rounded(row.get(column)) for column in columns}


def rounded(value):
    return float(value) if isinstance(value, (Fraction, Decimal)) else value


def write_csv(path, columns, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def main():
    parser = argparse.ArgumentParser(description="Folds a journal's events into CSV tables.")
    parser.add_argument("events", help="JSON Lines in position order, or - for standard input")
    parser.add_argument("--out", required=True, type=Path, help="folder for TABLE.csv")
    options = parser.parse_args()
    source = sys.stdin if options.events == "-" else open(options.events, encoding="utf-8")
    with source:
        tables = fold(read_events(source))
    options.out.mkdir(parents=True, exist_ok=True)
    for table, rows in tables.items():
        write_csv(options.out / f"{table}.csv", COLUMNS[table], rows)


if __name__ == "__main__":
    main()
