//! Owns a subscription to tables: the rows that were changed after a position, as they stand, and the keys of those that are
//! gone. Which they are is known from the commits of this process; of those before, from how the tables differ from what
//! they were at that position. A position is told when all that was changed up to it has been: who resumes from there
//! misses nothing, and is told again at most that a row is gone.

use std::collections::BTreeMap;

use projections::cell::{Cell, Row, Table};
use projections::projection::{About, keeper_of};
use serde_json::{Map, Value as Json, json};

use super::subscription::{Batch, Item, position_item};
use crate::as_of::tables_as_of;
use crate::http::app::App;
use crate::http::desk::Seat;
use crate::http::problem::Problem;
use crate::json as told;
use crate::tables::{self, Key, differing};
use axum::http::StatusCode;

/// How many rows are read and sent at a time.
const ROWS_MAX: usize = 100;

/// How many keys are looked at in a step, more or less.
const STEP_KEYS: usize = 2_000;

/// In how many rows tables may differ from what they were, to be told row by row.
const DIFFERING_MAX: usize = 100_000;

/// A subscription to tables.
pub(super) struct Changes {
    /// Everything up to here has been handed over.
    pub(super) told: u64,
    /// Everything up to here is handed over or waits.
    read: u64,
    tables: Vec<&'static Table>,
    account: Option<String>,
    step: Option<Step>,
}

/// Rows on their way.
struct Step {
    after: u64,
    through: u64,
    /// The next is the last.
    waiting: Vec<(&'static Table, Vec<Key>)>,
}

impl Changes {
    pub(super) fn new(after: u64, tables: Vec<&'static Table>, account: Option<String>) -> Self {
        Self { told: after, read: after, tables, account, step: None }
    }

    pub(super) async fn next(&mut self, app: &App) -> Result<Batch, Problem> {
        if self.step.is_none() {
            let present = app.progress.standing.borrow().position_of(&self.tables);
            if present <= self.read {
                return Ok(Batch::default());
            }
            self.step = Some(self.begin(app, present).await?);
        }
        let Some(mut step) = self.step.take() else { return Ok(Batch::default()) };
        let items = self.part(app, &mut step).await?;
        if !step.waiting.is_empty() {
            self.step = Some(step);
            return Ok(Batch { items, more: true });
        }
        self.read = step.through;
        let end = position_item("tables", step.through);
        Ok(Batch { items: items.into_iter().chain([end]).collect(), more: true })
    }

    /// Finds out which rows to look at next.
    async fn begin(&self, app: &App, present: u64) -> Result<Step, Problem> {
        let (changed, after) = (app.journal.changed(), self.read);
        let keepers = keepers(&self.tables);
        let reach = |about: &&'static About| changed.reach(about, after, present, STEP_KEYS);
        if let Some(reached) = keepers.iter().map(reach).collect::<Option<Vec<u64>>>() {
            let through = reached.into_iter().min().unwrap_or(present);
            let keys = keepers.iter().flat_map(|about| changed.keys(about, after, through, &self.tables));
            return Ok(Step { after, through, waiting: keys.collect() });
        }
        self.begin_in_the_past(app).await
    }

    /// The same from how the tables differ from what they were.
    async fn begin_in_the_past(&self, app: &App) -> Result<Step, Problem> {
        let (after, tables) = (self.read, self.tables.clone());
        let found = app.desk.read_long(move |seat: &mut Seat| {
            let past = tables_as_of(&seat.log, after, &mut |_, _| {})?;
            Ok(differing(&past, after, &tables, DIFFERING_MAX)?)
        });
        let found = found.await?.ok_or_else(|| {
            let detail = format!("more than {DIFFERING_MAX} rows were changed after position {after}: read the tables, and subscribe from the position of that answer");
            Problem::new(StatusCode::GONE, "too-far-back", detail)
        })?;
        let of = |about: &&'static About| found.positions.get(about.name).copied().unwrap_or(0);
        let through = keepers(&self.tables).iter().map(of).min().unwrap_or(after).max(after);
        Ok(Step { after, through, waiting: found.tables })
    }

    /// Reads some of the rows.
    async fn part(&self, app: &App, step: &mut Step) -> Result<Vec<Item>, Problem> {
        let Some((table, keys)) = step.waiting.last_mut() else { return Ok(Vec::new()) };
        let table = *table;
        let part = keys.split_off(keys.len().saturating_sub(ROWS_MAX));
        if keys.is_empty() {
            step.waiting.pop();
        }
        let (after, through, account) = (step.after, step.through, self.account.clone());
        let rows = app.desk.read(move |seat: &mut Seat| {
            let mut found = Vec::with_capacity(part.len());
            for key in part {
                let row = tables::row(&seat.tables, table, &key)?;
                found.push((key, row));
            }
            Ok(rows_item(table, found, (after, through), account.as_deref()))
        });
        Ok(rows.await?.into_iter().collect())
    }
}

/// The projections that keep some tables.
fn keepers(tables: &[&'static Table]) -> Vec<&'static About> {
    let by_name = tables.iter().filter_map(|table| keeper_of(table.name)).map(|about| (about.name, about));
    by_name.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// What is to be told of some rows. One that went on since is told when its position comes.
fn rows_item(
    table: &'static Table,
    found: Vec<(Key, Option<Row>)>,
    (after, through): (u64, u64),
    account: Option<&str>,
) -> Option<Item> {
    let account_at = table.position("account_id");
    let is_theirs = |row: &Row| match (account, account_at) {
        (Some(account), Some(at)) => matches!(&row[at], Cell::Text(text) if text.as_str() == account),
        _ => true,
    };
    let is_new = |row: &Row| row.last().and_then(Cell::as_seq).is_some_and(|seq| seq > after && seq <= through);
    let (mut rows, mut deleted) = (Vec::new(), Vec::new());
    for (key, row) in found {
        match row {
            None => deleted.push(object(table.key.iter().copied(), &key)),
            Some(row) if is_new(&row) && is_theirs(&row) => {
                rows.push(object(table.all_columns().map(|column| column.name), &row));
            }
            Some(_) => {}
        }
    }
    if rows.is_empty() && deleted.is_empty() {
        return None;
    }
    let json = json!({ "table": table.name, "rows": rows, "deleted": deleted }).to_string();
    Some(Item { kind: "rows", json, position: None })
}

fn object<'a>(names: impl Iterator<Item = &'a str>, cells: &[Cell]) -> Json {
    Json::Object(names.zip(cells).map(|(name, cell)| (name.to_owned(), told::cell(cell))).collect::<Map<_, _>>())
}
