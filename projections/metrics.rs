//! Owns the definitions of every metric, in one registry: formula, unit, gross or net, when it is NULL, and
//! where it comes from. docs/TABLES.md prints it, `performance_metrics`, `performance_breakdown` and the
//! `metrics` command read it. A statistic with too few trades is NULL, never 0, NaN or a sentinel.
#![expect(clippy::float_arithmetic, reason = "ratios and statistics are floats; sums stay decimals until here")]

use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::decimal::Dec;
use crate::ledger::Figures;

/// What trades in window order sum to: enough for every metric but the percentiles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    trades: u32,
    wins: u32,
    losses: u32,
    net_won: Dec,
    net_lost: Dec,
    fees: Dec,
    gross_moved: Dec,
    rated: Tally,
    won: Tally,
    lost: Tally,
    squares: Dec,
    downside_squares: Dec,
    best_r: Option<Dec>,
    worst_r: Option<Dec>,
    peak_r: Dec,
    drawdown_r: Dec,
    streak: Streak,
    win_streak: u32,
    loss_streak: u32,
    mae: Tally,
    mfe: Tally,
    held_micros: i64,
    rule_breaks: u32,
}

/// A sum and how many went into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Tally {
    sum: Dec,
    count: u32,
}

impl Tally {
    fn add(&mut self, value: Dec) {
        self.sum += value;
        self.count += 1;
    }

    fn mean(&self) -> Option<f64> {
        self.sum.ratio(Dec::from_int(i64::from(self.count))).map(Dec::to_f64)
    }
}

/// The run of wins or losses that ends with the latest trade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Streak {
    wins: u32,
    losses: u32,
}

impl Summary {
    /// Adds the next trade in window order.
    pub fn push(&mut self, trade: &Figures) {
        self.push_squared(trade, trade.square());
    }

    /// The same where the square of its R is known: of 28 digits, it costs as much as all else.
    pub(crate) fn push_squared(&mut self, trade: &Figures, square: Option<Dec>) {
        self.push_seed(trade);
        self.push_streaks(trade);
        self.rule_breaks += trade.rules_broken;
        self.held_micros = self.held_micros.saturating_add(trade.held_micros);
        if let Some((mae, mfe)) = trade.excursions {
            self.mae.add(mae);
            self.mfe.add(mfe);
        }
        if let Some((r, square)) = trade.result_r.zip(square) {
            self.push_spread(r, square, trade.net);
        }
    }

    /// Adds only what the columns of `performance_metrics` need.
    pub(crate) fn push_seed(&mut self, trade: &Figures) {
        self.trades += 1;
        self.fees += trade.fees;
        self.gross_moved += trade.gross.abs();
        let (won, lost) = (trade.net.is_positive(), trade.net.is_negative());
        if won {
            self.wins += 1;
            self.net_won += trade.net;
        } else if lost {
            self.losses += 1;
            self.net_lost += trade.net;
        }
        let Some(r) = trade.result_r else { return };
        self.rated.add(r);
        if won {
            self.won.add(r);
        } else if lost {
            self.lost.add(r);
        }
        if r.is_negative() {
            self.drawdown_r = self.drawdown_r.max(self.peak_r - self.rated.sum);
        } else {
            self.peak_r = self.peak_r.max(self.rated.sum);
        }
    }

    fn push_streaks(&mut self, trade: &Figures) {
        self.streak = if trade.net.is_positive() {
            Streak { wins: self.streak.wins + 1, losses: 0 }
        } else if trade.net.is_negative() {
            Streak { wins: 0, losses: self.streak.losses + 1 }
        } else {
            Streak::default()
        };
        self.win_streak = self.win_streak.max(self.streak.wins);
        self.loss_streak = self.loss_streak.max(self.streak.losses);
    }

    fn push_spread(&mut self, r: Dec, square: Dec, net: Dec) {
        self.squares += square;
        if r.is_negative() {
            self.downside_squares += square;
        }
        if net.is_positive() {
            self.best_r = Some(self.best_r.map_or(r, |best| best.max(r)));
        } else if net.is_negative() {
            self.worst_r = Some(self.worst_r.map_or(r, |worst| worst.min(r)));
        }
    }

