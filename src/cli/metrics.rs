//! `metrics`: the numbers by which trading is judged, for accounts or the values of a dimension. How each is
//! defined and reckoned is the registry's business; here it is only chosen and shown.

use clap::Args;
use projections::calendar::TradingDate;

use super::export::date;
use super::failure::Failure;
use super::grid::{ABSENT, Align, Grid, amount, count, decimals, percent};
use super::out::Out;
use super::reading::{Reading, Source};
use super::{Context, help};
use crate::json;
use crate::metrics::{ALL, AskError, Asked, Group, groups};

/// Show win rate, expectancy, drawdown and the rest
#[derive(Debug, Args)]
#[command(after_help = help::METRICS)]
pub(crate) struct Metrics {
    /// Only the last N closed trades; 0 is all
    #[arg(long, value_name = "N", default_value_t = 0)]
    window: u32,

    /// One row for each value of a dimension: strategy, regime, strategy_regime, symbol, weekday, hour,
    /// exit_reason, mental_state, rule_broken or account
    #[arg(long, value_name = "DIMENSION")]
    by: Option<String>,

    /// Only this account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,

    /// Only trades closed on this trading date of their account or later
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: Option<TradingDate>,

    /// Only trades closed on this trading date or earlier
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: Option<TradingDate>,

    #[command(flatten)]
    source: Source,
}

impl Metrics {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let asked = Asked {
            account: self.account.clone(),
            window: self.window,
            by: self.by.clone(),
            from: self.from,
            to: self.to,
        };
        let reading = Reading::open(context, &self.source)?;
        let groups = groups(&reading.tables, &asked).map_err(refused)?;
        if context.json {
            return Ok(out.json(&json::metrics(&asked, &groups))?);
        }
        let heading = self.by.as_deref().unwrap_or("account");
        if groups.is_empty() {
            let dated = self.from.is_some() || self.to.is_some();
            return Ok(out.line(if dated { "No trade was closed then." } else { "No trade is closed yet." })?);
        }
        out.line(self.title())?;
        out.line("")?;
        out.line(summary(heading, &groups).to_string())?;
        if self.by.is_none() {
            out.line("")?;
            out.line(details(&groups).to_string())?;
        }
        Ok(())
    }

    fn title(&self) -> String {
        let trades = if self.window == 0 {
            "all closed trades".to_owned()
        } else {
            format!("the last {} closed trades", self.window)
        };
        let account = self.account.as_ref().map_or_else(String::new, |account| format!(" of {account}"));
        let from = self.from.map_or_else(String::new, |from| format!(" from {from}"));
        let to = self.to.map_or_else(String::new, |to| format!(" to {to}"));
        format!("Over {trades}{account}{from}{to}")
    }
}

/// What was asked wrongly, by which of the options here.
pub(crate) fn refused(error: AskError) -> Failure {
    let option = match error {
        AskError::UnknownDimension { .. } => "--by",
        AskError::NoDates { .. } => "--to",
        _ => "--account",
    };
    misused(option, error)
}

/// What was asked wrongly, by which option.
pub(crate) fn misused(option: &str, error: AskError) -> Failure {
    match error {
        AskError::Tables(error) => error.into(),
        error => Failure::usage(format!("{option}: {error}")),
    }
}

/// The figures that say most, one row a group.
pub(crate) fn summary(heading: &str, groups: &[Group]) -> Grid {
    let right = |name| (name, Align::Right);
    let mut grid = Grid::new(&[
        (heading, Align::Left),
        right("trades"),
        right("won"),
        right("win rate"),
        right("at least"),
        right("exp R"),
        right("PF"),
        right("win R"),
        right("loss R"),
        right("max dd R"),
    ]);
    for group in groups {
        grid.row([
            label(&group.name),
            count(group.count("total_trades")),
            count(group.count("total_wins")),
            percent(group.number("win_rate")),
            percent(group.number("win_rate_wilson_lb")),
            amount(group.number("expected_r")),
            amount(group.number("profit_factor")),
            amount(group.number("avg_win_r")),
            amount(group.number("avg_loss_r")),
            amount(group.number("max_drawdown_r")),
        ]);
    }
    grid
}

fn label(name: &str) -> String {
    if name == ALL { "all together".to_owned() } else { name.to_owned() }
}

/// The rest, one column a group, while there is room for that.
fn details(groups: &[Group]) -> Grid {
    /// More accounts don't fit beside each other.
    const SHOWN_MAX: usize = 5;
    let groups = &groups[..groups.len().min(SHOWN_MAX)];
    let names: Vec<String> = groups.iter().map(|group| label(&group.name)).collect();
    let mut columns = vec![("", Align::Left)];
    columns.extend(names.iter().map(|name| (name.as_str(), Align::Right)));
    let mut grid = Grid::new(&columns);
    for (title, metric, places) in DETAILS {
        let value = |group: &Group| match group.number(metric) {
            Some(value) => decimals(Some(value), places),
            None => ABSENT.to_owned(),
        };
        grid.row(std::iter::once(title.to_owned()).chain(groups.iter().map(value)));
    }
    for (title, p) in [("slippage, median (ticks)", 0.5), ("slippage, 90 % (ticks)", 0.9)] {
        let value = |group: &Group| amount(group.answer.slippage_ticks(p));
        grid.row(std::iter::once(title.to_owned()).chain(groups.iter().map(value)));
    }
    grid
}

/// Title, metric, decimals.
const DETAILS: [(&str, &str, usize); 16] = [
    ("payoff ratio", "payoff_ratio", 2),
    ("current drawdown R", "current_drawdown_r", 2),
    ("recovery factor", "recovery_factor", 2),
    ("system quality (SQN)", "sqn", 2),
    ("Sharpe, per trade", "sharpe_r", 2),
    ("Sortino, per trade", "sortino_r", 2),
    ("Kelly fraction", "kelly_fraction", 2),
    ("largest win R", "largest_win_r", 2),
    ("largest loss R", "largest_loss_r", 2),
    ("longest win streak", "win_streak", 0),
    ("longest loss streak", "loss_streak", 0),
    ("mean MAE (points)", "avg_mae", 2),
    ("mean MFE (points)", "avg_mfe", 2),
    ("mean holding (minutes)", "avg_holding_minutes", 1),
    ("costs (% of gross)", "costs_pct", 2),
    ("rule breaks", "rule_breaks", 0),
];
