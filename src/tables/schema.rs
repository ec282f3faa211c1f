//! Owns what is in `projections.db` and whether it is what this program would have made. Nothing is ever migrated,
//! since everything here comes back from the log: tables whose fingerprint is another are rebuilt, and say why.

use std::collections::BTreeSet;
use std::path::Path;

use projections::projection::{About, PROJECTIONS};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use super::digest::Digests;
use super::error::TablesError;
use super::file::failed;
use crate::log::Head;

const BASE: &str = include_str!("base.sql");

/// `tfpj`, the application id in the header of `projections.db`.
const APPLICATION_ID: i64 = 0x7466_706a;

/// The version of what `base.sql` makes, and of how fold state is encoded.
const VERSION: i64 = 3;

/// A projection whose tables are not those that this program makes, and why.
#[derive(Clone, Debug)]
pub struct Outdated {
    /// The projection.
    pub about: &'static About,
    /// Why, in words.
    pub reason: String,
}

/// What decides whether tables in a file are those that this program makes: the fold's version, what it reads, and
/// its tables' SQL, each a part of its own so that a difference can be named.
#[must_use]
pub fn fingerprint(about: &About) -> String {
    let sqls: Vec<&str> = about.tables.iter().map(|table| table.sql).collect();
    format!("{}-{}-{}", about.version, short_hash(about.types), short_hash(&sqls))
}

fn short_hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        // The length first, so that no two lists of parts give the same bytes.
        hasher.update(part.len().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    crate::log::hex(&hasher.finalize().into())[..16].to_owned()
}

/// What differs between two fingerprints of a projection.
fn difference(found: &str, wanted: &str) -> String {
    let parts = |text: &str| text.split('-').map(str::to_owned).collect::<Vec<_>>();
    let (found, wanted) = (parts(found), parts(wanted));
    if found.len() != wanted.len() {
        return "it was made by another version of tradefold".to_owned();
    }
    let mut reasons = Vec::new();
    if found[0] != wanted[0] {
        reasons.push(format!("its version went from {} to {}", found[0], wanted[0]));
    }
    if found[1] != wanted[1] {
        reasons.push("it reads other event types".to_owned());
    }
    if found[2] != wanted[2] {
        reasons.push("the SQL of its tables changed".to_owned());
    }
    reasons.join(", ")
}

/// Makes what is missing from an empty file, and refuses one that holds anything else than this program's tables.
pub(super) fn prepare(conn: &mut Connection, path: &Path) -> Result<(), TablesError> {
    let wrap = |error| failed(path, error);
    refuse_foreign(conn, path)?;
    if header(conn).map_err(wrap)?.2 == 0 {
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrap)?;
        // Looked at again: another process may have been here before the transaction began.
        if header(&transaction).map_err(wrap)?.2 == 0 {
            make_bare(&transaction, &PROJECTIONS).map_err(wrap)?;
            PROJECTIONS.iter().try_for_each(|about| finish_bare(&transaction, about)).map_err(wrap)?;
        }
        transaction.commit().map_err(wrap)?;
    }
    if outdated(conn).map_err(wrap)?.is_empty() {
        Ok(())
    } else {
        Err(TablesError::OtherVersion { path: path.to_owned() })
    }
}

/// Refuses files of other programs. An empty database passes.
pub(super) fn refuse_foreign(conn: &Connection, path: &Path) -> Result<(), TablesError> {
    let (application_id, _, objects) = header(conn).map_err(|error| failed(path, error))?;
    if application_id == APPLICATION_ID || (application_id == 0 && objects == 0) {
        return Ok(());
    }
    Err(TablesError::Damaged { path: path.to_owned(), detail: "a database of another program".to_owned() })
}

fn header(conn: &Connection) -> rusqlite::Result<(i64, i64, i64)> {
    let pragma = |name: &str| conn.pragma_query_value(None, name, |row| row.get(0));
    let objects = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok((pragma("application_id")?, pragma("user_version")?, objects))
}

