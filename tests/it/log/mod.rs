//! The event log, tested by what one should fear of it.

mod answers;
mod support;
mod tamper;
mod triggers;
