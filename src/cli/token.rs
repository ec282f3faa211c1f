//! `token`: who may ask the service what. Tokens are made, listed and revoked; they are shown when they are made, and kept
//! as hashes.

use clap::{Args, Subcommand};
use projections::moment::Moment;
use serde_json::json;

use super::failure::Failure;
use super::grid::{ABSENT, Align, Grid};
use super::out::{Out, visible};
use super::{Context, help};
use crate::http::tokens::{self, Scope, TokenEntry, Tokens};
use crate::log;

/// Make, list and revoke the tokens of `serve`
#[derive(Debug, Args)]
#[command(after_help = help::TOKEN)]
pub(crate) struct Token {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a token, and show it this once
    Add {
        /// Who will have it
        #[arg(value_name = "NAME")]
        name: String,

        /// What it may do: read, append, or admin (both)
        #[arg(long = "scope", value_name = "SCOPE", default_value = "read", value_parser = scope)]
        scopes: Vec<Scope>,

        /// When it ends to be good, such as 2027-01-01T00:00:00Z
        #[arg(long, value_name = "TIME", value_parser = time)]
        expires: Option<Moment>,
    },
    /// List tokens, without what nobody but their holders has
    List,
    /// Take a token's right away, from the next request on
    Revoke {
        /// Its id: what stands between tf_ and the next _
        #[arg(value_name = "ID")]
        id: String,
    },
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::named(text).ok_or_else(|| "expected read, append or admin".to_owned())
}

fn time(text: &str) -> Result<Moment, String> {
    Moment::parse(text).map_err(|_| "expected a time with an offset such as 2027-01-01T00:00:00Z".to_owned())
}

impl Token {
    pub(crate) fn run(&self, context: &Context, out: &mut Out) -> Result<(), Failure> {
        let dir = context.journal();
        if !log::exists(dir) {
            return Err(log::OpenError::NoJournal { dir: dir.to_owned() }.into());
        }
        match &self.what {
            What::Add { name, scopes, expires } => {
                let (token, entry) = tokens::add(dir, name, scopes, *expires)?;
                if context.json {
                    return Ok(out.json(&json!({ "token": token, "id": entry.id, "scopes": entry.scopes }))?);
                }
                Ok(out.line(token)?)
            }
            What::List => list(Tokens::read(dir)?.list(), context.json, out),
            What::Revoke { id } => {
                tokens::revoke(dir, id)?;
                if context.json {
                    Ok(out.json(&json!({ "revoked": id }))?)
                } else {
                    Ok(out.line(format!("revoked {id}"))?)
                }
            }
        }
    }
}

fn list(entries: &[TokenEntry], as_json: bool, out: &mut Out) -> Result<(), Failure> {
    if as_json {
        let entry = |entry: &TokenEntry| {
            json!({
                "id": entry.id,
                "name": entry.name,
                "scopes": entry.scopes,
                "created_at": entry.created_at,
                "expires_at": entry.expires_at,
            })
        };
        return Ok(out.json(&json!({ "tokens": entries.iter().map(entry).collect::<Vec<_>>() }))?);
    }
    let columns = ["id", "name", "scopes", "made", "expires"].map(|name| (name, Align::Left));
    let mut grid = Grid::new(&columns);
    for entry in entries {
        let scopes: Vec<&str> = entry.scopes.iter().map(|scope| scope.name()).collect();
        let expires = entry.expires_at.as_deref().unwrap_or(ABSENT);
        grid.row([&entry.id, &visible(&entry.name, false), &scopes.join(", "), &entry.created_at, expires]);
    }
    Ok(out.line(grid.to_string())?)
}
