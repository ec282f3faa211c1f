//! Owns how the state of a journal is told to programs.

use projections::cell::Table;
use serde_json::{Map, Value as Json, json};

use crate::journal::Status;
use crate::log::{Head, Holder, hex};
use crate::projector::ProjectionState;
use crate::tables::{Digests, TableDigest};
use crate::verified::LastVerification;

/// How a journal is.
#[must_use]
pub fn status(status: &Status, verified: Option<&LastVerification>) -> Json {
    let projection = |state: &ProjectionState| {
        json!({
            "name": state.name,
            "version": state.version,
            "position": state.cursor.position,
            "lag": status.lag(state),
            "stopped": state.cursor.stopped.as_ref().map(|stop| json!({ "at": stop.at, "reason": stop.reason })),
            "trouble": state.trouble,
        })
    };
    let pid = |holder: &Option<Holder>| holder.map(|holder| json!({ "pid": holder.pid }));
    json!({
        "journal": status.dir,
        "uuid": status.identity.uuid,
        "created_at": status.identity.created_at.to_string(),
        "head": head(status.head),
        "events": status.head.seq,
        "streams": status.streams,
        "generation": status.generation,
        "digest": status.digest().map(|(position, digest)| json!({ "position": position, "digest": hex(&digest) })),
        "tables": status.digests.iter().flat_map(Digests::each).map(table_digest).collect::<Map<_, _>>(),
        "projections": status.projections.iter().map(projection).collect::<Vec<_>>(),
        "sizes": status.files.iter().map(|(name, bytes)| (name.clone(), json!(bytes))).collect::<Map<_, _>>(),
        "last_verification": verified,
        "writer": pid(&status.writer),
        "projector": pid(&status.projector),
        "sqlite": status.sqlite,
    })
}

fn table_digest((table, digest): (&Table, TableDigest)) -> (String, Json) {
    (table.name.to_owned(), json!({ "rows": digest.rows, "digest": hex(&digest.sum()) }))
}

fn head(head: Head) -> Json {
    json!({ "seq": head.seq, "hash": hex(&head.hash) })
}
