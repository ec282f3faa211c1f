//! Owns a statement as events: which fills are new, which the journal has, which the broker has since corrected, and
//! which instruments have to be defined first. It makes drafts and records nothing; the same statement twice makes none.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use projections::decimal::Dec;
use projections::draft::Draft;
use projections::moment::Moment;
use projections::validate::parse_edge;
use projections::{accounts, fills};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::futures::contract;
use super::statement::{BadRow, Fill, Statement};
use crate::log::{ReadError, Reader};
use crate::tables::{Connection, Filter, TablesError, select};

/// Under which names of events' ids are made.
pub(super) const NAMES: Uuid = Uuid::from_u128(0x7472_6164_6566_6f6c_642f_696d_706f_7274);

/// A price this near to a tick, in ticks, is meant to be on it: `2647.1000000000004`.
const NOISE: &str = "0.0001";

/// What is to be brought in, and where.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The journal's account.
    pub account: &'a str,
    /// What the file is called; it stands in the events' metadata.
    pub file: &'a str,
    /// The format it was read by.
    pub format: &'a str,
    /// The strategy of trades that a file's rows are by themselves.
    pub strategy: &'a str,
    /// Tick size and point value of instruments that nobody else knows.
    pub instruments: &'a BTreeMap<String, (Dec, Dec)>,
    /// When corrections are made.
    pub now: Moment,
}

/// A fill that the broker has corrected since it was recorded.
#[derive(Clone, Debug)]
pub struct Correction {
    /// The fill.
    pub fill_id: String,
    /// Where the file says it.
    pub line: u64,
    /// Field, what the journal has, what the broker says.
    pub changes: Vec<(&'static str, f64, Dec)>,
}

/// What a statement would bring into a journal.
#[derive(Debug, Default)]
pub struct Plan {
    /// The events, in the order in which they are to be recorded.
    pub drafts: Vec<Draft>,
    /// How many fills are new.
    pub added: usize,
    /// How many the journal has as the file says them.
    pub known: usize,
    /// Fills that the journal holds as busted; they stay so.
    pub busted: usize,
    /// Those that the broker has corrected.
    pub corrections: Vec<Correction>,
    /// Whether the account was ever opened: of one that wasn't, days are UTC dates.
    pub account_is_opened: bool,
    /// Symbols that are defined first.
    pub instruments: Vec<String>,
    /// Rows that can't be brought in.
    pub bad: Vec<BadRow>,
    /// Fills under whose id the journal has another one, which no correction makes the same.
    pub clashes: Vec<Clash>,
    /// Tick size and point value of each symbol of the file.
    pub(super) contracts: HashMap<String, (Dec, Dec)>,
    /// The file's fills in the order in which they are recorded, on their ticks.
    pub fills: Vec<Fill>,
}

/// In what a fill of the file is another than the one that the journal has under its id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say it")]
pub struct Clash {
    pub line: u64,
    pub fill_id: String,
    pub field: &'static str,
    pub here: String,
    pub there: String,
}

/// Why no plan could be made.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The tables could not be read.
    #[error(transparent)]
    Tables(#[from] TablesError),
}

/// A fill that the journal has.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) account: String,
    pub(super) symbol: String,
    pub(super) side: String,
    pub(super) quantity: f64,
    pub(super) price: f64,
    pub(super) fees: f64,
    pub(super) at: Moment,
    pub(super) status: String,
    last_seq: u64,
}

impl Plan {
    /// All that can't be brought in, as rows of the file.
    #[must_use]
    pub fn refused(&self) -> Vec<BadRow> {
        let clash = |clash: &Clash| BadRow {
            line: clash.line,
            column: clash.field.to_owned(),
            found: clash.there.clone(),
            expected: format!("{}, as fill {} is recorded", clash.here, clash.fill_id),
        };
        self.bad.iter().cloned().chain(self.clashes.iter().map(clash)).collect()
    }
}

