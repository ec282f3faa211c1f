"""Reckons the metrics of results.csv with libraries nobody here wrote, and holds expected.json against them.

Owns which library function backs which metric: only those whose definition is truly ours. The program is held against
the same expected.json by projections/tests/metrics.rs, so neither side can drift alone.

    python3 expect.py           rewrites expected.json
    python3 expect.py --check   says what differs

| metric | backed by |
|---|---|
| win_rate_wilson_lb | statsmodels proportion_confint(method="wilson") |
| profit_factor | quantstats profit_factor, of nets |
| payoff_ratio, avg_win_r, avg_loss_r | quantstats payoff_ratio, avg_win, avg_loss, of R's (signs of R and net agree here) |
| kelly_fraction | quantstats kelly_criterion, where no trade broke even: it leaves those out of the win rate, we count them |
| win_streak, loss_streak | quantstats consecutive_wins, consecutive_losses, of nets |
| sharpe_r | empyrical sharpe_ratio(annualization=1), of R's |
| sortino_r | empyrical sortino_ratio(annualization=1), of R's |
| expected_r, avg_mae, avg_mfe, avg_holding_minutes | numpy mean |
| largest_win_r, largest_loss_r | numpy max, min |
| max_drawdown_r, current_drawdown_r | numpy maximum.accumulate of cumsum: libraries compound returns, R's are summed |
| slippage_ticks_p50, slippage_ticks_p90 | numpy percentile, its default method |
| sqn | the published example below; elsewhere numpy's mean and standard deviation |
| costs_pct, recovery_factor, counts | arithmetic: no library has them as we define them |
"""

import csv
import json
import math
import sys
import warnings
from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
from quantstats import stats
from statsmodels.stats.proportion import proportion_confint

HERE = Path(__file__).parent
EXPECTED = HERE / "expected.json"
TOLERANCE = 1e-12

# Van K. Tharp, Super Trader (McGraw-Hill 2009, first edition), page 159: eight trades with their R multiples, whose
# expectancy, standard deviation and ratio of the two the book gives to two or three digits. SQN is the ratio times the
# root of the number of trades, as in his Definitive Guide to Position Sizing (2008).
PUBLISHED = {"expected_r": (0.675, 0.0005), "sharpe_r": (0.36, 0.005), "sqn": (0.36 * math.sqrt(8), 0.016)}
PUBLISHED_DEVIATION = (1.86, 0.005)


def main():
    found = {name: metrics(rows) for name, rows in streams().items()}
    check_published(found["super_trader"])
    if "--check" not in sys.argv[1:]:
        EXPECTED.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        return
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    differing = list(differences(expected, found))
    print("\n".join(differing) if differing else f"{sum(map(len, expected.values()))} figures agree")
    sys.exit(1 if differing else 0)


