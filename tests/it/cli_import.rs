//! `import` and `reconcile`: a sample of each broker's format comes in, ties out, and comes in only once; what is wrong with
//! a file is told by its place.

use crate::cli_support::{Place, Ran};

/// Sample, format found by its head, fills, trades, and the net of all of them.
const SAMPLES: [(&str, &str, usize, usize, &str); 12] = [
    ("tradovate-fills.csv", "tradovate-fills", 4, 1, "92.9"),
    ("tradovate-performance.csv", "tradovate-performance", 3, 1, "-32.5"),
    ("tradovate-position-history.csv", "tradovate-position-history", 2, 1, "15.625"),
    ("tradovate-orders.csv", "tradovate-orders", 2, 1, "20"),
    ("ninjatrader-executions.csv", "ninjatrader-executions", 2, 1, "27.51"),
    ("ninjatrader-trades.csv", "ninjatrader-trades", 4, 2, "55.02"),
    ("topstepx.csv", "topstepx", 4, 2, "47.78"),
    ("ibkr-activity.csv", "ibkr-activity", 2, 1, "97.25"),
    ("rithmic-orders.csv", "rithmic-orders", 2, 1, "27.75"),
    ("quantower.csv", "quantower", 2, 1, "27.51"),
    ("binance-futures.csv", "binance-futures", 2, 1, "0.52"),
    ("generic.csv", "generic", 2, 1, "28.75"),
];

const BROKERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/brokers");

fn command(place: &Place, name: &str, file: &str, more: &[&str]) -> Ran {
    let mut arguments = vec![name.to_owned(), file.to_owned()];
    let fixed = ["--account", "eval", "--zone", "America/Chicago", "--instrument", "BTCUSDT=0.1:1"];
    arguments.extend(fixed.iter().chain(more).map(|&word| word.to_owned()));
    place.run(arguments)
}

fn mapping() -> String {
    format!("{BROKERS}/generic.toml")
}

#[test]
fn a_sample_of_each_format_comes_in_once_and_ties_out() {
    for (sample, format, fills, trades, net) in SAMPLES {
        let place = Place::new();
        place.run(["init"]).ok();
        let file = format!("{BROKERS}/{sample}");
        let mapping = mapping();
        let how: &[&str] = if format == "generic" { &["--format", "generic", "--map", &mapping] } else { &[] };
        let dry = command(&place, "import", &file, &[how, &["--dry-run"]].concat()).ok();
        assert!(dry.out.contains(&format!("({format}): would add {fills} fills")), "{sample}: {}", dry.out);
        let first = command(&place, "import", &file, how).ok();
        assert!(first.out.contains(&format!("added {fills} fills")), "{sample}: {}", first.out);
        let again = command(&place, "import", &file, how).ok();
        assert!(again.out.contains(&format!("added 0 fills to eval; {fills} known")), "{sample}: {}", again.out);
        let tied = command(&place, "reconcile", &file, how).ok();
        assert!(tied.out.starts_with(&format!("ties out to the cent: {fills} fills")), "{sample}: {}", tied.out);
        let sums = "SELECT count(*) AS trades, round(sum(pl_amount_net), 6) AS net FROM trades WHERE status = 'closed'";
        let sums = place.json(["sql", sums]);
        let wanted: f64 = net.parse().unwrap();
        assert_eq!(sums[0]["trades"], trades, "{sample}: {sums}");
        assert!((sums[0]["net"].as_f64().unwrap() - wanted).abs() < 1e-9, "{sample}: {sums}");
        // The rows say nothing surprising.
        let anomalies = place.json(["sql", "SELECT kind, detail FROM anomalies"]);
        assert_eq!(anomalies.as_array().map(Vec::len), Some(0), "{sample}: {anomalies}");
    }
}

#[test]
fn a_corrected_row_an_overlap_and_a_row_that_is_gone() {
    let place = Place::new();
    let text = std::fs::read_to_string(format!("{BROKERS}/tradovate-fills.csv")).unwrap();
    let half: Vec<&str> = text.lines().take(3).collect();
    place.write("half.csv", half.join("\n"));
    place.write("whole.csv", &text);
    place.write("later.csv", text.replace("5718.0,", "5718.25,").replace("5718.00", "5718.25"));
    assert!(command(&place, "import", "half.csv", &[]).ok().out.contains("added 2 fills"));
    assert!(command(&place, "import", "whole.csv", &[]).ok().out.contains("added 2 fills to eval; 2 known"));
    let found = command(&place, "reconcile", "later.csv", &["--fix"]);
    assert_eq!(found.code, 1);
    assert!(found.out.contains("differs: fill 500003: price: 5718 here, 5718.25 there"), "{}", found.out);
    assert!(found.out.contains("1 event would settle it"), "{}", found.out);
    let corrected = command(&place, "import", "later.csv", &[]).ok();
    assert!(corrected.out.contains("corrected: line 3: fill 500003: price 5718 -> 5718.25"), "{}", corrected.out);
    assert!(command(&place, "import", "later.csv", &[]).ok().out.contains("4 known, 0 corrected"));
    let gone: Vec<&str> = text.lines().filter(|line| !line.contains("500002")).collect();
    place.write("gone.csv", gone.join("\n").replace("5718.0,", "5718.25,"));
    let found = command(&place, "reconcile", "gone.csv", &[]);
    assert_eq!(found.code, 1);
    assert!(found.out.contains("missing there: fill 500002"), "{}", found.out);
    command(&place, "reconcile", "gone.csv", &["--fix", "--yes"]).ok();
    command(&place, "reconcile", "gone.csv", &[]).ok();
}

