//! The `tradefold` command: [`tradefold::cli`] as a process.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(tradefold::cli::main(&std::env::args_os().collect::<Vec<_>>()))
}
