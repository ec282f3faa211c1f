//! `tradefold._tradefold`: the part of the Python package that is Rust. Journals are opened, lines handed in, rows and
//! answers handed out; while anything waits or works, other Python threads run. What a call looks like to who uses
//! it, and how values become JSON, is Python's part, in `tradefold/`.
//!
//! Layout, in reading order:
//! - `home`: what a forked child must not touch
//! - `patience`: waiting, so that an interrupt gets through
//! - `raise`: errors as exceptions
//! - `journal`, `ticket`: recording
//! - `events`: the log
//! - `rows`, `reading`: the tables
//! - `questions`: what follows from both
//! - `brokers`: brokers' files
//! - `program`: the command line

mod brokers;
mod events;
mod home;
mod journal;
mod patience;
mod program;
mod questions;
mod raise;
mod reading;
mod rows;
mod ticket;

/// See the crate's page.
#[pyo3::pymodule]
mod _tradefold {
    #[pymodule_export]
    use super::events::Events;
    #[pymodule_export]
    use super::journal::Journal;
    #[pymodule_export]
    use super::program::main;
    #[pymodule_export]
    use super::reading::{tables, vocabulary};
    #[pymodule_export]
    use super::rows::Batches;
    #[pymodule_export]
    use super::ticket::Ticket;
}
