//! Owns the equity curve as it is shown: not more points than an eye can tell apart, however many trades there are. How it
//! is reckoned is the ledger's business.

use projections::ledger;
use projections::ledger::equity::curve;

pub use projections::ledger::equity::Point;

use crate::tables::{Connection, SqlShelf, TablesError};

/// A curve, whole or thinned.
#[derive(Clone, Debug)]
pub struct Series {
    /// Of how many closed trades each point is the last. A point's drawdowns are the deepest of those since the point
    /// before, so that thinning hides none.
    pub every: usize,
    /// In window order.
    pub points: Vec<Point>,
}

/// The curve of an account, or of all of them together, in at most so many points (but for one).
///
/// # Errors
/// [`TablesError`].
pub fn series(tables: &Connection, account: Option<&str>, points_max: usize) -> Result<Series, TablesError> {
    SqlShelf::ask(tables, ledger::ABOUT.name, |shelf| {
        let mut thinning =
            Thinning { series: Series { every: 1, points: Vec::new() }, waiting: 0, max: points_max.max(1) };
        curve(shelf, account, |point| thinning.push(point));
        thinning.series
    })
}

/// A curve that is thinned while it comes, so that it is never held whole.
struct Thinning {
    series: Series,
    /// How many trades the last point stands for.
    waiting: usize,
    max: usize,
}

impl Thinning {
    fn push(&mut self, mut point: Point) {
        let Series { every, points } = &mut self.series;
        if let Some(last) = points.last_mut().filter(|_| self.waiting < *every && self.waiting > 0) {
            deepen(&mut point, last);
            *last = point;
            self.waiting += 1;
            return;
        }
        if points.len() == self.max {
            let pairs = std::mem::take(points);
            let mut pairs = pairs.into_iter();
            while let Some(first) = pairs.next() {
                points.push(match pairs.next() {
                    Some(mut second) => {
                        deepen(&mut second, &first);
                        second
                    }
                    None => first,
                });
            }
            // Of an odd number of points the last one stands for half as many trades as the others now.
            let halves = self.max % 2;
            *every *= 2;
            self.waiting = if halves == 1 { *every / 2 } else { *every };
            return self.push(point);
        }
        points.push(point);
        self.waiting = 1;
    }
}

fn deepen(point: &mut Point, other: &Point) {
    point.drawdown = point.drawdown.max(other.drawdown);
    point.drawdown_r = point.drawdown_r.max(other.drawdown_r);
}

#[cfg(test)]
mod tests {
    use projections::decimal::Dec;
    use projections::moment::Moment;

    use super::*;

    fn point(number: i64) -> Point {
        let zero = Dec::ZERO;
        Point {
            at: Moment(number),
            trade_id: number.to_string(),
            account: String::new(),
            net: zero,
            equity: zero,
            cumulative_net: zero,
            cumulative_r: zero,
            drawdown: Dec::from_int(number % 7),
            drawdown_r: zero,
        }
    }

    #[test]
    fn a_thinned_curve_ends_where_the_whole_one_does_and_hides_no_drawdown() {
        for max in 1..9 {
            for trades in 1..200_i64 {
                let series = Series { every: 1, points: Vec::new() };
                let mut thinning = Thinning { series, waiting: 0, max };
                (1..=trades).for_each(|number| thinning.push(point(number)));
                let Series { every, points } = thinning.series;
                assert!(points.len() <= max, "{max} {trades}");
                let deepest = (1..=trades).map(|number| number % 7).max().map(Dec::from_int);
                assert_eq!(points.iter().map(|point| point.drawdown).max(), deepest);
                let ends: Vec<i64> = points.iter().map(|point| point.at.0).collect();
                let expected = (1..=trades).filter(|number| *number % every as i64 == 0 || *number == trades);
                assert_eq!(ends, expected.collect::<Vec<_>>(), "{max} {trades}");
            }
        }
    }
}
