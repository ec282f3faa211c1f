//! The bare fold, without a log: events as JSON Lines in, a CSV for each table out. For comparing folds.
//!
//! `fold EVENTS OUTDIR [PAGE [restart]]`: flushes after PAGE events (7), and with `restart` begins every page with
//! nothing in memory, as a process would that was killed.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use projections::cell::{Cell, Row, Table};
use projections::changes::Rows;
use projections::draft::Stored;
use projections::drawer::MemoryShelf;
use projections::ledger::Ledger;
use projections::market_data::MarketData;
use projections::moment::Moment;
use projections::projection::Projection;
use projections::validate::parse_edge;
use projections::{TABLES, upcast};

type Tables = BTreeMap<&'static str, BTreeMap<Vec<Cell>, Row>>;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, events, out, options @ ..] = args.as_slice() else {
        return Err("fold EVENTS OUTDIR [PAGE [restart]]".into());
    };
    let page = options.first().map_or(Ok(7), |page| page.parse())?;
    let tables = fold(&fs::read_to_string(events)?, page, options.len() > 1)?;
    fs::create_dir_all(out)?;
    for table in TABLES {
        fs::write(Path::new(out).join(table.name).with_extension("csv"), csv(table, &tables))?;
    }
    Ok(())
}

fn fold(text: &str, page: usize, restart: bool) -> Result<Tables, Box<dyn Error>> {
    let mut tables = Tables::new();
    let mut shelves = [MemoryShelf::default(), MemoryShelf::default()];
    let (mut ledger, mut market) = (Ledger::default(), MarketData::default());
    let lines: Vec<(u64, &str)> = (1..).zip(text.lines()).collect();
    for page in lines.chunks(page) {
        if restart {
            (ledger, market) = (Ledger::default(), MarketData::default());
        }
        let folds: [&mut dyn Projection; 2] = [&mut ledger, &mut market];
        for (fold, shelf) in folds.into_iter().zip(&mut shelves) {
            for (seq, line) in page {
                let event = upcast::decode(&stored(*seq, line)?)?;
                fold.apply(shelf, &event);
            }
            let (rows, state) = fold.flush(shelf);
            shelf.keep(state);
            keep(&mut tables, rows);
        }
    }
    Ok(tables)
}

fn stored(seq: u64, line: &str) -> Result<Stored, Box<dyn Error>> {
    let draft = parse_edge(line).map_err(|refusal| format!("line {seq}: {refusal}"))?;
    Ok(Stored {
        seq,
        id: draft.id.unwrap_or_default(),
        stream: String::new(),
        stream_version: 1,
        kind: draft.kind,
        schema_version: draft.schema_version,
        occurred_at: draft.occurred_at,
        recorded_at: Moment(0),
        data: draft.data,
        meta: draft.meta,
        hash: [0; 32],
    })
}

fn keep(tables: &mut Tables, rows: Rows) {
    for (table, changes) in rows.into_tables() {
        let kept = tables.entry(table).or_default();
        for (key, row) in changes {
            match row {
                Some(row) => drop(kept.insert(key, row)),
                None => drop(kept.remove(&key)),
            }
        }
    }
}

fn csv(table: &Table, tables: &Tables) -> String {
    let header: Vec<&str> = table.all_columns().map(|column| column.name).collect();
    let mut text = header.join(",");
    for row in tables.get(table.name).into_iter().flat_map(BTreeMap::values) {
        let cells: Vec<String> = row.iter().map(quoted).collect();
        text.push('\n');
        text.push_str(&cells.join(","));
    }
    text.push('\n');
    text
}

fn quoted(cell: &Cell) -> String {
    let text = cell.to_text();
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
