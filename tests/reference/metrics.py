"""Owns the statistics of a list of closed trades in window order. Each one is None where there is too little to say.

Sums and means are exact; a float appears only under a square root.
"""

from fractions import Fraction
from math import sqrt

WILSON_Z = 1.959963984540054


def outcome(trade):
    if trade.net > 0:
        return "Win"
    return "Loss" if trade.net < 0 else "Breakeven"


def mean(values):
    return sum(values, Fraction(0)) / len(values) if values else None


def ratio(top, bottom):
    return top / bottom if top is not None and bottom else None


def seed_metrics(figures):
    """The seed columns; `figures` are Figures of closed trades in window order."""
    wins = [f for f in figures if f.outcome == "Win"]
    losses = [f for f in figures if f.outcome == "Loss"]
    risks = [f.r for f in figures if f.r is not None]
    deepest, current = drawdowns(risks)
    return {
        "profit_factor": ratio(total(f.net for f in wins), abs(total(f.net for f in losses))),
        "expected_r": mean(risks),
        "win_rate": ratio(Fraction(len(wins)), len(figures)),
        "win_rate_wilson_lb": wilson_lower_bound(len(wins), len(figures)),
        "max_drawdown_r": deepest,
        "current_drawdown_r": current,
        "costs_pct": ratio(100 * total(f.fees for f in figures), total(abs(f.gross) for f in figures)),
        "total_trades": len(figures),
        "total_wins": len(wins),
        "total_losses": len(losses),
        "avg_win_r": mean([f.r for f in wins if f.r is not None]),
        "avg_loss_r": mean([f.r for f in losses if f.r is not None]),
    }


def extra_metrics(figures):
    """The columns beyond the seed ones, by the field's standard definitions."""
    seed = seed_metrics(figures)
    risks = [f.r for f in figures if f.r is not None]
    win_r = [f.r for f in figures if f.outcome == "Win" and f.r is not None]
    loss_r = [f.r for f in figures if f.outcome == "Loss" and f.r is not None]
    payoff = payoff_ratio(seed)
    return {
        "payoff_ratio": payoff,
        "sqn": times_root(sharpe(risks), len(risks)),
        "sharpe_r": sharpe(risks),
        "sortino_r": sortino(risks),
        "largest_win_r": max(win_r, default=None),
        "largest_loss_r": min(loss_r, default=None),
        "win_streak": longest_run(figures, "Win"),
        "loss_streak": longest_run(figures, "Loss"),
        "avg_mae": mean([f.mae for f in figures if f.mae is not None]),
        "avg_mfe": mean([f.mfe for f in figures if f.mfe is not None]),
        "avg_holding_minutes": mean([f.minutes for f in figures]),
        "kelly_fraction": kelly(seed["win_rate"], payoff),
        "recovery_factor": ratio(total(risks) if risks else None, seed["max_drawdown_r"]),
        "rule_breaks": sum(f.rule_breaks for f in figures),
    }


def total(values):
    return sum(values, Fraction(0))


def drawdowns(risks):
    """Largest and current fall of cumulative R below its peak, which starts at 0."""
    if not risks:
        return None, None
    at = peak = deepest = Fraction(0)
    for r in risks:
        at += r
        peak = max(peak, at)
        deepest = max(deepest, peak - at)
    return deepest, peak - at


def wilson_lower_bound(wins, n):
    if not n:
        return None
    if not wins:
        return 0.0
    p, z2 = wins / n, WILSON_Z**2
    spread = WILSON_Z * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return (p + z2 / (2 * n) - spread) / (1 + z2 / n)


def payoff_ratio(seed):
    if seed["avg_win_r"] is None or not seed["avg_loss_r"]:
        return None
    return seed["avg_win_r"] / abs(seed["avg_loss_r"])


def sharpe(risks):
    """Mean over sample standard deviation, a trade."""
    if len(risks) < 2:
        return None
    middle = mean(risks)
    variance = sum((r - middle) ** 2 for r in risks) / (len(risks) - 1)
    return float(middle) / sqrt(variance) if variance else None


def sortino(risks):
    """Mean over the root of the mean square of the negative R's, over all trades."""
    downside = mean([min(r, 0) ** 2 for r in risks])
    return float(mean(risks)) / sqrt(downside) if downside else None


def times_root(value, n):
    return None if value is None else sqrt(n) * value


def kelly(win_rate, payoff):
    if win_rate is None or not payoff:
        return None
    return win_rate - (1 - win_rate) / payoff


def longest_run(figures, wanted):
    longest = run = 0
    for f in figures:
        run = run + 1 if f.outcome == wanted else 0
        longest = max(longest, run)
    return longest