/// The projections whose tables are not those this program would make.
pub(super) fn outdated(conn: &Connection) -> rusqlite::Result<Vec<Outdated>> {
    if header(conn)?.1 != VERSION {
        let reason = || "the file is of another version".to_owned();
        return Ok(PROJECTIONS.into_iter().map(|about| Outdated { about, reason: reason() }).collect());
    }
    let mut outdated = Vec::new();
    for about in PROJECTIONS {
        let (found, wanted) = (stored_fingerprint(conn, "main", about)?, fingerprint(about));
        match found {
            None => outdated.push(Outdated { about, reason: "it is new".to_owned() }),
            Some(found) if found != wanted => outdated.push(Outdated { about, reason: difference(&found, &wanted) }),
            Some(_) => {}
        }
    }
    Ok(outdated)
}

/// Whether a file is laid out as this program does it.
pub(super) fn is_of_this_version(conn: &Connection) -> rusqlite::Result<bool> {
    Ok(header(conn)?.1 == VERSION)
}

/// What made a projection's tables in `main` or in an attached database.
pub(super) fn stored_fingerprint(conn: &Connection, schema: &str, about: &About) -> rusqlite::Result<Option<String>> {
    let sql = format!("SELECT fingerprint FROM {schema}.projections WHERE name = ?1");
    conn.query_row(&sql, [about.name], |row| row.get(0)).optional()
}

/// Makes an empty file that holds some projections only, their indexes and search tables still missing.
pub(super) fn make_bare(conn: &Connection, abouts: &[&'static About]) -> rusqlite::Result<()> {
    conn.execute_batch(BASE)?;
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    conn.pragma_update(None, "user_version", VERSION)?;
    for about in abouts {
        make_tables(conn, about, Stage::Tables)?;
        insert_cursor(conn, about)?;
    }
    Ok(())
}

/// Drops the tables, cursors and memory of some projections and makes them again, their indexes still missing.
pub(super) fn remake_bare(conn: &Connection, abouts: &[&'static About]) -> rusqlite::Result<()> {
    let is_remade = |other: &About| abouts.iter().any(|about| about.name == other.name);
    let others: Vec<_> = PROJECTIONS.into_iter().filter(|other| !is_remade(other)).collect();
    drop_all_but(conn, &tables_of(&others)?)?;
    forget_all_but(conn, &others)?;
    for about in abouts {
        make_tables(conn, about, Stage::Tables)?;
        insert_cursor(conn, about)?;
    }
    Ok(())
}

/// Makes what [`make_bare`] and [`remake_bare`] left out, from the rows that are there by now.
pub(super) fn finish_bare(conn: &Connection, about: &'static About) -> rusqlite::Result<()> {
    make_tables(conn, about, Stage::Rest)?;
    for search in search_tables(conn, about)? {
        conn.execute_batch(&format!("INSERT INTO \"{search}\" (\"{search}\") VALUES ('rebuild')"))?;
    }
    Ok(())
}

/// Which of a table's statements to run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The table, and what makes its rows unique: all that writing rows needs.
    Tables,
    /// Indexes and search, which are made faster over rows that are there.
    Rest,
}

fn make_tables(conn: &Connection, about: &'static About, stage: Stage) -> rusqlite::Result<()> {
    for table in about.tables {
        let (needed, rest) = split(table.sql);
        if stage == Stage::Tables {
            conn.execute_batch(&needed)?;
            continue;
        }
        conn.execute_batch(rest)?;
    }
    Ok(())
}

/// Parts a table's SQL after the table itself and the unique indexes that follow it.
fn split(sql: &str) -> (String, &str) {
    let mut rest = sql;
    let mut needed = String::new();
    // The table and its unique indexes hold no semicolon within, and stand before everything else.
    while let Some((statement, after)) = rest.split_once(';') {
        let opens = statement.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("--"));
        if !opens.is_some_and(|line| line.starts_with("CREATE TABLE") || line.starts_with("CREATE UNIQUE INDEX")) {
            break;
        }
        needed.push_str(statement);
        needed.push(';');
        rest = after;
    }
    (needed, rest)
}

fn search_tables(conn: &Connection, about: &About) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%' ORDER BY name";
    let mut statement = conn.prepare(sql)?;
    let names: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let is_theirs =
        |name: &String| about.tables.iter().any(|table| table.sql.contains(&format!("CREATE VIRTUAL TABLE {name} ")));
    Ok(names.into_iter().filter(is_theirs).collect())
}

