//! Owns how the report is laid out: from the verdict to the single trade, on a screen and on paper. maud escapes every
//! text, and the page loads nothing.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use projections::calendar::WEEKDAYS;
use projections::metrics::{Figure, METRICS};

use super::chart;
use super::facts::{Breakdown, Day, Facts, Trade};
use crate::metrics::Answer;
use crate::restate::{Day as Restated, figures};
use crate::shown::{ABSENT, amount, count, counted, decimals, percent};

const STYLE: &str = include_str!("style.css");

pub(super) fn of(facts: &Facts) -> String {
    let title = format!("{}, {} to {}", facts.account, facts.from, facts.to);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "Trading report: " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (heading(facts))
                (verdict(facts))
                section { h2 { "Equity and drawdown" }
                    (chart::equity(&facts.days, before(facts)))
                    p.note { "Equity at the end of each trading day; below it, how far realised net is under its peak." }
                }
                section { h2 { "Days" } (calendar(&facts.days)) }
                @if !facts.limits.is_empty() { (limits(facts)) }
                @if let Some(answer) = &facts.answer { (metrics(answer)) }
                @for breakdown in &facts.breakdowns { (table_of(breakdown)) }
                (restatements(&facts.restated))
                (trades(facts))
                (provenance(facts))
            }
        }
    };
    page.into_string()
}

fn heading(facts: &Facts) -> Markup {
    html! {
        header {
            h1 { (facts.account) }
            p.period { (facts.from) " to " (facts.to) }
            @if !facts.terms.is_empty() {
                dl.terms { @for (name, value) in &facts.terms { div { dt { (name) } dd { (value) } } } }
            }
        }
    }
}

/// The equity before the first day: what that day ended with, less what was realised, as far as no cash was moved on it.
fn before(facts: &Facts) -> f64 {
    facts.days.first().map_or(0.0, |day| day.equity - day.net)
}

fn verdict(facts: &Facts) -> Markup {
    let net: f64 = facts.days.iter().map(|day| day.net).sum();
    let r: f64 = facts.days.iter().map(|day| day.r).sum();
    let deepest = chart::drawdowns(&facts.days).into_iter().fold(0.0, f64::min);
    let (green, red) = (facts.days.iter().filter(|day| day.net > 0.0), facts.days.iter().filter(|day| day.net < 0.0));
    let (green, red) = (green.count() as u64, red.count() as u64);
    let fees: f64 = facts.days.iter().map(|day| day.fees).sum();
    html! {
        section.verdict {
            (tile("Net", &money(net, &facts.currency), sign(net), &format!("after {} of fees", amount(Some(fees)))))
            (tile("R", &decimals(Some(r), 2), sign(r), "sum of R multiples"))
            (tile("Drawdown", &amount(Some(deepest)), sign(deepest), "deepest, of realised net"))
            (tile("Days", &count(facts.days.len() as u64), "", &format!("{green} up, {red} down")))
            @if let Some(answer) = &facts.answer { (win_rate(answer)) (expectancy(answer)) }
        }
    }
}

fn tile(name: &str, value: &str, class: &str, note: &str) -> Markup {
    html! { div.tile { h3 { (name) } p.value.(class) { (value) } p.note { (note) } } }
}

fn win_rate(answer: &Answer) -> Markup {
    let Some((low, high)) = answer.summary.win_rate_interval() else { return html! {} };
    let share = number(answer, "win_rate").unwrap_or(0.0);
    let place = |share: f64| format!("{:.1}", share * 100.0);
    html! {
        div.tile {
            h3 { "Win rate" }
            p.value { (percent(Some(share))) }
            svg.interval viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="95 % interval of the win rate" {
                line.rail x1="0" x2="100" y1="5" y2="5" {}
                line.range x1=(place(low)) x2=(place(high)) y1="5" y2="5" {}
                line.mark x1=(place(share)) x2=(place(share)) y1="0" y2="10" {}
            }
            p.note { "95 % sure: " (percent(Some(low))) " to " (percent(Some(high))) " of " (count(answer.summary.trades().into())) " trades" }
        }
    }
}

fn expectancy(answer: &Answer) -> Markup {
    let expected = number(answer, "expected_r");
    let error = answer.summary.expected_r_error();
    let note = match error {
        Some(error) => format!("R a trade, ± {} standard error", decimals(Some(error), 2)),
        None => "R a trade; too few to say how sure".to_owned(),
    };
    tile("Expectancy", &decimals(expected, 2), sign(expected.unwrap_or(0.0)), &note)
}

