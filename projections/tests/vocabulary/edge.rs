//! What is taken, and its canonical form.

use std::fmt::Write as _;

use projections::draft::{Draft, Stream};
use projections::schema::{EventType, FIELDS_MAX, Kind, TYPES};
use projections::validate::{CONTENT_BYTES_MAX, LINE_BYTES_MAX, parse_edge, to_edge};
use serde_json::Value;

use crate::{canonical, check_file, examples, line, stored};

/// The bytes that are hashed and stored: a change here would make old events differ from their retries.
#[test]
fn canonical_forms_stay_as_they_are() {
    let mut drafts = String::new();
    for (_, draft) in examples() {
        let Draft { kind, schema_version, occurred_at, stream, data, .. } = draft;
        writeln!(drafts, "{kind} {schema_version} {occurred_at} {stream:?}\n    {data}").expect("a string");
    }
    check_file("tests/vocabulary/canonical.txt", &drafts, "UPDATE_FIXTURES");
}

#[test]
fn the_examples_give_every_field_of_every_version() {
    for event_type in TYPES {
        for version in 1..=event_type.current_version() {
            let (_, draft) = examples()
                .find(|(_, draft)| draft.kind == event_type.name && draft.schema_version == version)
                .unwrap_or_else(|| panic!("no example of {} {version}", event_type.name));
            let data: Value = serde_json::from_str(&draft.data).expect("canonical data is JSON");
            for field in event_type.version(version).expect("a known version").fields {
                assert!(data.get(field.name).is_some(), "{}.{}", event_type.name, field.name);
                if let Kind::Fields(nested) = field.kind {
                    for inner in nested {
                        assert!(data[field.name].get(inner.name).is_some(), "{}.{}", field.name, inner.name);
                    }
                }
            }
        }
    }
}

#[test]
fn canonical_data_is_its_own_canonical_form() {
    for (_, draft) in examples() {
        let again = format!(
            r#"{{"type":"{}","schema_version":{},"occurred_at":"{}","data":{}}}"#,
            draft.kind, draft.schema_version, draft.occurred_at, draft.data
        );
        let expected = Draft { id: None, meta: None, expected_version: None, ..draft };
        assert_eq!(parse_edge(&again), Ok(expected));
    }
}

#[test]
fn what_tail_prints_can_be_appended() {
    for (index, (_, draft)) in examples().enumerate() {
        let stored = stored(&draft, index as u64 + 1);
        let expected = Draft { id: Some(stored.id), expected_version: None, ..draft };
        assert_eq!(parse_edge(&to_edge(&stored)), Ok(expected));
    }
}

