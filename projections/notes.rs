//! `notes`: each note, searchable.

use crate::cell::{Cell, Row, Table, integer, text};
use crate::event::NoteAdded;
use crate::ledger::rows;
use crate::moment::Moment;

/// A NoteAdded.
pub static TABLE: Table = Table {
    name: "notes",
    sql: include_str!("notes.sql"),
    columns: &[
        integer("note_id", "position of the event"),
        text("timestamp", "occurred_at"),
        text("account_id", "account: as given, else the trade's"),
        text("trade_id", "trade it names"),
        text("date", "NoteAdded.date, as given"),
        text("text", "NoteAdded.text"),
        text("tags", "NoteAdded.tags, a JSON list"),
    ],
    key: &["note_id"],
    unique: "note_id",
    order: &["note_id"],
    time: Some("timestamp"),
    doc: "A NoteAdded.",
};

/// The row of the event at `seq`, written when the one at `now` was folded: the same, or a correction that placed it
/// again.
pub(crate) fn row(seq: u64, now: u64, at: Moment, account: &str, note: &NoteAdded) -> Row {
    vec![
        Cell::seq(seq),
        at.into(),
        account.into(),
        note.trade_id.as_ref().into(),
        note.date.as_ref().into(),
        (&note.text).into(),
        note.tags.as_deref().map(rows::json_list).into(),
        Cell::seq(seq),
        Cell::seq(now),
    ]
}
