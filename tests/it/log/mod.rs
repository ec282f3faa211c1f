//! The event log, tested by what one should fear of it.

mod answers;
mod crash;
mod faults;
mod files;
mod foreign;
mod group;
mod reading;
mod stranger;
mod support;
mod tamper;
mod triggers;
