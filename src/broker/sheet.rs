//! Owns a broker's file as rows of named cells: its encoding, what separates its cells, where its head is. A cell knows
//! its line and its column, so that whatever is wrong with it can be told by its place. What a cell says is `value`'s
//! business.

use std::collections::HashMap;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::value::DecimalMark;

/// A row of the file.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Where it begins, from 1.
    pub(crate) number: u64,
    pub(crate) cells: Vec<String>,
}

/// A file as lines, not yet knowing which is its head.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<Line>,
    /// What stands before the cents. Who separates cells by semicolons mostly needs the comma for that.
    pub(crate) mark: DecimalMark,
}

/// Why a file is no table.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// Its bytes are no text.
    #[error("it is no text: expected UTF-8, UTF-16 with a byte-order mark, or Windows-1252")]
    NoText,
    /// Its quotes never end.
    #[error("line {line}: {detail}")]
    Broken {
        /// Where.
        line: u64,
        /// In the reader's words.
        detail: String,
    },
}

impl Lines {
    /// Reads all of a file. Lines that hold nothing are left out.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, SheetError> {
        let text = one_line_end(&decode(bytes)?);
        let delimiter = delimiter(&text);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        let mut lines = Vec::new();
        let mut record = csv::StringRecord::new();
        loop {
            let number = reader.position().line();
            match reader.read_record(&mut record) {
                Ok(false) => {
                    let mark = if delimiter == b';' { mark_of(&lines) } else { DecimalMark::Point };
                    return Ok(Self { lines, mark });
                }
                Ok(true) if record.iter().all(|cell| cell.trim().is_empty()) => {}
                Ok(true) => {
                    // From its end, since the reader skips empty lines before a record without telling.
                    let within = record.iter().flat_map(str::bytes).filter(|byte| *byte == b'\n').count() as u64;
                    let number = reader.position().line() - 1 - within;
                    lines.push(Line { number, cells: record.iter().map(|cell| cell.trim().to_owned()).collect() });
                }
                Err(error) => return Err(SheetError::Broken { line: number, detail: error.to_string() }),
            }
        }
    }
}

/// Every line ends in a line feed, as the reader counts them.
fn one_line_end(text: &str) -> String {
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn decode(bytes: &[u8]) -> Result<String, SheetError> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, broken) = encoding.decode_without_bom_handling(&bytes[mark..]);
        return if broken { Err(SheetError::NoText) } else { Ok(text.into_owned()) };
    }
    if bytes.contains(&0) {
        return Err(SheetError::NoText);
    }
    let (text, broken) = UTF_8.decode_without_bom_handling(bytes);
    // Old Windows programs write what their machine speaks.
    let text = if broken { WINDOWS_1252.decode_without_bom_handling(bytes).0 } else { text };
    Ok(text.into_owned())
}

/// What separates the cells: what the first line that has any of them has most of.
fn delimiter(text: &str) -> u8 {
    let count = |line: &str, mark: u8| line.bytes().filter(|byte| *byte == mark).count();
    let marks = [b',', b';', b'\t'];
    let first = text.lines().find(|line| marks.iter().any(|mark| count(line, *mark) > 0)).unwrap_or_default();
    marks.into_iter().rev().max_by_key(|mark| count(first, *mark)).unwrap_or(b',')
}

/// The mark of a file with semicolons: a point where any number has one that separates no thousands.
fn mark_of(lines: &[Line]) -> DecimalMark {
    let has_point = |cell: &String| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = cell.trim_start_matches('-');
        number.split_once('.').is_some_and(|(whole, part)| digits(whole) && digits(part) && part.len() != 3)
    };
    let any = lines.iter().flat_map(|line| &line.cells).any(has_point);
    if any { DecimalMark::Point } else { DecimalMark::Comma }
}

/// A table of a file: a head and the rows under it.
#[derive(Debug)]
pub(crate) struct Sheet<'a> {
    columns: HashMap<String, usize>,
    pub(crate) rows: &'a [Line],
}

impl<'a> Sheet<'a> {
    /// The rows under a head.
    pub(crate) fn under(head: &Line, rows: &'a [Line]) -> Self {
        let mut columns = HashMap::new();
        for (place, name) in head.cells.iter().enumerate() {
            // Of two columns of a name the first is meant.
            columns.entry(plain(name)).or_insert(place);
        }
        Self { columns, rows }
    }

    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(&plain(column))
    }

    /// The rows, to be read by column.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|line| Row { sheet: self, line })
    }
}

/// A column's name as it is compared: brokers are not of one mind about capitals and blanks.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A row that is read by the names of its columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    sheet: &'a Sheet<'a>,
    line: &'a Line,
}

impl<'a> Row<'a> {
    pub(crate) fn number(&self) -> u64 {
        self.line.number
    }

    /// The text of a cell; empty where the row has none.
    pub(crate) fn text(&self, column: &str) -> &'a str {
        let place = self.sheet.columns.get(&plain(column));
        place.and_then(|place| self.line.cells.get(*place)).map_or("", String::as_str)
    }
}
