//! Owns what may stand in a field of each kind, and its canonical text: one spelling a value, so that
//! equal events have equal bytes whichever way a caller wrote them.

use std::fmt::Write as _;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::refusal::{Problem, Refusal};
use super::{decimals, fields};
use crate::decimal::Dec;
use crate::json::{Json, write_string};
use crate::moment::Moment;
use crate::schema::{Kind, NAME_BYTES_MAX, TEXT_BYTES_MAX};

/// Appends the value in canonical form.
pub(super) fn write(kind: Kind, value: &Json<'_>, out: &mut String) -> Result<(), Refusal> {
    match (kind, value) {
        (Kind::Decimal(range), _) => decimals::write(range, value, out)?,
        (Kind::Whole(min, max), _) => show(whole(value, min, max)?, out),
        (Kind::Time, _) => show(format_args!("\"{}\"", time(value)?), out),
        (Kind::Names(min), Json::Array(items)) if items.len() >= min => write_list(Kind::Name, items, out)?,
        (Kind::Wholes, Json::Array(items)) => write_list(Kind::Whole(0, i64::from(u32::MAX)), items, out)?,
        (Kind::Fields(known), Json::Object(entries)) => fields::write(known, entries, out)?,
        (Kind::Changes(tables), Json::Object(entries)) if !entries.is_empty() => {
            fields::write_changes(tables, entries, out)?;
        }
        (Kind::Object, Json::Object(_)) | (Kind::Scalar, Json::Number(_) | Json::Bool(_)) => value.write(out),
        (_, Json::String(text)) if allows(kind, text) => write_string(text, out),
        _ => return Err(Problem::unexpected(kind, value).into()),
    }
    Ok(())
}

fn write_list(kind: Kind, items: &[Json<'_>], out: &mut String) -> Result<(), Refusal> {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(kind, item, out).map_err(|refusal| refusal.within(&index.to_string()))?;
    }
    out.push(']');
    Ok(())
}

fn show(value: impl std::fmt::Display, out: &mut String) {
    // Writing to a string cannot fail.
    let _infallible = write!(out, "{value}");
}

/// Whether a text may stand in a field that keeps it as given.
fn allows(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Name => !text.is_empty() && text.len() <= NAME_BYTES_MAX,
        Kind::Text | Kind::Scalar => text.len() <= TEXT_BYTES_MAX,
        Kind::OneOf(words) => words.contains(&text),
        Kind::Date => is_date(text),
        Kind::Zone => text.parse::<Tz>().is_ok(),
        Kind::Clock => is_clock(text),
        _ => false,
    }
}

/// The whole number that a JSON string or number is; `3.0` is 3, since some writers know floats alone.
pub(super) fn whole(value: &Json<'_>, min: i64, max: i64) -> Result<i64, Problem> {
    let number = match value {
        Json::String(text) | Json::Number(text) => Dec::parse(text).ok().and_then(Dec::to_int),
        _ => None,
    };
    let allowed = number.filter(|number| (min..=max).contains(number));
    allowed.ok_or_else(|| Problem::unexpected(Kind::Whole(min, max), value))
}

/// The moment that a JSON string is.
pub(super) fn time(value: &Json<'_>) -> Result<Moment, Problem> {
    let moment = if let Json::String(text) = value { Moment::parse(text).ok() } else { None };
    moment.ok_or_else(|| Problem::unexpected(Kind::Time, value))
}

fn is_date(text: &str) -> bool {
    // By shape first, since chrono also takes signs and single digits.
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shaped && !text.starts_with("0000") && text.parse::<NaiveDate>().is_ok()
}

fn is_clock(text: &str) -> bool {
    let two_digits = |part: &str, max: u8| {
        part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse().is_ok_and(|n: u8| n <= max)
    };
    text.split_once(':').is_some_and(|(hour, minute)| two_digits(hour, 23) && two_digits(minute, 59))
}
