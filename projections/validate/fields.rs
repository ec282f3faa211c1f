//! Owns the check of an object against a table of fields: unknown and missing ones, and the canonical
//! order. What may stand in a field is `values`' to judge.

use std::borrow::Cow;

use super::nearest::nearest;
use super::refusal::{Problem, Refusal};
use super::values;
use crate::json::Json;
use crate::schema::{FIELDS_MAX, Field, amendable};

/// The keys and values of a JSON object.
pub(super) type Entries<'e> = &'e [(Cow<'e, str>, Json<'e>)];

/// The value of a field; null is its absence.
pub(super) fn given<'e>(entries: Entries<'e>, name: &str) -> Option<&'e Json<'e>> {
    entries.iter().find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| !matches!(value, Json::Null))
}

/// Appends the object in canonical form: the fields in the order of their table, nulls left out.
pub(super) fn write(fields: &'static [Field], entries: Entries<'_>, out: &mut String) -> Result<(), Refusal> {
    let values = in_order(fields, entries)?;
    out.push('{');
    let start = out.len();
    for (field, value) in fields.iter().zip(values) {
        match value {
            Some(value) => write_field(field, value, start, out)?,
            None if field.required => return Err(missing(field)),
            None => {}
        }
    }
    out.push('}');
    Ok(())
}

/// The value given for each field.
fn in_order<'e>(fields: &'static [Field], entries: Entries<'e>) -> Result<[Option<&'e Json<'e>>; FIELDS_MAX], Refusal> {
    let mut values = [None; FIELDS_MAX];
    let mut next = 0;
    for (name, value) in entries {
        // Callers mostly keep the order of the docs: what comes after the last one first.
        let (before, after) = fields.split_at(next);
        let found = after.iter().position(|field| field.name == name).map(|index| next + index);
        let index = found.or_else(|| before.iter().position(|field| field.name == name));
        let index = index.ok_or_else(|| unknown(name, fields.iter()))?;
        if !matches!(value, Json::Null) {
            values[index] = Some(value);
        }
        next = index + 1;
    }
    Ok(values)
}

/// Appends the changes of a trade in canonical form: in the order of the tables, each value as its field
/// has it, or null.
pub(super) fn write_changes(
    tables: &'static [&'static [Field]],
    entries: Entries<'_>,
    out: &mut String,
) -> Result<(), Refusal> {
    if let Some((name, _)) = entries.iter().find(|(name, _)| !amendable(tables).any(|field| field.name == name)) {
        return Err(unknown(name, amendable(tables)));
    }
    out.push('{');
    let start = out.len();
    for field in amendable(tables) {
        match entries.iter().find(|(key, _)| key == field.name) {
            Some((_, Json::Null)) if field.required => {
                let expected = format!("{}, since the field is required", field.kind);
                return Err(Refusal::of(field.name, Problem::unexpected(expected, &Json::Null)));
            }
            Some((_, Json::Null)) => {
                write_key(field, start, out);
                out.push_str("null");
            }
            Some((_, value)) => write_field(field, value, start, out)?,
            None => {}
        }
    }
    out.push('}');
    Ok(())
}

fn write_field(field: &Field, value: &Json<'_>, start: usize, out: &mut String) -> Result<(), Refusal> {
    write_key(field, start, out);
    values::write(field.kind, value, out).map_err(|refusal| refusal.within(field.name))
}

fn write_key(field: &Field, start: usize, out: &mut String) {
    if out.len() > start {
        out.push(',');
    }
    // The names of fields need no escapes.
    out.push('"');
    out.push_str(field.name);
    out.push_str("\":");
}

fn unknown(name: &str, fields: impl Iterator<Item = &'static Field>) -> Refusal {
    let known: Vec<&'static str> = fields.map(|field| field.name).collect();
    let nearest = nearest(name, known.iter().copied()).map(str::to_owned);
    Refusal::of(name, Problem::UnknownField { nearest, known })
}

fn missing(field: &Field) -> Refusal {
    Refusal::of(field.name, Problem::Missing { expected: field.kind.to_string() })
}
