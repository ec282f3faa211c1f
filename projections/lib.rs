//! The event vocabulary and the pure folds of tradefold: events in, tables out.
//!
//! Nothing in this crate reads a clock, draws a random number, looks at the environment or iterates over
//! an unordered map, so the live path and every replay give the same bytes.
#![deny(clippy::float_arithmetic)]

pub mod accounts;
pub mod anomalies;
pub mod calendar;
pub mod cell;
pub mod changes;
mod codec;
pub mod daily_pnl;
pub mod decimal;
pub mod draft;
pub mod drawer;
pub mod event;
pub mod fills;
pub mod json;
pub mod ledger;
pub mod limit_breaches;
pub mod market_data;
pub mod metrics;
pub mod moment;
pub mod notes;
mod pack;
pub mod performance_breakdown;
pub mod performance_metrics;
pub mod projection;
pub mod risk_state;
pub mod round_trips;
pub mod rule_breaks;
pub mod schema;
pub mod system_state;
pub mod text;
pub mod trades;
pub mod upcast;
pub mod validate;

/// Every table, in the order exports and docs list them.
pub static TABLES: [&cell::Table; 14] = [
    &trades::TABLE,
    &performance_metrics::TABLE,
    &performance_breakdown::TABLE,
    &system_state::TABLE,
    &risk_state::TABLE,
    &daily_pnl::TABLE,
    &fills::TABLE,
    &round_trips::TABLE,
    &market_data::TABLE,
    &rule_breaks::TABLE,
    &notes::TABLE,
    &accounts::TABLE,
    &limit_breaches::TABLE,
    &anomalies::TABLE,
];
