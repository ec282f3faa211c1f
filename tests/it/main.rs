//! The integration tests of the root crate, in one binary.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod log;
mod tables;