#[test]
fn a_printed_event_has_these_fields_in_this_order() {
    let draft = parse_edge(&line("NoteAdded", r#"{"text":"x"}"#)).expect("a note");
    let stored = stored(&Draft { meta: Some(r#"{"by":1.0}"#.to_owned()), ..draft }, 7);
    let expected = r#"{"type":"NoteAdded","id":"00000000-0000-0000-0000-000000000007","occurred_at":"2026-03-02T14:31:07.250000Z","data":{"text":"x"},"meta":{"by":1.0},"schema_version":2,"seq":7,"stream":"account/default","stream_version":1,"recorded_at":"2026-03-02T14:31:07.250001Z","hash":"HASH"}"#;
    assert_eq!(to_edge(&stored), expected.replace("HASH", &"ab".repeat(32)));
}

#[test]
fn the_longest_event_can_be_printed_and_appended() {
    let [symbol, timeframe] = ["\\u0001", "\\u0002"].map(|escape| escape.repeat(256));
    let bar = |filler: usize| {
        let data = r#""timestamp":"2026-03-02T14:30:00Z","open":1,"high":1,"low":1,"close":1,"volume":1"#;
        let attributes = format!(r#"{{"x":"{}"}}"#, "x".repeat(filler));
        line(
            "BarClosed",
            &format!(r#"{{"symbol":"{symbol}","timeframe":"{timeframe}",{data},"attributes":{attributes}}}"#),
        )
    };
    let empty = parse_edge(&bar(0)).expect("a bar").data.len();
    let longest = parse_edge(&bar(CONTENT_BYTES_MAX - empty)).expect("just short enough");
    assert_eq!(longest.data.len(), CONTENT_BYTES_MAX);
    let mut stored = stored(&longest, u64::MAX);
    stored.stream_version = u64::MAX;
    let printed = to_edge(&stored);
    assert!(printed.len() <= LINE_BYTES_MAX);
    assert_eq!(parse_edge(&printed).map(|draft| draft.data), Ok(longest.data));
    let refusal = parse_edge(&bar(CONTENT_BYTES_MAX - empty + 1)).expect_err("too long").to_string();
    assert!(refusal.contains("data and meta"), "{refusal}");
}

#[test]
fn a_number_has_one_canonical_form_however_it_was_written() {
    for (written, expected) in [
        ("0.1", "0.1"),
        ("0.10", "0.1"),
        ("1e-1", "0.1"),
        ("1E-1", "0.1"),
        ("110.015625", "110.015625"),
        ("2", "2"),
        ("2.0", "2"),
        ("2e3", "2000"),
        ("0.000000000000000001", "0.000000000000000001"),
        ("1.123456789012345678", "1.123456789012345678"),
        ("1234567890123456789012345678", "1234567890123456789012345678"),
        ("0.0000000000000000000000000001", "0.0000000000000000000000000001"),
    ] {
        let number = canonical("FillRecorded", &fill(written));
        assert_eq!(number, canonical("FillRecorded", &fill(&format!("\"{written}\""))), "{written}");
        assert!(number.contains(&format!("\"quantity\":\"{expected}\"")), "{written} became {number}");
    }
}

fn fill(quantity: &str) -> String {
    format!(r#"{{"fill_id":"f","symbol":"ES","side":"buy","price":-37.63,"quantity":{quantity}}}"#)
}

#[test]
fn texts_are_kept_as_they_are() {
    for (written, kept) in [
        (r#""""#, r#""""#),
        (r#""  padded  ""#, r#""  padded  ""#),
        (r#""tab\tline\nreturn\rslash\/quote\"back\\""#, r#""tab\tline\nreturn\rslash/quote\"back\\""#),
        (r#""\u0001\u001b\u0008\u000c\u007f""#, "\"\\u0001\\u001b\\b\\f\u{7f}\""),
        (r#""\ud83d\udcc8 \u00e9""#, "\"\u{1F4C8} \u{e9}\""),
        ("\"e\u{301} \u{2028}\u{feff}\"", "\"e\u{301} \u{2028}\u{feff}\""),
    ] {
        assert_eq!(canonical("NoteAdded", &format!(r#"{{"text":{written}}}"#)), format!(r#"{{"text":{kept}}}"#));
    }
}

#[test]
fn lengths_are_taken_to_the_last_byte() {
    let note = |bytes: usize| format!(r#"{{"text":"{}"}}"#, "\u{1F4C8}".repeat(bytes / 4) + &"x".repeat(bytes % 4));
    let name = |bytes: usize| format!(r#"{{"text":"","tags":["{}"]}}"#, "x".repeat(bytes));
    assert_eq!(canonical("NoteAdded", &note(65_536)), note(65_536));
    assert!(canonical("NoteAdded", &note(65_537)).starts_with("data.text: expected a text of at most 64 KiB, got "));
    assert!(canonical("NoteAdded", &note(65_537)).ends_with("... (65537 bytes)"));
    assert_eq!(canonical("NoteAdded", &name(256)), name(256));
    assert!(canonical("NoteAdded", &name(257)).starts_with("data.tags.0: expected a name of 1 to 256 bytes, got "));
    let padded = line("NoteAdded", &note(1));
    let padded = |bytes: usize| padded.clone() + &" ".repeat(bytes - padded.len());
    assert!(parse_edge(&padded(LINE_BYTES_MAX)).is_ok());
    let refusal = parse_edge(&padded(LINE_BYTES_MAX + 1)).expect_err("too long");
    assert_eq!(refusal.to_string(), "a line has at most 1048576 bytes, got 1048577");
}

#[test]
fn free_form_parts_keep_their_order_and_digits() {
    let free = r#"{"z":1.50,"a":{"y":[1E5,-0,0.10],"b":null},"":"","$serde_json::private::Number":"x"}"#;
    let spaced = free
        .replace(':', " : ")
        .replace(',', " ,\t")
        .replace("$serde_json :  : private :  : ", "$serde_json::private::");
    let text = format!(
        r#"{{"type":"NoteAdded","occurred_at":"2026-03-02T14:31:07Z","data":{{"attributes":{spaced},"text":""}},"meta":{spaced}}}"#
    );
    let draft = parse_edge(&text).expect("a note");
    assert_eq!(draft.data, format!(r#"{{"text":"","attributes":{free}}}"#));
    assert_eq!(draft.meta.as_deref(), Some(free));
}

#[test]
fn null_is_absence() {
    let text = r#"{"type":"NoteAdded","id":null,"occurred_at":"2026-03-02T14:31:07Z","data":{"text":"x","trade_id":null,
        "tags":null,"attributes":null},"meta":null,"expected_version":null,"schema_version":null}"#;
    let draft = parse_edge(text).expect("a note");
    assert_eq!(draft.data, r#"{"text":"x"}"#);
    assert_eq!((draft.id, draft.meta, draft.expected_version, draft.schema_version), (None, None, None, 2));
    assert_eq!(draft.stream, Stream::Named("account/default".to_owned()));
}

#[test]
fn the_stream_follows_from_the_data() {
    let named = |name: &str| Stream::Named(name.to_owned());
    for (kind, data, stream) in [
        ("FillRecorded", fill("1"), named("account/default")),
        ("RuleBroken", r#"{"rule":"r","account_id":"a"}"#.to_owned(), named("account/a")),
        ("RuleBroken", r#"{"rule":"r","account_id":"a","trade_id":"t"}"#.to_owned(), named("trade/t")),
        ("NoteAdded", r#"{"text":"","trade_id":"t/1"}"#.to_owned(), named("trade/t/1")),
        ("StateChanged", r#"{"state":"s","account_id":"a"}"#.to_owned(), named("system")),
        ("RiskSet", r#"{"key":"k","value":true}"#.to_owned(), named("account/default")),
        ("FillBusted", r#"{"fill_id":"f","reason":""}"#.to_owned(), Stream::OfFill("f".to_owned())),
    ] {
        assert_eq!(parse_edge(&line(kind, &data)).map(|draft| draft.stream), Ok(stream), "{kind}");
    }
}

#[test]
fn every_type_takes_attributes_and_no_table_repeats_a_name() {
    for EventType { name, versions, .. } in TYPES {
        for version in *versions {
            assert_eq!(version.fields.last().map(|field| field.name), Some("attributes"), "{name}");
            let mut names: Vec<&str> = version.fields.iter().map(|field| field.name).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]) && names.len() <= FIELDS_MAX, "{name}");
            assert!(version.any_of.iter().all(|field| names.contains(field)), "{name}");
        }
    }
}
