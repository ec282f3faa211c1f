//! Owns what is in `projections.db` and whether it is what this program would have made: the projections'
//! tables are dropped and made anew where their fingerprint is another. Nothing is ever migrated, since
//! everything here comes back from the log.

use std::collections::BTreeSet;
use std::path::Path;

use projections::projection::{About, PROJECTIONS};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use super::error::TablesError;
use super::file::failed;
use crate::log::Head;

const BASE: &str = include_str!("base.sql");

/// `tfpj`, the application id in the header of `projections.db`.
const APPLICATION_ID: i64 = 0x7466_706a;

/// The version of what `base.sql` makes, and of how fold state is encoded.
const VERSION: i64 = 1;

/// A projection that starts over, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refold {
    /// Its name.
    pub projection: &'static str,
    /// Why, in words.
    pub reason: &'static str,
}

/// What decides whether tables in a file are those that this program makes: any change of the fold's version,
/// of what it reads or of its tables' SQL changes it.
#[must_use]
pub fn fingerprint(about: &About) -> String {
    let version = about.version.to_string();
    let sqls = about.tables.iter().map(|table| table.sql);
    let parts = [about.name, &version].into_iter().chain(about.types.iter().copied()).chain(sqls);
    let mut hasher = Sha256::new();
    for part in parts {
        // The length first, so that no two lists of parts give the same bytes.
        hasher.update(part.len().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    crate::log::hex(&hasher.finalize().into())
}

/// Makes what is missing and remakes what is of another version. Returns who starts over.
pub(super) fn prepare(conn: &mut Connection, path: &Path) -> Result<Vec<Refold>, TablesError> {
    let wrap = |error| failed(path, error);
    refuse_foreign(conn, path)?;
    if outdated(conn).map_err(wrap)?.is_empty() {
        return Ok(Vec::new());
    }
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrap)?;
    let refolds = remake(&transaction).map_err(wrap)?;
    transaction.commit().map_err(wrap)?;
    Ok(refolds)
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
pub(super) fn outdated(conn: &Connection) -> rusqlite::Result<Vec<(&'static About, &'static str)>> {
    let (_, version, objects) = header(conn)?;
    if version != VERSION {
        let reason = if objects == 0 { "there were no tables" } else { "the file was of another version" };
        return Ok(PROJECTIONS.into_iter().map(|about| (about, reason)).collect());
    }
    let mut outdated = Vec::new();
    for about in PROJECTIONS {
        let sql = "SELECT fingerprint FROM projections WHERE name = ?1";
        let found: Option<String> = conn.query_row(sql, [about.name], |row| row.get(0)).optional()?;
        match found {
            None => outdated.push((about, "it is new")),
            Some(found) if found != fingerprint(about) => outdated.push((about, "its version changed")),
            Some(_) => {}
        }
    }
    Ok(outdated)
}

fn remake(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<Refold>> {
    // Looked at again: another process may have been here before the transaction began.
    let outdated = outdated(transaction)?;
    if header(transaction)?.1 != VERSION {
        drop_all_but(transaction, &BTreeSet::new())?;
        transaction.execute_batch(BASE)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    let is_outdated = |about: &About| outdated.iter().any(|(other, _)| other.name == about.name);
    let current: Vec<_> = PROJECTIONS.into_iter().filter(|about| !is_outdated(about)).collect();
    drop_all_but(transaction, &tables_of(&current)?)?;
    forget_all_but(transaction, &current)?;
    for (about, _) in &outdated {
        make(transaction, about)?;
    }
    Ok(outdated.into_iter().map(|(about, reason)| Refold { projection: about.name, reason }).collect())
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

/// Drops a projection's tables, cursor and memory and makes them again, their indexes still missing.
pub(super) fn remake_bare(transaction: &Transaction<'_>, about: &'static About) -> rusqlite::Result<()> {
    let others: Vec<_> = PROJECTIONS.into_iter().filter(|other| other.name != about.name).collect();
    drop_all_but(transaction, &tables_of(&others)?)?;
    forget_all_but(transaction, &others)?;
    make_tables(transaction, about, Stage::Tables)?;
    insert_cursor(transaction, about)
}

/// Makes what [`make_bare`] and [`remake_bare`] left out, from the rows that are there by now.
pub(super) fn finish_bare(conn: &Connection, about: &'static About) -> rusqlite::Result<()> {
    make_tables(conn, about, Stage::Rest)?;
    for search in search_tables(conn, about)? {
        conn.execute_batch(&format!("INSERT INTO \"{search}\" (\"{search}\") VALUES ('rebuild')"))?;
    }
    Ok(())
}

fn make(conn: &Connection, about: &'static About) -> rusqlite::Result<()> {
    make_tables(conn, about, Stage::Tables)?;
    make_tables(conn, about, Stage::Rest)?;
    insert_cursor(conn, about)
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

fn insert_cursor(conn: &Connection, about: &About) -> rusqlite::Result<()> {
    let sql = "INSERT INTO projections (name, version, fingerprint, position, hash) VALUES (?1, ?2, ?3, 0, ?4)";
    conn.execute(sql, params![about.name, about.version, fingerprint(about), Head::EMPTY.hash])?;
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
    let names: Vec<String> = kept.iter().map(|about| format!("'{}'", about.name)).collect();
    let names = names.join(", ");
    conn.execute_batch(&format!(
        "DELETE FROM projections WHERE name NOT IN ({names}); DELETE FROM fold_state WHERE projection NOT IN ({names})"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

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
