//! Holds docs/TABLES.md against the tables and the metrics: what stands between its markers is made from them.
//! `UPDATE_DOCS=1 cargo test -p tradefold-projections` rewrites it.

mod rules;

use std::fmt::{Error, Write};
use std::path::Path;

use projections::TABLES;
use projections::cell::{Column, ColumnKind, SEQ_COLUMNS, Table};
use projections::metrics::{METRICS, Metric};

const BEGIN: &str = "<!-- tables -->\n";
const END: &str = "<!-- /tables -->\n";

#[test]
fn the_tables_in_the_docs_are_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/TABLES.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("the page has the opening marker");
    let (_, after) = rest.split_once(END).expect("the page has the closing marker");
    let current = [before, BEGIN, &tables().expect("a string"), END, after].concat();
    #[expect(clippy::disallowed_methods, reason = "tests may be told to rewrite their files")]
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(&path, &current).expect("the file can be written");
    } else {
        assert_eq!(page, current, "{} is not current: UPDATE_DOCS=1 cargo test rewrites it", path.display());
    }
}

fn tables() -> Result<String, Error> {
    let mut page = String::from("\n## Tables\n");
    for table in TABLES {
        describe(table, &mut page)?;
    }
    writeln!(page, "\nEvery table ends with:\n\n| column | type | meaning |\n|---|---|---|")?;
    for column in &SEQ_COLUMNS {
        row(column, &mut page)?;
    }
    writeln!(page, "\n## Metrics\n\nOf n closed trades in window order. R is a trade's `result_r`.")?;
    writeln!(page, "\n| metric | unit, of net or gross | formula | NULL | source |\n|---|---|---|---|---|")?;
    for Metric { name, unit, formula, null_when, source, .. } in METRICS {
        let cells = [unit, formula, null_when, source].map(|text| escaped(text)).join(" | ");
        writeln!(page, "| `{name}` | {cells} |")?;
    }
    writeln!(page)?;
    Ok(page)
}

fn describe(table: &Table, page: &mut String) -> Result<(), Error> {
    writeln!(page, "\n### {}\n\n{}\n", table.name, table.doc)?;
    writeln!(page, "Key: {}. Sorted by {}.", names(table.key), names(table.order))?;
    match table.time {
        Some(time) => writeln!(page, "`--from` and `--to` go by `{time}`.")?,
        None => writeln!(page, "`--from` and `--to` do not apply.")?,
    }
    writeln!(page, "\n| column | type | meaning |\n|---|---|---|")?;
    table.columns.iter().try_for_each(|column| row(column, page))
}

fn row(column: &Column, page: &mut String) -> Result<(), Error> {
    let kind = match column.kind {
        ColumnKind::Text => "TEXT",
        ColumnKind::Integer => "INTEGER",
        ColumnKind::Real => "REAL",
    };
    writeln!(page, "| `{}` | {kind} | {} |", column.name, escaped(column.doc))
}

fn names(columns: &[&str]) -> String {
    format!("`{}`", columns.join("`, `"))
}

/// Magnitudes are written between bars, which end a cell in Markdown.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}
