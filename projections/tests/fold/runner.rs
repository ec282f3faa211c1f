//! Folds lines of the edge form in memory, flushing and forgetting as often as a test wants.

use std::collections::BTreeMap;

use projections::cell::{Cell, Row, Table};
use projections::draft::Stored;
use projections::drawer::MemoryShelf;
use projections::event::Event;
use projections::moment::Moment;
use projections::projection::{PROJECTIONS, Projection};
use projections::{TABLES, upcast, validate};

pub(crate) use projections::changes::MemoryTables as Tables;

/// The events of some lines, at positions from 1.
pub(crate) fn events<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vec<Event> {
    let mut events = Vec::new();
    for (line, seq) in lines.into_iter().zip(1..) {
        let draft = validate::parse_edge(line).unwrap_or_else(|refusal| panic!("line {seq}: {refusal}"));
        let stored = Stored {
            seq,
            id: draft.id.unwrap_or_else(|| uuid::Uuid::from_u128(seq.into())),
            stream: "test".to_owned(),
            stream_version: seq,
            kind: draft.kind,
            schema_version: draft.schema_version,
            occurred_at: draft.occurred_at,
            recorded_at: Moment(0),
            data: draft.data,
            meta: draft.meta,
            hash: [0; 32],
        };
        events.push(upcast::decode(&stored).expect("what was checked can be read"));
    }
    events
}

/// One projection with its shelf.
struct Runner {
    projection: Box<dyn Projection>,
    shelf: MemoryShelf,
}

impl Runner {
    fn flush(&mut self, tables: &mut Tables) {
        let (rows, state) = self.projection.flush(&self.shelf);
        self.shelf.keep(state);
        rows.apply_to(tables);
    }
}

/// Folds events into tables. `cut_after` says after which positions everything is flushed and forgotten, as a
/// restart would.
pub(crate) fn fold(events: &[Event], cut_after: impl Fn(u64) -> bool) -> Tables {
    run(events, cut_after, |_, _| {})
}

/// Folds events into tables, which `watch` sees as they are after each.
pub(crate) fn fold_watching(events: &[Event], watch: impl FnMut(u64, &Tables)) {
    run(events, |_| true, watch);
}

fn run(events: &[Event], cut_after: impl Fn(u64) -> bool, mut watch: impl FnMut(u64, &Tables)) -> Tables {
    let mut tables = Tables::new();
    let new =
        |about: &projections::projection::About| Runner { projection: (about.new)(), shelf: MemoryShelf::default() };
    let mut runners: Vec<Runner> = PROJECTIONS.into_iter().map(new).collect();
    for event in events {
        for runner in &mut runners {
            runner.projection.apply(&runner.shelf, event);
            if cut_after(event.seq) {
                runner.flush(&mut tables);
                runner.projection = (runner.projection.about().new)();
            }
        }
        watch(event.seq, &tables);
    }
    for runner in &mut runners {
        runner.flush(&mut tables);
    }
    tables
}

/// The rows of a table as CSV, sorted as exports are.
pub(crate) fn csv(tables: &Tables, table: &Table) -> String {
    let order: Vec<usize> = table.order.iter().filter_map(|column| table.position(column)).collect();
    let mut rows: Vec<&Row> = tables.get(table.name).into_iter().flat_map(BTreeMap::values).collect();
    rows.sort_by_key(|row| order.iter().map(|at| row[*at].clone()).collect::<Vec<_>>());
    let header = table.all_columns().map(|column| column.name.to_owned()).collect::<Vec<_>>().join(",");
    let lines = rows.into_iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(","));
    std::iter::once(header).chain(lines).map(|line| line + "\n").collect()
}

fn quoted(cell: &Cell) -> String {
    let text = cell.to_text();
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Some columns of a table, a line a row, NULL as `-`: what a scenario compares.
pub(crate) fn show(tables: &Tables, table: &str, columns: &str) -> String {
    let table = TABLES.into_iter().find(|known| known.name == table).expect("a table");
    let places: Vec<usize> = columns
        .split(' ')
        .map(|column| table.position(column).unwrap_or_else(|| panic!("no column {column}")))
        .collect();
    let rows = tables.get(table.name).into_iter().flat_map(BTreeMap::values);
    let show = |cell: &Cell| if *cell == Cell::Null { "-".to_owned() } else { cell.to_text() };
    let lines = rows.map(|row| places.iter().map(|at| show(&row[*at])).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n")
}
