//! Owns the way to the command line: the package's command is the program itself.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs a command, the program's name first, and returns the code to exit with.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| tradefold::cli::main(&arguments))
}