#[test]
fn what_is_wrong_is_told_by_its_place_and_nothing_is_recorded() {
    let place = Place::new();
    place.run(["init"]).ok();
    let head = "orderId,execId,contractName,action,qty,price,timestamp,commission\n";
    for (rows, expected) in [
        (
            "1,1,MESH6,Hold,1,5712,03/02/2026 08:31:07,0\n",
            "bad.csv: line 2: action: expected Buy or Sell, found `Hold`",
        ),
        ("1,1,MESH6,Buy,0,5712,03/02/2026 08:31:07,0\n", "line 2: qty: expected a quantity above 0, found `0`"),
        ("1,1,MESH6,Buy,1,57x,03/02/2026 08:31:07,0\n", "line 2: price: expected a price such as"),
        ("1,1,MESH6,Buy,1,5712,03/08/2026 02:31:07,0\n", "line 2: timestamp: expected a time that exists"),
        ("1,1,XYZ,Buy,1,5712,03/02/2026 08:31:07,0\n", "--instrument XYZ=TICK:POINT_VALUE says what it is"),
    ] {
        place.write("bad.csv", format!("{head}{rows}"));
        let refused = command(&place, "import", "bad.csv", &[]);
        assert_eq!(refused.code, 2, "{rows}");
        assert!(refused.err.contains(expected), "{rows}: {}", refused.err);
        // Empty lines, lines within a cell, and lines that end otherwise, are counted as an editor counts them.
        let before = "\n\"a note\nof three\nlines\"\n\n";
        for end in ["\n", "\r\n", "\r"] {
            place.write("bad.csv", format!("{before}{head}\n{rows}").replace('\n', end));
            let refused = command(&place, "import", "bad.csv", &[]);
            let expected = expected.replace("line 2", "line 8");
            assert!(refused.err.contains(&expected), "{rows} {end:?}: {}", refused.err);
        }
        assert_eq!(place.json(["status"])["head"]["seq"], 0, "{rows}");
    }
    place.write(
        "bad.csv",
        format!("{head}1,1,MESH6,Buy,1,5712,11/01/2026 01:31:07,0\n2,2,MESH6,Buy,x,5712,11/01/2026 01:31:07,0\n"),
    );
    let skipped = command(&place, "import", "bad.csv", &["--skip-bad"]).ok();
    assert!(skipped.out.contains("left out: bad.csv: line 3: qty"), "{}", skipped.out);
    assert!(skipped.err.contains("1 local times happened twice"), "{}", skipped.err);
    let unknown = place.write("other.csv", "a,b\n1,2\n");
    assert!(command(&place, "import", &unknown, &[]).err.contains("no format has a head like this"));
}

/// Numbers that look random, and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A fill as some broker would have it: minute, id, buys, quantity, price in ticks.
type Made = (u64, u64, bool, u64, u64);

fn made(dice: &mut Dice) -> Vec<Made> {
    let mut minute = 0;
    let mut next = |id: u64| {
        // Some at the same time; their ids decide.
        minute += dice.below(3);
        (minute, 1_000 + id, dice.below(2) == 0, 1 + dice.below(4), 22_000 + dice.below(200))
    };
    (0..30).map(&mut next).collect()
}

