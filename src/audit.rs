//! Owns audits: how one row of `trades`, `daily_pnl` or `accounts` came to be what it is, event by event, with who sent
//! each event, when it happened and when it was recorded, and each column before and after. The row's history
//! is not kept anywhere: it is folded again from the log, which alone is evidence, between the snapshots between
//! which the row changed.

use std::ops::ControlFlow;

use projections::calendar::TradingDate;
use projections::cell::{Cell, Column, Row, Table};
use projections::ledger::on_demand;
use projections::moment::Moment;
use projections::{accounts, daily_pnl, ledger, trades};
use uuid::Uuid;

use crate::as_of;
use crate::log::{EventRef, ReadError, Reader};
use crate::projector::fold::{self, Fold};
use crate::projector::{Pace, ProjectError};
use crate::tables::{self, Connection, Filter, SqlShelf, Tables, TablesError, select};

/// Why something could not be audited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// No event of the log names or made it.
    #[error("no {subject} in this journal")]
    Unknown {
        /// What was asked for.
        subject: Subject,
    },
    /// An event could not be understood.
    #[error("event {at} can't be folded: {reason}")]
    Stopped {
        /// Its position.
        at: u64,
        /// Why.
        reason: String,
    },
    /// The log could not be read or folded.
    #[error(transparent)]
    Project(#[from] ProjectError),
}

impl From<ReadError> for AuditError {
    fn from(error: ReadError) -> Self {
        Self::Project(error.into())
    }
}

impl From<TablesError> for AuditError {
    fn from(error: TablesError) -> Self {
        Self::Project(error.into())
    }
}

/// Whose history is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A trade, by its id.
    Trade(String),
    /// A trading date of an account.
    Day {
        /// The account.
        account: String,
        /// The date.
        date: TradingDate,
    },
    /// An account.
    Account(String),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Trade(trade_id) => write!(f, "trade {trade_id}"),
            Self::Day { account, date } => write!(f, "day {date} of account {account}"),
            Self::Account(account) => write!(f, "account {account}"),
        }
    }
}

impl Subject {
    /// The table that has its row.
    #[must_use]
    pub fn table(&self) -> &'static Table {
        match self {
            Self::Trade(_) => &trades::TABLE,
            Self::Day { .. } => &daily_pnl::TABLE,
            Self::Account(_) => &accounts::TABLE,
        }
    }

    /// Its row's key.
    #[must_use]
    pub fn key(&self) -> Row {
        match self {
            Self::Trade(id) | Self::Account(id) => vec![id.as_str().into()],
            Self::Day { account, date } => vec![date.to_string().into(), account.as_str().into()],
        }
    }

    /// The stream all of whose events belong to its history, even those that changed nothing.
    fn own_stream(&self) -> Option<String> {
        if let Self::Trade(trade_id) = self { Some(format!("trade/{trade_id}")) } else { None }
    }

    /// Whether it may have come and gone without a stream of its own: a trade named after a fill.
    fn is_named_after_a_fill(&self) -> bool {
        matches!(self, Self::Trade(trade_id) if trade_id.matches(':').count() >= 2)
    }
}

/// A column that an event changed.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Change {
    pub column: &'static str,
    pub before: Cell,
    pub after: Cell,
}

/// What one event did to a row.
#[derive(Clone, Debug)]
pub struct Step {
    /// Position of the event.
    pub seq: u64,
    /// Its id.
    pub id: Uuid,
    /// Its type.
    pub kind: String,
    /// Where it was recorded.
    pub stream: String,
    /// When it happened.
    pub occurred_at: Moment,
    /// When the log took it.
    pub recorded_at: Moment,
    /// `source` of its metadata: who sent it.
    pub source: Option<String>,
    /// `correlation_id` of its metadata.
    pub correlation_id: Option<String>,
    /// `causation_id` of its metadata.
    pub causation_id: Option<String>,
    /// `reason` of its data: why.
    pub reason: Option<String>,
    /// The columns it changed, in the order of the table.
    pub changes: Vec<Change>,
}

/// The steps of a row after one position and up to another, oldest first.
///
/// # Errors
/// [`AuditError`]; among them that there is no such thing.
pub fn steps(reader: &Reader, subject: &Subject, after: u64, through: u64) -> Result<Vec<Step>, AuditError> {
    let mut steps = Vec::new();
    follow(reader, subject, after, through, &mut |step| {
        steps.push(step);
        ControlFlow::Continue(())
    })?;
    Ok(steps)
}

/// Hands the steps of a row after one position and up to another to `each`, oldest first, until it breaks.
///
/// # Errors
/// [`AuditError`]; among them that there is no such thing.
pub fn follow(
    reader: &Reader,
    subject: &Subject,
    after: u64,
    through: u64,
    each: &mut dyn FnMut(Step) -> ControlFlow<()>,
) -> Result<(), AuditError> {
    let through = through.min(reader.head()?.seq);
    let mut found = false;
    let mut watch = |step: Step| {
        found = true;
        if step.seq > after { each(step) } else { ControlFlow::Continue(()) }
    };
    for (start, end) in spans(reader, subject)? {
        if end > after
            && start < through
            && follow_span(reader, subject, (start, end.min(through)), &mut watch)?.is_break()
        {
            return Ok(());
        }
    }
    // What was not touched in this stretch may have been before or after it.
    if found || after > 0 { Ok(()) } else { Err(AuditError::Unknown { subject: subject.clone() }) }
}

