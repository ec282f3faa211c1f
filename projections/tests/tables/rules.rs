//! What holds of every table: its SQL makes the columns it names, in their order and kinds, and its key is among them.

use std::collections::BTreeSet;

use projections::TABLES;
use projections::cell::{ColumnKind, Table};
use projections::metrics::METRICS;

#[test]
fn the_sql_makes_the_columns_in_their_order() {
    for table in TABLES {
        let described: Vec<String> =
            table.all_columns().map(|column| format!("{} {}", column.name, kind(column.kind))).collect();
        assert_eq!(columns_of(table), described, "{}.sql", table.name);
    }
}

/// Tables whose order is unique without their numbered key: by a constraint, and since a position writes a window once.
const UNIQUE_IN_ORDER: [&str; 2] = ["market_data", "performance_metrics"];

#[test]
fn keys_orders_and_times_are_columns() {
    for table in TABLES {
        for column in table.key.iter().chain(table.order).chain(&table.time) {
            assert!(table.position(column).is_some(), "{} has no {column}", table.name);
        }
        let sorted_by_key = table.key.iter().all(|column| table.order.contains(column));
        assert!(sorted_by_key || UNIQUE_IN_ORDER.contains(&table.name), "{}: equal rows could swap", table.name);
    }
}

#[test]
fn names_are_used_once_and_docs_are_written() {
    let tables: BTreeSet<_> = TABLES.iter().map(|table| table.name).collect();
    assert_eq!(tables.len(), TABLES.len());
    for table in TABLES {
        let columns: BTreeSet<_> = table.all_columns().map(|column| column.name).collect();
        assert_eq!(columns.len(), table.all_columns().count(), "{}", table.name);
        assert!(table.all_columns().all(|column| !column.doc.is_empty()), "{}", table.name);
    }
}

#[test]
fn metrics_are_the_columns_of_their_tables() {
    let history: Vec<_> = METRICS.iter().filter(|metric| metric.seed).map(|metric| metric.name).collect();
    let all: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(last_columns("performance_metrics", history.len()), history);
    assert_eq!(last_columns("performance_breakdown", all.len()), all);
}

fn last_columns(table: &str, count: usize) -> Vec<&'static str> {
    let table = TABLES.iter().find(|candidate| candidate.name == table).expect("a table");
    table.columns[table.columns.len() - count..].iter().map(|column| column.name).collect()
}

/// Name and kind of each column in the statement that makes the table.
fn columns_of(table: &Table) -> Vec<String> {
    let opening = format!("CREATE TABLE {} (\n", table.name);
    let (_, rest) = table.sql.split_once(&opening).expect("the SQL makes the table");
    let (body, _) = rest.split_once("\n) STRICT;").expect("the table is strict");
    let lines = body.lines().map(|line| line.trim().trim_end_matches(','));
    lines
        .filter(|line| line.split(' ').next().is_some_and(|word| word.chars().all(|c| !c.is_ascii_uppercase())))
        .filter(|line| !line.starts_with("--"))
        .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect()
}

fn kind(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "TEXT",
        ColumnKind::Integer => "INTEGER",
        ColumnKind::Real => "REAL",
    }
}
