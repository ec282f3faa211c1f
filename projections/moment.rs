//! Owns [`Moment`], a UTC instant in whole microseconds, and its two texts: RFC 3339 on the way in,
//! fixed-width ISO 8601 on the way out. There is no "now" here: every moment comes from an event.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decimal::put_digits;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

/// Microseconds in a day.
pub const DAY_MICROS: i64 = 86_400_000_000;

/// The text was no RFC 3339 time with an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an RFC 3339 time with an offset, such as 2026-03-02T14:31:07.250Z")]
pub struct MomentError;

impl Moment {
    /// Reads an RFC 3339 time with any offset; what is finer than a microsecond is cut off.
    /// Years 0001 to 9999, so that the fixed-width text always sorts as the time does.
    ///
    /// # Errors
    /// [`MomentError`] says what was expected.
    pub fn parse(text: &str) -> Result<Self, MomentError> {
        if let Some(moment) = parse_utc(text.as_bytes()) {
            return Ok(moment);
        }
        let separated = text.as_bytes().get(10).is_some_and(|byte| matches!(byte, b'T' | b't' | b' '));
        let moment = DateTime::parse_from_rfc3339(text).ok().filter(|_| separated).ok_or(MomentError)?;
        let micros = Self(moment.timestamp_micros());
        if (Self::MIN..=Self::MAX).contains(&micros) { Ok(micros) } else { Err(MomentError) }
    }

    /// 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// The instant as chrono has it.
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        let clamped = self.0.clamp(Self::MIN.0, Self::MAX.0);
        DateTime::from_timestamp_micros(clamped).unwrap_or_default()
    }

    /// The start of a UTC day, counted from 1970-01-01.
    #[must_use]
    pub fn from_day(day: i64) -> Self {
        Self(day.saturating_mul(DAY_MICROS).clamp(Self::MIN.0, Self::MAX.0))
    }

    /// The whole UTC day it lies in, counted from 1970-01-01.
    #[must_use]
    pub fn utc_day(self) -> i64 {
        self.0.div_euclid(DAY_MICROS)
    }

    /// Hands out `2026-03-02T14:31:07.250000Z`: always 27 characters, so text order is time order.
    pub(crate) fn with_text<T>(self, take: impl FnOnce(&str) -> T) -> T {
        let clamped = self.0.clamp(Self::MIN.0, Self::MAX.0);
        let date = Self(clamped).to_utc().date_naive();
        let seconds = clamped.rem_euclid(DAY_MICROS).unsigned_abs() / 1_000_000;
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        // By hand: rows hold more times than anything else.
        put_digits(&mut text[0..4], u64::from(date.year().unsigned_abs()));
        put_digits(&mut text[5..7], u64::from(date.month()));
        put_digits(&mut text[8..10], u64::from(date.day()));
        put_digits(&mut text[11..13], seconds / 3_600);
        put_digits(&mut text[14..16], seconds / 60 % 60);
        put_digits(&mut text[17..19], seconds % 60);
        put_digits(&mut text[20..26], self.0.rem_euclid(1_000_000).unsigned_abs());
        take(std::str::from_utf8(&text).expect("digits and signs"))
    }
}

/// Reads `2026-03-02T14:31:07Z`, with a fraction or not, which is how most times are written; what is spelled in
/// another way, or is no such time, is for chrono to tell.
fn parse_utc(text: &[u8]) -> Option<Moment> {
    let (head, tail) = text.split_first_chunk::<19>()?;
    let shape = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if shape.iter().any(|(index, byte)| head[*index] != *byte) {
        return None;
    }
    let [hour, minute, second] = [11, 14, 17].map(|at| digits(&head[at..at + 2]));
    let (hour, minute, second) = (hour?, minute?, second?);
    let date =
        NaiveDate::from_ymd_opt(i32::try_from(digits(&head[..4])?).ok()?, digits(&head[5..7])?, digits(&head[8..10])?)?;
    let micros = match tail {
        b"Z" => 0,
        [b'.', fraction @ .., b'Z'] if (1..=9).contains(&fraction.len()) => micros(fraction)?,
        _ => return None,
    };
    if date.year() == 0 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let day = i64::from(date.num_days_from_ce()) - DAYS_TO_1970;
    let seconds = i64::from(hour * 3_600 + minute * 60 + second);
    Some(Moment(day * DAY_MICROS + seconds * 1_000_000 + i64::from(micros)))
}

/// The days from the first of the year 1, counted as 1, to the first of 1970.
const DAYS_TO_1970: i64 = 719_163;

/// The number that up to nine digits are.
fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}

/// The microseconds of a decimal fraction of up to nine digits.
fn micros(fraction: &[u8]) -> Option<u32> {
    let missing = 9_u32.saturating_sub(u32::try_from(fraction.len()).ok()?);
    Some(digits(fraction)? * 10_u32.pow(missing) / 1_000)
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| out.write_str(text))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self);
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// Reads the text where it lies, without a copy.
struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Moment;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&MomentError, out)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Moment, E> {
        Moment::parse(text).map_err(|expected| E::custom(format!("`{text}` is not {expected}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_offset_becomes_utc_and_fine_digits_are_cut() {
        for (text, expected) in [
            ("2026-03-02T14:31:07.250Z", "2026-03-02T14:31:07.250000Z"),
            ("2026-03-02T08:31:07.2509999-06:00", "2026-03-02T14:31:07.250999Z"),
            ("2026-03-02 20:01:07+05:30", "2026-03-02T14:31:07.000000Z"),
            ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
            ("2026-03-02t14:31:07.1234567890123z", "2026-03-02T14:31:07.123456Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(Moment::parse(text).expect(text).to_string(), expected);
        }
    }

    #[test]
    fn refuses_times_without_an_offset_or_a_calendar() {
        for text in [
            "2026-03-02T14:31:07",
            "2026-02-30T00:00:00Z",
            "2026-03-02",
            "yesterday",
            "",
            "0000-01-01T00:00:00Z",
            "2026-03-02T24:00:00Z",
            "2026-03-02T14:31Z",
            "2026-03-02T14:31:07+0530",
            "9999-12-31T23:59:59-01:00",
            "2026-03-02T14:31:07,5Z",
            "2026-3-2T14:31:07Z",
            " 2026-03-02T14:31:07Z",
            "2026-03-02T14:31:07Z ",
        ] {
            assert_eq!(Moment::parse(text), Err(MomentError), "{text}");
        }
    }
}
