//! Owns how figures are told: rounds of tradefold beside a plain program, as ratios with their minimum, median and
//! maximum, in a Markdown table that can be kept.

use std::time::{Duration, Instant};

/// How long some work takes.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let result = work();
    (began.elapsed(), result)
}

/// So many things a second.
pub(crate) fn rate(things: usize, took: Duration) -> f64 {
    things as f64 / took.as_secs_f64()
}

/// The middle of some figures, by their order.
pub(crate) fn median(figures: &[f64]) -> f64 {
    percentile(figures, 0.5)
}

/// The figure below which a share of all lies, by nearest rank.
pub(crate) fn percentile(figures: &[f64], share: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}

/// Rates of both in each round, one measured right after the other.
pub(crate) struct Comparison {
    what: String,
    baseline: &'static str,
    goal: f64,
    rounds: Vec<(f64, f64)>,
}

impl Comparison {
    /// Measures so many rounds; `round` gives the rates of the plain program and of tradefold.
    pub(crate) fn of(
        what: impl Into<String>,
        baseline: &'static str,
        goal: f64,
        rounds: usize,
        mut round: impl FnMut() -> (f64, f64),
    ) -> Self {
        Self { what: what.into(), baseline, goal, rounds: (0..rounds).map(|_| round()).collect() }
    }

    /// One row of the table.
    pub(crate) fn print(&self) {
        let column = |of: fn(&(f64, f64)) -> f64| self.rounds.iter().map(of).collect::<Vec<_>>();
        let ratios = column(|(plain, ours)| ours / plain);
        let (low, middle, high) = (percentile(&ratios, 0.0), median(&ratios), percentile(&ratios, 1.0));
        println!(
            "| {} | {} {} | {} | {low:.2} / {middle:.2} / {high:.2} | ≥ {:.2} | {} |",
            self.what,
            self.baseline,
            thousands(median(&column(|(plain, _)| *plain))),
            thousands(median(&column(|(_, ours)| *ours))),
            self.goal,
            reached(middle >= self.goal),
        );
    }
}

/// A figure by itself, of which less is better.
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) values: Vec<f64>,
    pub(crate) goal: f64,
}

impl Figure {
    /// One row of the table.
    pub(crate) fn print(&self) {
        let (low, middle, high) = (percentile(&self.values, 0.0), median(&self.values), percentile(&self.values, 1.0));
        let (unit, goal) = (self.unit, self.goal);
        println!(
            "| {} | | {middle:.2} {unit} | {low:.2} / {middle:.2} / {high:.2} {unit} | ≤ {goal} {unit} | {} |",
            self.what,
            reached(middle <= goal),
        );
    }
}

fn reached(is_reached: bool) -> &'static str {
    if is_reached { "yes" } else { "no" }
}

/// A number in groups of three digits.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The head of the table.
pub(crate) fn head() {
    println!("| what | plain program, a second | tradefold | ratio or figure: min / median / max | goal | reached |");
    println!("|---|---|---|---|---|---|");
}
