//! Owns rows as text: RFC 4180 with CRLF, numbers in the shortest form that reads back the same, NULL as
//! nothing. With the guard, texts that a spreadsheet would take for formulas get an apostrophe.

use std::io::{self, Write};

use ::csv::{QuoteStyle, Terminator, WriterBuilder};
use projections::cell::{Column, ColumnKind};

use super::{ExportError, Selection};
use crate::tables::{Connection, Value};

/// What a spreadsheet wants to see first, to read the rest as UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Writes the selected rows with a head, and returns how many there were. `guard` is for spreadsheets: see
/// [`Style`](super::Style).
pub(super) fn write(
    conn: &Connection,
    selection: &Selection,
    guard: bool,
    output: &mut impl Write,
) -> Result<u64, ExportError> {
    if guard {
        output.write_all(BYTE_ORDER_MARK)?;
    }
    let mut writer =
        WriterBuilder::new().terminator(Terminator::CRLF).quote_style(QuoteStyle::Necessary).from_writer(output);
    writer.write_record(selection.columns.iter().map(|column| column.name)).map_err(io::Error::from)?;
    let mut field = String::new();
    let rows = selection.each(conn, |row| {
        for (value, column) in row.iter().zip(&selection.columns) {
            field.clear();
            put(*value, column, guard, &mut field);
            writer.write_field(&field).map_err(io::Error::from)?;
        }
        Ok(writer.write_record(None::<&[u8]>).map_err(io::Error::from)?)
    })?;
    writer.flush()?;
    Ok(rows)
}

/// The numbers' text: the shortest that reads back the same, never an exponent, without a sign where it is zero.
pub(super) fn put_real(value: f64, text: &mut String) {
    use std::fmt::Write as _;
    // Writing to a string cannot fail.
    let _infallible = write!(text, "{}", if value == 0.0 { 0.0 } else { value });
}

fn put(value: Value<'_>, column: &Column, guard: bool, field: &mut String) {
    use std::fmt::Write as _;
    // Writing to a string cannot fail.
    let _infallible = match value {
        Value::Null | Value::Blob(_) => Ok(()),
        Value::Int(value) => write!(field, "{value}"),
        Value::Real(value) => {
            put_real(value, field);
            Ok(())
        }
        Value::Text(text) => {
            if guard && column.kind == ColumnKind::Text && looks_like_formula(text) {
                field.push('\'');
            }
            field.push_str(text);
            Ok(())
        }
    };
}

/// Whether a spreadsheet could take a text for a formula, or an apostrophe at its beginning for a guard.
fn looks_like_formula(text: &str) -> bool {
    let first = text.trim_start_matches([' ', '\u{a0}', '\u{3000}']).chars().next();
    text.starts_with('\'')
        || matches!(first, Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\0' | '＝' | '＋' | '－' | '＠'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(value: Value<'_>, kind: ColumnKind, guard: bool) -> String {
        let mut field = String::new();
        put(value, &Column { name: "x", kind, doc: "" }, guard, &mut field);
        field
    }

    #[test]
    fn numbers_are_short_and_read_back_the_same() {
        for (value, text) in [
            (105.0, "105"),
            (4512.25, "4512.25"),
            (-0.0, "0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e21, "1000000000000000000000"),
            (1.5e-7, "0.00000015"),
            (-125.5, "-125.5"),
        ] {
            assert_eq!(text_of(Value::Real(value), ColumnKind::Real, true), text);
            assert!(text.parse::<f64>().is_ok_and(|parsed| parsed == value));
        }
        assert_eq!(text_of(Value::Int(-3), ColumnKind::Integer, true), "-3");
        assert_eq!(text_of(Value::Null, ColumnKind::Real, true), "");
    }

    #[test]
    fn the_guard_is_for_texts_and_can_be_taken_away() {
        for text in ["=1+1", " +1", "-1", "@x", "\t=1", "\r", "\n", "＝1", "　＋1", "'quoted", "\u{a0}=1"] {
            assert_eq!(text_of(Value::Text(text), ColumnKind::Text, true), format!("'{text}"));
            assert_eq!(text_of(Value::Text(text), ColumnKind::Text, false), text);
        }
        for text in ["", "plain", "a=b", "5'", "  calm"] {
            assert_eq!(text_of(Value::Text(text), ColumnKind::Text, true), text);
        }
    }
}