    /// What the trades made, net.
    #[must_use]
    pub fn net(&self) -> Dec {
        self.net_won + self.net_lost
    }

    /// The R of those that have one; `None` where none has.
    #[must_use]
    pub fn sum_r(&self) -> Option<Dec> {
        (self.rated.count > 0).then_some(self.rated.sum)
    }

    /// How many trades were added.
    #[must_use]
    pub fn trades(&self) -> u32 {
        self.trades
    }

    fn profit_factor(&self) -> Option<f64> {
        self.net_won.ratio(self.net_lost.abs()).map(Dec::to_f64)
    }

    fn win_rate(&self) -> Option<f64> {
        (self.trades > 0).then(|| f64::from(self.wins) / f64::from(self.trades))
    }

    /// The 95 % interval of the win rate: Wilson (1927), "Probable inference, the law of succession, and statistical
    /// inference". `None` without a trade.
    #[must_use]
    pub fn win_rate_interval(&self) -> Option<(f64, f64)> {
        let share = self.win_rate()?;
        let n = f64::from(self.trades);
        let z_squared = WILSON_Z * WILSON_Z;
        let centre = share + z_squared / (2.0 * n);
        let spread = WILSON_Z * (share * (1.0 - share) / n + z_squared / (4.0 * n * n)).sqrt();
        let scale = 1.0 + z_squared / n;
        // Nought and one in the formula; in floats a rounding error away from it.
        let low = if self.wins == 0 { 0.0 } else { (centre - spread) / scale };
        let high = if self.wins == self.trades { 1.0 } else { (centre + spread) / scale };
        Some((low, high))
    }

    /// The standard error of `expected_r`: the sample standard deviation of R by the root of how many there are. `None`
    /// with fewer than two trades that have an R, or where all are equal.
    #[must_use]
    pub fn expected_r_error(&self) -> Option<f64> {
        Some(self.deviation_r()? / f64::from(self.rated.count).sqrt())
    }

    fn win_rate_wilson_lb(&self) -> Option<f64> {
        self.win_rate_interval().map(|(low, _)| low)
    }

    fn payoff_ratio(&self) -> Option<f64> {
        Some(self.won.mean()? / self.lost.mean()?.abs())
    }

    /// Sample standard deviation of R.
    fn deviation_r(&self) -> Option<f64> {
        let n = Dec::from_int(i64::from(self.rated.count));
        let spread = self.squares - (self.rated.sum * self.rated.sum).ratio(n)?;
        let variance = spread.ratio(n - Dec::ONE)?.to_f64();
        // Equal results leave at most a rounding error of the decimals.
        (variance > 1e-20).then(|| variance.sqrt())
    }

    fn sharpe_r(&self) -> Option<f64> {
        Some(self.rated.mean()? / self.deviation_r()?)
    }

    fn sqn(&self) -> Option<f64> {
        Some(self.sharpe_r()? * f64::from(self.rated.count).sqrt())
    }

    fn sortino_r(&self) -> Option<f64> {
        let downside = self.downside_squares.ratio(Dec::from_int(i64::from(self.rated.count)))?.to_f64();
        (downside > 0.0).then_some(())?;
        Some(self.rated.mean()? / downside.sqrt())
    }

    fn kelly_fraction(&self) -> Option<f64> {
        let wins = self.win_rate()?;
        Some(wins - (1.0 - wins) / self.payoff_ratio()?)
    }

    fn recovery_factor(&self) -> Option<f64> {
        self.rated.sum.ratio(self.drawdown_r).map(Dec::to_f64)
    }

    fn costs_pct(&self) -> Option<f64> {
        let hundred = Dec::from_int(100);
        (self.fees * hundred).ratio(self.gross_moved).map(Dec::to_f64)
    }

    fn avg_holding_minutes(&self) -> Option<f64> {
        let minutes = Dec::from_int(self.held_micros).ratio(Dec::from_int(60_000_000))?;
        minutes.ratio(Dec::from_int(i64::from(self.trades))).map(Dec::to_f64)
    }

    fn current_drawdown_r(&self) -> Option<f64> {
        (self.rated.count > 0).then(|| (self.peak_r - self.rated.sum).to_f64())
    }

