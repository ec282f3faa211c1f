//! Owns the check of an object against a table of fields: unknown and missing ones, and the canonical
//! order. What may stand in a field is `values`' to judge.

use std::borrow::Cow;

use super::nearest::nearest;
use super::refusal::{Problem, Refusal};
use super::values;
use crate::json::{Json, write_string};
use crate::schema::{Field, amendable};

/// The keys and values of a JSON object.
pub(super) type Entries<'e> = &'e [(Cow<'e, str>, Json<'e>)];

/// The value of a field; null is its absence.
pub(super) fn given<'e>(entries: Entries<'e>, name: &str) -> Option<&'e Json<'e>> {
    entries.iter().find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| **value != Json::Null)
}

/// Appends the object in canonical form: the fields in the order of their table, nulls left out.
pub(super) fn write(fields: &'static [Field], entries: Entries<'_>, out: &mut String) -> Result<(), Refusal> {
    refuse_unknown(entries, || fields.iter())?;
    out.push('{');
    let start = out.len();
    for field in fields {
        match given(entries, field.name) {
            Some(value) => write_field(field, value, start, out)?,
            None if field.required => return Err(missing(field)),
            None => {}
        }
    }
    out.push('}');
    Ok(())
}

/// Appends the changes of a trade in canonical form: in the order of the tables, each value as its field
/// has it, or null.
pub(super) fn write_changes(
    tables: &'static [&'static [Field]],
    entries: Entries<'_>,
    out: &mut String,
) -> Result<(), Refusal> {
    refuse_unknown(entries, || amendable(tables))?;
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
    write_string(field.name, out);
    out.push(':');
}

fn refuse_unknown<F: Iterator<Item = &'static Field>>(
    entries: Entries<'_>,
    fields: impl Fn() -> F,
) -> Result<(), Refusal> {
    for (name, _) in entries {
        if !fields().any(|field| field.name == name) {
            let nearest = nearest(name, fields().map(|field| field.name)).map(str::to_owned);
            let known = fields().map(|field| field.name).collect();
            return Err(Refusal::of(name, Problem::UnknownField { nearest, known }));
        }
    }
    Ok(())
}

fn missing(field: &Field) -> Refusal {
    Refusal::of(field.name, Problem::Missing { expected: field.kind.to_string() })
}
