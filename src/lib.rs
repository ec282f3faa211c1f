//! tradefold: an event-sourced trading journal.

pub mod as_of;
pub mod audit;
pub mod broker;
mod calendars;
pub mod export;
pub mod journal;
pub mod log;
pub mod metrics;
pub mod projector;
pub mod rebuild;
pub mod report;
pub mod restate;
pub mod shown;
pub mod tables;