    fn max_drawdown_r(&self) -> Option<f64> {
        (self.rated.count > 0).then(|| self.drawdown_r.to_f64())
    }
}

/// The 97.5th percentile of the standard normal distribution: a two-sided bound at 95 %.
pub const WILSON_Z: f64 = 1.959_963_984_540_054;

/// A value of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// How many.
    Count(u32),
    /// A ratio, an R or a percentage; `None` with too few trades.
    Number(Option<f64>),
}

impl From<Figure> for Cell {
    fn from(figure: Figure) -> Self {
        match figure {
            Figure::Count(count) => count.into(),
            Figure::Number(number) => number.into(),
        }
    }
}

/// The definition of one metric.
pub struct Metric {
    /// Its column.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// How it is reckoned, gross or net, from n trades in the window.
    pub formula: &'static str,
    /// When it is NULL.
    pub null_when: &'static str,
    /// Who defines it so.
    pub source: &'static str,
    /// Whether it is among the columns of `performance_metrics`.
    pub seed: bool,
    figure: fn(&Summary) -> Figure,
}

impl Metric {
    /// Its value for the trades summed up.
    #[must_use]
    pub fn of(&self, summary: &Summary) -> Figure {
        (self.figure)(summary)
    }
}

macro_rules! metric {
    ($seed:literal, $name:literal, $unit:literal, $formula:literal, $null:literal, $source:expr, $figure:expr) => {
        Metric {
            name: $name,
            unit: $unit,
            formula: $formula,
            null_when: $null,
            source: $source,
            seed: $seed,
            figure: $figure,
        }
    };
}

fn number(value: Option<Dec>) -> Figure {
    Figure::Number(value.map(Dec::to_f64))
}

const ASSOCIATION: &str = "common usage; the R multiple is Van Tharp's";

