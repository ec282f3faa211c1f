//! Owns the measurements of reading: a page by each index, metrics, an audit, an export, opening.

use std::hint::black_box;
use std::path::Path;

use projections::trades;
use tradefold::audit::{self, Subject};
use tradefold::export::{self, Selection, Style};
use tradefold::journal::{Journal, JournalOptions, Status};
use tradefold::log::Reader;
use tradefold::metrics::{Question, on_demand};
use tradefold::tables::Tables;

use super::plain;
use super::report::{Comparison, Figure, median, rate, timed};
use super::sample::Sample;

/// How often each question is asked, after once for warmth.
const TIMES: usize = 20;

/// What stands behind `SELECT * FROM trades`: a page by each of the eight indexes.
const PAGES: [(&str, &str); 8] = [
    ("timestamp_entry", "WHERE timestamp_entry >= '2026-01-05' ORDER BY timestamp_entry LIMIT 50"),
    ("timestamp_exit", "WHERE timestamp_exit >= '2026-01-05' ORDER BY timestamp_exit LIMIT 50"),
    ("strategy_used", "WHERE strategy_used = 'news_fade' LIMIT 50"),
    ("regime_at_entry", "WHERE regime_at_entry = 'range' LIMIT 50"),
    ("symbol", "WHERE symbol = 'CLJ6' LIMIT 50"),
    ("win_loss", "WHERE win_loss = 'Loss' LIMIT 50"),
    ("exit_reason", "WHERE exit_reason = 'stop' LIMIT 50"),
    ("strategy, regime", "WHERE strategy_used = 'news_fade' AND regime_at_entry = 'range' LIMIT 50"),
];

pub(crate) fn measure(sample: &Sample, rounds: usize) {
    pages(sample).print();
    metrics(sample).print();
    audit_trade(sample).print();
    opening(&sample.journal, sample.events).iter().for_each(Figure::print);
    export_trades(sample, rounds).print();
}

/// How long each of some questions takes once warm, in milliseconds.
fn milliseconds(mut ask: impl FnMut(usize)) -> Vec<f64> {
    ask(0);
    (0..TIMES).map(|turn| timed(|| ask(turn)).0.as_secs_f64() * 1_000.0).collect()
}

/// The slowest index counts.
fn pages(sample: &Sample) -> Figure {
    let conn = Tables::read_only(&sample.journal).expect("tables");
    let trades = sample.rows.iter().filter(|row| row.kind == "TradeOpened").count();
    let page = |condition: &str| {
        let mut select = conn.prepare_cached(&format!("SELECT * FROM trades {condition}")).expect("a question");
        let columns = select.column_count();
        let mut rows = select.query([]).expect("rows");
        let mut found = 0;
        while let Some(row) = rows.next().expect("a row") {
            (0..columns).for_each(|column| drop(black_box(row.get_ref(column))));
            found += 1;
        }
        assert!(found > 0, "no trade {condition}");
    };
    let slowest = PAGES.iter().map(|(_, condition)| milliseconds(|_| page(condition)));
    let values = slowest.max_by(|one, other| median(one).total_cmp(&median(other))).unwrap_or_default();
    Figure { what: format!("50 of {trades} trades by the slowest of the eight indexes"), unit: "ms", values, goal: 5.0 }
}

/// What the command asks: all accounts together, and each.
fn metrics(sample: &Sample) -> Figure {
    let conn = Tables::read_only(&sample.journal).expect("tables");
    let question = |account: Option<&str>| Question {
        account: account.map(str::to_owned),
        dimension: "all".to_owned(),
        ..Question::default()
    };
    let accounts = [None, Some("eval-50k"), Some("live-main"), Some("swing")];
    let values = milliseconds(|_| {
        for account in accounts {
            assert!(!on_demand(&conn, &question(account)).expect("metrics").is_empty());
        }
    });
    Figure { what: "`metrics`, over everything and by account".to_owned(), unit: "ms", values, goal: 5.0 }
}

fn audit_trade(sample: &Sample) -> Figure {
    let reader = Reader::open(&sample.journal).expect("the log");
    let trades: Vec<&str> = sample
        .rows
        .iter()
        .filter(|row| row.kind == "TradeOpened")
        .filter_map(|row| row.stream.strip_prefix("trade/"))
        .collect();
    let values = milliseconds(|turn| {
        let subject = Subject::Trade(trades[(turn * 7_919) % trades.len()].to_owned());
        assert!(!audit::steps(&reader, &subject, 0, u64::MAX).expect("a trade").is_empty());
    });
    Figure { what: "`audit trade`, trades from all over the log".to_owned(), unit: "ms", values, goal: 5.0 }
}

/// To record, and to look.
pub(crate) fn opening(journal: &Path, events: usize) -> [Figure; 2] {
    let open = milliseconds(|_| drop(Journal::open(journal, JournalOptions::default()).expect("a journal")));
    let look = milliseconds(|_| drop(Status::read(journal).expect("a journal")));
    let figure = |what: String, values| Figure { what, unit: "ms", values, goal: 50.0 };
    [
        figure(format!("opening a journal of {events} events to record, and closing it"), open),
        figure("opening it to look: `status`".to_owned(), look),
    ]
}

fn export_trades(sample: &Sample, rounds: usize) -> Comparison {
    let selection = Selection::of(&trades::TABLE);
    let order = trades::TABLE.order.join(", ");
    let trades = sample.rows.iter().filter(|row| row.kind == "TradeOpened").count();
    Comparison::of("`export trades`, with its digest and manifest", "SELECT through csv:", 0.70, rounds, || {
        let plain = timed(|| plain::select_to_csv(&sample.tables(), "trades", &order, &sample.place("plain.csv"))).0;
        let conn = Tables::read_only(&sample.journal).expect("tables");
        let path = sample.place("ours.csv");
        let (ours, _) = timed(|| export::to_file(&conn, &selection, Style::default(), None, &path).expect("a file"));
        (rate(trades, plain), rate(trades, ours))
    })
}