/// The stretches of the log in which the row can have changed, those that meet made one.
fn spans(reader: &Reader, subject: &Subject) -> Result<Vec<(u64, u64)>, AuditError> {
    let mut own = Vec::new();
    if let Some(stream) = subject.own_stream() {
        reader.stream(&stream, 0, |event| {
            own.push(event.seq);
            ControlFlow::Continue(())
        })?;
    }
    // Before the tables, which can only be further then.
    let head = reader.head()?.seq;
    let whole = vec![(0, u64::MAX)];
    let mut last = None;
    let found = match Tables::readable(reader.dir())? {
        Some(live) if tables::is_current(&live)? => {
            let kept = tables::cursors(&live)?.into_iter().find(|kept| kept.name == ledger::ABOUT.name);
            if kept.is_some_and(|kept| kept.cursor.position >= head) {
                last = last_change(&live, subject)?;
            }
            own.extend(taken_away(&live, subject)?);
            tables::changed_between(&live, &ledger::ABOUT, subject.table(), &subject.key(), &own)?
        }
        _ => whole.clone(),
    };
    if found.is_empty() && subject.is_named_after_a_fill() {
        return Ok(whole);
    }
    // Of a row that is there it is known which event changed it last: nothing after it and the last of its own is told.
    let last = last.map_or(u64::MAX, |last| own.iter().copied().fold(last, u64::max));
    let mut spans: Vec<(u64, u64)> = Vec::new();
    for (start, end) in found.into_iter().map(|(start, end)| (start, end.min(last))) {
        match spans.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => spans.push((start, end)),
        }
    }
    Ok(spans)
}

/// The position that last changed the row; `None` where there is none.
fn last_change(live: &Connection, subject: &Subject) -> Result<Option<u64>, TablesError> {
    let (table, key) = (subject.table(), subject.key());
    let columns: Vec<Column> = table.all_columns().filter(|column| column.name == "last_seq").collect();
    let is_it: Vec<Filter> =
        table.key.iter().zip(&key).map(|(name, cell)| Filter::text_is(name, cell.to_text())).collect();
    let mut last = None;
    select(live, table, &columns, &is_it, |row| {
        last = row[0].as_count();
        ControlFlow::Break(())
    })?;
    Ok(last)
}

/// The position at which a day was last changed, which its row tells unless it was taken away.
fn taken_away(live: &Connection, subject: &Subject) -> Result<Option<u64>, TablesError> {
    let Subject::Day { account, date } = subject else { return Ok(None) };
    let days = SqlShelf::ask(live, ledger::ABOUT.name, |shelf| on_demand::days(shelf, account))?;
    Ok(days.into_iter().find(|day| day.date == *date).map(|day| day.last_seq).filter(|last_seq| *last_seq > 0))
}

/// Folds a stretch of the log again, and hands over what happened to the row.
fn follow_span(
    reader: &Reader,
    subject: &Subject,
    (start, end): (u64, u64),
    each: &mut dyn FnMut(Step) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, AuditError> {
    let (tables, _) = as_of::fold(reader, start, &mut |_, _| {})?;
    let (table, key, own_stream) = (subject.table(), subject.key(), subject.own_stream());
    let mut row = tables.row(table, &key)?;
    let mut folds = [Fold::resume(&ledger::ABOUT, &tables)?];
    let mut flow = ControlFlow::Continue(());
    let page_events = Pace::default().page_events;
    while !folds[0].has_done(end) && flow.is_continue() {
        let mut watched = |step: &mut fold::Step<'_, '_>| {
            let now = step.row(table, &key);
            let before = std::mem::replace(&mut row, now);
            let changes = if before == row { Vec::new() } else { changes(table, before.as_ref(), row.as_ref()) };
            if !changes.is_empty() || own_stream.as_deref() == Some(step.event.stream) {
                flow = each(made_of(step.event, changes));
            }
            flow.is_break()
        };
        if end - folds[0].reached().position <= page_events as u64 {
            fold::watch(reader, &tables, &mut folds, end, &mut watched)?;
        } else {
            fold::page(reader, &tables, &mut folds, end, page_events, &mut watched)?;
        }
    }
    match &folds[0].reached().stopped {
        Some(stop) => Err(AuditError::Stopped { at: stop.at, reason: stop.reason.clone() }),
        None => Ok(flow),
    }
}

fn changes(table: &'static Table, before: Option<&Row>, after: Option<&Row>) -> Vec<Change> {
    let cell = |row: Option<&Row>, at: usize| row.map_or(Cell::Null, |row| row[at].clone());
    let change = |(at, column): (usize, &projections::cell::Column)| Change {
        column: column.name,
        before: cell(before, at),
        after: cell(after, at),
    };
    table.columns.iter().enumerate().map(change).filter(|change| change.before != change.after).collect()
}

fn made_of(event: &EventRef<'_>, changes: Vec<Change>) -> Step {
    let meta: serde_json::Value = event.meta.and_then(|meta| serde_json::from_str(meta).ok()).unwrap_or_default();
    let data: serde_json::Value = serde_json::from_str(event.data).unwrap_or_default();
    let word = |object: &serde_json::Value, name: &str| object.get(name)?.as_str().map(str::to_owned);
    Step {
        seq: event.seq,
        id: event.id,
        kind: event.kind.to_owned(),
        stream: event.stream.to_owned(),
        occurred_at: event.occurred_at,
        recorded_at: event.recorded_at,
        source: word(&meta, "source"),
        correlation_id: word(&meta, "correlation_id"),
        causation_id: word(&meta, "causation_id"),
        reason: word(&data, "reason"),
        changes,
    }
}
