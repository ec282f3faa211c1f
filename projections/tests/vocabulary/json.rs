//! The JSON reader, held against serde_json.

use projections::json::{Json, parse};

fn compact(text: &str) -> Option<String> {
    let mut out = String::new();
    parse(text).ok()?.write(&mut out);
    Some(out)
}

/// Texts on the border of the grammar; both readers must agree on each.
const TEXTS: &[&str] = &[
    "null",
    " true ",
    "false",
    "0",
    "-0",
    "-",
    "+1",
    "01",
    "1.",
    ".1",
    "1.5",
    "1e5",
    "1e",
    "1E+5",
    "1e-",
    "-1.5e-7",
    "[]",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[",
    "]",
    "{}",
    "{",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{\"a\":1 \"b\":2}",
    "{a:1}",
    "{\"a\":1}x",
    "\"\"",
    "\"",
    "\"\\",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12G4\"",
    "\"\\u00e9\"",
    "\"\\ud83d\\udcc8\"",
    "\"\\ud83d\"",
    "\"\\ud83d\\u0041\"",
    "\"\\udcc8\"",
    "\"\\ud83d\\\"",
    "\"a\nb\"",
    "\"\t\"",
    "\"\u{7f}\u{e9}\u{1F4C8}\"",
    "\"\\/\\b\\f\\n\\r\\t\\\"\\\\\"",
    "nul",
    "nullx",
    "tru",
    "NaN",
    "Infinity",
    "",
    " ",
    "\u{feff}1",
    "1\r",
    "\u{a0}1",
    "/* */1",
    "[1,\t2\n,\r3]",
    "\"\\u12\u{e9}4\"",
    "\"\\u1\u{1F4C8}\"",
    "1 1",
    "{\"a\":{\"b\":[{}]}}",
];

#[test]
fn reads_what_serde_json_reads() {
    for text in TEXTS {
        let theirs = serde_json::from_str::<serde_json::Value>(text).ok();
        let ours = compact(text).map(|text| serde_json::from_str::<serde_json::Value>(&text).expect("what we write"));
        assert_eq!(ours, theirs, "{text}");
    }
    for levels in [126, 127, 128, 129] {
        let text = "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(parse(&text).is_ok(), serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{levels}");
    }
}

/// Every text of up to five of these characters: half of the grammar's corners are that short.
#[test]
fn agrees_with_serde_json_on_all_short_texts() {
    const ALPHABET: &[char] = &['{', '}', '[', ']', ',', ':', '"', '\\', 'u', '1', '0', '-', '.', 'e', ' ', '\u{e9}'];
    for length in 0..=5 {
        for number in 0..ALPHABET.len().pow(length) {
            let digits = (0..length).map(|place| number / ALPHABET.len().pow(place) % ALPHABET.len());
            let text: String = digits.map(|digit| ALPHABET[digit]).collect();
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            let ours = parse(&text).is_ok();
            // A raw value's escapes are not looked into, nor keys that repeat: those only we refuse.
            assert!(ours == theirs || serde_json::from_str::<serde_json::Value>(&text).is_ok() == ours, "{text}");
        }
    }
}

#[test]
fn writes_strings_as_serde_json_does() {
    let text: String = (1..0x300).filter_map(char::from_u32).chain(['\u{2028}', '\u{1F4C8}']).collect();
    let mut ours = String::new();
    Json::String(text.as_str().into()).write(&mut ours);
    assert_eq!(ours, serde_json::to_string(&text).expect("a string"));
}

#[test]
fn faults_name_the_place() {
    for (text, expected) in [
        ("{\"a\":1,\"a\":2}", "duplicate key `a`"),
        ("{\"a\":1,\"\\u0061\":2}", "duplicate key `a`"),
        ("[1,nul]", "not JSON at column 4: expected a value"),
        ("\"\u{1F4C8}\u{e9}\u{1}\"", "not JSON at column 4: expected a control character to be escaped"),
        ("\"\0\"", "the NUL character (at column 2) is refused"),
        ("{\"a\":1}}", "not JSON at column 8: expected the end of the line"),
        ("\u{feff}{}", "not JSON at column 1: expected a value"),
        ("", "not JSON at column 1: expected a value"),
    ] {
        assert_eq!(parse(text).expect_err(text).to_string(), expected, "{text}");
    }
}

#[test]
fn many_keys_cost_no_more_than_sorting_them() {
    let keys = |count: usize| (0..count).map(|key| format!("\"{key}\":0")).collect::<Vec<_>>().join(",");
    assert!(parse(&format!("{{{}}}", keys(80_000))).is_ok());
    let error = parse(&format!("{{{},\"77\":0}}", keys(80_000))).expect_err("a duplicate");
    assert_eq!(error.to_string(), "duplicate key `77`");
}