impl Recorded {
    /// The position that last changed it.
    pub(super) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// In what it is another fill, beyond what a broker corrects.
    fn clash(&self, fill: &Fill, account: &str) -> Option<Clash> {
        let clash = |field, here: &str, there: &str| {
            let (here, there) = (here.to_owned(), there.to_owned());
            Some(Clash { line: fill.line, fill_id: fill.fill_id.clone(), field, here, there })
        };
        if self.account != account {
            return clash("account", &self.account, account);
        }
        if self.symbol != fill.symbol {
            return clash("symbol", &self.symbol, &fill.symbol);
        }
        if self.side != fill.side.as_str() {
            return clash("side", &self.side, fill.side.as_str());
        }
        if !same_time(fill.at, self.at) {
            return clash("time", &self.at.to_string(), &fill.at.to_string());
        }
        None
    }
}

/// Makes a plan of what a statement brings into a journal whose tables are up to date.
///
/// # Errors
/// [`ImportError`]. Rows that can't be brought in are no error: the plan has them.
pub fn plan(log: &Reader, tables: &Connection, statement: &Statement, order: &Order<'_>) -> Result<Plan, ImportError> {
    let account_is_opened = is_opened(tables, order.account)?;
    let mut plan = Plan { bad: statement.bad.clone(), account_is_opened, ..Plan::default() };
    let mut fills: Vec<Fill> = statement.fills.clone();
    // As brokers pair them: of equal times the smaller id came first.
    fills.sort_by(|one, other| one.at.cmp(&other.at).then_with(|| by_id(&one.fill_id, &other.fill_id)));
    plan.contracts = contracts(log, &fills, order, &mut plan)?;
    fills.retain_mut(|fill| match plan.contracts.get(&fill.symbol) {
        Some((tick, _)) => {
            fill.price = on_tick(fill.price, *tick);
            true
        }
        None => false,
    });
    let recorded = recorded(tables, order.account, &fills)?;
    let mut opened: Vec<&str> = Vec::new();
    for fill in &fills {
        match recorded.get(&fill.fill_id) {
            None => {
                if let Some(trade) = fill.trade_id.as_deref().filter(|trade| !opened.contains(trade)) {
                    opened.push(trade);
                    add(&mut plan, fill, &trade_opened(fill, trade, order));
                }
                plan.added += 1;
                add(&mut plan, fill, &fill_recorded(fill, order));
            }
            Some(known) => compare(&mut plan, fill, known, order),
        }
    }
    plan.fills = fills;
    Ok(plan)
}

fn is_opened(tables: &Connection, account: &str) -> Result<bool, TablesError> {
    let columns: Vec<_> = accounts::TABLE.all_columns().take(1).collect();
    let mut found = false;
    select(tables, &accounts::TABLE, &columns, &[Filter::text_is("account_id", account)], |_| {
        found = true;
        ControlFlow::Break(())
    })?;
    Ok(found)
}

/// Ids of digits alone are compared as numbers.
pub(super) fn by_id(one: &str, other: &str) -> Ordering {
    let is_number = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(one) && is_number(other) {
        let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
        return one.len().cmp(&other.len()).then_with(|| one.cmp(other));
    }
    one.cmp(other)
}

/// What each symbol is. Those that the journal does not know are defined, if anything says what they are; what is
/// missing otherwise is said once a symbol.
fn contracts(
    log: &Reader,
    fills: &[Fill],
    order: &Order<'_>,
    plan: &mut Plan,
) -> Result<HashMap<String, (Dec, Dec)>, ImportError> {
    let mut contracts = HashMap::new();
    let mut unknown: Vec<&str> = Vec::new();
    for fill in fills {
        if contracts.contains_key(&fill.symbol) || unknown.contains(&fill.symbol.as_str()) {
            continue;
        }
        if let Some(defined) = defined(log, &fill.symbol)? {
            contracts.insert(fill.symbol.clone(), defined);
            continue;
        }
        let Some((contract, definition)) = definition(fill, order) else {
            unknown.push(&fill.symbol);
            let symbol = &fill.symbol;
            plan.bad.push(BadRow {
                line: fill.line,
                column: "symbol".to_owned(),
                found: symbol.clone(),
                expected: format!("a known contract; --instrument {symbol}=TICK:POINT_VALUE says what it is"),
            });
            continue;
        };
        contracts.insert(fill.symbol.clone(), contract);
        plan.instruments.push(fill.symbol.clone());
        add(plan, fill, &definition);
    }
    Ok(contracts)
}

