//! Holds docs/EVENTS.md against the schema: the part between its markers is made from the tables.

use std::fmt::{Error, Write};

use projections::schema::{EventType, Field, Kind, TYPES, Version, amendable};

use crate::{check_file, examples};

const FILE: &str = "../docs/EVENTS.md";
const BEGIN: &str = "<!-- vocabulary -->\n";
const END: &str = "<!-- /vocabulary -->\n";

#[test]
fn the_vocabulary_in_the_docs_is_current() {
    let page = include_str!("../../../docs/EVENTS.md");
    let (before, rest) = page.split_once(BEGIN).expect("the page has the opening marker");
    let (_, after) = rest.split_once(END).expect("the page has the closing marker");
    let vocabulary = vocabulary().expect("a string");
    check_file(FILE, &[before, BEGIN, &vocabulary, END, after].concat(), "UPDATE_DOCS");
}

fn vocabulary() -> Result<String, Error> {
    let mut page = String::new();
    for event_type in TYPES {
        describe(event_type, &mut page)?;
    }
    writeln!(page)?;
    Ok(page)
}

fn describe(event_type: &EventType, page: &mut String) -> Result<(), Error> {
    let EventType { name, doc, stream, .. } = event_type;
    let number = event_type.current_version();
    let version = event_type.version(number).expect("the current version");
    writeln!(page, "\n### {name}\n\n{doc}\n\nStream: {stream}. Schema version {number}.")?;
    table(version.fields, page)?;
    if !version.any_of.is_empty() {
        writeln!(page, "\nAt least one of `{}` is required.", version.any_of.join("`, `"))?;
    }
    for field in version.fields {
        nested(field, page)?;
    }
    for old in 1..number {
        differences(old, event_type.version(old).expect("an old version"), version, page)?;
    }
    let (example, _) = examples()
        .find(|(_, draft)| draft.kind == *name && draft.schema_version == number)
        .expect("each type has an example");
    writeln!(page, "\n```json\n{example}\n```")
}

fn table(fields: &[Field], page: &mut String) -> Result<(), Error> {
    writeln!(page, "\n| field | value | meaning |\n|---|---|---|")?;
    for Field { name, kind, required, doc } in fields {
        let star = if *required { " *" } else { "" };
        writeln!(page, "| `{name}`{star} | {kind} | {doc} |")?;
    }
    Ok(())
}

fn nested(field: &Field, page: &mut String) -> Result<(), Error> {
    match field.kind {
        Kind::Fields(fields) => {
            writeln!(page, "\nThe fields of `{}`:", field.name)?;
            table(fields, page)
        }
        Kind::Changes(tables) => {
            let names: Vec<&str> = amendable(tables).map(|field| field.name).collect();
            writeln!(page, "\n`{}` takes `{}`.", field.name, names.join("`, `"))?;
            let repeated: Vec<&str> =
                names.into_iter().filter(|name| tables.iter().all(|table| has(table, name))).collect();
            let fixed: Vec<&str> = amendable(tables).filter(|field| field.required).map(|field| field.name).collect();
            writeln!(
                page,
                "Of these `{}` are those of TradeOpened, and `{}` cannot be null.",
                repeated.join("`, `"),
                fixed.join("`, `")
            )
        }
        _ => Ok(()),
    }
}

/// What an old version takes that the current one does not, and the other way round.
fn differences(number: u32, old: &Version, current: &Version, page: &mut String) -> Result<(), Error> {
    writeln!(page, "\nVersion {number} is still taken and read. Beside the above it has:\n")?;
    for Field { name, kind, doc, .. } in old.fields.iter().filter(|field| !has(current.fields, field.name)) {
        writeln!(page, "- `{name}`, {kind}: {doc}")?;
    }
    for Field { name, .. } in current.fields.iter().filter(|field| !has(old.fields, field.name)) {
        writeln!(page, "- no `{name}`")?;
    }
    Ok(())
}

fn has(fields: &[Field], name: &str) -> bool {
    fields.iter().any(|field| field.name == name)
}
