//! tradefold: an event-sourced trading journal.

pub mod as_of;
pub mod audit;
pub mod broker;
mod calendars;
#[cfg(feature = "cli")]
pub mod cli;
pub mod equity;
pub mod export;
#[cfg(feature = "http")]
pub mod http;
pub mod journal;
pub mod json;
pub mod log;
pub mod metrics;
pub mod projector;
pub mod rebuild;
pub mod report;
pub mod restate;
pub mod said;
pub mod shown;
pub mod tables;
pub mod verified;
