//! The `tradefold` command. Everything it does is in the library; here is only how it is asked for and shown.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
