//! The integration tests of the root crate, in one binary.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "tests may")]

mod cli_append;
mod cli_as_of;
mod cli_audit;
mod cli_export;
mod cli_import;
mod cli_look;
mod cli_rebuild;
mod cli_report;
mod cli_restate;
mod cli_sql;
mod cli_support;
mod cli_verify_export;
#[cfg(feature = "http")]
mod http;
mod log;
mod tables;
mod tidy;