/// Tick size and point value of a symbol that the journal knows, as it was defined last.
pub(super) fn defined(log: &Reader, symbol: &str) -> Result<Option<(Dec, Dec)>, ReadError> {
    let mut last = None;
    log.stream(&format!("instrument/{symbol}"), 0, |event| {
        let data: Value = serde_json::from_str(event.data).unwrap_or_default();
        let decimal = |name: &str| data.get(name).and_then(Value::as_str).and_then(|text| Dec::parse(text).ok());
        last = decimal("tick_size").zip(decimal("point_value")).or(last);
        ControlFlow::Continue(())
    })?;
    Ok(last)
}

/// What a symbol is: as the user says, as the file says, or as everybody knows.
fn definition(fill: &Fill, order: &Order<'_>) -> Option<((Dec, Dec), Value)> {
    let given = order.instruments.get(&fill.symbol).copied();
    let known = contract(&fill.symbol);
    let of_contract = || known.map(|known| (known.tick(), Dec::parse(known.point_value).unwrap_or_default()));
    let (tick, point) = given.or_else(|| fill.tick_size.zip(fill.point_value)).or_else(of_contract)?;
    let mut data = Map::new();
    data.insert("symbol".to_owned(), fill.symbol.clone().into());
    data.insert("tick_size".to_owned(), tick.to_string().into());
    data.insert("point_value".to_owned(), point.to_string().into());
    if let (None, Some(known)) = (given, known) {
        data.insert("exchange".to_owned(), known.exchange.into());
        data.insert("name".to_owned(), known.name.into());
    }
    let id = Uuid::new_v5(&NAMES, format!("instrument\0{}\0{tick}\0{point}", fill.symbol).as_bytes());
    Some(((tick, point), event("InstrumentDefined", id, fill, &Value::Object(data), order)))
}

/// A price with the noise of a float is that of the tick it is next to.
fn on_tick(price: Dec, tick: Dec) -> Dec {
    let Some(ticks) = price.ratio(tick) else { return price };
    let nearest = ticks.rounded(0) * tick;
    let noise = tick * Dec::parse(NOISE).unwrap_or_default();
    if (price - nearest).abs() <= noise { nearest } else { price }
}

