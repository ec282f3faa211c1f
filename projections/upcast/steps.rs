//! Owns the steps from each old schema version to the next, by (type, version). A step sees data that was
//! checked against its version's table. Steps are never changed once released: they are how old logs read.

use std::borrow::Cow;

use super::PayloadError;
use crate::json::{Json, parse, write_object};

type Entries<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

/// The data as the version `to` has it.
pub(super) fn lift(kind: &str, from: u32, to: u32, data: &str) -> Result<String, PayloadError> {
    let Json::Object(mut entries) = parse(data)? else {
        // Not an object: left as it is, for the payload's reader to refuse.
        return Ok(data.to_owned());
    };
    for version in from..to {
        step(kind, version, &mut entries);
    }
    let mut lifted = String::with_capacity(data.len() + 16);
    write_object(&entries, &mut lifted);
    Ok(lifted)
}

/// Lifts the data by one version. A version that only adds optional fields needs no step.
fn step(kind: &str, version: u32, entries: &mut Entries<'_>) {
    if (kind, version) == ("NoteAdded", 1) {
        note_added_1(entries);
    }
}

/// Version 2 knows `tags` alone: the single `tag` becomes the last of them.
fn note_added_1(entries: &mut Entries<'_>) {
    let Some(index) = entries.iter().position(|(key, _)| key == "tag") else { return };
    let (_, tag) = entries.remove(index);
    match entries.iter_mut().find(|(key, _)| key == "tags") {
        Some((_, Json::Array(tags))) if tags.contains(&tag) => {}
        Some((_, Json::Array(tags))) => tags.push(tag),
        _ => entries.push((Cow::Borrowed("tags"), Json::Array(vec![tag]))),
    }
}
