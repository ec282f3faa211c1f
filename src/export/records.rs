//! Owns reading an exported file back: its rows as texts, one for each column, with the line they begin at. Only what
//! `csv` and `jsonl` write is understood.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines};

use ::csv::{ReaderBuilder, StringRecord, StringRecordsIntoIter};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::csv::BYTE_ORDER_MARK;
use super::{Fault, Format, Manifest};

/// A row as the file has it.
#[derive(Debug)]
pub(super) struct Record {
    /// Where it begins.
    pub(super) line: u64,
    /// One for each column.
    pub(super) fields: Vec<String>,
}

impl Record {
    pub(super) fn hash(&self) -> u128 {
        self.hash_of(0..self.fields.len())
    }

    /// A hash of some fields that nobody finds a second text for.
    pub(super) fn hash_of(&self, places: impl Iterator<Item = usize>) -> u128 {
        let mut digest = Sha256::new();
        for place in places {
            let field = self.fields[place].as_bytes();
            digest.update(field.len().to_be_bytes());
            digest.update(field);
        }
        let digest: [u8; 32] = digest.finalize().into();
        digest.iter().take(16).fold(0, |hash, byte| hash << 8 | u128::from(*byte))
    }
}

/// The rows of a file, until one that can't be read.
pub(super) struct Records<'f> {
    columns: Vec<String>,
    /// Where the next row begins.
    line: u64,
    lines: From<'f>,
}

enum From<'f> {
    Csv { records: StringRecordsIntoIter<&'f mut File> },
    Jsonl { lines: Lines<BufReader<&'f mut File>> },
}

impl<'f> Records<'f> {
    /// From where the file is. Of Parquet there are none.
    pub(super) fn of(file: &'f mut File, manifest: &Manifest) -> Self {
        let lines = match manifest.format {
            Format::Jsonl => From::Jsonl { lines: BufReader::with_capacity(256 * 1024, file).lines() },
            Format::Csv | Format::Parquet => {
                let mut reader = ReaderBuilder::new();
                let reader = reader.has_headers(false).flexible(true).buffer_capacity(256 * 1024).from_reader(file);
                From::Csv { records: reader.into_records() }
            }
        };
        Self { columns: manifest.columns.clone(), line: 1, lines }
    }

    fn csv_record(&mut self, record: Result<StringRecord, ::csv::Error>) -> Result<Record, Fault> {
        let line = self.line;
        let record = record.map_err(|error| Fault::Unreadable { line, why: error.to_string() })?;
        // The reader's own count is one behind where lines end in CRLF.
        self.line += 1 + record.iter().flat_map(str::bytes).filter(|byte| *byte == b'\n').count() as u64;
        if record.len() != self.columns.len() {
            let why = format!("{} fields; expected {}, one for each column", record.len(), self.columns.len());
            return Err(Fault::Unreadable { line, why });
        }
        Ok(Record { line, fields: record.iter().map(str::to_owned).collect() })
    }

    fn json_record(&mut self, text: std::io::Result<String>) -> Result<Record, Fault> {
        let line = self.line;
        self.line += 1;
        let unreadable = |why: String| Fault::Unreadable { line, why };
        let text = text.map_err(|error| unreadable(error.to_string()))?;
        let object: Map<String, Value> = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        if !object.keys().eq(&self.columns) {
            return Err(Fault::Head { line });
        }
        let fields = object.into_iter().map(|(_, value)| match value {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        });
        Ok(Record { line, fields: fields.collect() })
    }

    fn is_head(&self, head: &Record) -> bool {
        let mark = std::str::from_utf8(BYTE_ORDER_MARK).unwrap_or_default();
        let mut names = head.fields.iter().map(|name| name.strip_prefix(mark).unwrap_or(name));
        self.columns.iter().all(|column| names.next() == Some(column))
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let is_first = self.line == 1;
        match &mut self.lines {
            From::Jsonl { lines } => lines.next().map(|text| self.json_record(text)),
            From::Csv { records } => match records.next().map(|record| self.csv_record(record)) {
                Some(Ok(head)) if is_first && self.is_head(&head) => self.next(),
                _ if is_first => Some(Err(Fault::Head { line: 1 })),
                row => row,
            },
        }
    }
}
