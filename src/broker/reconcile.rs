//! Owns the comparison of a broker's file with the journal, each level by itself: fills field by field; round trips, as
//! the broker pairs them; the realised net of each trading date; the balance. What would settle the differences is
//! `import`'s work for what the broker has, and a bust for what it has not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use projections::accounts;
use projections::calendar::{Calendar, TradingDate};
use projections::cell::Column;
use projections::decimal::Dec;
use projections::draft::Draft;
use projections::moment::Moment;
use projections::validate::parse_edge;
use serde_json::json;
use uuid::Uuid;

use super::import::{self, ImportError, NAMES, Order, Recorded};
use super::pairs::{Execution, Pair, pair};
use super::statement::{BadRow, Side, Statement};
use crate::calendars::Calendars;
use crate::log::Reader;
use crate::tables::{Connection, Filter, TablesError, select};

/// What of the two differs.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// The broker has it, the journal has not.
    MissingHere {
        /// Fill, round trip or day.
        what: String,
        /// Where the file says it.
        line: Option<u64>,
    },
    /// The journal has it, the broker has not.
    MissingThere {
        /// Fill, round trip or day.
        what: String,
    },
    /// Both have it, and one field is another.
    Differs {
        /// Fill, round trip, day or balance.
        what: String,
        /// Which.
        field: &'static str,
        /// What the journal has.
        here: String,
        /// What the broker has.
        there: String,
    },
}

/// One level of the comparison.
#[derive(Clone, Debug)]
pub struct Level {
    /// `fills`, `round trips`, `days`, `balance`.
    pub name: &'static str,
    /// How many are the same on both sides.
    pub matched: usize,
    /// What is not.
    pub differences: Vec<Difference>,
}

/// The comparison.
#[derive(Debug)]
pub struct Reconciliation {
    /// The levels that the file says something of.
    pub levels: Vec<Level>,
    /// The events that would settle the differences: what is missing here, what the broker has corrected, and busts of
    /// what it does not have.
    pub settling: Vec<Draft>,
    /// Rows of the file that can't be compared.
    pub bad: Vec<BadRow>,
}

impl Reconciliation {
    /// Whether nothing differs.
    #[must_use]
    pub fn ties_out(&self) -> bool {
        self.levels.iter().all(|level| level.differences.is_empty())
    }
}

/// The journal's fills of the account, as they stand.
struct Here {
    fills: HashMap<String, Recorded>,
    /// In the order in which a broker pairs them.
    executions: Vec<Execution>,
    point_values: HashMap<String, Dec>,
    calendar: Calendar,
}

/// Compares a statement with a journal whose tables are up to date. `balance` is the account's equity as the broker
/// has it.
///
/// # Errors
/// [`ImportError`].
pub fn reconcile(
    log: &Reader,
    tables: &Connection,
    statement: &Statement,
    order: &Order<'_>,
    balance: Option<Dec>,
) -> Result<Reconciliation, ImportError> {
    let plan = import::plan(log, tables, statement, order)?;
    let here = Here::read(log, tables, order.account, &plan)?;
    let there = executions(&plan.fills);
    let mut levels = vec![fills(&here, &plan)];
    let theirs = pairs_there(statement, &there, &here);
    let ours = here.pairs_within(&there);
    levels.push(round_trips(&ours, &theirs, statement));
    levels.push(days(&here, &ours, &theirs, &there, plan.fills.iter().all(|fill| fill.fees.is_some())));
    if let Some(there) = balance {
        levels.push(balances(tables, order.account, there)?);
    }
    let mut settling = plan.drafts;
    settling.extend(busts(&levels[0], &here, order));
    Ok(Reconciliation { levels, settling, bad: plan.bad })
}

impl Here {
    fn read(log: &Reader, tables: &Connection, account: &str, plan: &import::Plan) -> Result<Self, ImportError> {
        let fills = import::recorded(tables, account, &plan.fills)?;
        let mut executions: Vec<Execution> = fills
            .iter()
            .filter(|(_, fill)| fill.account == account && fill.status != "busted")
            .map(|(fill_id, fill)| fill.execution(fill_id))
            .collect();
        executions.sort_by(|one, other| in_order((one.at, &one.fill_id), (other.at, &other.fill_id)));
        let symbols: BTreeSet<&str> = executions.iter().map(|fill| fill.symbol.as_str()).collect();
        let of_file = plan.contracts.iter().map(|(symbol, (_, point))| (symbol.clone(), *point));
        let mut point_values: HashMap<String, Dec> = of_file.collect();
        for symbol in symbols {
            if !point_values.contains_key(symbol) {
                let defined = import::defined(log, symbol)?;
                point_values.insert(symbol.to_owned(), defined.map_or(Dec::ONE, |(_, point)| point));
            }
        }
        let calendar = *Calendars::read(tables)?.of(account);
        Ok(Self { fills, executions, point_values, calendar })
    }

    fn point_value(&self, symbol: &str) -> Dec {
        self.point_values.get(symbol).copied().unwrap_or(Dec::ONE)
    }

