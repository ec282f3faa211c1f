//! Owns what a cell of a broker's file says: money, prices, quantities, times, in the spellings brokers have. Exact:
//! nothing goes through a float. What a cell should have said is part of each refusal.

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use projections::decimal::Dec;
use projections::moment::Moment;

/// What a cell was expected to say.
pub(crate) type Expected = &'static str;

/// What stands between the digits of an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecimalMark {
    /// `1,234.50`
    Point,
    /// `1.234,50`
    Comma,
}

const AMOUNT: Expected = "an amount such as 1,234.50, -12.5 or $(12.50)";

/// An amount with whatever signs of a currency, separators of thousands, and signs: `$(1,234.50)` is -1234.50.
pub(crate) fn amount(text: &str, mark: DecimalMark) -> Result<Dec, Expected> {
    let mut digits = String::with_capacity(text.len());
    let (mut negative, mut open) = (false, false);
    let (thousands, point) = if mark == DecimalMark::Comma { ('.', ',') } else { (',', '.') };
    for letter in text.chars() {
        match letter {
            '(' if !open && digits.is_empty() => open = true,
            ')' if open => (open, negative) = (false, !negative),
            '-' | '\u{2212}' if !negative => negative = true,
            '+' if digits.is_empty() => {}
            '$' | '€' | '£' | '¥' | ' ' | '\u{a0}' | '\'' | '\u{2009}' | '\u{202f}' => {}
            letter if letter == thousands => {}
            letter if letter == point => digits.push('.'),
            letter if letter.is_ascii_alphanumeric() => digits.push(letter),
            _ => return Err(AMOUNT),
        }
    }
    if open || !are_thousands(text, thousands, point) {
        return Err(AMOUNT);
    }
    // `.5` and `5.` are numbers to some.
    let digits = if digits.starts_with('.') { format!("0{digits}") } else { digits };
    let value = Dec::parse(digits.strip_suffix('.').unwrap_or(&digits)).map_err(|_| AMOUNT)?;
    Ok(if negative { -value } else { value })
}

/// Whether every separator of thousands has three digits after it: `1,5` is no amount of fifteen.
fn are_thousands(text: &str, thousands: char, point: char) -> bool {
    let whole = text.split(point).next().unwrap_or_default();
    whole.split(thousands).skip(1).all(|group| group.chars().filter(char::is_ascii_digit).count() == 3)
        && !text.split(point).skip(1).any(|rest| rest.contains(thousands))
}

const PRICE: Expected = "a price such as 5712.25, or 110'045 in 32nds";

/// A price: an amount, or whole points and 32nds. After a blank the last digit is eighths of a 32nd (`110 044`), as
/// Tradovate prints; after an apostrophe or a hyphen it is the first digit of a quarter (`110'045`), as the exchange does.
pub(crate) fn price(text: &str, mark: DecimalMark) -> Result<Dec, Expected> {
    match in_32nds(text) {
        Some(price) => Ok(price),
        None => amount(text, mark).map_err(|_| PRICE),
    }
}

fn in_32nds(text: &str) -> Option<Dec> {
    let (whole, mark, part) = [' ', '\'', '-'].iter().find_map(|mark| {
        let (whole, part) = text.split_once(*mark)?;
        Some((whole, *mark, part))
    })?;
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || !(2..=3).contains(&part.len()) {
        return None;
    }
    let number = |digits: &str| digits.parse::<i64>().ok();
    let (whole, thirty_seconds) = (number(whole)?, number(&part[..2])?);
    let eighths = match (mark, part.get(2..).unwrap_or("0")) {
        (_, "" | "0") => 0,
        (' ', digit) => number(digit).filter(|eighths| *eighths < 8)?,
        (_, "2") => 2,
        (_, "5") => 4,
        (_, "7") => 6,
        _ => return None,
    };
    if thirty_seconds >= 32 {
        return None;
    }
    // 1/256 is 0.00390625: exact.
    let in_256ths = Dec::from_int(thirty_seconds * 8 + eighths);
    Some(Dec::from_int(whole) + in_256ths * Dec::parse("0.00390625").ok()?)
}

/// How times of a file are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock<'a> {
    /// Where local times are of.
    pub(crate) zone: Option<Tz>,
    /// How they are written, where nothing else says it.
    pub(crate) format: Option<&'a str>,
}

/// A moment, and whether its local time happened twice and was taken for the first of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) moment: Moment,
    pub(crate) is_ambiguous: bool,
}

const TIME: Expected = "a time such as 2026-03-02 14:31:07, 03/02/2026 2:31:07 PM, or one with an offset";
const ZONE: Expected = "a time with an offset, or --zone for local times";
const NEVER: Expected = "a time that exists: clocks were put forward over this one";

/// Times with an offset, after `T`, `, ` and `;` between date and time have become a blank.
const WITH_OFFSET: [&str; 4] =
    ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z", "%m/%d/%Y %H:%M:%S%.f %#z", "%m/%d/%Y %I:%M:%S%.f %p %#z"];

/// Times without one. The month comes first: no broker here writes the day first with slashes.
const WITHOUT: [&str; 9] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%m/%d/%Y %I:%M:%S%.f %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %H:%M:%S%.f",
    "%m/%d/%Y %H:%M",
    "%Y%m%d %H%M%S",
    "%d.%m.%Y %H:%M:%S%.f",
    "%d.%m.%Y %H:%M",
];

