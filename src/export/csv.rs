//! Owns rows as text: RFC 4180 with CRLF, numbers in the shortest form that reads back the same, NULL as
//! nothing. With the guard, texts that a spreadsheet would take for formulas get an apostrophe.

use std::io::{self, Write};
use std::ops::ControlFlow;

use ::csv::{QuoteStyle, Terminator, WriterBuilder};
use projections::cell::{Column, ColumnKind};
use sha2::{Digest, Sha256};

use super::{ExportError, Selection};
use crate::tables::{Connection, Value};

/// What a spreadsheet wants to see first, to read the rest as UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Rows, without the head.
    pub rows: u64,
    /// SHA-256 of all bytes.
    pub sha256: [u8; 32],
}

/// Writes the selected rows with a head. `guard` is for spreadsheets: a byte-order mark, and an apostrophe
/// before texts that look like formulas (or begin with one, so that taking it away is always right).
///
/// # Errors
/// [`ExportError`].
pub fn write(
    conn: &Connection,
    selection: &Selection,
    guard: bool,
    output: impl Write,
) -> Result<Written, ExportError> {
    let mut hashing = Hashing { output, digest: Sha256::new() };
    if guard {
        hashing.write_all(BYTE_ORDER_MARK)?;
    }
    let mut writer =
        WriterBuilder::new().terminator(Terminator::CRLF).quote_style(QuoteStyle::Necessary).from_writer(hashing);
    writer.write_record(selection.columns.iter().map(|column| column.name)).map_err(io::Error::from)?;
    let mut rows = 0;
    let mut field = String::new();
    let mut failed = None;
    selection.each(conn, |row| {
        let mut record = || -> Result<(), ::csv::Error> {
            for (value, column) in row.iter().zip(&selection.columns) {
                field.clear();
                put(*value, column, guard, &mut field);
                writer.write_field(&field)?;
            }
            writer.write_record(None::<&[u8]>)
        };
        failed = record().err();
        rows += u64::from(failed.is_none());
        if failed.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if let Some(error) = failed {
        return Err(io::Error::from(error).into());
    }
    writer.flush()?;
    let hashing = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    Ok(Written { rows, sha256: hashing.digest.finalize().into() })
}

fn put(value: Value<'_>, column: &Column, guard: bool, field: &mut String) {
    use std::fmt::Write as _;
    // Writing to a string cannot fail.
    let _infallible = match value {
        Value::Null | Value::Blob(_) => Ok(()),
        Value::Int(value) => write!(field, "{value}"),
        // Never an exponent; without a sign where it is zero.
        Value::Real(value) => write!(field, "{}", if value == 0.0 { 0.0 } else { value }),
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

/// Passes bytes on and hashes them.
struct Hashing<W> {
    output: W,
    digest: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
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
