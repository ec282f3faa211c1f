//! Owns what a subscriber wants and how far it has been told: one subscription, to events or to rows, with a position of its
//! own.

use projections::cell::Table;
use projections::projection;
use projections::schema;
use projections::validate::nearest;
use serde::Deserialize;
use serde_json::json;

use super::changes::Changes;
use super::events::Events;
use crate::http::app::App;
use crate::http::problem::Problem;

/// What a subscriber asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wish {
    /// `events` or `tables`.
    pub(super) subscribe: String,
    /// Begin after this position; after the present one where left out.
    pub(super) after: Option<u64>,
    /// Only what is of this account.
    pub(super) account: Option<String>,
    /// Events of these types only.
    #[serde(default)]
    pub(super) types: Vec<String>,
    /// Rows of these tables only.
    #[serde(default)]
    pub(super) tables: Vec<String>,
}

/// Something to be sent.
#[derive(Debug)]
pub(super) struct Item {
    /// `event`, `rows` or `position`.
    pub(super) kind: &'static str,
    pub(super) json: String,
    /// Once this is sent, everything up to that position is.
    pub(super) position: Option<u64>,
}

/// What is to be sent next.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    /// Whether there is more already.
    pub(super) more: bool,
}

/// A subscription under way.
pub(super) enum Subscription {
    Events(Events),
    Tables(Changes),
}

impl Subscription {
    /// Begins one.
    pub(super) fn begin(app: &App, wish: Wish) -> Result<Self, Problem> {
        match wish.subscribe.as_str() {
            "events" => {
                if !wish.tables.is_empty() {
                    return Err(Problem::question("tables: events are of types, not of tables"));
                }
                wish.types.iter().try_for_each(|name| known_type(name))?;
                let head = *app.progress.head.borrow();
                let after = not_beyond(wish.after, head)?;
                Ok(Self::Events(Events::new(after, wish.types, wish.account)))
            }
            "tables" => {
                if !wish.types.is_empty() {
                    return Err(Problem::question("types: rows are of tables, not of types"));
                }
                let tables = tables(&wish)?;
                let present = app.progress.standing.borrow().position_of(&tables);
                let after = not_beyond(wish.after, *app.progress.head.borrow())?;
                let after = if wish.after.is_some() { after } else { present };
                Ok(Self::Tables(Changes::new(after, tables, wish.account)))
            }
            other => Err(Problem::question(format!("subscribe: expected events or tables, got `{other}`"))),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Events(_) => "events",
            Self::Tables(_) => "tables",
        }
    }

    /// Up to where everything has been handed over.
    pub(super) fn position(&self) -> u64 {
        match self {
            Self::Events(events) => events.told,
            Self::Tables(changes) => changes.told,
        }
    }

    /// What says that.
    pub(super) fn position_item(&self) -> Item {
        position_item(self.name(), self.position())
    }

    /// That an item has been handed over.
    pub(super) fn told(&mut self, item: &Item) {
        let Some(position) = item.position else { return };
        match self {
            Self::Events(events) => events.told = position,
            Self::Tables(changes) => changes.told = position,
        }
    }

    /// What comes next; nothing, as long as nothing is new.
    pub(super) async fn next(&mut self, app: &App) -> Result<Batch, Problem> {
        match self {
            Self::Events(events) => events.next(app).await,
            Self::Tables(changes) => changes.next(app).await,
        }
    }
}

pub(super) fn position_item(subscription: &'static str, position: u64) -> Item {
    let json = json!({ "subscription": subscription, "position": position }).to_string();
    Item { kind: "position", json, position: Some(position) }
}

fn not_beyond(after: Option<u64>, head: u64) -> Result<u64, Problem> {
    match after {
        Some(after) if after > head => {
            Err(Problem::question(format!("after {after}: the log ends at position {head}")).with("head", head))
        }
        after => Ok(after.unwrap_or(head)),
    }
}

fn known_type(name: &str) -> Result<(), Problem> {
    let known = || schema::TYPES.iter().map(|known| known.name);
    if known().any(|known| known == name) {
        return Ok(());
    }
    let hint = match nearest(name, known()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
    };
    Err(Problem::question(format!("types: there is no event type `{name}`; {hint}")))
}

fn tables(wish: &Wish) -> Result<Vec<&'static Table>, Problem> {
    let has_account = |table: &Table| table.position("account_id").is_some();
    if wish.tables.is_empty() {
        let wanted = |table: &&'static Table| wish.account.is_none() || has_account(table);
        return Ok(projections::TABLES.into_iter().filter(wanted).collect());
    }
    let named = |name: &String| {
        let table = projection::table(name).ok_or_else(|| {
            let names = || projections::TABLES.iter().map(|table| table.name);
            let hint = nearest(name, names()).map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
            Problem::question(format!("tables: there is no table `{name}`{hint}"))
        })?;
        if wish.account.is_some() && !has_account(table) {
            return Err(Problem::question(format!("account: rows of {name} belong to no account")));
        }
        Ok(table)
    };
    wish.tables.iter().map(named).collect()
}