    /// The pairs that close within the time the file tells of. They are made from the beginning: a fill may close what
    /// was opened before.
    fn pairs_within(&self, there: &[Execution]) -> Vec<Pair> {
        let Some((from, to)) = span(there) else { return Vec::new() };
        let pairs = pair(&self.executions, |symbol| self.point_value(symbol));
        pairs.into_iter().filter(|pair| within(pair.closed_at, from, to)).collect()
    }
}

impl Recorded {
    fn execution(&self, fill_id: &str) -> Execution {
        Execution {
            fill_id: fill_id.to_owned(),
            symbol: self.symbol.clone(),
            side: if self.side == "buy" { Side::Buy } else { Side::Sell },
            quantity: exact(self.quantity),
            price: exact(self.price),
            fees: exact(self.fees),
            at: self.at,
        }
    }
}

/// The decimal that a table's number stands for: the shortest that reads back the same.
fn exact(number: f64) -> Dec {
    Dec::parse(&number.to_string()).unwrap_or_default()
}

fn in_order((at, id): (Moment, &str), (other_at, other_id): (Moment, &str)) -> std::cmp::Ordering {
    at.cmp(&other_at).then_with(|| import::by_id(id, other_id))
}

fn executions(fills: &[super::Fill]) -> Vec<Execution> {
    let execution = |fill: &super::Fill| Execution {
        fill_id: fill.fill_id.clone(),
        symbol: fill.symbol.clone(),
        side: fill.side,
        quantity: fill.quantity,
        price: fill.price,
        fees: fill.fees.unwrap_or(Dec::ZERO),
        at: fill.at,
    };
    fills.iter().map(execution).collect()
}

/// From the first fill of a file to the last.
fn span(fills: &[Execution]) -> Option<(Moment, Moment)> {
    Some((fills.iter().map(|fill| fill.at).min()?, fills.iter().map(|fill| fill.at).max()?))
}

/// Whether a time lies within a file's, which may know no more than seconds.
fn within(at: Moment, from: Moment, to: Moment) -> bool {
    const SECOND: i64 = 1_000_000;
    at >= from && at.0 < to.0 + SECOND
}

/// Fills: those that the plan would add are missing here, those that it would correct differ, those that it can't
/// place are another fill under the same id.
fn fills(here: &Here, plan: &import::Plan) -> Level {
    let mut differences = Vec::new();
    for fill in &plan.fills {
        if here.fills.get(&fill.fill_id).is_none_or(|fill| fill.status == "busted") {
            differences.push(Difference::MissingHere { what: format!("fill {}", fill.fill_id), line: Some(fill.line) });
        }
    }
    for correction in &plan.corrections {
        for (field, here, there) in &correction.changes {
            differences.push(Difference::Differs {
                what: format!("fill {}", correction.fill_id),
                field,
                here: here.to_string(),
                there: there.to_string(),
            });
        }
    }
    for clash in &plan.clashes {
        differences.push(Difference::Differs {
            what: format!("fill {}", clash.fill_id),
            field: clash.field,
            here: clash.here.clone(),
            there: clash.there.clone(),
        });
    }
    let named: BTreeSet<&str> = plan.fills.iter().map(|fill| fill.fill_id.as_str()).collect();
    if let Some((from, to)) = span(&executions(&plan.fills)) {
        let only_here = here.executions.iter().filter(|fill| within(fill.at, from, to));
        for fill in only_here.filter(|fill| !named.contains(fill.fill_id.as_str())) {
            differences.push(Difference::MissingThere { what: format!("fill {}", fill.fill_id) });
        }
    }
    Level { name: "fills", matched: plan.known, differences }
}

/// Round trips as the file has them, or as its fills make them.
fn pairs_there(statement: &Statement, fills: &[Execution], here: &Here) -> Vec<Pair> {
    if statement.trips.is_empty() {
        return pair(fills, |symbol| here.point_value(symbol));
    }
    let at: HashMap<&str, Moment> = fills.iter().map(|fill| (fill.fill_id.as_str(), fill.at)).collect();
    let when = |id: &str| at.get(id).copied().unwrap_or(Moment(0));
    statement
        .trips
        .iter()
        .map(|trip| Pair {
            buy: trip.buy_fill_id.clone(),
            sell: trip.sell_fill_id.clone(),
            symbol: trip.symbol.clone(),
            quantity: trip.quantity,
            gross: trip.gross,
            closed_at: when(&trip.buy_fill_id).max(when(&trip.sell_fill_id)),
        })
        .collect()
}

/// Pairs of the same two fills, added up: a broker may print one in parts.
fn by_fills(pairs: &[Pair]) -> BTreeMap<(&str, &str), (Dec, Dec)> {
    let mut sums: BTreeMap<(&str, &str), (Dec, Dec)> = BTreeMap::new();
    for pair in pairs {
        let (quantity, gross) = sums.entry((&pair.buy, &pair.sell)).or_default();
        *quantity += pair.quantity;
        *gross += pair.gross;
    }
    sums
}

