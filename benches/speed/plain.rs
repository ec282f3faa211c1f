//! Owns the plain programs: what a few lines of rusqlite, serde_json, sha2 and csv do for the same bytes, with the
//! same pragmas, row layout and indexes, and nothing beside the work at hand. They check nothing and know nothing.

use std::collections::HashMap;
use std::hint::black_box;
use std::io::BufWriter;
use std::path::Path;

use projections::draft::Stored;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Statement, params};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The tables of the log without its triggers.
const LAYOUT: &str = "
    CREATE TABLE streams (stream_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, stream_id INTEGER NOT NULL REFERENCES streams (stream_id),
        stream_version INTEGER NOT NULL, type TEXT NOT NULL, schema_version INTEGER NOT NULL,
        occurred_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL, data TEXT NOT NULL, meta TEXT,
        hash BLOB NOT NULL, UNIQUE (stream_id, stream_version)
    ) STRICT;
    CREATE INDEX events_fill_id ON events (data ->> '$.fill_id') WHERE type = 'FillRecorded';";

/// What the log's writer sets on its connection.
pub(crate) const PRAGMAS: [(&str, &str); 5] = [
    ("journal_mode", "wal"),
    ("synchronous", "full"),
    ("foreign_keys", "on"),
    ("cache_size", "-16384"),
    ("temp_store", "memory"),
];

const COLUMNS: &str =
    "seq, id, stream_id, stream_version, type, schema_version, occurred_at, recorded_at, data, meta, hash";

/// A file of the log's layout, being filled.
pub(crate) struct Log {
    conn: Connection,
    streams: HashMap<String, i64>,
}

impl Log {
    pub(crate) fn create(path: &Path) -> Self {
        let conn = Connection::open(path).expect("a new database");
        for (name, value) in PRAGMAS {
            conn.pragma_update_and_check(None, name, value, |_| Ok(())).or_else(no_answer).expect("a pragma");
        }
        conn.execute_batch(LAYOUT).expect("the layout");
        conn.set_prepared_statement_cache_capacity(32);
        Self { conn, streams: HashMap::new() }
    }

    /// Inserts rows as they are, a commit for so many.
    pub(crate) fn insert(&mut self, rows: &[Stored], a_commit: usize) {
        for group in rows.chunks(a_commit) {
            self.run("BEGIN IMMEDIATE");
            for row in group {
                let stream = self.stream(&row.stream);
                let mut insert = self
                    .conn
                    .prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")
                    .expect("an insert");
                let (seq, version) = (row.seq.cast_signed(), row.stream_version.cast_signed());
                insert
                    .execute(params![
                        seq,
                        row.id.as_bytes(),
                        stream,
                        version,
                        row.kind,
                        row.schema_version,
                        row.occurred_at.0,
                        row.recorded_at.0,
                        row.data,
                        row.meta,
                        row.hash
                    ])
                    .expect("a new row");
            }
            self.run("COMMIT");
        }
    }

    fn run(&self, sql: &str) {
        self.conn.prepare_cached(sql).and_then(|mut statement| statement.execute([])).expect("a transaction");
    }

    fn stream(&mut self, name: &str) -> i64 {
        if let Some(id) = self.streams.get(name) {
            return *id;
        }
        let id = self.streams.len() as i64 + 1;
        let mut insert = self.conn.prepare_cached("INSERT INTO streams VALUES (?1, ?2)").expect("an insert");
        insert.execute(params![id, name]).expect("a new stream");
        self.streams.insert(name.to_owned(), id);
        id
    }
}

/// The size of a log in which nothing is interned: each row with its stream's name, and the same indexes.
pub(crate) fn size_with_names(log: &Path, at: &Path) -> u64 {
    let conn = Connection::open(at).expect("a new database");
    conn.execute("ATTACH ?1 AS log", [log.to_str().expect("a name")]).expect("the log");
    conn.execute_batch(
        "CREATE TABLE events (
            seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, stream TEXT NOT NULL, stream_version INTEGER NOT NULL,
            type TEXT NOT NULL, schema_version INTEGER NOT NULL, occurred_at INTEGER NOT NULL,
            recorded_at INTEGER NOT NULL, data TEXT NOT NULL, meta TEXT, hash BLOB NOT NULL,
            UNIQUE (stream, stream_version)
        ) STRICT;
        CREATE INDEX events_fill_id ON events (data ->> '$.fill_id') WHERE type = 'FillRecorded';
        INSERT INTO events
            SELECT seq, id, name, stream_version, type, schema_version, occurred_at, recorded_at, data, meta, hash
            FROM log.events JOIN log.streams USING (stream_id) ORDER BY seq;",
    )
    .expect("a copy");
    drop(conn);
    std::fs::metadata(at).expect("a file").len()
}

