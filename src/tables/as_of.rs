//! Owns tables as they were: a connection on which each table's name stands for its rows at a position. A row
//! whose `last_seq` is not later than the last snapshot before it still stands in the live tables; one that
//! was changed since was kept aside (`past`); both are read where they are. What happened between snapshot
//! and position is folded on top, by the same code as ever, into tables of this connection's own.

use std::path::Path;

use projections::cell::{Table, cells_from_bytes};
use projections::projection::{About, PROJECTIONS};
use rusqlite::{Connection, ErrorCode, params};

use super::compare;
use super::cursor::Cursor;
use super::digest::{self, Digests};
use super::error::TablesError;
use super::past::{self, Snapshot};
use super::rows::{columns, lay_down};
use super::{Tables, file, schema};
use crate::log::{signed, unsigned};

/// The live tables on such a connection.
pub(super) const LIVE: &str = "live";

/// The file they are copied into.
const COPY: &str = "copy";

/// Opens a journal's tables as of a position, as far as snapshots go: each projection's cursor says from where it
/// is to be folded on. All is seen as it is now, however the live tables move on.
pub(crate) fn as_of(dir: &Path, position: u64) -> Result<Tables, TablesError> {
    let mut tables = Tables::passing(&PROJECTIONS)?;
    let live = Tables::readable(dir)?;
    if !live.map_or(Ok(false), |live| schema::is_of_this_version(&live))? {
        // Then all of it has to be folded.
        return Ok(tables);
    }
    // What is there already, nobody noted.
    tables.known = None;
    let conn = tables.conn.enter();
    file::attach_read_only(&conn, &file::path_in(dir), LIVE)?;
    conn.execute_batch("BEGIN")?;
    let mut bounds = Vec::new();
    for about in PROJECTIONS {
        if let Some(snapshot) = begin(&conn, about, position)? {
            cursor_at(&conn, about, &snapshot)?;
            bounds.push((about, snapshot.cursor.position));
        }
    }
    make_views(&conn, &bounds)?;
    drop(conn);
    Ok(tables)
}

/// From where a projection goes on: the present, where that is asked for, or the last snapshot, with what was
/// kept of it laid down; `None` for the beginning.
fn begin(conn: &Connection, about: &'static About, position: u64) -> Result<Option<Snapshot>, TablesError> {
    if schema::stored_fingerprint(conn, LIVE, about)? != Some(schema::fingerprint(about)) {
        return Ok(None);
    }
    let at = stored(conn, about)?;
    if at.cursor.position == position {
        return Ok(Some(at));
    }
    // Tables that are behind can't be folded on in place: what is changed then would stand twice.
    if at.cursor.position < position {
        return Ok(None);
    }
    let snapshot = past::last_by(conn, LIVE, about, position)?;
    if let Some(snapshot) = &snapshot {
        lay_down_rows(conn, about, snapshot.cursor.position)?;
        lay_down_state(conn, about, snapshot.cursor.position)?;
    }
    Ok(snapshot)
}

/// Where the live tables stand.
fn stored(conn: &Connection, about: &'static About) -> rusqlite::Result<Snapshot> {
    let sql = format!("SELECT position, hash FROM {LIVE}.projections WHERE name = ?1");
    let cursor = conn.query_row(&sql, [about.name], |row| {
        Ok(Cursor { position: unsigned(row.get(0)?), hash: row.get(1)?, ..Cursor::START })
    })?;
    Ok(Snapshot { cursor, digests: digest::stored_in(conn, LIVE, about)? })
}

fn cursor_at(conn: &Connection, about: &'static About, snapshot: &Snapshot) -> rusqlite::Result<()> {
    digest::store(conn, &snapshot.digests, &Digests::empty(about))?;
    super::cursor::set(conn, about, &snapshot.cursor, &snapshot.digests.whole())
}

/// Lays down the rows that stood at a snapshot and were changed or deleted since. Of what was kept of a row, what
/// the first snapshot from there on kept is how it stood; unless it was changed in between, for then it was
/// not there at all: it would have been kept then.
fn lay_down_rows(conn: &Connection, about: &'static About, snapshot: u64) -> Result<(), TablesError> {
    let sql = format!(
        "SELECT value, last_seq, min(snapshot) FROM {LIVE}.past_rows WHERE name = ?1 AND snapshot >= ?2 GROUP BY key"
    );
    let mut statement = conn.prepare(&sql)?;
    for table in about.tables {
        let mut kept = statement.query(params![table.name, signed(snapshot)])?;
        while let Some(row) = kept.next()? {
            if unsigned(row.get(1)?) <= snapshot {
                let value = cells_from_bytes(row.get_ref(0)?.as_blob().unwrap_or_default());
                let damaged = TablesError::State { projection: about.name, drawer: "past_rows" };
                lay_down(conn, table, &value.ok_or(damaged)?)?;
            }
        }
    }
    Ok(())
}

