//! The command line: what may be asked, in which words, and how it is answered. One file a command, each with
//! its arguments, its help and a `run`; everything else is the library's work.
//!
//! - `out`, `failure`, `grid`: the streams, the exit codes, tables for people
//! - `help`: the manual's words
//! - `reading`: a journal opened to be read, its tables up to date
//! - the commands
//!
//! What no command does: print by other ways than `out`, or end the process by itself.

mod append;
mod audit;
mod completions;
mod demo;
mod export;
mod failure;
mod grid;
mod help;
mod import;
mod init;
mod lines;
mod metrics;
mod out;
mod progress;
mod reading;
mod rebuild;
mod reconcile;
mod report;
mod restate;
#[cfg(feature = "http")]
mod serve;
mod sql;
mod status;
mod tail;
#[cfg(feature = "http")]
mod token;
mod verify;
mod verify_export;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use failure::Failure;
use out::Out;

/// Where a journal is when nothing else is said.
const DEFAULT_JOURNAL: &str = "./journal";

#[derive(Debug, Parser)]
#[command(name = "tradefold", version, about = help::ABOUT, long_about = help::LONG_ABOUT, after_help = help::HINT,
    after_long_help = help::MANUAL, max_term_width = 100, infer_subcommands = false, disable_help_subcommand = false)]
struct Arguments {
    /// The journal's folder [default: ./journal]
    #[arg(long, global = true, env = "TRADEFOLD_JOURNAL", value_name = "DIR", hide_env_values = true)]
    journal: Option<PathBuf>,

    /// Answer in JSON, for programs; errors too
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Append(append::Append),
    Import(import::Import),
    Reconcile(reconcile::Reconcile),
    Tail(tail::Tail),
    Status(status::Status),
    Export(export::Export),
    Verify(verify::Verify),
    Rebuild(rebuild::Rebuild),
    Audit(audit::Audit),
    Restate(restate::Restate),
    Report(report::Report),
    Metrics(metrics::Metrics),
    Sql(sql::Sql),
    #[cfg(feature = "http")]
    Serve(serve::Serve),
    #[cfg(feature = "http")]
    Token(token::Token),
    Demo(demo::Demo),
    Completions(completions::Completions),
}

/// What every command is told.
#[derive(Debug)]
struct Context {
    journal: Option<PathBuf>,
    json: bool,
}

impl Context {
    /// The journal's folder.
    fn journal(&self) -> &Path {
        self.journal.as_deref().unwrap_or(Path::new(DEFAULT_JOURNAL))
    }
}

/// Runs a command as a process would that was started with these arguments, the program's name first: it prints, and may
/// wait for Ctrl-C. Returns the exit code.
#[must_use]
pub fn main(arguments: &[OsString]) -> u8 {
    let asked = match Arguments::try_parse_from(arguments) {
        Ok(asked) => asked,
        Err(error) => return misused(&error, arguments),
    };
    let context = Context { journal: asked.journal, json: asked.json };
    let mut out = Out::new();
    match run(asked.command, &context, &mut out) {
        Ok(()) => 0,
        Err(failure) => failure.report(context.json),
    }
}

fn run(command: Command, context: &Context, out: &mut Out) -> Result<(), Failure> {
    let done = match command {
        Command::Init(command) => command.run(context, out),
        Command::Append(command) => command.run(context, out),
        Command::Import(command) => command.run(context, out),
        Command::Reconcile(command) => command.run(context, out),
        Command::Tail(command) => command.run(context, out),
        Command::Status(command) => command.run(context, out),
        Command::Export(command) => command.run(context, out),
        Command::Verify(command) => command.run(context, out),
        Command::Rebuild(command) => command.run(context, out),
        Command::Audit(command) => command.run(context, out),
        Command::Restate(command) => command.run(context, out),
        Command::Report(command) => command.run(context, out),
        Command::Metrics(command) => command.run(context, out),
        Command::Sql(command) => command.run(context, out),
        #[cfg(feature = "http")]
        Command::Serve(command) => command.run(context, out),
        #[cfg(feature = "http")]
        Command::Token(command) => command.run(context, out),
        Command::Demo(command) => command.run(context, out),
        Command::Completions(command) => command.run(out),
    };
    // What was printed before a failure belongs before its message.
    let flushed = std::io::Write::flush(out);
    done?;
    Ok(flushed?)
}

/// Help and version go to stdout; everything else that clap has to say is bad usage.
fn misused(error: &clap::Error, arguments: &[OsString]) -> u8 {
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if !asked_for && arguments.iter().any(|argument| argument == OsStr::new("--json")) {
        return Failure::usage(error.to_string().trim_end().trim_start_matches("error: ")).report(true);
    }
    // Nobody is left to hear of it when that fails.
    let _ = error.print();
    if asked_for { 0 } else { failure::Exit::Usage as u8 }
}
