//! `export`, end to end: which rows, which bytes, and that a file is whole or not there.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tradefold::log::hex;

use crate::cli_support::{Place, mode, note_saying};

fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn a_table_goes_to_standard_output_or_to_a_file_with_a_manifest() {
    let place = Place::with_week();
    let printed = place.run(["export", "trades"]).ok().out;
    assert!(printed.starts_with("trade_id,timestamp_entry,") && printed.ends_with("\r\n"));
    assert_eq!(rows(&printed).len(), 60);
    place.run(["export", "trades", "--out", "a/b/t.csv"]).ok();
    assert_eq!(place.text("a/b/t.csv"), printed);
    assert_eq!(place.names("a/b"), ["t.csv", "t.manifest.json"]);
    assert_eq!(mode(&place.path("a/b/t.csv")), 0o600);
    let manifest: Value = serde_json::from_slice(&place.read("a/b/t.manifest.json")).unwrap();
    let status = place.json(["status"]);
    assert_eq!(manifest["table"], "trades");
    assert_eq!(manifest["rows"], 59);
    assert_eq!(manifest["sha256"], hex(&Sha256::digest(printed.as_bytes()).into()));
    assert_eq!((&manifest["position"], &manifest["chain_head"]), (&json!(587), &status["head"]["hash"]));
    assert_eq!(manifest["journal"], status["uuid"]);
    assert_eq!(manifest["guard"], Value::Null);
}

#[test]
fn several_tables_go_to_a_folder() {
    let place = Place::with_week();
    place.run(["export", "all"]).ok();
    assert_eq!(place.names("export").len(), 2 * projections::TABLES.len());
    place.run(["export", "fills", "notes", "--out", "some/"]).ok();
    assert_eq!(place.names("some"), ["fills.csv", "fills.manifest.json", "notes.csv", "notes.manifest.json"]);
    place.run(["export", "fills", "notes", "--out", "some.csv"]).fails(2, &["some.csv", "folder"]);
    place.run(["export", "fill"]).fails(2, &["did you mean fills?"]);
}

#[test]
fn columns_and_rows_are_chosen() {
    let place = Place::with_week();
    let out = place.run(["export", "trades", "--columns", "symbol,trade_id", "--where", "win_loss=Win"]).ok().out;
    assert!(out.starts_with("symbol,trade_id\r\n"));
    // One of them is voided.
    assert_eq!(rows(&out).len(), 32);
    let count = |arguments: &[&str]| rows(&place.run([&["export"], arguments].concat()).ok().out).len() - 1;
    let both = ["trades", "--where", "win_loss=Win", "--where", "account_id=live-main"];
    assert_eq!(count(&both), 15);
    assert_eq!(count(&["trades", "--where", "win_loss=Win", "--account", "live-main"]), 15);
    assert_eq!(count(&["trades", "--where", "rule_breaks=2"]), count(&["trades", "--where", "rule_breaks=2.0"]));
    let absent = count(&["trades", "--where", "result_r="]);
    let sql = "SELECT count(*) AS n FROM trades WHERE result_r IS NULL";
    assert_eq!(place.json(["sql", sql])[0]["n"], absent);
    assert!(absent > 0);
    for (arguments, said) in [
        (["trades", "--where", "stratgy_used=x"], "did you mean `strategy_used`?"),
        (["trades", "--where", "fees_paid=much"], "`much`"),
        (["trades", "--where", "fees_paid>1"], "COLUMN=VALUE"),
        (["trades", "--columns", "pnl_net"], "pl_amount_net"),
        (["market_data", "--account", "x"], "market_data has no account_id"),
        (["accounts", "--from", "2026-03-02"], "accounts"),
        (["trades", "--from", "02.03.2026"], "2026-03-02"),
    ] {
        place.run([&["export"][..], &arguments].concat()).fails(2, &[said]);
    }
    place.run(["export", "trades", "--from", "2026-03-03", "--to", "2026-03-02"]).fails(2, &["2026-03-03"]);
}

#[test]
fn dates_are_the_accounts_own() {
    let place = Place::with_week();
    let of_day = |table: &str, date: &str| {
        let time = if table == "daily_pnl" { "date" } else { "timestamp_entry" };
        let out = place.run(["export", table, "--columns", time, "--from", date, "--to", date]).ok().out;
        rows(&out).into_iter().skip(1).map(|row| row[0].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of_day("daily_pnl", "2026-03-03"), ["2026-03-03"; 2]);
    // Monday begins on Sunday at 17:00 in Chicago, which is 22:00 UTC since that morning.
    let monday = of_day("trades", "2026-03-09");
    assert_eq!(monday.len(), 2);
    assert!(monday.iter().all(|time| time.starts_with("2026-03-08T2")), "{monday:?}");
    assert_eq!(of_day("trades", "2026-03-08").len(), 0);
    let days = ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07", "2026-03-09"];
    assert_eq!(days.iter().map(|day| of_day("trades", day).len()).sum::<usize>(), 59);
}

#[test]
fn the_guard_is_undone_by_taking_one_apostrophe_away() {
    let place = Place::new();
    let texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "'quoted", "plain, \"quoted\"\r\nline", "−5"];
    let input: String = (1..).zip(texts).map(|(number, text)| note_saying(number, text) + "\n").collect();
    place.feed(input, ["append"]).ok();
    let exact = place.run(["export", "notes", "--columns", "note_id,text"]).ok().out;
    assert_eq!(rows(&exact)[1..].iter().map(|row| row[1].as_str()).collect::<Vec<_>>(), texts);
    place.run(["export", "notes", "--columns", "note_id,text", "--excel", "--out", "n.csv"]).ok();
    let guarded = place.text("n.csv");
    let guarded = guarded.strip_prefix('\u{feff}').unwrap();
    for (row, text) in rows(guarded)[1..].iter().zip(texts) {
        assert!(!row[1].trim_start().starts_with(['=', '+', '-', '@', '\t', '＝']), "{}", row[1]);
        assert_eq!(row[1].strip_prefix('\'').unwrap_or(&row[1]), text);
    }
    let manifest: Value = serde_json::from_slice(&place.read("n.manifest.json")).unwrap();
    assert_eq!(manifest["guard"], "excel");
}

