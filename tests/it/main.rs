//! The integration tests of the root crate, in one binary.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "tests may")]

mod log;
mod tables;
mod tidy;
