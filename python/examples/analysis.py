"""A journal looked at as in a notebook: `python analysis.py [FOLDER] [OUT.png]`. Needs pandas and matplotlib."""

# %% The trades, as a frame.
from __future__ import annotations

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from tradefold import Journal

folder = sys.argv[1] if len(sys.argv) > 1 else "./journal"
out = sys.argv[2] if len(sys.argv) > 2 else "analysis.png"

with Journal(folder, read_only=True) as journal:
    trades = journal.trades(status="closed").to_pandas()
    days = journal.daily_pnl().to_pandas()
    by_strategy = journal.metrics(by="strategy")

# %% What each strategy is worth, and how sure that is.
for group in by_strategy:
    print(
        f"{group['value']:20} {group['total_trades']:4} trades, won {group['win_rate']:.0%}"
        f" (at least {group['win_rate_wilson_lb']:.0%}), mean {group['expected_r'] or 0:+.2f} R"
    )

# %% Cumulative R, results, and how far trades went against us.
trades = trades.sort_values(["timestamp_exit", "trade_id"])
figure, (curve, results, excursions) = plt.subplots(1, 3, figsize=(13, 4))
curve.step(range(1, len(trades) + 1), trades["result_r"].fillna(0).cumsum(), where="post")
curve.set(title="Cumulative R", xlabel="trade")
results.hist(trades["result_r"].dropna(), bins=30)
results.set(title="Results in R")
colors = trades["win_loss"].map({"Win": "tab:green", "Loss": "tab:red"}).fillna("tab:gray")
excursions.scatter(trades["mae"], trades["mfe"], c=colors, s=12)
excursions.set(title="Excursions in points", xlabel="against", ylabel="along")
figure.tight_layout()
figure.savefig(out)
print(f"{len(trades)} trades on {len(days)} days: {out}")
