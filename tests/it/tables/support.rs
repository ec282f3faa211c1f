//! What the tables' tests share: a journal in a folder of its own, and its tables as text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use projections::TABLES;
use rusqlite::types::Value;
use tempfile::TempDir;
use tradefold::journal::{Journal, JournalOptions};
use tradefold::log::{self, WriterOptions};
use tradefold::projector::{self, Pace};
use tradefold::tables::Tables;

use super::events::Trading;

pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) struct Place {
    _folder: TempDir,
    pub(crate) dir: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("journal");
        // Not nothing: a child that another test is just starting holds copies of all locks until it runs.
        log::create(&dir, Duration::from_millis(500)).unwrap();
        Self { _folder: folder, dir }
    }

    pub(crate) fn open(&self) -> Journal {
        open(&self.dir).unwrap()
    }

    /// A connection to the tables that obeys nothing of ours.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.dir.join(log::TABLES_FILE)).unwrap()
    }

    pub(crate) fn delete_tables(&self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(self.dir.join(format!("{}{suffix}", log::TABLES_FILE)));
        }
    }

    /// A journal with so many events, closed, its tables at the head.
    pub(crate) fn traded(seed: u64, count: u64) -> Self {
        let place = Self::new();
        place.record(&mut Trading::new(seed), count);
        place
    }

    pub(crate) fn record(&self, trading: &mut Trading, count: u64) {
        let journal = self.open();
        let seq = journal.append(trading.drafts(count)).unwrap().head.seq;
        journal.wait_until(seq, LONG).unwrap();
    }

    /// Changes the tables behind everybody's back.
    pub(crate) fn edit(&self, sql: &str) {
        let changed = self.raw().execute(sql, ()).unwrap();
        assert!(changed > 0, "{sql}");
    }

    /// Another journal with the same log, and no tables.
    pub(crate) fn cold_copy(&self) -> Self {
        let copy = Self::new();
        for suffix in ["", "-wal"] {
            let name = format!("{}{suffix}", log::LOG_FILE);
            if self.dir.join(&name).exists() {
                std::fs::copy(self.dir.join(&name), copy.dir.join(&name)).unwrap();
            }
        }
        copy
    }

    /// The tables that a fresh replay gives.
    pub(crate) fn replayed(&self) -> Dump {
        self.delete_tables();
        let caught_up = projector::catch_up(&self.dir).unwrap();
        assert!(caught_up.is_complete(), "{caught_up:?}");
        dump(&self.dir)
    }
}

pub(crate) fn open(dir: &Path) -> Result<Journal, tradefold::journal::JournalError> {
    open_at(dir, Pace::default())
}

/// The same, folded in other steps.
pub(crate) fn open_at(dir: &Path, pace: Pace) -> Result<Journal, tradefold::journal::JournalError> {
    let writer = WriterOptions { lock_wait: Duration::from_secs(2), ..WriterOptions::default() };
    Journal::open(dir, JournalOptions { writer, pace })
}

/// Every row of every table, as text, in the order of the keys.
pub(crate) type Dump = BTreeMap<&'static str, Vec<String>>;

pub(crate) fn dump(dir: &Path) -> Dump {
    dump_of(&Tables::read_only(dir).unwrap())
}

pub(crate) fn dump_of(conn: &rusqlite::Connection) -> Dump {
    TABLES.into_iter().map(|table| (table.name, rows(conn, table.name, &table.key.join(", ")))).collect()
}

fn rows(conn: &rusqlite::Connection, table: &str, key: &str) -> Vec<String> {
    let mut statement = conn.prepare(&format!("SELECT * FROM {table} ORDER BY {key}")).unwrap();
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let read = |row: &rusqlite::Row<'_>| {
        let cells = names.iter().enumerate().map(|(index, name)| {
            let value: Value = row.get(index).unwrap();
            match value {
                // To the bit: a sum taken in another order differs in the last digits only.
                Value::Real(real) => format!("{name}={real}({:x})", real.to_bits()),
                other => format!("{name}={other:?}"),
            }
        });
        Ok(cells.collect::<Vec<_>>().join(" "))
    };
    statement.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap()
}

#[track_caller]
pub(crate) fn assert_same(left: &Dump, right: &Dump, what: &str) {
    for (table, rows) in left {
        let others = &right[table];
        for (row, other) in rows.iter().zip(others) {
            assert_eq!(row, other, "{what}: {table}");
        }
        assert_eq!(rows.len(), others.len(), "{what}: rows of {table}");
    }
}