/// Some pragmas answer, others don't.
fn no_answer(error: rusqlite::Error) -> rusqlite::Result<()> {
    if matches!(error, rusqlite::Error::QueryReturnedNoRows) { Ok(()) } else { Err(error) }
}

pub(crate) fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database")
}

fn all_events(conn: &Connection) -> Statement<'_> {
    conn.prepare(&format!("SELECT {COLUMNS} FROM events ORDER BY seq")).expect("a scan")
}

/// Reads every event and hashes its bytes.
pub(crate) fn scan_and_hash(path: &Path) {
    let conn = open(path);
    let mut scan = all_events(&conn);
    let mut rows = scan.query([]).expect("rows");
    let mut input = Vec::new();
    while let Some(row) = rows.next().expect("a row") {
        input.clear();
        for column in 0..11 {
            match row.get_ref(column).expect("a value") {
                ValueRef::Integer(number) => input.extend_from_slice(&number.to_be_bytes()),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => input.extend_from_slice(bytes),
                ValueRef::Null | ValueRef::Real(_) => {}
            }
        }
        black_box(Sha256::digest(&input));
    }
}

/// What the plain fold reads of a payload.
#[derive(Deserialize)]
struct Payload<'a> {
    trade_id: Option<&'a str>,
    side: Option<&'a str>,
    quantity: Option<&'a str>,
    price: Option<&'a str>,
    fees: Option<&'a str>,
}

/// A position as the plainest fold keeps it.
#[derive(Default)]
struct Position {
    quantity: f64,
    cash: f64,
    fees: f64,
    events: u32,
}

/// Reads every event, parses its payload into a struct, and adds up a position for each trade.
pub(crate) fn scan_parse_and_fold(path: &Path) {
    let conn = open(path);
    let mut scan = all_events(&conn);
    let mut rows = scan.query([]).expect("rows");
    let mut positions: HashMap<String, Position> = HashMap::new();
    while let Some(row) = rows.next().expect("a row") {
        let data = row.get_ref(8).expect("a value").as_str().expect("a payload");
        let payload: Payload<'_> = serde_json::from_str(data).expect("an object");
        let Some(trade) = payload.trade_id else { continue };
        if !positions.contains_key(trade) {
            positions.insert(trade.to_owned(), Position::default());
        }
        let Some(position) = positions.get_mut(trade) else { continue };
        position.events += 1;
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok());
        if let (Some(quantity), Some(price)) = (number(payload.quantity), number(payload.price)) {
            let signed = if payload.side == Some("buy") { quantity } else { -quantity };
            position.quantity += signed;
            position.cash -= signed * price;
            position.fees += number(payload.fees).unwrap_or(0.0);
        }
    }
    black_box(positions.values().map(|position| position.cash - position.fees).sum::<f64>());
}

/// Writes a table through the csv crate.
pub(crate) fn select_to_csv(tables: &Path, table: &str, order: &str, to: &Path) {
    let conn = open(tables);
    let mut select = conn.prepare(&format!("SELECT * FROM {table} ORDER BY {order}")).expect("a table");
    let columns = select.column_count();
    let file = std::fs::File::create(to).expect("a file");
    let mut csv = csv::Writer::from_writer(BufWriter::new(file));
    csv.write_record(select.column_names()).expect("a head");
    let mut rows = select.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        for column in 0..columns {
            match row.get_ref(column).expect("a value") {
                ValueRef::Null => csv.write_field(""),
                ValueRef::Integer(number) => csv.write_field(number.to_string()),
                ValueRef::Real(number) => csv.write_field(number.to_string()),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => csv.write_field(bytes),
            }
            .expect("a field");
        }
        csv.write_record(None::<&[u8]>).expect("the end of a record");
    }
    csv.flush().expect("a file");
}
