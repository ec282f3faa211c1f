//! Owns how an equity curve is told to programs.

use serde_json::{Value as Json, json};

use crate::equity::{Point, Series};

/// A curve.
#[must_use]
pub fn equity(account: Option<&str>, series: &Series) -> Json {
    let point = |point: &Point| {
        json!({
            "timestamp": point.at.to_string(),
            "trade_id": point.trade_id,
            "account_id": point.account,
            "pl_amount_net": point.net.to_f64(),
            "equity": point.equity.to_f64(),
            "cumulative_net": point.cumulative_net.to_f64(),
            "cumulative_r": point.cumulative_r.to_f64(),
            "drawdown": point.drawdown.to_f64(),
            "drawdown_r": point.drawdown_r.to_f64(),
        })
    };
    json!({ "account": account, "every": series.every, "points": series.points.iter().map(point).collect::<Vec<_>>() })
}
