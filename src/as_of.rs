//! Owns tables as of a position: put together from what the live tables still have and keep of the past, and folded
//! on from there by the same code as ever. A moment is the position of the last event recorded by then. Leaves
//! nothing behind.

use projections::projection::PROJECTIONS;

use crate::log::Reader;
use crate::projector::fold::Fold;
use crate::projector::renew::states;
use crate::projector::replay::replay;
use crate::projector::{Pace, ProjectError, ProjectionState, tail};
use crate::tables::{self, Connection, Tables};

/// The tables as of a position, to be read like the live ones; as of the head where it is not recorded yet.
/// `report` is told (events done, events in all), where events had to be folded.
///
/// # Errors
/// [`ProjectError`]; among them [`ProjectError::LostTail`].
pub fn tables_as_of(
    reader: &Reader,
    position: u64,
    report: &mut dyn FnMut(u64, u64),
) -> Result<Connection, ProjectError> {
    Ok(fold(reader, position, report)?.0.into_reading()?)
}

/// The same, to be folded on.
pub(crate) fn fold(
    reader: &Reader,
    position: u64,
    report: &mut dyn FnMut(u64, u64),
) -> Result<(Tables, Vec<ProjectionState>), ProjectError> {
    tail::check(reader, &tables::stored_cursors(reader.dir())?)?;
    // Nothing beyond the head would ever be done.
    let position = position.min(reader.head()?.seq);
    let tables = tables::as_of(reader.dir(), position)?;
    let mut folds = Fold::resume_all(&PROJECTIONS, &tables)?;
    replay(reader, &tables, &mut folds, position, Pace::default(), report)?;
    let states = states(&folds);
    Ok((tables, states))
}
