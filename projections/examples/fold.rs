//! Temporary harness: folds a JSONL file and writes CSVs.
use projections::cell::Cell;
use projections::drawer::MemoryShelf;
use projections::projection::Projection;
use projections::{draft::Stored, ledger::Ledger, market_data::MarketData, moment::Moment, upcast, validate};
use std::collections::BTreeMap;
use std::io::Write;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&args[1]).unwrap();
    let page: u64 = args.get(3).map_or(7, |p| p.parse().unwrap());
    let mut shelf = MemoryShelf::default();
    let mut bars = MemoryShelf::default();
    let mut ledger = Ledger::default();
    let mut market = MarketData::default();
    let mut tables: BTreeMap<&str, BTreeMap<Vec<Cell>, Vec<Cell>>> = BTreeMap::new();
    let mut keep = |rows: projections::changes::Rows| {
        for (table, changes) in rows.into_tables() {
            let t = tables.entry(table).or_default();
            for (key, row) in changes {
                match row {
                    Some(row) => {
                        t.insert(key, row);
                    }
                    None => {
                        t.remove(&key);
                    }
                }
            }
        }
    };
    let mut seq = 0;
    for line in text.lines() {
        let draft = validate::parse_edge(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        seq += 1;
        let stored = Stored {
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
        };
        let event = upcast::decode(&stored).unwrap_or_else(|e| panic!("{e}: {line}"));
        market.apply(&bars, &event);
        ledger.apply(&shelf, &event);
        if seq % page == 0 {
            let (rows, state) = ledger.flush(&shelf);
            shelf.keep(state);
            keep(rows);
            let (rows, state) = market.flush(&bars);
            bars.keep(state);
            keep(rows);
            if args.len() > 4 {
                ledger = Ledger::default();
                market = MarketData::default();
            }
        }
    }
    let (rows, _) = ledger.flush(&shelf);
    keep(rows);
    keep(market.flush(&bars).0);
    std::fs::create_dir_all(&args[2]).unwrap();
    for table in projections::TABLES {
        let mut out =
            std::io::BufWriter::new(std::fs::File::create(format!("{}/{}.csv", args[2], table.name)).unwrap());
        let names: Vec<&str> = table.all_columns().map(|c| c.name).collect();
        writeln!(out, "{}", names.join(",")).unwrap();
        for row in tables.get(table.name).into_iter().flat_map(|t| t.values()) {
            let cells: Vec<String> = row
                .iter()
                .map(|c| {
                    let t = c.to_text();
                    if t.contains([',', '"', '\n']) { format!("\"{}\"", t.replace('"', "\"\"")) } else { t }
                })
                .collect();
            writeln!(out, "{}", cells.join(",")).unwrap();
        }
    }
}
