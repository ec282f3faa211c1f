//! tradefold: an event-sourced trading journal.

pub mod log;
