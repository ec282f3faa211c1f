//! `metrics`: the numbers by which trading is judged, for accounts or the values of a dimension. How each is
//! defined and reckoned is the registry's business; here it is only chosen and shown.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use clap::Args;
use projections::accounts;
use projections::cell::Cell;
use projections::ledger::DIMENSIONS;
use projections::metrics::{Figure, METRICS};
use projections::validate::nearest;
use serde_json::{Map, Value as Json, json};
use tradefold::metrics::{Answer, Question, on_demand};
use tradefold::tables::{Connection, Filter, select};

use super::failure::Failure;
use super::grid::{ABSENT, Align, Grid, amount, count, decimals, percent};
use super::out::Out;
use super::reading::{Reading, Source};
use super::{Context, help};

/// All accounts together.
const ALL: &str = "*";

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

    #[command(flatten)]
    source: Source,
}

impl Metrics {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        self.refuse_unknown_dimension()?;
        let reading = Reading::open(context, &self.source)?;
        refuse_unknown_account(self.account.as_deref(), &reading.tables)?;
        let groups = match &self.by {
            Some(dimension) => by(&reading.tables, self.account.as_deref(), self.window, dimension)?,
            None => accounts(&reading.tables, self.account.as_deref(), self.window)?,
        };
        if context.json {
            return Ok(out.json(&self.as_json(&groups))?);
        }
        let heading = self.by.as_deref().unwrap_or("account");
        if groups.is_empty() {
            return Ok(out.line("No trade is closed yet.")?);
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
        format!("Over {trades}{account}")
    }

    fn refuse_unknown_dimension(&self) -> Result<(), Failure> {
        let Some(given) = self.by.as_deref().filter(|given| !DIMENSIONS.contains(given)) else { return Ok(()) };
        let meant = match nearest(given, DIMENSIONS) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("there are {}", DIMENSIONS.join(", ")),
        };
        Err(Failure::usage(format!("--by: there is no dimension `{given}`; {meant}")))
    }

    fn as_json(&self, groups: &[Group]) -> Json {
        let name = if self.by.is_some() { "value" } else { "account_id" };
        let group = |group: &Group| {
            let mut object = Map::new();
            object.insert(name.to_owned(), group.name.clone().into());
            object.extend(figures(&group.answer));
            Json::Object(object)
        };
        json!({
            "window": self.window,
            "by": self.by,
            "account": self.account,
            "metrics": groups.iter().map(group).collect::<Vec<_>>(),
        })
    }
}

/// One row of the answer.
pub(crate) struct Group {
    pub(crate) name: String,
    answer: Answer,
}

impl Group {
    fn number(&self, metric: &str) -> Option<f64> {
        match self.figure(metric)? {
            Figure::Number(number) => number,
            Figure::Count(count) => Some(f64::from(count)),
        }
    }

    pub(crate) fn count(&self, metric: &str) -> u64 {
        match self.figure(metric) {
            Some(Figure::Count(count)) => count.into(),
            _ => 0,
        }
    }

    fn figure(&self, name: &str) -> Option<Figure> {
        METRICS.iter().find(|metric| metric.name == name).map(|metric| metric.of(&self.answer.summary))
    }
}

/// All accounts together, and each; or one.
pub(crate) fn accounts(tables: &Connection, account: Option<&str>, window: u32) -> Result<Vec<Group>, Failure> {
    let ask = |account: Option<&str>| -> Result<Option<Group>, Failure> {
        let name = account.unwrap_or(ALL).to_owned();
        let answer = answers(tables, account, window, "all")?.into_values().next();
        Ok(answer.map(|answer| Group { name, answer }))
    };
    if account.is_some() {
        return Ok(ask(account)?.into_iter().collect());
    }
    let mut groups: Vec<Group> = ask(None)?.into_iter().collect();
    for account in known_accounts(tables)? {
        groups.extend(ask(Some(&account))?);
    }
    Ok(groups)
}

/// One row a value of a dimension.
pub(crate) fn by(
    tables: &Connection,
    account: Option<&str>,
    window: u32,
    dimension: &str,
) -> Result<Vec<Group>, Failure> {
    let answers = answers(tables, account, window, dimension)?;
    let mut groups: Vec<Group> = answers.into_iter().map(|(name, answer)| Group { name, answer }).collect();
    if dimension == "weekday" {
        groups.sort_by_key(|group| WEEKDAYS.iter().position(|day| *day == group.name));
    }
    Ok(groups)
}

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn answers(
    tables: &Connection,
    account: Option<&str>,
    window: u32,
    dimension: &str,
) -> Result<BTreeMap<String, Answer>, Failure> {
    let question = Question {
        account: account.map(str::to_owned),
        window,
        dimension: dimension.to_owned(),
        ..Question::default()
    };
    Ok(on_demand(tables, &question)?)
}

/// An account nobody ever traded on would look like one without closed trades.
pub(crate) fn refuse_unknown_account(given: Option<&str>, tables: &Connection) -> Result<(), Failure> {
    let Some(given) = given else { return Ok(()) };
    let known = known_accounts(tables)?;
    if known.iter().any(|account| account == given) {
        return Ok(());
    }
    let meant = match nearest(given, known.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean {meant}?"),
        None if known.is_empty() => "there is none yet".to_owned(),
        None => format!("there are {}", known.join(", ")),
    };
    Err(Failure::usage(format!("--account: there is no account `{given}`; {meant}")))
}

/// Accounts that were opened or traded on, by name.
fn known_accounts(tables: &Connection) -> Result<Vec<String>, Failure> {
    let mut names = std::collections::BTreeSet::new();
    for table in [&accounts::TABLE, &projections::risk_state::TABLE] {
        let columns: Vec<_> = table.all_columns().filter(|column| column.name == "account_id").collect();
        select(tables, table, &columns, &[] as &[Filter], |row| {
            names.extend(row[0].as_text().map(str::to_owned));
            ControlFlow::Continue(())
        })?;
    }
    Ok(names.into_iter().collect())
}

/// Every metric in full, the percentiles of slippage among them.
fn figures(answer: &Answer) -> Map<String, Json> {
    let mut object = Map::new();
    for metric in METRICS {
        object.insert(metric.name.to_owned(), cell_as_json(&metric.of(&answer.summary).into()));
    }
    for (name, p) in [("slippage_ticks_p50", 0.5), ("slippage_ticks_p90", 0.9)] {
        object.insert(name.to_owned(), cell_as_json(&answer.slippage_ticks(p).into()));
    }
    object
}

/// A table's value as JSON.
pub(crate) fn cell_as_json(cell: &Cell) -> Json {
    match cell {
        Cell::Null => Json::Null,
        Cell::Int(value) => (*value).into(),
        Cell::Real(value) => (*value).into(),
        Cell::Text(value) => value.as_str().into(),
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