fn round_trips(ours: &[Pair], theirs: &[Pair], statement: &Statement) -> Level {
    let (ours, theirs) = (by_fills(ours), by_fills(theirs));
    let line = |(buy, sell): (&str, &str)| {
        let trip = statement.trips.iter().find(|trip| trip.buy_fill_id == buy && trip.sell_fill_id == sell);
        trip.map(|trip| trip.line)
    };
    let name = |(buy, sell): (&str, &str)| format!("round trip {buy} to {sell}");
    let mut level = Level { name: "round trips", matched: 0, differences: Vec::new() };
    for (key, there) in &theirs {
        let Some(here) = ours.get(key) else {
            level.differences.push(Difference::MissingHere { what: name(*key), line: line(*key) });
            continue;
        };
        let fields = [("quantity", here.0, there.0), ("profit", here.1, there.1)];
        level.compare(&name(*key), &fields);
    }
    let only_here = ours.keys().filter(|key| !theirs.contains_key(*key));
    level.differences.extend(only_here.map(|key| Difference::MissingThere { what: name(*key) }));
    level
}

impl Level {
    /// Takes in one thing that both sides have.
    fn compare(&mut self, what: &str, fields: &[(&'static str, Dec, Dec)]) {
        let differs = fields.iter().filter(|(_, here, there)| here != there).map(|(field, here, there)| {
            Difference::Differs { what: what.to_owned(), field, here: here.to_string(), there: there.to_string() }
        });
        let before = self.differences.len();
        self.differences.extend(differs);
        self.matched += usize::from(self.differences.len() == before);
    }
}

/// The realised net of each trading date: the profit of pairs on the date of the later fill, less the fees of each fill
/// on its own; without fees where the file has none.
fn days(here: &Here, ours: &[Pair], theirs: &[Pair], there: &[Execution], with_fees: bool) -> Level {
    let within_span = span(there)
        .map(|(from, to)| here.executions.iter().filter(|fill| within(fill.at, from, to)).cloned().collect::<Vec<_>>());
    let ours = by_day(here.calendar, ours, &within_span.unwrap_or_default(), with_fees);
    let theirs = by_day(here.calendar, theirs, there, with_fees);
    let mut level = Level { name: "days", matched: 0, differences: Vec::new() };
    let dates: BTreeSet<TradingDate> = ours.keys().chain(theirs.keys()).copied().collect();
    for date in dates {
        let net = |days: &BTreeMap<TradingDate, Dec>| days.get(&date).copied().unwrap_or(Dec::ZERO);
        let field = if with_fees { "realised net" } else { "realised, before fees" };
        level.compare(&format!("day {date}"), &[(field, net(&ours), net(&theirs))]);
    }
    level
}

fn by_day(mut calendar: Calendar, pairs: &[Pair], fills: &[Execution], with_fees: bool) -> BTreeMap<TradingDate, Dec> {
    let mut days: BTreeMap<TradingDate, Dec> = BTreeMap::new();
    for pair in pairs {
        *days.entry(calendar.date(pair.closed_at)).or_default() += pair.gross;
    }
    if with_fees {
        for fill in fills {
            *days.entry(calendar.date(fill.at)).or_default() -= fill.fees;
        }
    }
    days
}

fn balances(tables: &Connection, account: &str, there: Dec) -> Result<Level, TablesError> {
    let wanted: Vec<Column> = accounts::TABLE.all_columns().filter(|column| column.name == "equity").collect();
    let mut here = None;
    let is_it = [Filter::text_is("account_id", account)];
    select(tables, &accounts::TABLE, &wanted, &is_it, |row| {
        here = row[0].as_f64().map(exact);
        ControlFlow::Break(())
    })?;
    let mut level = Level { name: "balance", matched: 0, differences: Vec::new() };
    match here {
        Some(here) => level.compare("balance", &[("equity", here.rounded(2), there.rounded(2))]),
        None => level.differences.push(Difference::MissingHere { what: "balance".to_owned(), line: None }),
    }
    Ok(level)
}

/// A bust for each fill that the broker does not have.
fn busts(fills: &Level, here: &Here, order: &Order<'_>) -> Vec<Draft> {
    let only_here = fills.differences.iter().filter_map(|difference| match difference {
        Difference::MissingThere { what } => what.strip_prefix("fill "),
        _ => None,
    });
    let bust = |fill_id: &str| {
        let last_seq = here.fills.get(fill_id).map_or(0, Recorded::last_seq);
        let name = format!("bust\0{}\0{fill_id}\0{last_seq}", order.account);
        let event = json!({
            "type": "FillBusted",
            "id": Uuid::new_v5(&NAMES, name.as_bytes()).to_string(),
            "occurred_at": order.now.to_string(),
            "data": { "fill_id": fill_id, "reason": format!("the broker does not have it: {}", order.file) },
            "meta": { "source": "reconcile", "format": order.format, "file": order.file },
        });
        parse_edge(&event.to_string()).ok()
    };
    only_here.filter_map(bust).collect()
}