#[test]
fn numbers_are_never_guarded() {
    let place = Place::with_week();
    let arguments = ["export", "round_trips", "--columns", "pl_gross"];
    let plain = place.run(arguments).ok().out;
    assert!(plain.contains("\r\n-"));
    assert_eq!(place.run([&arguments[..], &["--excel"]].concat()).ok().out, format!("\u{feff}{plain}"));
}

#[test]
fn a_file_is_replaced_as_a_whole_or_stays_as_it_was() {
    let place = Place::with_week();
    place.write("t.csv", "old");
    let target = place.write("elsewhere.csv", "mine");
    std::os::unix::fs::symlink(place.path(&target), place.path("link.csv")).unwrap();
    place.run(["export", "trades", "--out", "link.csv"]).ok();
    assert_eq!(place.text("elsewhere.csv"), "mine");
    place.run(["export", "trades", "--out", "t.csv", "--columns", "nothing"]).fails(2, &["nothing"]);
    assert_eq!(place.text("t.csv"), "old");
    place.run(["export", "trades", "--out", "t.csv/x.csv"]).fails(2, &["t.csv"]);
    place.run(["export", "trades", "--out", "t.csv"]).ok();
    assert!(place.text("t.csv").starts_with("trade_id"));
    assert!(place.names(".").iter().all(|name| !name.contains(".part")));
}

#[test]
fn deleted_tables_come_back_the_same() {
    let place = Place::with_week();
    place.run(["export", "all", "--out", "before/"]).ok();
    for name in place.names("journal").iter().filter(|name| name.starts_with("projections.db")) {
        std::fs::remove_file(place.path("journal").join(name)).unwrap();
    }
    let status = place.json(["status"]);
    assert!(status["projections"].as_array().unwrap().iter().all(|projection| projection["lag"] == 0));
    place.run(["export", "all", "--out", "after/"]).ok();
    for name in place.names("before") {
        assert_eq!(place.text(&format!("before/{name}")), place.text(&format!("after/{name}")), "{name}");
    }
}

#[test]
fn presets_are_columns_of_trades() {
    let place = Place::with_week();
    let head = |arguments: &[&str]| {
        let out = place.run([&["export", "trades"], arguments].concat()).ok().out;
        rows(&out)[0].clone()
    };
    let seed = head(&["--preset", "seed"]);
    assert_eq!((seed.len(), seed.last().unwrap().as_str()), (53, "notes"));
    assert_eq!(seed[..], head(&[])[..53]);
    assert!(head(&["--preset", "minimal"]).contains(&"result_r".to_owned()));
    assert!(head(&["--preset", "broker"]).contains(&"fees_paid".to_owned()));
    place.run(["export", "trades", "--preset", "sead"]).fails(2, &["seed", "minimal", "broker"]);
    place.run(["export", "fills", "--preset", "seed"]).fails(2, &["seed is for trades"]);
    place.run(["export", "trades", "--preset", "seed", "--columns", "symbol"]).fails(2, &["--columns"]);
}

#[test]
fn json_lines_hold_what_the_csv_holds() {
    let place = Place::with_week();
    let csv = rows(&place.run(["export", "trades"]).ok().out);
    let lines = place.run(["export", "trades", "--format", "jsonl"]).ok().out;
    assert_eq!(lines.lines().count(), csv.len() - 1);
    for (line, row) in lines.lines().zip(&csv[1..]) {
        let object: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        let fields = object.values().map(|value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        assert!(object.keys().eq(&csv[0]) && fields.eq(row.iter().cloned()), "{line}");
    }
    place.run(["export", "trades", "--format", "jsonl", "--excel"]).fails(2, &["--excel is for CSV"]);
}

#[test]
fn parquet_holds_what_the_csv_holds() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    let place = Place::with_week();
    place.run(["export", "trades", "--format", "parquet"]).fails(2, &["--out"]);
    place.run(["export", "all", "--format", "parquet", "--out", "p/"]).ok();
    assert_eq!(place.names("p")[..2], ["accounts.parquet", "accounts.parquet.manifest.json"]);
    for table in projections::TABLES {
        let csv = rows(&place.run(["export", table.name]).ok().out);
        let file = std::fs::File::open(place.path(&format!("p/{}.parquet", table.name))).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let read: Vec<Vec<String>> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().get_column_iter().map(|(_, field)| text_of(field)).collect())
            .collect();
        assert_eq!(read.len(), csv.len() - 1, "{}", table.name);
        assert!(read.iter().eq(&csv[1..]), "{}", table.name);
    }
    fn text_of(field: &Field) -> String {
        match field {
            Field::Null => String::new(),
            Field::Str(text) => text.clone(),
            Field::Long(count) => count.to_string(),
            Field::Double(number) => number.to_string(),
            Field::TimestampMicros(micros) => projections::moment::Moment(*micros).to_string(),
            Field::Date(day) => projections::calendar::TradingDate(*day).to_string(),
            other => panic!("{other:?}"),
        }
    }
}
