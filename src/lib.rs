//! tradefold: an event-sourced trading journal.

pub mod audit;
pub mod journal;
pub mod log;
pub mod projector;
pub mod rebuild;
pub mod tables;
