//! `verify --export`, end to end: a file that follows from the log, and every way in which one doesn't.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tradefold::log::hex;

use crate::cli_support::{Place, note_saying};

/// A week, and its trades as they were exported.
fn exported(arguments: &[&str]) -> Place {
    let place = Place::with_week();
    place.run([&["export", "trades"], arguments].concat()).ok();
    place
}

fn edit(place: &Place, name: &str, from: &str, to: &str) {
    let text = place.text(name);
    assert!(text.contains(from), "{from}");
    place.write(name, text.replacen(from, to, 1));
}

/// As a forger would: the manifest is the changed file's own.
fn sign(place: &Place, file: &str, manifest: &str) {
    let mut forged: Value = serde_json::from_slice(&place.read(manifest)).unwrap();
    forged["sha256"] = hex(&Sha256::digest(place.read(file)).into()).into();
    place.write(manifest, forged.to_string());
}

fn findings(place: &Place, file: &str) -> Vec<String> {
    let ran = place.run(["--json", "verify", "--export", file]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(answer["ok"], false);
    answer["findings"].as_array().unwrap().iter().map(|found| found["finding"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_file_follows_from_the_log_in_each_format_and_however_it_was_chosen() {
    let place = Place::with_week();
    for (format, name) in [("csv", "t.csv"), ("jsonl", "t.jsonl"), ("parquet", "t.parquet")] {
        for choice in [
            &[][..],
            &["--preset", "seed"],
            &["--columns", "symbol,result_r", "--where", "win_loss=Win", "--where", "regime_at_entry="],
            &["--account", "live-main", "--from", "2026-03-03", "--to", "2026-03-04"],
            &["--as-of", "300"],
        ] {
            place.run([&["export", "trades", "--format", format, "--out", name], choice].concat()).ok();
            let answer = place.json(["verify", "--export", name]);
            assert_eq!((&answer["ok"], &answer["findings_total"]), (&json!(true), &json!(0)), "{name} {choice:?}");
            assert_eq!(answer["rows"], answer["manifest"]["rows"]);
        }
    }
    place.run(["export", "notes", "--excel", "--out", "n.csv"]).ok();
    place.run(["verify", "--export", "n.csv"]).ok();
}

#[test]
fn what_has_changed_since_is_counted_and_no_fault() {
    let place = Place::with_week();
    place.run(["export", "trades", "--as-of", "300", "--out", "then.csv"]).ok();
    let answer = place.json(["verify", "--export", "then.csv"]);
    let then: u64 =
        place.json(["sql", "SELECT count(*) AS n FROM trades WHERE first_seq <= 300"])[0]["n"].as_u64().unwrap();
    let moved = place.json(["sql", "SELECT count(*) AS n FROM trades WHERE first_seq <= 300 AND last_seq > 300"]);
    assert_eq!((answer["rows"].as_u64().unwrap(), &answer["changed_since"]), (then, &moved[0]["n"]));
    assert_ne!(answer["changed_since"], 0);
    let said = place.run(["verify", "--export", "then.csv"]).ok().out;
    assert!(said.contains(&format!("{} of them changed by position 587", moved[0]["n"])), "{said}");
}

#[test]
fn a_changed_byte_is_found_and_so_is_a_forger_who_signs_it() {
    let place = exported(&["--out", "t.csv"]);
    edit(&place, "t.csv", ",Loss,", ",Win,");
    let found = findings(&place, "t.csv");
    assert!(found[0].contains("SHA-256"), "{found:?}");
    assert!(found[1].contains("win_loss is Win, the log gives Loss") && found[1].contains("trade_id "), "{found:?}");
    let line = place.text("t.csv").lines().position(|line| line.starts_with("live-0302-02,")).unwrap() + 1;
    sign(&place, "t.csv", "t.manifest.json");
    let found = findings(&place, "t.csv");
    assert_eq!(found.len(), 1);
    // Notes of several lines come before: lines are the file's own.
    assert!(found[0].starts_with(&format!("line {line}, ")), "{found:?} {line}");
}

#[test]
fn rows_that_were_taken_out_put_in_or_put_elsewhere_are_named() {
    let place = exported(&["--columns", "trade_id,pl_amount_net", "--out", "t.csv"]);
    let original = place.text("t.csv");
    let lines: Vec<&str> = original.split_inclusive("\r\n").collect();
    let tampered = |lines: Vec<&str>| {
        place.write("t.csv", lines.concat());
        sign(&place, "t.csv", "t.manifest.json");
        findings(&place, "t.csv")
    };
    let without: Vec<_> = lines.iter().copied().enumerate().filter(|(at, _)| *at != 7).map(|(_, line)| line).collect();
    let gone = lines[7].split(',').next().unwrap();
    assert_eq!(tampered(without), [format!("trade_id {gone}: the log gives this row, the file lacks it")]);
    let found = tampered([&lines[..], &["made-up,500\r\n"]].concat());
    assert_eq!(found, [format!("line {}, trade_id made-up: the log gives no such row", lines.len() + 1)]);
    let found = tampered([&lines[..], &lines[3..4]].concat());
    assert!(found[0].contains("a second time"), "{found:?}");
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    assert!(tampered(swapped)[0].contains("order"));
    assert!(tampered(vec![lines[0], "a,b,c\r\n"])[0].contains("3 fields; expected 2"));
    assert!(tampered(vec!["trade_id,net\r\n", lines[1]])[0].contains("columns"));
}

#[test]
fn a_forged_manifest_is_found() {
    let place = exported(&["--out", "t.csv"]);
    let honest: Value = serde_json::from_slice(&place.read("t.manifest.json")).unwrap();
    for (field, value, said) in [
        ("position", json!(586), "hash at position 586"),
        ("position", json!(9_999), "ends at 587"),
        ("chain_head", json!("00"), "position 587"),
        ("rows", json!(12), "12 rows are said to be there; the log gives 59"),
        ("journal", json!("00000000-0000-4000-8000-000000000000"), "made from journal 00000000-"),
        ("filters", json!({ "account": "live-main" }), "no such row"),
    ] {
        let mut forged = honest.clone();
        forged[field] = value;
        place.write("t.manifest.json", forged.to_string());
        let found = findings(&place, "t.csv");
        assert!(found.iter().any(|found| found.contains(said)), "{field}: {found:?}");
    }
    for (field, value, said) in [
        ("table", json!("trade"), "no table `trade`"),
        ("columns", json!(["trade"]), "no column `trade`"),
        ("filters", json!({ "secret": "x" }), "`secret`"),
        ("rows", json!("many"), "no manifest"),
    ] {
        let mut forged = honest.clone();
        forged[field] = value;
        place.write("t.manifest.json", forged.to_string());
        place.run(["verify", "--export", "t.csv"]).fails(2, &[said, "t.manifest.json"]);
    }
    std::fs::remove_file(place.path("t.manifest.json")).unwrap();
    place.run(["verify", "--export", "t.csv"]).fails(2, &["no manifest", "t.manifest.json"]);
    place.run(["verify", "--export", "nowhere.csv"]).fails(2, &["nowhere"]);
}

#[test]
fn live_tables_that_were_tampered_with_do_not_vouch_for_their_export() {
    let place = Place::with_week();
    let sqlite = rusqlite::Connection::open(place.path("journal/projections.db")).unwrap();
    sqlite.execute("UPDATE trades SET pl_amount_net = 1000 WHERE win_loss = 'Loss'", ()).unwrap();
    place.run(["export", "trades", "--out", "t.csv"]).ok();
    let found = findings(&place, "t.csv");
    assert!(found.iter().all(|found| found.contains("pl_amount_net is 1000, the log gives -")), "{found:?}");
}

#[test]
fn texts_of_any_kind_are_compared_exactly() {
    let place = Place::new();
    let texts = ["=1+1", "'quoted", "a,b\r\n\"c\"\n", "\u{feff}x", "null", ""];
    let input: String = (1..).zip(&texts[..5]).map(|(number, text)| note_saying(number, text) + "\n").collect();
    place.feed(input, ["append"]).ok();
    for arguments in
        [&["--out", "n.csv"][..], &["--out", "n.csv", "--excel"], &["--out", "n.jsonl", "--format", "jsonl"]]
    {
        place.run([&["export", "notes"], arguments].concat()).ok();
        place.run(["verify", "--export", arguments[1]]).ok();
    }
    edit(&place, "n.jsonl", "\"null\"", "null");
    assert!(findings(&place, "n.jsonl").iter().any(|found| found.contains("the log gives null")));
}
