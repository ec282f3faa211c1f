"""Holds a folder of TABLE.csv files against the reference fold of the same events, column by column.

Owns what counts as equal: numbers to a tolerance, JSON by structure, other text exactly, empty as NULL. Rows are met by
their table's key; where keys repeat, by their order among equals.

    python3 compare.py CSVDIR events.jsonl [--tables trades,fills] [--extras] [--anomalies seq]
"""

import argparse
import csv
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from facts import read_events
from fold import fold
from tables import COLUMNS, EXTRA_METRICS

TOLERANCE = 1e-9
SHOWN = 20
KEYS = {
    "trades": ["trade_id"],
    "performance_metrics": ["timestamp", "account_id", "window_trades"],
    "performance_breakdown": ["account_id", "dimension", "value"],
    "system_state": ["timestamp", "account_id"],
    "risk_state": ["account_id", "key"],
    "daily_pnl": ["date", "account_id"],
    "fills": ["fill_id"],
    "round_trips": ["entry_fill_id", "exit_fill_id", "trade_id"],
    "market_data": ["timestamp", "symbol", "timeframe"],
    "rule_breaks": ["timestamp", "account_id", "rule", "trade_id"],
    "notes": ["timestamp", "account_id", "trade_id", "text"],
    "accounts": ["account_id"],
    "limit_breaches": ["account_id", "rule", "date"],
    "anomalies": ["seq"],
}
UNCOMPARED = {"metric_id", "bar_id", "state_id"}
JSON_COLUMNS = {"tags", "attributes", "conflicting_timeframes", "metrics_windows"}


def main():
    parser = argparse.ArgumentParser(description="Compares tables in CSV with the reference fold.")
    parser.add_argument("csvdir", type=Path)
    parser.add_argument("events")
    parser.add_argument("--tables", help="comma-separated; all of them when left out")
    parser.add_argument("--extras", action="store_true", help="also the breakdown's columns beyond the seed ones")
    parser.add_argument("--ignore", default="", help="comma-separated columns (COLUMN or TABLE.COLUMN) to leave out")
    parser.add_argument("--anomalies", choices=["ids", "seq"], default="ids",
                        help="compare trade_ids and fill_ids named at each position, or only the positions")
    options = parser.parse_args()
    with open(options.events, encoding="utf-8") as file:
        expected = fold(read_events(file))
    names = options.tables.split(",") if options.tables else list(COLUMNS)
    unequal = [name for name in names if not compare_table(name, expected[name], options)]
    print("equal" if not unequal else "differ: " + ", ".join(unequal))
    sys.exit(1 if unequal else 0)


def compare_table(name, expected, options):
    path = options.csvdir / f"{name}.csv"
    if not path.exists():
        return report(name, len(expected), [f"no file {path.name}"])
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        found, header = list(reader), reader.fieldnames or []
    missing = [column for column in KEYS[name] if column not in header]
    if missing:
        findings = [f"no key column {column}" for column in missing]
    elif name == "anomalies":
        findings = compare_anomalies(expected, found, options.anomalies)
    else:
        columns = compared_columns(name, options)
        findings = [f"no column {column}" for column in columns if column not in header]
        columns = [column for column in columns if column in header]
        findings += compare_rows(keyed(name, expected), keyed(name, found), columns)
    return report(name, len(expected), findings)


def report(name, count, findings):
    print(f"{name}: {count} rows, {len(findings)} differences" if findings else f"{name}: {count} rows, equal")
    for finding in findings[:SHOWN]:
        print("  " + finding)
    if len(findings) > SHOWN:
        print(f"  ... and {len(findings) - SHOWN} more")
    return not findings


def compared_columns(name, options):
    ignored = set(options.ignore.split(",")) | UNCOMPARED
    if name == "performance_breakdown" and not options.extras:
        ignored |= set(EXTRA_METRICS.split())
    return [column for column in COLUMNS[name] if not {column, f"{name}.{column}"} & ignored]


def keyed(name, rows):
    """(key columns..., order among equals) -> row."""
    seen, out = defaultdict(int), {}
    for row in rows:
        key = tuple(text(row.get(column)) for column in KEYS[name])
        out[key + (seen[key],)] = row
        seen[key] += 1
    return out


def compare_rows(expected, found, columns):
    findings = [f"missing row {label(key)}" for key in expected if key not in found]
    findings += [f"extra row {label(key)}" for key in found if key not in expected]
    differing = Counter()
    for key in expected.keys() & found.keys():
        for column in columns:
            want, have = expected[key].get(column), found[key].get(column)
            if not equal(column, want, have):
                findings.append(f"{label(key)} {column}: expected {shown(want)}, found {shown(have)}")
                differing[column] += 1
    counts = ", ".join(f"{column} x{count}" for column, count in differing.most_common())
    return ([f"by column: {counts}"] if counts else []) + sorted(findings)


def compare_anomalies(expected, found, depth):
    """Kinds and details are free words: what counts is where something is reported, and about what."""
    want, have = by_position(expected), by_position(found)
    findings = [f"missing at {seq}: {describe(rows)}" for seq, rows in want.items() if seq not in have]
    findings += [f"extra at {seq}: {describe(rows)}" for seq, rows in have.items() if seq not in want]
    for seq in want.keys() & have.keys() if depth == "ids" else ():
        for column in ("trade_id", "fill_id"):
            ours = {text(row.get(column)) for row in want[seq]} - {""}
            theirs = {text(row.get(column)) for row in have[seq]} - {""}
            if ours != theirs:
                findings.append(f"at {seq} {column}: expected {sorted(ours)}, found {sorted(theirs)}")
    return findings


def by_position(rows):
    positions = defaultdict(list)
    for row in rows:
        positions[int(row["seq"])].append(row)
    return positions


def describe(rows):
    return "; ".join(
        " ".join(text(row.get(column)) for column in ("kind", "trade_id", "fill_id", "detail")) for row in rows
    )


def equal(column, want, have):
    if text(want) == text(have):
        return True
    if text(want) == "" or text(have) == "":
        return False
    if column in JSON_COLUMNS:
        return same_structure(parsed(want), parsed(have))
    if isinstance(want, str):
        return numeric(want) is not None and close(numeric(want), numeric(have)) if column == "value" else False
    return close(want, numeric(have))


def same_structure(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same_structure(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same_structure(x, y) for x, y in zip(a, b))
    if isinstance(a, bool) or isinstance(b, bool) or not isinstance(a, (int, float)):
        return a is b or (type(a) is type(b) and a == b)
    return isinstance(b, (int, float)) and close(a, b)


def close(a, b):
    return b is not None and abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b))


def parsed(value):
    try:
        return json.loads(value)
    except ValueError:
        return None


def numeric(value):
    try:
        return float(value)
    except ValueError:
        return None


def text(value):
    return "" if value is None else str(value)


def shown(value):
    return "NULL" if text(value) == "" else repr(value)


def label(key):
    *columns, order = key
    return " ".join(columns) + (f" #{order + 1}" if order else "")


if __name__ == "__main__":
    main()