def streams():
    """stream -> its rows as a DataFrame, in the order of the file."""
    with open(HERE / "results.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = list(dict.fromkeys(row["stream"] for row in rows))
    return {name: frame([row for row in rows if row["stream"] == name]) for name in names}


def frame(rows):
    numbers = [
        {name: float(value) if value else math.nan for name, value in row.items() if name != "stream"} for row in rows
    ]
    return pd.DataFrame(numbers)


def metrics(rows):
    """Every metric, by its name; None where it is NULL."""
    net = rows.net
    rated = rows[rows.result_r.notna()]
    r = rated.result_r
    wins, losses = int((net > 0).sum()), int((net < 0).sum())
    # What "too few" means is ours: the libraries answer with infinity, NaN or 0.
    some_win, some_loss = bool((rated.net > 0).any()), bool((rated.net < 0).any())
    varied = len(r) > 1 and r.nunique() > 1
    payoff = plain(stats.payoff_ratio(r, prepare_returns=False)) if some_win and some_loss else None
    deepest, current = drawdowns(r)
    sharpe = plain(empyrical.sharpe_ratio(r, annualization=1)) if varied else None
    sortino = plain(empyrical.sortino_ratio(pad(r), annualization=1)) if (r < 0).any() else None
    moved = rows.gross.abs().sum()
    return {
        "profit_factor": plain(stats.profit_factor(net, prepare_returns=False)) if losses else None,
        "expected_r": mean(r),
        "win_rate": wins / len(rows),
        "win_rate_wilson_lb": max(0.0, plain(proportion_confint(wins, len(rows), alpha=0.05, method="wilson")[0])),
        "max_drawdown_r": deepest,
        "current_drawdown_r": current,
        "costs_pct": plain(rows.fees.sum() / moved * 100) if moved else None,
        "total_trades": len(rows),
        "total_wins": wins,
        "total_losses": losses,
        "avg_win_r": plain(stats.avg_win(r, prepare_returns=False)) if some_win else None,
        "avg_loss_r": plain(stats.avg_loss(r, prepare_returns=False)) if some_loss else None,
        "payoff_ratio": payoff,
        "sqn": plain(np.mean(r) / np.std(r, ddof=1) * math.sqrt(len(r))) if varied else None,
        "sharpe_r": sharpe,
        "sortino_r": sortino,
        "largest_win_r": plain(np.max(r[rated.net > 0])) if some_win else None,
        "largest_loss_r": plain(np.min(r[rated.net < 0])) if some_loss else None,
        "win_streak": streak(stats.consecutive_wins, net),
        "loss_streak": streak(stats.consecutive_losses, net),
        "avg_mae": mean(rows.mae.dropna()),
        "avg_mfe": mean(rows.mfe.dropna()),
        "avg_holding_minutes": mean(rows.held_seconds / 60),
        "kelly_fraction": kelly(rows, payoff, wins / len(rows)),
        "recovery_factor": plain(r.sum() / deepest) if deepest else None,
        "rule_breaks": int(rows.rules_broken.sum()),
        "slippage_ticks_p50": percentile(rows.slippage_ticks.dropna(), 50),
        "slippage_ticks_p90": percentile(rows.slippage_ticks.dropna(), 90),
    }


def kelly(rows, payoff, win_rate):
    if payoff is None:
        return None
    if (rows.net != 0).all() and rows.result_r.notna().all():
        return plain(stats.kelly_criterion(rows.result_r, prepare_returns=False))
    return win_rate - (1 - win_rate) / payoff


def drawdowns(r):
    """Largest and current fall of the sum of R's below its peak, which starts at 0."""
    if r.empty:
        return None, None
    line = np.concatenate([[0.0], np.cumsum(r)])
    falls = np.maximum.accumulate(line) - line
    return plain(np.max(falls)), plain(falls[-1])


def pad(r):
    """empyrical wants two returns; a single one twice has the same mean and the same downside."""
    return pd.concat([r, r]) if len(r) == 1 else r


def streak(function, net):
    return int(function(net, prepare_returns=False))


def mean(values):
    return plain(np.mean(values)) if len(values) else None


def percentile(values, p):
    return plain(np.percentile(values, p)) if len(values) else None


def plain(number):
    return float(number)


def check_published(found):
    for name, (value, tolerance) in PUBLISHED.items():
        assert abs(found[name] - value) <= tolerance, (name, found[name], value)
    deviation, tolerance = PUBLISHED_DEVIATION
    assert abs(found["expected_r"] / found["sharpe_r"] - deviation) <= tolerance


def differences(expected, found):
    for stream in expected.keys() | found.keys():
        want, have = expected.get(stream, {}), found.get(stream, {})
        for name in want.keys() | have.keys():
            if not close(want.get(name), have.get(name)):
                yield f"{stream} {name}: the file has {want.get(name)}, the libraries say {have.get(name)}"


def close(a, b):
    if a is None or b is None:
        return a is b
    return abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b))


if __name__ == "__main__":
    warnings.simplefilter("ignore", category=FutureWarning)
    main()
