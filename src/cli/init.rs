//! `init`: makes an empty journal. How one is made, with which modes, is the log's business.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::out::Out;
use super::{Context, help};
use crate::log::{self, Reader};

/// Make an empty journal
#[derive(Debug, Args)]
#[command(after_help = help::INIT)]
pub(crate) struct Init {}

impl Init {
    #[expect(clippy::unused_self, reason = "each command has the same method")]
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let dir = context.journal();
        log::create(dir, LOCK_WAIT)?;
        let identity = Reader::open(dir)?.identity();
        if context.json {
            return Ok(out.json(&json!({ "journal": dir, "uuid": identity.uuid }))?);
        }
        Ok(out.line(format!("Made an empty journal at {}.", dir.display()))?)
    }
}

/// Two that make the same journal at once: one waits to be told that it exists.
const LOCK_WAIT: Duration = Duration::from_secs(5);
