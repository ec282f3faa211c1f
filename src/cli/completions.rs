//! `completions`: a script that teaches a shell the commands and flags. Its text is clap's work.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::failure::Failure;
use super::out::Out;
use super::{Arguments, help};

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = help::COMPLETIONS)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, out: &mut Out) -> Result<(), Failure> {
        // Into memory first: clap's generator panics where it can't write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "tradefold", &mut script);
        Ok(std::io::Write::write_all(out, &script)?)
    }
}