/// What the journal has of these fills, or of any of the account.
pub(super) fn recorded(
    tables: &Connection,
    account: &str,
    fills: &[Fill],
) -> Result<HashMap<String, Recorded>, TablesError> {
    let columns: Vec<_> = fills::TABLE.all_columns().collect();
    let place = |name: &str| columns.iter().position(|column| column.name == name).unwrap_or_default();
    let places =
        ["fill_id", "timestamp", "account_id", "symbol", "side", "quantity", "price", "fees", "status", "last_seq"]
            .map(place);
    let mut found = HashMap::new();
    let wanted: HashMap<&str, ()> = fills.iter().map(|fill| (fill.fill_id.as_str(), ())).collect();
    select(tables, &fills::TABLE, &columns, &[] as &[Filter], |row| {
        let text = |at: usize| row[places[at]].as_text().unwrap_or_default().to_owned();
        let number = |at: usize| row[places[at]].as_f64().unwrap_or_default();
        let (fill_id, owner) = (text(0), text(2));
        if owner == account || wanted.contains_key(fill_id.as_str()) {
            let recorded = Recorded {
                account: owner,
                symbol: text(3),
                side: text(4),
                quantity: number(5),
                price: number(6),
                fees: number(7),
                at: Moment::parse(&text(1)).unwrap_or(Moment(0)),
                status: text(8),
                last_seq: row[places[9]].as_count().unwrap_or_default(),
            };
            found.insert(fill_id, recorded);
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Whether a time of the file is that of the journal, to the second where the file knows no more.
pub(super) fn same_time(file: Moment, journal: Moment) -> bool {
    const SECOND: i64 = 1_000_000;
    file == journal || (file.0 % SECOND == 0 && file.0 / SECOND == journal.0.div_euclid(SECOND))
}

/// A fill that the journal has: the same, corrected since, or another one of the same name.
fn compare(plan: &mut Plan, fill: &Fill, known: &Recorded, order: &Order<'_>) {
    let name = &fill.fill_id;
    if let Some(clash) = known.clash(fill, order.account) {
        return plan.clashes.push(clash);
    }
    if known.status == "busted" {
        plan.busted += 1;
        return;
    }
    let figures = [
        ("quantity", known.quantity, Some(fill.quantity)),
        ("price", known.price, Some(fill.price)),
        ("fees", known.fees, fill.fees),
    ];
    let changes: Vec<(&'static str, f64, Dec)> = figures
        .into_iter()
        .filter_map(|(field, known, said)| said.filter(|said| said.to_f64() != known).map(|said| (field, known, said)))
        .collect();
    if changes.is_empty() {
        plan.known += 1;
        return;
    }
    let data = fill_corrected(fill, &changes, known, order);
    add(plan, fill, &data);
    plan.corrections.push(Correction { fill_id: name.clone(), line: fill.line, changes });
}

/// Checks an event as every other one is checked, and takes it into the plan.
fn add(plan: &mut Plan, fill: &Fill, event: &Value) {
    match parse_edge(&event.to_string()) {
        Ok(draft) => plan.drafts.push(draft),
        Err(refusal) => plan.bad.push(BadRow {
            line: fill.line,
            column: refusal.field.clone().unwrap_or_default(),
            found: fill.fill_id.clone(),
            expected: refusal.to_string(),
        }),
    }
}

fn event(kind: &str, id: Uuid, fill: &Fill, data: &Value, order: &Order<'_>) -> Value {
    json!({
        "type": kind,
        "id": id.to_string(),
        "occurred_at": fill.at.to_string(),
        "data": data,
        "meta": { "source": "import", "format": order.format, "file": order.file, "line": fill.line },
    })
}

fn fill_recorded(fill: &Fill, order: &Order<'_>) -> Value {
    let mut data = Map::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            data.insert(name.to_owned(), value.into());
        }
    };
    put("fill_id", Some(fill.fill_id.clone()));
    put("symbol", Some(fill.symbol.clone()));
    put("side", Some(fill.side.as_str().to_owned()));
    put("quantity", Some(fill.quantity.to_string()));
    put("price", Some(fill.price.to_string()));
    put("fees", fill.fees.map(|fees| fees.to_string()));
    put("trade_id", fill.trade_id.clone());
    put("account_id", Some(order.account.to_owned()));
    put("order_id", fill.order_id.clone());
    put("order_type", fill.order_type.clone());
    if fill.trade_id.is_some() {
        // The broker tells round trips: the fill is what must have been, not what it said.
        data.insert("attributes".to_owned(), json!({ "derived_from": "round trip" }));
    }
    let id = Uuid::new_v5(&NAMES, format!("fill\0{}\0{}", order.account, fill.fill_id).as_bytes());
    event("FillRecorded", id, fill, &Value::Object(data), order)
}

/// The trade that a row is by itself.
fn trade_opened(entry: &Fill, trade_id: &str, order: &Order<'_>) -> Value {
    let side = if entry.side == super::Side::Buy { "long" } else { "short" };
    let data = json!({
        "trade_id": trade_id,
        "symbol": entry.symbol,
        "side": side,
        "strategy": order.strategy,
        "account_id": order.account,
    });
    let id = Uuid::new_v5(&NAMES, format!("trade\0{}\0{trade_id}", order.account).as_bytes());
    event("TradeOpened", id, entry, &data, order)
}

fn fill_corrected(fill: &Fill, changes: &[(&'static str, f64, Dec)], known: &Recorded, order: &Order<'_>) -> Value {
    let mut data = Map::new();
    data.insert("fill_id".to_owned(), fill.fill_id.clone().into());
    data.insert("reason".to_owned(), format!("the broker says so: {} line {}", order.file, fill.line).into());
    for (field, _, said) in changes {
        data.insert((*field).to_owned(), said.to_string().into());
    }
    // What is corrected once more, from another state, is another correction.
    let name = format!("correction\0{}\0{}\0{}", order.account, fill.fill_id, known.last_seq);
    let id = Uuid::new_v5(&NAMES, name.as_bytes());
    let mut event = event("FillCorrected", id, fill, &Value::Object(data), order);
    event["occurred_at"] = order.now.to_string().into();
    event
}