fn insert_cursor(conn: &Connection, about: &'static About) -> rusqlite::Result<()> {
    let sql = "INSERT INTO projections (name, version, fingerprint, generation, position, hash, digest) \
        VALUES (?1, ?2, ?3, 1, 0, ?4, ?5)";
    let empty = Digests::empty(about);
    conn.execute(sql, params![about.name, about.version, fingerprint(about), Head::EMPTY.hash, empty.whole()])?;
    for (table, digest) in empty.each() {
        let sql = "INSERT INTO table_digests (name, projection, rows, digest) VALUES (?1, ?2, 0, ?3)";
        conn.execute(sql, params![table.name, about.name, digest.sum()])?;
    }
    Ok(())
}

/// The names of all tables that a file with these projections has, those behind search tables included.
fn tables_of(abouts: &[&'static About]) -> rusqlite::Result<BTreeSet<String>> {
    let conn = Connection::open_in_memory()?;
    conn.execute_batch(BASE)?;
    for about in abouts {
        about.tables.iter().try_for_each(|table| conn.execute_batch(table.sql))?;
    }
    table_names(&conn, "")
}

/// Drops every other table, of whatever version or program it may be: the file is ours alone.
fn drop_all_but(conn: &Connection, kept: &BTreeSet<String>) -> rusqlite::Result<()> {
    // Search tables first: they take their own tables along, which can't be dropped one by one.
    for kind in ["AND sql LIKE 'CREATE VIRTUAL TABLE%'", ""] {
        for name in table_names(conn, kind)?.difference(kept) {
            conn.execute_batch(&format!("DROP TABLE \"{}\"", name.replace('"', "\"\"")))?;
        }
    }
    Ok(())
}

fn table_names(conn: &Connection, which: &str) -> rusqlite::Result<BTreeSet<String>> {
    let sql = format!(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' {which}"
    );
    conn.prepare(&sql)?.query_map([], |row| row.get(0))?.collect()
}

fn forget_all_but(conn: &Connection, kept: &[&'static About]) -> rusqlite::Result<()> {
    let list =
        |names: &mut dyn Iterator<Item = &str>| names.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let names = list(&mut kept.iter().map(|about| about.name));
    let tables = list(&mut kept.iter().flat_map(|about| about.tables).map(|table| table.name));
    conn.execute_batch(&format!(
        "DELETE FROM projections WHERE name NOT IN ({names}); \
         DELETE FROM table_digests WHERE projection NOT IN ({names}); \
         DELETE FROM fold_state WHERE projection NOT IN ({names}); \
         DELETE FROM snapshots WHERE projection NOT IN ({names}); \
         DELETE FROM past_state WHERE projection NOT IN ({names}); \
         DELETE FROM past_rows WHERE name NOT IN ({tables})"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_fingerprints_is_named() {
        let about = PROJECTIONS[0];
        let mut parts: Vec<String> = fingerprint(about).split('-').map(str::to_owned).collect();
        assert_eq!(difference(&fingerprint(about), &fingerprint(about)), "");
        parts[0] = "7".to_owned();
        let newer = format!("its version went from 7 to {}", about.version);
        assert_eq!(difference(&parts.join("-"), &fingerprint(about)), newer);
        parts[2] = "another".to_owned();
        assert!(difference(&parts.join("-"), &fingerprint(about)).ends_with(", the SQL of its tables changed"));
        assert_eq!(difference("older", &fingerprint(about)), "it was made by another version of tradefold");
    }

    #[test]
    fn a_tables_sql_is_parted_before_what_only_makes_it_quicker_to_read() {
        for about in PROJECTIONS {
            for table in about.tables {
                let (needed, rest) = split(table.sql);
                assert_eq!(format!("{needed}{rest}"), table.sql);
                assert!(needed.contains("CREATE TABLE") && !needed.contains("TRIGGER"), "{}", table.name);
                assert!(!rest.contains("CREATE UNIQUE INDEX"), "{}", table.name);
            }
        }
    }
}
