//! Owns the answers that are no table: one trade and its history, metrics, the equity curve, restatements and the state of
//! things. Each is found by the library and told as the command line tells it.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use projections::cell::Cell;
use projections::ledger::DIMENSIONS;
use projections::trades;
use serde_json::{Value as Json, json};

use super::app::App;
use super::desk::Seat;
use super::params::{Params, When};
use super::problem::Problem;
use super::progress::Lag;
use super::rows::position;
use crate::audit::{self, Subject};
use crate::json as told;
use crate::metrics::{self, AskError, Asked};
use crate::restate::{self, Question};
use crate::tables::{Connection, Tables, at_once, row};
use crate::verified::LastVerification;
use crate::{equity, tables};

/// Points of an equity curve when nothing else is said, and at most.
pub(super) const POINTS: usize = 2_000;
pub(super) const POINTS_MAX: usize = 20_000;

/// Days of a restatement: each may put the past together again.
const RESTATED_DAYS_MAX: i32 = 400;

fn answer(body: &Json) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}

/// Asks the tables as they are, or were.
async fn ask(
    app: &App,
    as_of: Option<When>,
    ask: impl FnOnce(&Connection) -> Result<Json, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let allowed = app.limits.query_time;
    let body = match as_of {
        Some(when) => app.desk.read_past(when, ask).await?,
        None => app.desk.read(move |seat| at_once(&mut seat.tables, allowed, ask)).await?,
    };
    Ok(answer(&body))
}

/// One trade.
pub(super) async fn trade(State(app): State<App>, Path(id): Path<String>, uri: Uri) -> Result<Response, Problem> {
    let mut params = Params::of(&uri);
    let as_of = params.when()?;
    params.done(&["as_of", "wait_for"])?;
    ask(&app, as_of, move |conn| {
        let found = row(conn, &trades::TABLE, &[Cell::from(id.as_str())])?;
        let found = found.ok_or_else(|| Problem::absent(format!("there is no trade `{id}`")))?;
        let cells = trades::TABLE.all_columns().zip(&found);
        let row: Json = cells.map(|(column, cell)| (column.name.to_owned(), told::cell(cell))).collect();
        Ok(json!({ "position": position(conn, &trades::TABLE)?, "trade": row }))
    })
    .await
}

/// Every event of a trade, and what it changed.
pub(super) async fn history(State(app): State<App>, Path(id): Path<String>, uri: Uri) -> Result<Response, Problem> {
    let mut params = Params::of(&uri);
    let as_of = params.when()?;
    params.done(&["as_of", "wait_for"])?;
    let steps = app.desk.read_long(move |seat| {
        let through = as_of.map_or(Ok(u64::MAX), |when| when.position(&seat.log))?;
        let steps = audit::steps(&seat.log, &Subject::Trade(id.clone()), 0, through)?;
        Ok(json!({ "trade_id": id, "table": "trades", "steps": steps.iter().map(told::step).collect::<Vec<_>>() }))
    });
    Ok(answer(&steps.await?))
}

/// Metrics of accounts, or by the values of a dimension.
pub(super) async fn metrics(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let mut params = Params::of(&uri);
    let as_of = params.when()?;
    let window =
        params.parsed("window", "a number of closed trades, 0 for all", |text| text.parse().ok())?.unwrap_or(0);
    let (by, account) = (params.take("by"), params.take("account"));
    let (from, to) = (params.date("from")?, params.date("to")?);
    params.done(&["window", "by", "account", "from", "to", "as_of", "wait_for"])?;
    let asked = Asked { account, window, by, from, to };
    ask(&app, as_of, move |conn| {
        let mut body = told::metrics(&asked, &metrics::groups(conn, &asked)?);
        body["position"] = position(conn, &trades::TABLE)?.into();
        Ok(body)
    })
    .await
}

/// The equity curve.
pub(super) async fn equity(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let mut params = Params::of(&uri);
    let as_of = params.when()?;
    let expected = "a number of points from 2";
    let points = params.parsed("points", expected, |text| text.parse().ok().filter(|points| *points >= 2))?;
    let account = params.take("account");
    params.done(&["account", "points", "as_of", "wait_for"])?;
    ask(&app, as_of, move |conn| {
        metrics::check_account(conn, account.as_deref())?;
        let series = equity::series(conn, account.as_deref(), points.unwrap_or(POINTS).min(POINTS_MAX))?;
        let mut body = told::equity(account.as_deref(), &series);
        body["position"] = position(conn, &trades::TABLE)?.into();
        Ok(body)
    })
    .await
}

/// What days said when they closed, and say now.
pub(super) async fn restatements(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let mut params = Params::of(&uri);
    let (from, to, account) = (params.date("from")?, params.date("to")?, params.take("account"));
    let all = params.parsed("all", "true or false", |text| text.parse().ok())?.unwrap_or(false);
    params.done(&["from", "to", "account", "all", "wait_for"])?;
    let (Some(from), Some(to)) = (from, to) else {
        return Err(Problem::question("expected from and to, trading dates such as 2026-03-02"));
    };
    if from > to {
        return Err(Problem::question(format!("there is no date from {from} to {to}: the first is the later one")));
    }
    if to.0 - from.0 >= RESTATED_DAYS_MAX {
        return Err(Problem::question(format!("from {from} to {to} is too long: at most {RESTATED_DAYS_MAX} days")));
    }
    let body = app.desk.read_long(move |seat| {
        let question = Question { from, to, account };
        // A connection of its own: it is held at one moment for longer than others may be.
        let conn = Tables::read_only(seat.log.dir())?;
        tables::hold_still(&conn)?;
        metrics::check_account(&conn, question.account.as_deref())?;
        let days = restate::days(&seat.log, &conn, &question)?;
        Ok(told::restatements(&question, &days, all))
    });
    Ok(answer(&body.await?))
}

/// How the journal is.
pub(super) async fn status(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri).done(&["wait_for"])?;
    let journal = std::sync::Arc::clone(&app.journal);
    let body = app.desk.read(move |seat: &mut Seat| {
        let status = journal.status()?;
        Ok(told::status(&status, LastVerification::read(seat.log.dir()).as_ref()))
    });
    Ok(answer(&body.await?))
}

/// Whether it may be sent work. Alive, getting on and up to date are three things: a projection that is behind and gets on
/// is well, one that is stopped or stands still is not.
pub(super) async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    let lags = app.progress.lags(&app.desk).await?;
    let stale_time = app.limits.stale_time;
    let projection = |lag: &Lag| {
        json!({
            "name": lag.state.name,
            "position": lag.state.cursor.position,
            "lag": lag.events,
            "lag_seconds": lag.seconds,
            "stopped": lag.state.cursor.stopped.as_ref().map(|stop| json!({ "at": stop.at, "reason": stop.reason })),
            "stale": lag.is_stale(stale_time),
        })
    };
    let is_well = |lag: &Lag| !lag.state.is_stopped() && !lag.is_stale(stale_time);
    let is_ready = lags.iter().all(is_well) && !*app.stopping.borrow();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let projections: Vec<Json> = lags.iter().map(projection).collect();
    let body = json!({ "ready": is_ready, "head": *app.progress.head.borrow(), "projections": projections });
    Ok((status, answer(&body)).into_response())
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Tables(error) => error.into(),
            AskError::UnknownAccount { .. } => Self::absent(error.to_string()),
            AskError::NoDates { .. } => Self::question(error.to_string()),
            AskError::UnknownDimension { .. } => {
                Self::question(format!("by: {error}")).with("dimensions", DIMENSIONS.to_vec())
            }
        }
    }
}
