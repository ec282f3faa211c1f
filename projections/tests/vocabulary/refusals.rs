//! What is refused, and with which words.

use projections::validate::parse_edge;

use crate::canonical;

/// Checks refusals of data: each case is an event type, its data and the words.
fn check(cases: &[(&str, &str, &str)]) {
    for (kind, data, expected) in cases {
        assert_eq!(canonical(kind, data), *expected, "{kind} {data}");
    }
}

/// Checks refusals of a fill that differs from a good one in one field.
fn check_fill(cases: &[(&str, &str, &str)]) {
    for (field, value, expected) in cases {
        let mut fill = r#"{"fill_id":"f","symbol":"ES","side":"buy","quantity":1,"price":2}"#.to_owned();
        let with = format!("\"{field}\":{value}");
        match ["\"fill_id\":\"f\"", "\"symbol\":\"ES\"", "\"side\":\"buy\"", "\"quantity\":1", "\"price\":2"]
            .iter()
            .find(|part| part.starts_with(&format!("\"{field}\":")))
        {
            Some(part) => fill = fill.replace(part, &with),
            None => fill.insert_str(1, &(with + ",")),
        }
        assert_eq!(canonical("FillRecorded", &fill), *expected, "{fill}");
    }
}

#[test]
fn unknown_fields_with_the_nearest_name() {
    check_fill(&[
        ("qty", "1", "data.qty: unknown field; did you mean `quantity`?"),
        ("fillId", "1", "data.fillId: unknown field; did you mean `fill_id`?"),
        (
            "commission",
            "1",
            "data.commission: unknown field; known are fill_id, symbol, side, quantity, price, fees, trade_id, account_id, order_id, order_type, intended_price, slippage_ticks, latency_ms, liquidity, attributes",
        ),
        ("pri\\u001bce", "1", "data.pri\\u{1b}ce: unknown field; did you mean `price`?"),
    ]);
    let opened = r#"{"trade_id":"t","symbol":"ES","side":"long","strategy":"s","#;
    check(&[
        (
            "TradeOpened",
            &format!("{opened}\"conditions\":{{\"art\":1}}}}"),
            "data.conditions.art: unknown field; did you mean `atr`?",
        ),
        ("TradeOpened", &format!("{opened}\"tag\":\"x\"}}"), "data.tag: unknown field; did you mean `tags`?"),
        ("NoteAdded", r#"{"text":"","tag":"x"}"#, "data.tag: unknown field; did you mean `tags`?"),
    ]);
}

#[test]
fn numbers_out_of_range_or_form() {
    check_fill(&[
        ("quantity", "\"-1\"", "data.quantity: expected a decimal above 0, got \"-1\""),
        ("quantity", "-1", "data.quantity: expected a decimal above 0, got -1"),
        ("quantity", "0", "data.quantity: expected a decimal above 0, got 0"),
        ("quantity", "\"\"", "data.quantity: expected a decimal above 0, got \"\""),
        ("quantity", "\" 1\"", "data.quantity: expected a decimal above 0, got \" 1\""),
        ("quantity", "\"NaN\"", "data.quantity: expected a decimal above 0, got \"NaN\""),
        ("price", "\"1,000.5\"", "data.price: expected a decimal, got \"1,000.5\""),
        ("price", "true", "data.price: expected a decimal, got true"),
        ("price", "[1]", "data.price: expected a decimal, got a list"),
        ("price", "{}", "data.price: expected a decimal, got an empty object"),
        ("price", "null", "data.price: missing; it is required, a decimal"),
        (
            "price",
            "1e400",
            "data.price: expected a decimal number of at most 28 significant digits and 28 decimal places, got 1e400",
        ),
        (
            "price",
            "12345678901234567890123456789",
            "data.price: expected a decimal number of at most 28 significant digits and 28 decimal places, got 12345678901234567890123456789",
        ),
        (
            "price",
            "0.12345678901234567890123456789",
            "data.price: expected a decimal number of at most 28 significant digits and 28 decimal places, got 0.12345678901234567890123456789",
        ),
        (
            "price",
            "1e-29",
            "data.price: expected a decimal number of at most 28 significant digits and 28 decimal places, got 1e-29",
        ),
    ]);
    check(&[
        ("MentalStateRated", r#"{"score":0}"#, "data.score: expected a whole number from 1 to 5, got 0"),
        ("MentalStateRated", r#"{"score":6}"#, "data.score: expected a whole number from 1 to 5, got 6"),
        ("MentalStateRated", r#"{"score":3.5}"#, "data.score: expected a whole number from 1 to 5, got 3.5"),
        ("MentalStateRated", r#"{"score":true}"#, "data.score: expected a whole number from 1 to 5, got true"),
        (
            "TradeExited",
            r#"{"trade_id":"t","reason":"r","execution_quality":1.01}"#,
            "data.execution_quality: expected a decimal from 0 to 1, got 1.01",
        ),
        (
            "TradeExited",
            r#"{"trade_id":"t","reason":"r","execution_quality":-0.01}"#,
            "data.execution_quality: expected a decimal from 0 to 1, got -0.01",
        ),
        (
            "InstrumentDefined",
            r#"{"symbol":"ES","tick_size":0,"point_value":50}"#,
            "data.tick_size: expected a decimal above 0, got 0",
        ),
        (
            "AccountOpened",
            r#"{"account_id":"a","currency":"USD","starting_equity":1,"daily_loss_limit":-1}"#,
            "data.daily_loss_limit: expected a decimal of 0 or above, got -1",
        ),
        (
            "AccountOpened",
            r#"{"account_id":"a","currency":"USD","starting_equity":1,"metrics_windows":[20,-1]}"#,
            "data.metrics_windows.1: expected a whole number from 0 to 4294967295, got -1",
        ),
    ]);
}

#[test]
fn names_words_times_and_places() {
    check_fill(&[
        ("fill_id", "\"\"", "data.fill_id: expected a name of 1 to 256 bytes, got \"\""),
        ("fill_id", "7", "data.fill_id: expected a name of 1 to 256 bytes, got 7"),
        ("side", "\"BUY\"", "data.side: expected one of buy, sell, got \"BUY\""),
        ("liquidity", "\"\"", "data.liquidity: expected one of maker, taker, got \"\""),
        ("attributes", "[]", "data.attributes: expected an object, got an empty list"),
    ]);
    let account = |field: &str| format!(r#"{{"account_id":"a","currency":"USD","starting_equity":1,{field}}}"#);
    for (field, expected) in [
        (
            r#""time_zone":"Chicago""#,
            "data.time_zone: expected an IANA time zone such as America/Chicago, got \"Chicago\"",
        ),
        (
            r#""trailing_drawdown_mode":"eod""#,
            "data.trailing_drawdown_mode: expected one of end_of_day, intraday, got \"eod\"",
        ),
        (r#""consistency_limit":30"#, "data.consistency_limit: expected a decimal from 0 to 1, got 30"),
        (r#""day_rolls_at":"24:00""#, "data.day_rolls_at: expected a time of day such as 17:00, got \"24:00\""),
        (r#""day_rolls_at":"7:00""#, "data.day_rolls_at: expected a time of day such as 17:00, got \"7:00\""),
        (r#""day_rolls_at":"+7:00""#, "data.day_rolls_at: expected a time of day such as 17:00, got \"+7:00\""),
        (r#""day_rolls_at":"17:00:00""#, "data.day_rolls_at: expected a time of day such as 17:00, got \"17:00:00\""),
    ] {
        assert_eq!(canonical("AccountOpened", &account(field)), expected);
    }
    for date in ["2026-02-29", "2026-3-02", "2026-03-02T00:00:00Z", "+026-03-02", "0000-01-01", ""] {
        let note = format!(r#"{{"text":"","date":"{date}"}}"#);
        let expected = format!("data.date: expected a date such as 2026-03-02, got \"{date}\"");
        assert_eq!(canonical("NoteAdded", &note), expected);
    }
    check(&[
        ("RiskSet", r#"{"key":"k","value":[1]}"#, "data.value: expected a string, a number or a boolean, got a list"),
        (
            "RiskSet",
            r#"{"key":"k","value":null}"#,
            "data.value: missing; it is required, a string, a number or a boolean",
        ),
        ("NoteAdded", r#"{"text":"","tags":"a"}"#, "data.tags: expected a list of names, got \"a\""),
        ("NoteAdded", r#"{"text":"","tags":["a",null]}"#, "data.tags.1: expected a name of 1 to 256 bytes, got null"),
    ]);
}

#[test]
fn corrections_that_correct_nothing() {
    check(&[
        ("FillCorrected", r#"{"fill_id":"f","reason":"r"}"#, "data: at least one of quantity, price, fees is required"),
        (
            "FillCorrected",
            r#"{"fill_id":"f","reason":"r","fees":null}"#,
            "data: at least one of quantity, price, fees is required",
        ),
        (
            "FillsReassigned",
            r#"{"fill_ids":[],"trade_id":"t","reason":"r"}"#,
            "data.fill_ids: expected a list of at least one name, got an empty list",
        ),
    ]);
}

#[test]
fn changes_of_a_trade() {
    let amended =
        |changes: &str| canonical("TradeAmended", &format!(r#"{{"trade_id":"t","changes":{changes},"reason":"r"}}"#));
    for (changes, expected) in [
        ("{}", "data.changes: expected an object of at least one field to its new value or null, got an empty object"),
        ("[]", "data.changes: expected an object of at least one field to its new value or null, got an empty list"),
        (
            r#"{"strategy":null}"#,
            "data.changes.strategy: expected a name of 1 to 256 bytes, since the field is required, got null",
        ),
        (
            r#"{"reason":null}"#,
            "data.changes.reason: expected a name of 1 to 256 bytes, since the field is required, got null",
        ),
        (r#"{"risk_amount":-1}"#, "data.changes.risk_amount: expected a decimal of 0 or above, got -1"),
        (r#"{"conditions":{"adx":"x"}}"#, "data.changes.conditions.adx: expected a decimal, got \"x\""),
        (r#"{"strateg":"x"}"#, "data.changes.strateg: unknown field; did you mean `strategy`?"),
    ] {
        assert_eq!(amended(changes), expected, "{changes}");
    }
    let refusal = amended(r#"{"trade_id":"u"}"#);
    assert!(refusal.starts_with("data.changes.trade_id: unknown field; known are symbol, side, "), "{refusal}");
}

#[test]
fn envelopes() {
    let note = r#""type":"NoteAdded","occurred_at":"2026-03-02T14:31:07Z","data":{"text":""}"#;
    let untimed = r#""type":"NoteAdded","data":{"text":""}"#;
    for (fields, expected) in [
        (
            r#""occurred_at":"2026-03-02T14:31:07Z","data":{}"#.to_owned(),
            "type: missing; it is required, the name of an event type",
        ),
        (
            r#""type":"FilRecorded","data":{}"#.to_owned(),
            "type: unknown event type `FilRecorded`; did you mean `FillRecorded`?",
        ),
        (r#""type":1,"data":{}"#.to_owned(), "type: expected the name of an event type, got 1"),
        (
            untimed.to_owned(),
            "occurred_at: missing; it is required, an RFC 3339 time with an offset, such as 2026-03-02T14:31:07.250Z",
        ),
        (
            format!(r#"{untimed},"occured_at":"2026-03-02T14:31:07Z""#),
            "occured_at: unknown field; did you mean `occurred_at`?",
        ),
        (
            format!(r#"{untimed},"occurred_at":"2026-03-02T14:31:07""#),
            "occurred_at: expected an RFC 3339 time with an offset, such as 2026-03-02T14:31:07.250Z, got \"2026-03-02T14:31:07\"",
        ),
        (
            format!(r#"{untimed},"occurred_at":1772461867"#),
            "occurred_at: expected an RFC 3339 time with an offset, such as 2026-03-02T14:31:07.250Z, got 1772461867",
        ),
        (
            r#""type":"NoteAdded","occurred_at":"2026-03-02T14:31:07Z""#.to_owned(),
            "data: missing; it is required, an object",
        ),
        (
            r#""type":"NoteAdded","occurred_at":"2026-03-02T14:31:07Z","data":[]"#.to_owned(),
            "data: expected an object, got an empty list",
        ),
        (format!(r#"{note},"tags":[]"#), "tags: unknown field; did you mean `data.tags`?"),
        (
            format!(r#"{note},"whatever":1"#),
            "whatever: unknown field; known are type, id, occurred_at, data, meta, expected_version, schema_version",
        ),
        (format!(r#"{note},"id":"f1""#), "id: expected a UUID, got \"f1\""),
        (format!(r#"{note},"id":7"#), "id: expected a UUID, got 7"),
        (format!(r#"{note},"meta":"m""#), "meta: expected an object, got \"m\""),
        (format!(r#"{note},"expected_version":-1"#), "expected_version: expected a whole number from 0, got -1"),
        (format!(r#"{note},"expected_version":1.5"#), "expected_version: expected a whole number from 0, got 1.5"),
        (
            format!(r#"{note},"schema_version":3"#),
            "schema_version: NoteAdded has the schema versions 1 to 2 here, got 3",
        ),
        (
            format!(r#"{note},"schema_version":0"#),
            "schema_version: NoteAdded has the schema versions 1 to 2 here, got 0",
        ),
    ] {
        let refusal = parse_edge(&format!("{{{fields}}}")).expect_err(&fields);
        assert_eq!(refusal.to_string(), expected, "{fields}");
    }
    for (line, expected) in [
        ("[]", "expected an object that is an event, got an empty list"),
        ("null", "expected an object that is an event, got null"),
    ] {
        assert_eq!(parse_edge(line).expect_err(line).to_string(), expected);
    }
}

#[test]
fn broken_json_names_the_field_and_the_column() {
    check_fill(&[
        ("price", "NaN", "data.price: NaN is not a number (at column 135); leave the field out or give null"),
        (
            "price",
            "-Infinity",
            "data.price: -Infinity is not a number (at column 135); leave the field out or give null",
        ),
        ("price", "Infinity", "data.price: Infinity is not a number (at column 135); leave the field out or give null"),
        ("price", "01", "data: not JSON at column 136: expected `,` or `}`"),
        ("price", "1,\"price\":2", "data: duplicate key `price`"),
        ("price", "'1'", "data.price: not JSON at column 135: expected a value"),
        ("order_id", "\"a\\u0000b\"", "data.order_id: the NUL character (at column 86) is refused"),
        ("order_id", "\"\\ud800\"", "data.order_id: not JSON at column 85: expected both halves of a surrogate pair"),
        ("order\\u0000id", "1", "data: the NUL character (at column 79) is refused"),
        ("attributes", "{\"a\":[1,{\"b\":1,\"c\":2,\"b\":3}]}", "data.attributes.a.1: duplicate key `b`"),
    ]);
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let note =
        |levels: usize| canonical("NoteAdded", &format!(r#"{{"text":"","attributes":{{"a":{}}}}}"#, deep(levels)));
    assert!(note(124).starts_with('{'));
    let refusal = note(125);
    assert!(refusal.starts_with("data.attributes.a.0.0.0.0"), "{refusal}");
    assert!(refusal.ends_with(": nested deeper than 127 levels"), "{refusal}");
}
