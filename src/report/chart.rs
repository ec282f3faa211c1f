//! Owns the report's pictures: the equity curve over its drawdown, as SVG. Where a scale begins and ends is settled here;
//! colours are the style sheet's.

use maud::{Markup, html};

use super::facts::Day;
use crate::shown::{amount, decimals};

/// The picture's measures, in SVG's units.
const WIDTH: f64 = 900.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 12.0;
const CURVE: (f64, f64) = (12.0, 210.0);
const DEPTH: (f64, f64) = (232.0, 302.0);
const HEIGHT: f64 = 326.0;

/// Labels on an axis of money.
const TICKS: usize = 4;

/// A scale from values to places.
struct Scale {
    low: f64,
    high: f64,
    top: f64,
    bottom: f64,
}

impl Scale {
    fn over(values: impl Iterator<Item = f64>, (top, bottom): (f64, f64)) -> Self {
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        // A flat line runs through the middle.
        let room = if high > low { (high - low) * 0.05 } else { 1.0 };
        Self { low: low - room, high: high + room, top, bottom }
    }

    fn place(&self, value: f64) -> f64 {
        self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)
    }

    /// Round values within it, so many at most.
    fn ticks(&self) -> Vec<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let raw = (self.high - self.low) / TICKS as f64;
        let power = 10_f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= raw);
        let step = step.unwrap_or(power * 10.0);
        let first = (self.low / step).ceil();
        (0..=TICKS).map(|tick| (first + tick as f64) * step).filter(|value| *value <= self.high).collect()
    }
}

/// How far cumulative net is below its peak, which begins at 0, after each day: never above 0. Cash that was moved is no
/// loss.
pub(super) fn drawdowns(days: &[Day]) -> Vec<f64> {
    let (mut sum, mut peak) = (0.0, 0.0_f64);
    let depth = |day: &Day| {
        sum += day.net;
        peak = peak.max(sum);
        sum - peak
    };
    days.iter().map(depth).collect()
}

/// The equity at the end of each day, and the drawdown of cumulative net below it.
pub(super) fn equity(days: &[Day], before: f64) -> Markup {
    let depths = drawdowns(days);
    let curve = Scale::over(days.iter().map(|day| day.equity).chain([before]), CURVE);
    let depth = Scale { low: depths.iter().copied().fold(-1e-9, f64::min), high: 0.0, top: DEPTH.0, bottom: DEPTH.1 };
    #[expect(clippy::cast_precision_loss, reason = "a count of days")]
    let at = |index: usize| LEFT + (WIDTH - LEFT - RIGHT) * index as f64 / days.len().max(1) as f64;
    let mut line = format!("M{:.1} {:.1}", at(0), curve.place(before));
    let mut area = format!("M{:.1} {:.1}", at(0), depth.place(0.0));
    for (index, (day, below)) in days.iter().zip(&depths).enumerate() {
        line += &format!("L{:.1} {:.1}", at(index + 1), curve.place(day.equity));
        area += &format!("L{:.1} {:.1}", at(index + 1), depth.place(*below));
    }
    area += &format!("L{:.1} {:.1}Z", at(days.len()), depth.place(0.0));
    let first = days.first().map(|day| day.date.to_string()).unwrap_or_default();
    let last = days.last().map(|day| day.date.to_string()).unwrap_or_default();
    let deepest = depths.iter().copied().fold(0.0, f64::min);
    let label = format!("Equity from {} to {}", amount(Some(before)), amount(days.last().map(|day| day.equity)));
    html! {
        svg.chart viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(label) {
            @for tick in curve.ticks() {
                line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(place(curve.place(tick))) y2=(place(curve.place(tick))) {}
                text.axis x=(LEFT - 8.0) y=(place(curve.place(tick) + 4.0)) text-anchor="end" { (decimals(Some(tick), 0)) }
            }
            path.curve d=(line) {}
            line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(DEPTH.0) y2=(DEPTH.0) {}
            text.axis x=(LEFT - 8.0) y=(DEPTH.0 + 4.0) text-anchor="end" { "0" }
            @if deepest < 0.0 {
                text.axis x=(LEFT - 8.0) y=(DEPTH.1 + 4.0) text-anchor="end" { (decimals(Some(deepest), 0)) }
            }
            path.depth d=(area) {}
            text.axis x=(LEFT) y=(HEIGHT - 6.0) { (first) }
            text.axis x=(WIDTH - RIGHT) y=(HEIGHT - 6.0) text-anchor="end" { (last) }
        }
    }
}

fn place(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use projections::calendar::TradingDate;

    use super::*;

    fn day(date: i32, net: f64) -> Day {
        Day { date: TradingDate(date), r: 0.0, trades: 1, net, fees: 0.0, rules_broken: 0, equity: 50_000.0 + net }
    }

    #[test]
    fn drawdown_is_from_a_peak_that_begins_at_nought() {
        let days: Vec<_> = [-50.0, 200.0, -80.0, -40.0, 500.0].into_iter().map(|net| day(1, net)).collect();
        assert_eq!(drawdowns(&days), [-50.0, 0.0, -80.0, -120.0, 0.0]);
    }

    #[test]
    fn a_scale_has_round_ticks_within_it() {
        let scale = Scale::over([49_320.0, 51_870.0].into_iter(), CURVE);
        assert_eq!(scale.ticks(), [50_000.0, 51_000.0]);
        let flat = Scale::over([10.0, 10.0].into_iter(), CURVE);
        assert!((flat.place(10.0) - 111.0).abs() < 1e-9);
        assert!(flat.ticks().len() >= 2);
    }
}
