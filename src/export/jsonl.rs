//! Owns rows as JSON Lines: an object a row, a member for each column, numbers as CSV has them and `null` for what is
//! absent. Lists and objects stay the JSON texts that the tables hold.

use std::io::Write;

use super::csv::put_real;
use super::{ExportError, Selection};
use crate::tables::{Connection, Value};

/// Writes the selected rows, and returns how many there were.
pub(super) fn write(conn: &Connection, selection: &Selection, output: &mut impl Write) -> Result<u64, ExportError> {
    // Names of columns are words: they need no escapes.
    let heads: Vec<String> = selection
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| format!("{}\"{}\":", if index == 0 { '{' } else { ',' }, column.name))
        .collect();
    let mut line = String::new();
    selection.each(conn, |row| {
        line.clear();
        for (value, head) in row.iter().zip(&heads) {
            line.push_str(head);
            put(*value, &mut line);
        }
        line.push_str("}\n");
        Ok(output.write_all(line.as_bytes())?)
    })
}

fn put(value: Value<'_>, line: &mut String) {
    match value {
        Value::Null | Value::Blob(_) => line.push_str("null"),
        Value::Int(value) => line.push_str(&value.to_string()),
        Value::Real(value) => put_real(value, line),
        Value::Text(text) => line.push_str(&serde_json::Value::from(text).to_string()),
    }
}
