//! Owns the audit of a trade: each event that is its own or changed its row, with who sent it, when it
//! happened and when it was recorded, and each column before and after. The row's history is not kept
//! anywhere: it is folded again from the log, which alone is evidence.

use std::collections::HashSet;
use std::ops::ControlFlow;

use projections::ledger::trace::{Change, Trace};
use projections::moment::Moment;
use projections::upcast::{self, DecodeError, Raw};
use uuid::Uuid;

use crate::log::{EventRef, ReadError, Reader};
use crate::tables::{Connection, TablesError};

/// Why a trade could not be audited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// No event of the log names or made this trade.
    #[error("no trade {trade_id} in this journal")]
    UnknownTrade {
        /// The id asked for.
        trade_id: String,
    },
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// An event could not be understood.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The tables could not be read.
    #[error(transparent)]
    Tables(#[from] TablesError),
}

/// What one event did to a trade's row.
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

/// The steps of a trade, oldest first.
///
/// Reads the events of the trade's account alone: no other account can change its row.
///
/// # Errors
/// [`AuditError`]; among them that there is no such trade.
pub fn trade(reader: &Reader, tables: &Connection, trade_id: &str) -> Result<Vec<Step>, AuditError> {
    let scope = Scope::of(tables, trade_id)?;
    let mut trace = Trace::new(trade_id);
    let mut steps = Vec::new();
    let mut failed = None;
    let head = reader.head()?.seq;
    reader.scan(0, head, |event| {
        if !scope.holds(event.stream) {
            return ControlFlow::Continue(());
        }
        match step(&mut trace, &event, &scope) {
            Ok(made) => steps.extend(made),
            Err(error) => {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    if steps.is_empty() {
        return Err(AuditError::UnknownTrade { trade_id: trade_id.to_owned() });
    }
    Ok(steps)
}

fn step(trace: &mut Trace, event: &EventRef<'_>, scope: &Scope) -> Result<Option<Step>, DecodeError> {
    let decoded = upcast::decode_raw(&Raw {
        seq: event.seq,
        id: event.id,
        kind: event.kind,
        schema_version: event.schema_version,
        occurred_at: event.occurred_at,
        data: event.data,
    })?;
    let changes = trace.step(&decoded);
    if changes.is_empty() && event.stream != scope.own_stream {
        return Ok(None);
    }
    let meta: serde_json::Value = event.meta.and_then(|meta| serde_json::from_str(meta).ok()).unwrap_or_default();
    let data: serde_json::Value = serde_json::from_str(event.data).unwrap_or_default();
    let word = |object: &serde_json::Value, name: &str| object.get(name)?.as_str().map(str::to_owned);
    Ok(Some(Step {
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
    }))
}

/// Which streams can touch a trade's row.
struct Scope {
    own_stream: String,
    /// The trade's account and symbol, where it has a row now.
    place: Option<(String, String)>,
    /// Streams of trades that belong to other accounts.
    elsewhere: HashSet<String>,
}

impl Scope {
    fn of(tables: &Connection, trade_id: &str) -> Result<Self, TablesError> {
        let place = crate::tables::place_of_trade(tables, trade_id)?;
        let elsewhere = match &place {
            Some((account, _)) => crate::tables::trades_elsewhere(tables, account)?,
            None => HashSet::new(),
        };
        Ok(Self { own_stream: format!("trade/{trade_id}"), place, elsewhere })
    }

    fn holds(&self, stream: &str) -> bool {
        // Without a row (a correction took the trade away) anything may have touched it.
        let Some((account, symbol)) = &self.place else { return true };
        match stream.split_once('/') {
            Some(("account", id)) => id == account,
            Some(("trade", id)) => !self.elsewhere.contains(id),
            Some(("market", bars)) => bars.rsplit_once('/').is_some_and(|(of, _)| of == symbol),
            Some(_) => true,
            None => false,
        }
    }
}