fn number(answer: &Answer, name: &str) -> Option<f64> {
    match METRICS.iter().find(|metric| metric.name == name)?.of(&answer.summary) {
        Figure::Number(number) => number,
        Figure::Count(count) => Some(f64::from(count)),
    }
}

fn sign(value: f64) -> &'static str {
    if value < 0.0 {
        "down"
    } else if value > 0.0 {
        "up"
    } else {
        ""
    }
}

fn money(value: f64, currency: &str) -> String {
    format!("{} {currency}", amount(Some(value))).trim_end().to_owned()
}

/// Month by month, a week a line.
fn calendar(days: &[Day]) -> Markup {
    let mut months: BTreeMap<String, BTreeMap<i32, [Option<&Day>; 7]>> = BTreeMap::new();
    for day in days {
        let monday = day.date.week_start();
        let weeks = months.entry(day.date.to_string()[..7].to_owned()).or_default();
        if let Some(place) = usize::try_from(day.date.0 - monday.0).ok().filter(|place| *place < 7) {
            weeks.entry(monday.0).or_default()[place] = Some(day);
        }
    }
    // Futures trade from Sunday's evening on, which is Monday's date: weekends have a column only where they have a day.
    let width = if days.iter().any(|day| day.date.0 - day.date.week_start().0 >= 5) { 7 } else { 5 };
    html! {
        div.months {
            @for (month, weeks) in &months {
                table.month {
                    caption { (month) }
                    thead { tr { @for name in &WEEKDAYS[..width] { th { (name[..3]) } } } }
                    tbody {
                        @for week in weeks.values() {
                            tr { @for day in &week[..width] { (cell(*day)) } }
                        }
                    }
                }
            }
        }
    }
}

fn cell(day: Option<&Day>) -> Markup {
    let Some(day) = day else { return html! { td {} } };
    let trades = counted(day.trades, "trades");
    html! {
        td.(sign(day.net)) {
            span.date { (day.date.to_string()[8..]) @if day.rules_broken > 0 { abbr title="rules broken" { " !" } } }
            span.net { (decimals(Some(day.net), 0)) }
            span.note { (trades) }
        }
    }
}

fn limits(facts: &Facts) -> Markup {
    html! {
        section { h2 { "Rules of the account" }
            table {
                thead { tr { th { "Rule" } th.number { "Given" } th.number { "Now" } th { "" } } }
                tbody {
                    @for limit in &facts.limits {
                        tr {
                            td { (limit.name) } td.number { (amount(Some(limit.given))) }
                            td.number { (amount(limit.now)) } td.note { (limit.now_means) }
                        }
                    }
                }
            }
            p { @if facts.breaches.is_empty() { "No limit was reached on these dates." } }
            @for breach in &facts.breaches {
                p.down { (breach.rule.replace('_', " ")) " reached, " (breach.date) ": " (amount(breach.value)) " against " (amount(breach.threshold))
                    ", by the event at position " (breach.seq) "." }
            }
            p.note { "Where the rules stand is as of the account's last event, whatever dates were asked for." }
        }
    }
}

fn metrics(answer: &Answer) -> Markup {
    let value = |figure: Figure| match figure {
        Figure::Count(value) => count(value.into()),
        Figure::Number(value) => decimals(value, 3),
    };
    html! {
        section { h2 { "Metrics" }
            table.metrics {
                thead { tr { th { "Metric" } th.number { "Value" } th { "Unit" } th { "How it is reckoned" } } }
                tbody {
                    @for metric in METRICS {
                        tr {
                            td { (metric.name.replace('_', " ")) }
                            td.number { (value(metric.of(&answer.summary))) }
                            td.note { (metric.unit) }
                            td.note { (metric.formula) }
                        }
                    }
                }
            }
        }
    }
}

