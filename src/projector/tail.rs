//! Owns the question whether the log still has what the tables have seen. A log whose tail was cut off, or
//! an old copy of it, has a chain that verifies; only somebody who saw more can tell.

use super::error::ProjectError;
use crate::log::{Reader, hex};
use crate::tables::Kept;

/// Compares cursors with the log. They must have been read before `reader` reads here: a log at work only
/// moves on.
pub(crate) fn check(reader: &Reader, cursors: &[Kept]) -> Result<(), ProjectError> {
    for kept in cursors {
        let lost = |found| {
            let (projection, position) = (kept.name.clone(), kept.cursor.position);
            Err(ProjectError::LostTail { projection, position, found })
        };
        match reader.hash_at(kept.cursor.position)? {
            None => return lost(format!("ends at {}", reader.head()?.seq)),
            Some(hash) if hash != kept.cursor.hash => {
                return lost(format!("has another event there (hash {}, not {})", hex(&hash), hex(&kept.cursor.hash)));
            }
            Some(_) => {}
        }
    }
    Ok(())
}
