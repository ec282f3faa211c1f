//! `demo`
use super::failure::Failure;
use super::out::Out;
use super::{Context, help};
use clap::Args;

/// Make a small journal from a shipped week of trading, and show it
#[derive(Debug, Args)]
#[command(after_help = help::DEMO)]
pub(crate) struct Demo {}

impl Demo {
    pub(crate) fn run(&self, _context: &Context, _out: &mut Out) -> Result<(), Failure> {
        Ok(())
    }
}
