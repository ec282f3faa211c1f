//! Owns the decimals of an event: which ones a range allows, and their canonical text. Most callers write that text
//! already, and then it is only looked at; what is spelled in another way goes through [`Dec`].

use std::fmt::Write as _;

use super::refusal::Problem;
use crate::decimal::{Dec, DecError};
use crate::json::Json;
use crate::schema::Range;

/// Appends the decimal that a JSON string or number is.
pub(super) fn write(range: Range, value: &Json<'_>, out: &mut String) -> Result<(), Problem> {
    let (Json::String(text) | Json::Number(text)) = value else {
        return Err(Problem::unexpected(range, value));
    };
    out.push('"');
    if is_canonical(text) && allows_canonical(range, text) {
        out.push_str(text);
    } else {
        // Writing to a string cannot fail.
        let _infallible = write!(out, "{}", read(range, text, value)?);
    }
    out.push('"');
    Ok(())
}

fn read(range: Range, text: &str, value: &Json<'_>) -> Result<Dec, Problem> {
    let dec = Dec::parse(text).map_err(|error| match error {
        DecError::Malformed => Problem::unexpected(range, value),
        // The range alone would not say why a number is no such decimal.
        DecError::TooPrecise => Problem::unexpected(error, value),
    })?;
    let allowed = match range {
        Range::Any => true,
        Range::Positive => dec.is_positive(),
        Range::NonNegative => !dec.is_negative(),
        Range::Fraction => !dec.is_negative() && dec <= Dec::ONE,
    };
    if allowed { Ok(dec) } else { Err(Problem::unexpected(range, value)) }
}

/// Whether [`Dec`] reads the text and prints it just so, told from its bytes alone. Says no where it is not sure.
fn is_canonical(text: &str) -> bool {
    const BYTES_MAX: usize = 24;
    let unsigned = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let (mut point, mut zero_last) = (None, false);
    for (index, byte) in unsigned.iter().enumerate() {
        match byte {
            b'0'..=b'9' => zero_last = *byte == b'0',
            b'.' if point.is_none() && index > 0 => point = Some(index),
            _ => return false,
        }
    }
    let whole = point.unwrap_or(unsigned.len());
    let led_by_zero = whole > 1 && unsigned.starts_with(b"0");
    let ends_well = point.map_or(whole > 0 && text != "-0", |point| point + 1 < unsigned.len() && !zero_last);
    text.len() <= BYTES_MAX && !led_by_zero && ends_well
}

fn allows_canonical(range: Range, text: &str) -> bool {
    match range {
        Range::Any => true,
        Range::Positive => !text.starts_with('-') && text != "0",
        Range::NonNegative => !text.starts_with('-'),
        Range::Fraction => matches!(text, "0" | "1") || text.starts_with("0."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_looked_at_is_what_a_decimal_prints() {
        let mut seed = 1_u64;
        let (mut looked_at, mut others) = (0, 0);
        for _ in 0..300_000 {
            let mut text = String::new();
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut choice = seed >> 16;
            for _ in 0..choice % 6 + 1 {
                choice /= 6;
                text.push(char::from(b"0019.-"[(choice % 6) as usize]));
            }
            if is_canonical(&text) {
                looked_at += 1;
                assert_eq!(Dec::parse(&text).expect(&text).to_string(), text);
                let value = Json::Number(text.as_str().into());
                for range in [Range::Any, Range::Positive, Range::NonNegative, Range::Fraction] {
                    assert_eq!(allows_canonical(range, &text), read(range, &text, &value).is_ok(), "{range:?} {text}");
                }
            } else {
                others += 1;
                assert!(Dec::parse(&text).is_err() || Dec::parse(&text).unwrap().to_string() != text, "{text}");
            }
        }
        assert!(looked_at > 10_000 && others > 10_000, "{looked_at} {others}");
        assert!(is_canonical("1234567890.1234567890123") && !is_canonical("1234567890.12345678901234"));
    }
}
