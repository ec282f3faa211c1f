//! How events of the log are read back: nothing lost, old versions lifted, newer ones refused.

use projections::draft::Stored;
use projections::event::{NoteAdded, Payload};
use projections::schema::TYPES;
use projections::upcast::{DecodeError, decode};
use projections::validate::{parse_edge, to_edge};
use serde::Serialize;
use serde_json::Value;

use crate::{examples, line, stored};

/// The payload as JSON, absent fields left out.
fn json(payload: &Payload) -> Value {
    fn value(payload: &impl Serialize) -> Value {
        serde_json::to_value(payload).expect("payloads are JSON")
    }
    let mut data = match payload {
        Payload::AccountOpened(data) => value(data),
        Payload::InstrumentDefined(data) => value(data),
        Payload::TradeOpened(data) => value(data),
        Payload::FillRecorded(data) => value(data),
        Payload::StopMoved(data) => value(data),
        Payload::TargetMoved(data) => value(data),
        Payload::ExcursionMarked(data) => value(data),
        Payload::TradeExited(data) => value(data),
        Payload::RuleBroken(data) => value(data),
        Payload::MentalStateRated(data) => value(data),
        Payload::NoteAdded(data) => value(data),
        Payload::StateChanged(data) => value(data),
        Payload::RiskSet(data) => value(data),
        Payload::CashMoved(data) => value(data),
        Payload::BarClosed(data) => value(data),
        Payload::FillCorrected(data) => value(data),
        Payload::FillBusted(data) => value(data),
        Payload::TradeAmended(data) => value(data),
        Payload::TradeVoided(data) => value(data),
        Payload::FillsReassigned(data) => value(data),
    };
    let fields = data.as_object_mut().expect("a payload is an object");
    fields.retain(|_, value| !value.is_null());
    data
}

#[test]
fn nothing_is_lost_on_the_way() {
    for (line, draft) in examples() {
        let current =
            TYPES.iter().any(|known| known.name == draft.kind && known.current_version() == draft.schema_version);
        if current {
            let event = decode(&stored(&draft, 1)).expect(line);
            let expected: Value = serde_json::from_str(&draft.data).expect(line);
            assert_eq!(json(&event.payload), expected);
        }
    }
}

/// Each field of each table by itself, so that a struct and its table cannot drift apart unseen.
#[test]
fn every_required_field_is_required_by_the_struct_too() {
    for (line, draft) in examples() {
        let schema = TYPES.iter().find(|known| known.name == draft.kind).expect(line);
        for field in schema.version(draft.schema_version).expect(line).fields {
            let mut data: Value = serde_json::from_str(&draft.data).expect(line);
            data.as_object_mut().expect(line).remove(field.name);
            let stored = Stored { data: data.to_string(), ..stored(&draft, 1) };
            assert_eq!(decode(&stored).is_err(), field.required, "{}.{}", draft.kind, field.name);
        }
    }
}

#[test]
fn free_form_values_are_read_as_they_were_stored() {
    let data = r#"{"key":"k","value":1.50,"attributes":{"z":1e5,"a":-0.0}}"#;
    let draft = parse_edge(&line("RiskSet", data)).expect("a setting");
    let Payload::RiskSet(setting) = decode(&stored(&draft, 1)).expect("a setting").payload else { panic!("not it") };
    assert_eq!(setting.value.0, "1.50");
    assert_eq!(setting.attributes.map(|text| text.0).as_deref(), Some(r#"{"z":1e5,"a":-0.0}"#));
}

#[test]
fn a_note_of_version_1_is_lifted() {
    for (data, tags) in [
        (r#"{"text":"x"}"#, None),
        (r#"{"text":"x","tag":"a"}"#, Some(vec!["a"])),
        (r#"{"text":"x","tags":["b"]}"#, Some(vec!["b"])),
        (r#"{"text":"x","tags":["b"],"tag":"a"}"#, Some(vec!["b", "a"])),
        (r#"{"text":"x","tags":["a"],"tag":"a"}"#, Some(vec!["a"])),
    ] {
        let old = line("NoteAdded", data).replacen('{', "{\"schema_version\":1,", 1);
        let draft = parse_edge(&old).expect(&old);
        let event = decode(&stored(&draft, 1)).expect(&old);
        let tags = tags.map(|tags| tags.into_iter().map(str::to_owned).collect());
        assert_eq!(event.payload, Payload::NoteAdded(NoteAdded { text: "x".to_owned(), tags, ..NoteAdded::default() }));
    }
}

#[test]
fn what_cannot_be_read_says_where_and_why() {
    let draft = parse_edge(&line("NoteAdded", r#"{"text":"x"}"#)).expect("a note");
    let good = stored(&draft, 9);
    let error = |stored: Stored| decode(&stored).expect_err("unreadable").to_string();
    assert_eq!(
        error(Stored { kind: "MoonPhased".to_owned(), ..good.clone() }),
        "event 9: unknown event type `MoonPhased`; a newer tradefold is needed to fold it"
    );
    for version in [0, 3] {
        assert_eq!(
            error(Stored { schema_version: version, ..good.clone() }),
            format!(
                "event 9: NoteAdded has the schema versions 1 to 2 here, not {version}; a newer tradefold is needed"
            )
        );
    }
    for (schema_version, data) in
        [(2, "{"), (2, "{}"), (2, "[]"), (2, r#"{"text":"","mood":1}"#), (1, "{"), (1, "[]"), (1, "{}")]
    {
        let broken = Stored { schema_version, data: data.to_owned(), ..good.clone() };
        let error = decode(&broken).expect_err(data);
        assert!(matches!(error, DecodeError::Malformed { seq: 9, kind: "NoteAdded", .. }), "{error}");
    }
}

/// One slip of the finger at every place of every example: nothing panics, and whatever is still taken
/// can be printed, taken again and folded.
#[test]
fn what_is_taken_can_be_read_back() {
    const SLIPS: &[char] = &['"', '{', '}', '[', ']', ',', ':', '0', '-', 'e', '.', '\\', '\u{e9}', '\0', ' ', 'n'];
    let mut taken = 0;
    for (line, _) in examples() {
        for (place, (at, char)) in line.char_indices().enumerate() {
            let after = &line[at + char.len_utf8()..];
            let slip = SLIPS[place % SLIPS.len()];
            for text in
                [line[..at].to_owned(), format!("{}{after}", &line[..at]), format!("{}{slip}{after}", &line[..at])]
            {
                let Ok(draft) = parse_edge(&text) else { continue };
                let stored = stored(&draft, 1);
                decode(&stored).expect(&text);
                assert_eq!(parse_edge(&to_edge(&stored)).map(|draft| draft.data), Ok(draft.data), "{text}");
                taken += 1;
            }
        }
    }
    assert!(taken > 1_000, "only {taken} were taken");
}

#[test]
fn the_deepest_and_the_largest_can_be_read_back() {
    let deep = format!("{}{}", "[".repeat(124), "]".repeat(124));
    for data in [
        format!(r#"{{"text":"","attributes":{{"a":{deep}}}}}"#),
        format!(r#"{{"text":"{}"}}"#, "\\u0001".repeat(65_536)),
    ] {
        let draft = parse_edge(&line("NoteAdded", &data)).expect("a note");
        assert!(decode(&stored(&draft, 1)).is_ok());
    }
    let data = r#"{"account_id":"a","currency":"USD","starting_equity":"-9999999999999999999999999999","metrics_windows":[4294967295]}"#;
    let draft = parse_edge(&line("AccountOpened", data)).expect("an account");
    assert!(decode(&stored(&draft, 1)).is_ok());
}