impl Clock<'_> {
    /// When something happened.
    pub(crate) fn read(&self, text: &str) -> Result<Told, Expected> {
        let spaced = text.replacen("T", " ", usize::from(text.as_bytes().get(10) == Some(&b'T')));
        let spaced = spaced.replace(", ", " ").replace(';', " ");
        let spaced = spaced.strip_suffix('Z').map_or(spaced.clone(), |utc| format!("{} +00:00", utc.trim_end()));
        let spaced = spaced.strip_suffix(" UTC").map_or(spaced.clone(), |utc| format!("{utc} +00:00"));
        let exact = |moment: Moment| Ok(Told { moment, is_ambiguous: false });
        if let Some(format) = self.format {
            if let Ok(at) = DateTime::parse_from_str(text, format) {
                return exact(Moment(at.timestamp_micros()));
            }
            return self.local(NaiveDateTime::parse_from_str(text, format).map_err(|_| TIME)?);
        }
        if let Some(at) = WITH_OFFSET.iter().find_map(|format| DateTime::parse_from_str(&spaced, format).ok()) {
            return exact(Moment(at.timestamp_micros()));
        }
        let local = WITHOUT.iter().find_map(|format| NaiveDateTime::parse_from_str(&spaced, format).ok());
        self.local(local.ok_or(TIME)?)
    }

    fn local(&self, at: NaiveDateTime) -> Result<Told, Expected> {
        let told = |at: DateTime<Tz>, is_ambiguous| Told { moment: Moment(at.timestamp_micros()), is_ambiguous };
        match self.zone.ok_or(ZONE)?.from_local_datetime(&at) {
            LocalResult::Single(at) => Ok(told(at, false)),
            LocalResult::Ambiguous(first, _) => Ok(told(first, true)),
            LocalResult::None => Err(NEVER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    #[test]
    fn amounts_in_the_spellings_brokers_have() {
        for (text, expected) in [
            ("1,234.50", "1234.5"),
            ("$(1,234.50)", "-1234.5"),
            ("($10.00)", "-10"),
            ("-$56.25", "-56.25"),
            ("$-56.25", "-56.25"),
            ("12.50-", "-12.5"),
            (" 7 ", "7"),
            ("+3", "3"),
            ("−2.5", "-2.5"),
            ("1'234.5", "1234.5"),
            ("2647.1000000000004", "2647.1000000000004"),
            ("1e3", "1000"),
        ] {
            assert_eq!(amount(text, DecimalMark::Point), Ok(dec(expected)), "{text}");
        }
        assert_eq!(amount("1.234,50 €", DecimalMark::Comma), Ok(dec("1234.5")));
        assert_eq!(amount("5712,25", DecimalMark::Comma), Ok(dec("5712.25")));
        for wrong in ["", "abc", "1,5", "1,23,456", "(12", "12)", "--1", "1.2.3", "NaN", "inf", "12%"] {
            assert_eq!(amount(wrong, DecimalMark::Point), Err(AMOUNT), "{wrong}");
        }
    }

    #[test]
    fn bond_prices_in_32nds() {
        for (text, expected) in [
            ("110 040", "110.125"),
            ("110 044", "110.140625"),
            ("110'045", "110.140625"),
            ("110-047", "110.1484375"),
            ("109-31", "109.96875"),
            ("110.015625", "110.015625"),
        ] {
            assert_eq!(price(text, DecimalMark::Point), Ok(dec(expected)), "{text}");
        }
        assert_eq!(price("110'320", DecimalMark::Point), Err(PRICE).or(amount("110'320", DecimalMark::Point)));
    }

    #[test]
    fn times_with_and_without_an_offset() {
        let chicago = Clock { zone: Some(chrono_tz::America::Chicago), format: None };
        let utc = |text: &str| Moment::parse(text).unwrap();
        for (text, expected) in [
            ("2026-03-02 14:31:07.250Z", "2026-03-02T14:31:07.250Z"),
            ("2026-03-02T14:31:07+01:00", "2026-03-02T13:31:07Z"),
            ("03/02/2026 08:30:01 -06:00", "2026-03-02T14:30:01Z"),
            ("03/02/2026 09:31:07", "2026-03-02T15:31:07Z"),
            ("3/2/2026 2:31:07 PM", "2026-03-02T20:31:07Z"),
            ("2026-07-02, 09:32:06", "2026-07-02T14:32:06Z"),
            ("20260302;093206", "2026-03-02T15:32:06Z"),
            ("02.03.2026 09:31", "2026-03-02T15:31:00Z"),
        ] {
            assert_eq!(chicago.read(text).map(|told| told.moment), Ok(utc(expected)), "{text}");
        }
        let twice = chicago.read("11/01/2026 01:30:00").unwrap();
        assert_eq!(twice, Told { moment: utc("2026-11-01T06:30:00Z"), is_ambiguous: true });
        assert_eq!(chicago.read("03/08/2026 02:30:00"), Err(NEVER));
        assert_eq!(chicago.read("yesterday"), Err(TIME));
        assert_eq!(Clock { zone: None, format: None }.read("03/02/2026 09:31:07"), Err(ZONE));
        let own = Clock { zone: Some(chrono_tz::UTC), format: Some("%d/%m/%y %H.%M") };
        assert_eq!(own.read("02/03/26 09.31").map(|told| told.moment), Ok(utc("2026-03-02T09:31:00Z")));
    }
}
