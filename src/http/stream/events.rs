//! Owns a subscription to events: the log after a position, those of some types or of one account.

use std::collections::HashMap;
use std::ops::ControlFlow;

use projections::draft::Stored;
use projections::event::DEFAULT_ACCOUNT;
use projections::validate::to_edge;
use serde_json::Value as Json;

use super::subscription::{Batch, Item, position_item};
use crate::http::app::App;
use crate::http::desk::Seat;
use crate::http::problem::Problem;
use crate::log::{EventRef, Reader};

/// The most events that are looked at, and the most bytes that are made of them, at a time.
const EVENTS_MAX: usize = 512;
const BYTES_MAX: usize = 1 << 20;

/// Trades whose account is remembered; with more, all are looked up again.
const TRADES_MAX: usize = 1_024;

/// A subscription to events.
pub(super) struct Events {
    /// Everything up to here has been handed over.
    pub(super) told: u64,
    /// Everything up to here has been read.
    read: u64,
    sieve: Option<Sieve>,
}

/// What is wanted of events.
#[derive(Default)]
struct Sieve {
    types: Vec<String>,
    account: Option<String>,
    /// The accounts of trades.
    trades: HashMap<String, String>,
}

impl Events {
    pub(super) fn new(after: u64, types: Vec<String>, account: Option<String>) -> Self {
        Self { told: after, read: after, sieve: Some(Sieve { types, account, trades: HashMap::new() }) }
    }

    pub(super) async fn next(&mut self, app: &App) -> Result<Batch, Problem> {
        let head = *app.progress.head.borrow();
        if self.read >= head {
            return Ok(Batch::default());
        }
        let (after, mut sieve) = (self.read, self.sieve.take().unwrap_or_default());
        let read = app.desk.read(move |seat: &mut Seat| {
            let read = page(&seat.log, after, head, &mut sieve)?;
            Ok((read, sieve))
        });
        let ((last, mut items), sieve) = read.await?;
        (self.read, self.sieve) = (last, Some(sieve));
        let is_told = items.last().is_some_and(|item| item.position == Some(last));
        if !is_told && (last == head || last - self.told > 16 * EVENTS_MAX as u64) {
            // What was passed over needn't be looked at again by who resumes.
            items.push(position_item("events", last));
        }
        Ok(Batch { items, more: last < head })
    }
}

fn page(log: &Reader, after: u64, head: u64, sieve: &mut Sieve) -> Result<(u64, Vec<Item>), Problem> {
    let (mut found, mut seen, mut bytes) = (Vec::new(), 0, 0);
    let last = log.scan(after, head, |event| {
        seen += 1;
        if sieve.lets_type(&event) {
            bytes += event.data.len() + event.meta.map_or(0, str::len);
            found.push(Stored::from(event));
        }
        if seen >= EVENTS_MAX || bytes >= BYTES_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let mut items = Vec::with_capacity(found.len());
    for event in found {
        if sieve.lets_account(log, &event)? {
            let json = format!("{{\"event\":{}}}", to_edge(&event));
            items.push(Item { kind: "event", json, position: Some(event.seq) });
        }
    }
    Ok((last, items))
}

impl Sieve {
    fn lets_type(&self, event: &EventRef<'_>) -> bool {
        self.types.is_empty() || self.types.iter().any(|kind| kind == event.kind)
    }

    fn lets_account(&mut self, log: &Reader, event: &Stored) -> Result<bool, Problem> {
        let Some(wanted) = self.account.clone() else { return Ok(true) };
        Ok(self.account_of(log, event)?.is_some_and(|account| account == wanted))
    }

    /// Whose event it is; `None` for what belongs to no account. Told by the log alone: what a trade's event doesn't say, the
    /// first one that made the trade does.
    fn account_of(&mut self, log: &Reader, event: &Stored) -> Result<Option<String>, Problem> {
        if let Some(account) = account_in(&event.data) {
            return Ok(Some(account));
        }
        let (word, name) = event.stream.split_once('/').unwrap_or((&event.stream, ""));
        match word {
            "account" => Ok(Some(name.to_owned())),
            "system" => Ok(Some(DEFAULT_ACCOUNT.to_owned())),
            "trade" => self.account_of_trade(log, &event.stream).map(Some),
            _ => Ok(None),
        }
    }

    fn account_of_trade(&mut self, log: &Reader, stream: &str) -> Result<String, Problem> {
        if let Some(known) = self.trades.get(stream) {
            return Ok(known.clone());
        }
        let mut account = None;
        log.stream(stream, 0, |event| {
            if !matches!(event.kind, "TradeOpened" | "FillRecorded") {
                return ControlFlow::Continue(());
            }
            account = account_in(event.data);
            ControlFlow::Break(())
        })?;
        let account = account.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
        if self.trades.len() >= TRADES_MAX {
            self.trades.clear();
        }
        self.trades.insert(stream.to_owned(), account.clone());
        Ok(account)
    }
}

fn account_in(data: &str) -> Option<String> {
    let data: Json = serde_json::from_str(data).ok()?;
    data.get("account_id")?.as_str().map(str::to_owned)
}