/// Every metric, in the order of the columns of `performance_metrics`, then those beyond.
pub const METRICS: &[Metric] = &[
    metric!(true, "profit_factor", "ratio, net", "sum of net > 0 / |sum of net < 0|", "no loss", "common usage", |s| {
        Figure::Number(s.profit_factor())
    }),
    metric!(true, "expected_r", "R, net", "mean of result_r", "no trade with an R", "Van Tharp, expectancy", |s| {
        Figure::Number(s.rated.mean())
    }),
    metric!(true, "win_rate", "share 0..1", "wins / n; a breakeven counts in n", "n = 0", "common usage", |s| {
        Figure::Number(s.win_rate())
    }),
    metric!(
        true,
        "win_rate_wilson_lb",
        "share 0..1",
        "(p + z²/2n − z√(p(1−p)/n + z²/4n²)) / (1 + z²/n), z = 1.959963984540054",
        "n = 0",
        "Wilson 1927; equals statsmodels proportion_confint(method='wilson')",
        |s| Figure::Number(s.win_rate_wilson_lb())
    ),
    metric!(
        true,
        "max_drawdown_r",
        "R, net",
        "largest fall of cumulative R, in window order, from a peak that starts at 0; a positive magnitude",
        "no trade with an R",
        "common usage",
        |s| Figure::Number(s.max_drawdown_r())
    ),
    metric!(
        true,
        "current_drawdown_r",
        "R, net",
        "peak of cumulative R − cumulative R now",
        "no trade with an R",
        "common usage",
        |s| Figure::Number(s.current_drawdown_r())
    ),
    metric!(
        true,
        "costs_pct",
        "percent, gross",
        "sum of fees / sum of |gross| × 100",
        "sum of |gross| = 0",
        "this project",
        |s| Figure::Number(s.costs_pct())
    ),
    metric!(true, "total_trades", "count", "n", "never", "", |s| Figure::Count(s.trades)),
    metric!(true, "total_wins", "count", "trades with net > 0", "never", "", |s| Figure::Count(s.wins)),
    metric!(true, "total_losses", "count", "trades with net < 0", "never", "", |s| Figure::Count(s.losses)),
    metric!(true, "avg_win_r", "R, net", "mean of result_r over wins", "no win with an R", ASSOCIATION, |s| {
        Figure::Number(s.won.mean())
    }),
    metric!(true, "avg_loss_r", "R, net", "mean of result_r over losses", "no loss with an R", ASSOCIATION, |s| {
        Figure::Number(s.lost.mean())
    }),
    metric!(
        false,
        "payoff_ratio",
        "ratio, R",
        "avg_win_r / |avg_loss_r|",
        "no win or no loss with an R",
        "common usage, in R",
        |s| Figure::Number(s.payoff_ratio())
    ),
    metric!(
        false,
        "sqn",
        "number",
        "√n × mean(R) / s(R), s with n − 1, n = trades with an R",
        "fewer than 2 R, or all equal",
        "Van Tharp, System Quality Number",
        |s| Figure::Number(s.sqn())
    ),
    metric!(
        false,
        "sharpe_r",
        "per trade",
        "mean(R) / s(R), s with n − 1; not annualised",
        "fewer than 2 R, or all equal",
        "Sharpe 1994, per trade",
        |s| Figure::Number(s.sharpe_r())
    ),
    metric!(
        false,
        "sortino_r",
        "per trade",
        "mean(R) / √(sum of min(R, 0)² / n); not annualised",
        "no R below 0",
        "Sortino and Price 1994, target 0, per trade",
        |s| Figure::Number(s.sortino_r())
    ),
    metric!(false, "largest_win_r", "R, net", "largest result_r of a win", "no win with an R", "", |s| number(
        s.best_r
    )),
    metric!(
        false,
        "largest_loss_r",
        "R, net",
        "smallest result_r of a loss (negative)",
        "no loss with an R",
        "",
        |s| number(s.worst_r)
    ),
    metric!(false, "win_streak", "count", "longest run of wins; a breakeven ends it", "never", "", |s| Figure::Count(
        s.win_streak
    )),
    metric!(false, "loss_streak", "count", "longest run of losses; a breakeven ends it", "never", "", |s| {
        Figure::Count(s.loss_streak)
    }),
    metric!(
        false,
        "avg_mae",
        "points",
        "mean of mae",
        "no trade with a mae",
        "Sweeney, maximum adverse excursion",
        |s| Figure::Number(s.mae.mean())
    ),
    metric!(
        false,
        "avg_mfe",
        "points",
        "mean of mfe",
        "no trade with a mfe",
        "Sweeney, maximum favourable excursion",
        |s| Figure::Number(s.mfe.mean())
    ),
    metric!(false, "avg_holding_minutes", "minutes", "mean of holding_duration_minutes", "n = 0", "", |s| {
        Figure::Number(s.avg_holding_minutes())
    }),
    metric!(
        false,
        "kelly_fraction",
        "share",
        "W − (1 − W) / payoff_ratio, W = win_rate",
        "payoff_ratio is NULL",
        "Kelly 1956, two outcomes",
        |s| Figure::Number(s.kelly_fraction())
    ),
    metric!(
        false,
        "recovery_factor",
        "ratio, net",
        "cumulative R / max_drawdown_r",
        "no drawdown",
        "common usage",
        |s| Figure::Number(s.recovery_factor())
    ),
    metric!(false, "rule_breaks", "count", "RuleBroken that name one of the trades", "never", "", |s| Figure::Count(
        s.rule_breaks
    )),
];

/// The p-th percentile (0..1) by linear interpolation between closest ranks (Hyndman and Fan's type 7, as
/// numpy's default) of values in ascending order, each with how often it happened; `None` for no values.
#[must_use]
pub fn percentile(values: &[(f64, usize)], p: f64) -> Option<f64> {
    let last = values.iter().map(|(_, times)| times).sum::<usize>().checked_sub(1)?;
    #[expect(clippy::cast_precision_loss, reason = "a count of trades")]
    let rank = p * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= rank <= last")]
    let below = (rank.floor() as usize).min(last);
    let nth = |place: usize| {
        let mut passed = 0;
        values.iter().find(|(_, times)| {
            passed += times;
            passed > place
        })
    };
    let ((low, _), (high, _)) = (nth(below)?, nth((below + 1).min(last))?);
    Some(low + (high - low) * (rank - rank.floor()))
}