fn lay_down_state(conn: &Connection, about: &'static About, snapshot: u64) -> Result<(), TablesError> {
    let sql = format!(
        "INSERT INTO main.fold_state (projection, drawer, key, value, changed_at) \
         SELECT projection, drawer, key, value, changed_at FROM ( \
             SELECT projection, drawer, key, value, changed_at, min(snapshot) FROM {LIVE}.past_state \
             WHERE projection = ?1 AND snapshot >= ?2 GROUP BY drawer, key) \
         WHERE changed_at <= ?2"
    );
    conn.execute(&sql, params![about.name, signed(snapshot)])?;
    Ok(())
}

/// Makes each table's name stand for the rows that are unchanged since the snapshot and for what this connection
/// has of its own. Nothing is in both: whatever was changed since has a later `last_seq` in the live tables.
fn make_views(conn: &Connection, bounds: &[(&'static About, u64)]) -> rusqlite::Result<()> {
    let mut remembered = String::new();
    for (about, bound) in bounds {
        for table in about.tables {
            let (name, columns) = (table.name, columns(table));
            conn.execute_batch(&format!(
                "CREATE TEMP VIEW {name} AS SELECT {columns} FROM {LIVE}.{name} WHERE last_seq <= {bound} \
                 UNION ALL SELECT {columns} FROM main.{name}"
            ))?;
        }
        remembered += &format!(
            "SELECT projection, drawer, key, value, changed_at FROM {LIVE}.fold_state \
             WHERE projection = '{}' AND changed_at <= {bound} UNION ALL ",
            about.name
        );
    }
    conn.execute_batch(&format!(
        "CREATE TEMP VIEW fold_state AS {remembered} \
         SELECT projection, drawer, key, value, changed_at FROM main.fold_state"
    ))
}

/// Ends the folding: from now on a table has but the one name, under which all of it is read.
pub(super) fn close(conn: &Connection) -> rusqlite::Result<()> {
    let mut statement = conn.prepare("SELECT name, sql FROM sqlite_temp_schema WHERE type = 'view'")?;
    let views = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let views = views.collect::<rusqlite::Result<Vec<(String, String)>>>()?;
    // Not one by one: SQLite looks at all names whenever it changes one.
    for (name, _) in &views {
        conn.execute_batch(&format!("DROP VIEW temp.{name}"))?;
    }
    for (name, _) in &views {
        conn.execute_batch(&format!("ALTER TABLE main.{name} RENAME TO changed_{name}"))?;
    }
    for (name, sql) in &views {
        let view = sql.replacen("CREATE VIEW", "CREATE TEMP VIEW", 1);
        conn.execute_batch(&view.replace(&format!("main.{name}"), &format!("main.changed_{name}")))?;
    }
    conn.pragma_update(None, "query_only", true)
}

/// The error for rows that no fold has made.
fn edited(conn: &Connection, table: &Table) -> Result<TablesError, TablesError> {
    let sql = "SELECT file FROM pragma_database_list WHERE name = ?1";
    let live: String = conn.query_row(sql, [LIVE], |row| row.get(0))?;
    let detail = format!("the rows of {} are not those that were folded", table.name);
    Ok(TablesError::Damaged { path: live.into(), detail })
}

/// What was read where it stands may have been changed by hand, which no replay would do: the digests tell.
fn refuse_edited(conn: &Connection, about: &'static About) -> Result<(), TablesError> {
    for (table, folded) in digest::stored_in(conn, "main", about)?.each() {
        if compare::digest_of(conn, COPY, table)? != folded {
            return Err(edited(conn, table)?);
        }
    }
    Ok(())
}

/// Copies some projections of tables of the past, once they are folded, into another file's empty tables.
pub(super) fn copy_into(past: Tables, path: &Path, abouts: &[&'static About]) -> Result<(), TablesError> {
    let conn = past.conn.into_inner();
    // A file can't be attached while a transaction holds others still; what is seen stays the same but for
    // what nobody asks about any more.
    file::attach_for_writing(&conn, path, COPY)?;
    for about in abouts {
        for table in about.tables {
            let (name, columns, order) = (table.name, columns(table), table.order.join(", "));
            let sql = format!("INSERT INTO {COPY}.{name} ({columns}) SELECT {columns} FROM {name} ORDER BY {order}");
            match conn.execute(&sql, ()) {
                // A row that was changed by hand stands beside the one that was folded.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    return Err(edited(&conn, table)?);
                }
                copied => copied?,
            };
        }
        refuse_edited(&conn, about)?;
        let name = about.name;
        let sql = format!(
            "INSERT INTO {COPY}.fold_state SELECT * FROM fold_state WHERE projection = ?1 ORDER BY drawer, key"
        );
        conn.execute(&sql, [name])?;
        for (table, column) in [("projections", "name"), ("table_digests", "projection")] {
            conn.execute(&format!("DELETE FROM {COPY}.{table} WHERE {column} = ?1"), [name])?;
            let sql = format!("INSERT INTO {COPY}.{table} SELECT * FROM main.{table} WHERE {column} = ?1");
            conn.execute(&sql, [name])?;
        }
    }
    if !conn.is_autocommit() {
        conn.execute_batch("COMMIT")?;
    }
    Ok(conn.close().map_err(|(_, error)| error)?)
}