/// A file of them, dressed as one of many brokers would.
fn dressed(fills: &[Made], dress: u64) -> Vec<u8> {
    let (mark, comma, end) = if dress.is_multiple_of(2) { (",", ".", "\r\n") } else { (";", ",", "\n") };
    let head = ["Time", "Contract", "Action", "Size", "Price", "Nr", "Fee"].join(mark);
    let row = |&(minute, id, buys, quantity, ticks): &Made| {
        let time = format!("03/02/2026 {:02}:{:02}:00", 9 + minute / 60, minute % 60);
        let price = format!("{}{comma}{:02}", ticks / 4, ticks % 4 * 25);
        let side = if buys { " Buy" } else { "Sell " };
        let fee = format!("\"$0{comma}35\"");
        [time, "MESH6".to_owned(), side.to_owned(), quantity.to_string(), price, id.to_string(), fee].join(mark)
    };
    let lines: Vec<String> = std::iter::once(head).chain(fills.iter().map(row)).collect();
    let text = lines.join(end) + end;
    match dress % 3 {
        0 => text.into_bytes(),
        1 => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        _ => [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect(),
    }
}

const DESCRIBED: &str = r#"
[columns]
time = "Time"
symbol = "Contract"
side = "Action"
quantity = "Size"
price = "Price"
fill_id = "Nr"
fees = ["Fee"]
"#;

const FACTS: [&str; 3] = ["fills", "round_trips", "daily_pnl"];

/// What the tables say, without where in the log it was said.
fn facts(place: &Place) -> Vec<String> {
    let columns = |table: &str| {
        let table = projections::projection::table(table).unwrap();
        table.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(",")
    };
    FACTS.map(|table| place.run(["export", table, "--columns", &columns(table)]).ok().out).to_vec()
}

#[test]
fn however_a_file_is_dressed_shuffled_or_cut_the_same_fills_come_in() {
    let mut dice = Dice(7);
    for dress in 0..6 {
        let mut fills = made(&mut dice);
        let whole = Place::new();
        whole.write("map.toml", DESCRIBED);
        let bring = |place: &Place, fills: &[Made], dress| {
            place.write("map.toml", DESCRIBED);
            let file = place.write("f.csv", dressed(fills, dress));
            command(place, "import", &file, &["--format", "generic", "--map", "map.toml"]).ok().out
        };
        assert!(bring(&whole, &fills, 0).contains("added 30 fills"));
        let expected = facts(&whole);
        // Cut in two files that overlap, in this dress, each in any order of rows.
        let (early, late) = (fills[..20].to_vec(), fills[12..].to_vec());
        let cut = Place::new();
        for (part, added) in [(early, 20), (late, 10)] {
            fills = part;
            for at in (1..fills.len()).rev() {
                fills.swap(at, usize::try_from(dice.below(at as u64 + 1)).unwrap());
            }
            let said = bring(&cut, &fills, dress);
            assert!(said.contains(&format!("added {added} fills")), "{dress}: {said}");
        }
        assert_eq!(facts(&cut), expected, "{dress}");
    }
}

#[test]
fn what_came_in_goes_out_and_comes_in_elsewhere_the_same() {
    const OWN: &str = r#"
[columns]
time = "timestamp"
symbol = "symbol"
side = "side"
quantity = "quantity"
price = "price"
fill_id = "fill_id"
order_id = "order_id"
order_type = "order_type"
fees = ["fees"]
"#;
    for (sample, format, fills, ..) in SAMPLES {
        let (place, other) = (Place::new(), Place::new());
        let mapping = mapping();
        let how: &[&str] = if format == "generic" { &["--format", "generic", "--map", &mapping] } else { &[] };
        command(&place, "import", &format!("{BROKERS}/{sample}"), how).ok();
        place.run(["export", "fills", "--out", "fills.csv"]).ok();
        other.write("own.toml", OWN);
        let file = place.path("fills.csv").display().to_string();
        let own = ["--format", "generic", "--map", "own.toml", "--instrument", "ACME=0.01:1"];
        let said = command(&other, "import", &file, &own).ok().out;
        assert!(said.contains(&format!("added {fills} fills")), "{sample}: {said}");
        command(&other, "reconcile", &file, &own).ok();
        let columns = "fill_id,timestamp,account_id,symbol,side,quantity,price,fees,order_id";
        let shown = |place: &Place| place.run(["export", "fills", "--columns", columns]).ok().out;
        assert_eq!(shown(&other), shown(&place), "{sample}");
    }
}

#[test]
fn a_rehearsal_needs_no_journal_and_makes_none() {
    let place = Place::new();
    let file = format!("{BROKERS}/topstepx.csv");
    let dry = command(&place, "import", &file, &["--dry-run"]).ok();
    assert!(
        dry.out.contains("would add 4 fills") && dry.err.contains("there is no journal yet"),
        "{}{}",
        dry.out,
        dry.err
    );
    assert!(place.names(".").is_empty());
}

#[test]
fn fills_made_of_round_trips_say_so() {
    let place = Place::new();
    command(&place, "import", &format!("{BROKERS}/topstepx.csv"), &[]).ok();
    let marked = "SELECT count(*) AS n FROM log.history WHERE type = 'FillRecorded'
                  AND json_extract(data, '$.attributes.derived_from') = 'round trip'";
    assert_eq!(place.json(["sql", marked])[0]["n"], 4);
}
