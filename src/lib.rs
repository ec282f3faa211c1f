//! tradefold: an event-sourced trading journal.

pub mod journal;
pub mod log;
pub mod projector;
pub mod tables;
