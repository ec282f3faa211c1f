//! Holds the metrics against figures from other people's libraries: tests/metrics/expect.py makes expected.json from
//! results.csv, and `./check` reckons it anew.
#![expect(clippy::float_arithmetic, reason = "figures are compared to a tolerance")]

use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::path::Path;

use projections::decimal::Dec;
use projections::ledger::Figures;
use projections::metrics::{Figure, METRICS, Summary, percentile};
use serde_json::{Map, Value};

const TOLERANCE: f64 = 1e-12;

#[test]
fn metrics_are_those_of_other_libraries() {
    let expected: BTreeMap<String, Map<String, Value>> =
        serde_json::from_str(&file("expected.json")).expect("the expected figures");
    let streams = streams();
    assert!(expected.keys().eq(streams.keys()), "expected.json is of other streams than results.csv");
    for (stream, trades) in &streams {
        let found = figures(trades);
        let expected = &expected[stream];
        assert_eq!(expected.len(), found.len(), "{stream}: a metric is missing");
        for (name, found) in found {
            let wanted = expected.get(name).unwrap_or_else(|| panic!("{stream} has no {name}")).as_f64();
            assert!(close(wanted, found), "{stream} {name}: expected {wanted:?}, found {found:?}");
        }
    }
}

#[test]
fn no_trades_have_counts_and_nothing_else() {
    let empty = Summary::default();
    assert_eq!(empty.trades(), 0);
    for metric in METRICS {
        let figure = metric.of(&empty);
        assert!(matches!(figure, Figure::Count(0) | Figure::Number(None)), "{}: {figure:?}", metric.name);
    }
    assert_eq!(percentile(&[], 0.5), None);
}

fn figures(trades: &[Trade]) -> Vec<(&'static str, Option<f64>)> {
    let mut summary = Summary::default();
    trades.iter().for_each(|trade| summary.push(&trade.figures));
    let mut figures: Vec<_> = METRICS.iter().map(|metric| (metric.name, number(metric.of(&summary)))).collect();
    let mut slips: Vec<Dec> = trades.iter().filter_map(|trade| trade.slippage_ticks).collect();
    slips.sort();
    let slips: Vec<(f64, usize)> = slips.iter().map(|ticks| (ticks.to_f64(), 1)).collect();
    figures.push(("slippage_ticks_p50", percentile(&slips, 0.5)));
    figures.push(("slippage_ticks_p90", percentile(&slips, 0.9)));
    figures
}

fn number(figure: Figure) -> Option<f64> {
    match figure {
        Figure::Count(count) => Some(f64::from(count)),
        Figure::Number(number) => number,
    }
}

fn close(wanted: Option<f64>, found: Option<f64>) -> bool {
    match (wanted, found) {
        (Some(wanted), Some(found)) => (wanted - found).abs() <= TOLERANCE * 1_f64.max(wanted.abs()).max(found.abs()),
        (wanted, found) => wanted == found,
    }
}

fn streams() -> BTreeMap<String, Vec<Trade>> {
    let results = file("results.csv");
    let mut lines = results.lines();
    let header = "stream,gross,fees,net,result_r,mae,mfe,held_seconds,slippage_ticks,rules_broken";
    assert_eq!(lines.next(), Some(header));
    let mut streams: BTreeMap<String, Vec<Trade>> = BTreeMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        streams.entry(cells[0].to_owned()).or_default().push(trade(&cells));
    }
    streams
}

fn trade(cells: &[&str]) -> Trade {
    let maybe = |place: usize| (!cells[place].is_empty()).then(|| decimal(cells[place]));
    let figures = Figures {
        gross: decimal(cells[1]),
        fees: decimal(cells[2]),
        net: decimal(cells[3]),
        result_r: maybe(4),
        excursions: maybe(5).zip(maybe(6)),
        held_micros: cells[7].parse::<i64>().expect(cells[7]) * 1_000_000,
        rules_broken: cells[9].parse().expect(cells[9]),
    };
    Trade { figures, slippage_ticks: maybe(8) }
}

/// A line of results.csv.
struct Trade {
    figures: Figures,
    slippage_ticks: Option<Dec>,
}

fn decimal(text: &str) -> Dec {
    Dec::parse(text).expect(text)
}

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/metrics").join(name);
    read_to_string(&path).expect("a file of tests/metrics")
}