fn table_of(breakdown: &Breakdown) -> Markup {
    html! {
        section { h2 { (breakdown.title) }
            table {
                thead { tr {
                    th { (breakdown.title) } th.number { "Trades" } th.number { "Win rate" } th.number { "At least" }
                    th.number { "Expected R" } th.number { "Profit factor" } th.number { "Max drawdown R" }
                } }
                tbody {
                    @for (name, answer) in &breakdown.values {
                        tr {
                            td { (words(name)) }
                            td.number { (count(answer.summary.trades().into())) }
                            td.number { (percent(number(answer, "win_rate"))) }
                            td.number { (percent(number(answer, "win_rate_wilson_lb"))) }
                            td.number.(sign(number(answer, "expected_r").unwrap_or(0.0))) { (amount(number(answer, "expected_r"))) }
                            td.number { (amount(number(answer, "profit_factor"))) }
                            td.number { (amount(number(answer, "max_drawdown_r"))) }
                        }
                    }
                }
            }
        }
    }
}

fn restatements(days: &[Restated]) -> Markup {
    html! {
        section { h2 { "Restatements" }
            @if days.is_empty() {
                p { "No day says anything else today than when it closed." }
            } @else {
                table {
                    thead { tr {
                        th { "Day" } th.number { "Net then" } th.number { "Net now" } th { "What moved it" }
                    } }
                    tbody { @for day in days { (restated(day)) } }
                }
            }
        }
    }
}

fn restated(day: &Restated) -> Markup {
    let net = |row| figures(row)?.into_iter().find(|(name, _)| *name == "pl_net").map(|(_, cell)| cell.to_text());
    let shown = |net: Option<String>| net.map_or(ABSENT.to_owned(), |net| amount(net.parse().ok()));
    html! {
        tr {
            td { (day.date) }
            td.number { (shown(net(day.then.as_ref()))) }
            td.number { (shown(net(day.now.as_ref()))) }
            td {
                @if day.is_recorded_later { "Recorded after the day had closed." }
                @for (_, step) in &day.events {
                    div { (step.kind) " at position " (step.seq) ", recorded " (step.recorded_at) @if let Some(reason) = &step.reason { ": " (reason) } }
                }
            }
        }
    }
}

fn trades(facts: &Facts) -> Markup {
    let (listed, in_all) = (facts.trades.len(), facts.trades_in_all);
    html! {
        section { h2 { "Trades" }
            @if listed < in_all {
                p.note { "The latest " (count(listed as u64)) " of " (count(in_all as u64)) " trades; tradefold export trades has all." }
            }
            table.trades {
                thead { tr {
                    th { "Closed (UTC)" } th { "Symbol" } th { "Side" } th.number { "Size" } th.number { "Entry" }
                    th.number { "Exit" } th.number { "Net" } th.number { "R" } th { "Strategy" } th { "Exit" } th { "Trade" }
                } }
                tbody { @for trade in &facts.trades { (row(trade)) } }
            }
        }
    }
}

fn row(trade: &Trade) -> Markup {
    // An average may have no end: what is finer than a price ever is, is cut.
    let price = |price: Option<f64>| {
        price.map_or(ABSENT.to_owned(), |price| {
            format!("{price:.5}").trim_end_matches('0').trim_end_matches('.').to_owned()
        })
    };
    html! {
        tr {
            td { (trade.exited_at.get(..19).unwrap_or(&trade.exited_at).replace('T', " ")) }
            td.word { (trade.symbol) }
            td.word { (trade.side) }
            td.number { (price(trade.quantity)) }
            td.number { (price(trade.entry_price)) }
            td.number { (price(trade.exit_price)) }
            td.number.(sign(trade.net.unwrap_or(0.0))) { (amount(trade.net)) }
            td.number { (amount(trade.r)) }
            td { (words(&trade.strategy)) }
            td { (words(&trade.exit_reason)) }
            td { (trade.id) @if trade.corrections > 0 { abbr title="corrected" { " *" } } }
        }
    }
}

/// A name that may break where its words do.
fn words(name: &str) -> Markup {
    html! {
        @for (index, word) in name.split('_').enumerate() {
            @if index > 0 { "_" wbr; }
            (word)
        }
    }
}

fn provenance(facts: &Facts) -> Markup {
    html! {
        footer {
            h2 { "Where this comes from" }
            p { "Every figure follows from the events of journal " code { (facts.journal) } " up to position " (facts.position)
                ", where the hash of the chain is" }
            p { code.hash { (facts.chain_head) } }
            p { "Whoever holds that journal can check that its events are unaltered (tradefold verify) and that this page follows from \
                them: the same command writes the same page, byte for byte. A trade with * was corrected after it was recorded; \
                tradefold audit trade shows how." }
        }
    }
}
