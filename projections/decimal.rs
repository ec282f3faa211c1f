//! Owns [`Dec`], the exact decimal in which all money, prices and quantities are reckoned.
//! A newtype over `rust_decimal`, so that arithmetic is total (it saturates at ±7.9e28 instead of
//! panicking), JSON carries it as a string and fold state as a few bytes. Knows nothing of events.

use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An exact decimal of up to 28 significant digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dec(Decimal);

/// The most significant digits a decimal may carry.
pub const SIGNIFICANT_DIGITS_MAX: usize = 28;

/// Why a text is not a decimal that can be stored exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecError {
    /// Not of the form `-12.5` or `1.25e-3`.
    #[error("a decimal number such as 110.015625")]
    Malformed,
    /// A number, but one that cannot be kept to the last digit.
    #[error("a decimal number of at most 28 significant digits and 28 decimal places")]
    TooPrecise,
}

impl Dec {
    /// Nought.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// One.
    pub const ONE: Self = Self(Decimal::ONE);
    /// One hundredth.
    pub const HUNDREDTH: Self = Self(Decimal::from_parts(1, 0, 0, false, 2));

    /// Reads a decimal as JSON writes numbers: digits, an optional fraction, an optional exponent.
    /// The value is kept exactly or refused; trailing zeros do not count and are dropped.
    ///
    /// # Errors
    /// [`DecError`] says what was expected.
    pub fn parse(text: &str) -> Result<Self, DecError> {
        if let Some(canonical) = Self::parse_short(text) {
            return Ok(canonical);
        }
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (text, 0),
        };
        let (negative, unsigned) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((_, "")) => return Err(DecError::Malformed),
            Some(parts) => parts,
            None => (unsigned, ""),
        };
        let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits_only(whole) || !digits_only(fraction) {
            return Err(DecError::Malformed);
        }
        from_digits(negative, whole, fraction, exponent)
    }

    /// Reads what nearly every price and amount is: a few digits with a point among them, and no zero to drop.
    fn parse_short(text: &str) -> Option<Self> {
        /// Fewer digits than overflow a word.
        const BYTES_MAX: usize = 19;
        let unsigned = text.strip_prefix('-').unwrap_or(text).as_bytes();
        if unsigned.len() > BYTES_MAX {
            return None;
        }
        let (mut mantissa, mut point) = (0_u64, None);
        for (at, byte) in unsigned.iter().enumerate() {
            match byte {
                b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
                b'.' if at > 0 && point.is_none() => point = Some(at),
                _ => return None,
            }
        }
        let scale = match (point, unsigned.last()?) {
            (None, _) => 0,
            (Some(_), b'0' | b'.') => return None,
            (Some(point), _) => unsigned.len() - point - 1,
        };
        let (low, mid) = (mantissa as u32, (mantissa >> 32) as u32);
        let negative = unsigned.len() < text.len() && mantissa > 0;
        Some(Self(Decimal::from_parts(low, mid, 0, negative, u32::try_from(scale).ok()?)))
    }

    /// A whole number.
    #[must_use]
    pub fn from_int(value: i64) -> Self {
        Self(Decimal::from(value))
    }

    /// The nearest binary floating-point number: the one rounding a figure goes through.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        let (mantissa, scale) = (self.0.mantissa(), self.0.scale());
        if mantissa.unsigned_abs() < (1 << 53) && scale <= 22 {
            // By way of a word, which the machine itself converts.
            #[expect(clippy::cast_precision_loss, reason = "below 2^53 the cast is exact")]
            let mantissa = mantissa as i64 as f64;
            // Both operands are exact, so the division rounds once.
            return divide(mantissa, POWERS_OF_TEN[scale as usize]);
        }
        let nearest = nearest_quotient(mantissa.unsigned_abs(), scale);
        nearest.copysign(if mantissa < 0 { -1.0 } else { 1.0 })
    }

    /// The whole number it is, where it is one that fits.
    #[must_use]
    pub fn to_int(self) -> Option<i64> {
        if self.0.is_integer() { self.0.to_i64() } else { None }
    }

    /// Whether it is nought.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Whether it is above nought.
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0.is_sign_positive() && !self.0.is_zero()
    }

    /// Whether it is below nought.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }

    /// The distance from nought.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Rounded to so many places, half to even.
    #[must_use]
    pub fn rounded(self, places: u32) -> Self {
        Self(self.0.round_dp(places))
    }

    /// The quotient, to 28 digits; `None` where the divisor is nought.
    #[must_use]
    pub fn ratio(self, divisor: Self) -> Option<Self> {
        if divisor.is_zero() {
            return None;
        }
        Some(self.0.checked_div(divisor.0).map_or_else(|| saturated(self.is_negative() != divisor.is_negative()), Self))
    }
}

const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The float nearest to `magnitude / 10^scale`: divided in whole numbers to more bits than a float has, of which
/// the last one says whether anything is left, so that the one rounding that follows is the right one.
fn nearest_quotient(magnitude: u128, scale: u32) -> f64 {
    const QUOTIENT_BITS: u32 = 56;
    // The twos of 10^scale only move the point. What remains has at most 66 bits, so that nothing overflows.
    let fives = U128_POWERS_OF_FIVE[(scale as usize).min(SIGNIFICANT_DIGITS_MAX)];
    let bits = |number: u128| u128::BITS - number.leading_zeros();
    let shift = (QUOTIENT_BITS + bits(fives)).saturating_sub(bits(magnitude));
    let shifted = magnitude << shift;
    let quotient = (shifted / fives) | u128::from(!shifted.is_multiple_of(fives));
    #[expect(clippy::cast_precision_loss, reason = "the one rounding")]
    let nearest = quotient as f64;
    divide(nearest, f64::from_bits(u64::from(1023 + shift + scale) << 52))
}

/// Writes a number over all of `place`, with leading zeros.
pub(crate) fn put_digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
}

#[expect(clippy::float_arithmetic, reason = "the one place where a decimal becomes a float")]
fn divide(dividend: f64, divisor: f64) -> f64 {
    dividend / divisor
}

fn parse_exponent(text: &str) -> Result<i32, DecError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecError::Malformed);
    }
    // An exponent beyond four digits can't be stored, whatever the mantissa.
    text.parse::<i32>().ok().filter(|exponent| exponent.abs() <= 9_999).ok_or(DecError::TooPrecise)
}

fn from_digits(negative: bool, whole: &str, fraction: &str, exponent: i32) -> Result<Dec, DecError> {
    // Leading and trailing zeros are no significant digits. Those behind a digit wait in `zeros` until
    // another digit makes them count.
    let (mut mantissa, mut digits, mut zeros) = (0_u128, 0, 0);
    for byte in whole.bytes().chain(fraction.bytes()) {
        if byte == b'0' {
            zeros += usize::from(digits > 0);
            continue;
        }
        digits += zeros + 1;
        if digits > SIGNIFICANT_DIGITS_MAX {
            return Err(DecError::TooPrecise);
        }
        mantissa = mantissa * U128_POWERS_OF_TEN[zeros + 1] + u128::from(byte - b'0');
        zeros = 0;
    }
    if digits == 0 {
        return Ok(Dec::ZERO);
    }
    let count = |len: usize| i32::try_from(len).map_err(|_| DecError::TooPrecise);
    let scale = count(fraction.len())? - count(zeros)? - exponent;
    let padding = usize::try_from(-scale).unwrap_or(0);
    if digits + padding > SIGNIFICANT_DIGITS_MAX {
        return Err(DecError::TooPrecise);
    }
    mantissa *= U128_POWERS_OF_TEN[padding];
    let magnitude = i128::try_from(mantissa).map_err(|_| DecError::TooPrecise)?;
    let scale = u32::try_from(scale).unwrap_or(0);
    let signed = if negative { -magnitude } else { magnitude };
    Decimal::try_from_i128_with_scale(signed, scale).map(Dec).map_err(|_| DecError::TooPrecise)
}

/// A table, since raising to a power for each digit would be half the work of reading a number.
const U128_POWERS_OF_TEN: [u128; SIGNIFICANT_DIGITS_MAX + 1] = {
    let mut powers = [1; SIGNIFICANT_DIGITS_MAX + 1];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

const U128_POWERS_OF_FIVE: [u128; SIGNIFICANT_DIGITS_MAX + 1] = {
    let mut powers = [1; SIGNIFICANT_DIGITS_MAX + 1];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 5;
        index += 1;
    }
    powers
};

#[cold]
fn saturated(negative: bool) -> Dec {
    Dec(if negative { Decimal::MIN } else { Decimal::MAX })
}

// Sums are most of what folds reckon, so they are made where they are asked for.
impl Add for Dec {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.0.checked_add(other.0).map_or_else(|| saturated(self.is_negative()), Self)
    }
}

impl Sub for Dec {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.0.checked_sub(other.0).map_or_else(|| saturated(self.is_negative()), Self)
    }
}

impl Mul for Dec {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        self.0.checked_mul(other.0).map_or_else(|| saturated(self.is_negative() != other.is_negative()), Self)
    }
}

impl Div for Dec {
    type Output = Self;
    /// The quotient to 28 digits; nought where the divisor is nought (use [`Dec::ratio`] where that can be).
    fn div(self, divisor: Self) -> Self {
        self.ratio(divisor).unwrap_or(Self::ZERO)
    }
}

impl Neg for Dec {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Dec {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Dec {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl std::iter::Sum for Dec {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Dec {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(out)
    }
}

impl Serialize for Dec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        (self.0.scale(), self.0.mantissa()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Dec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_str(TextVisitor);
        }
        let (scale, mantissa) = <(u32, i128)>::deserialize(deserializer)?;
        Decimal::try_from_i128_with_scale(mantissa, scale).map(Self).map_err(D::Error::custom)
    }
}

/// Reads the text where it lies, without a copy.
struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Dec;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&DecError::Malformed, out)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Dec, E> {
        Dec::parse(text).map_err(|expected| E::custom(format!("`{text}` is not {expected}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Dec {
        Dec::parse(text).expect(text)
    }

    #[test]
    fn keeps_every_digit() {
        assert_eq!((dec("0.1") + dec("0.2")).to_string(), "0.3");
        assert_eq!(dec("110.015625").to_string(), "110.015625");
        assert_eq!(dec("0.123456789012345678").to_string(), "0.123456789012345678");
        assert_eq!(dec("1234567890.123456789012345678").to_string(), "1234567890.123456789012345678");
        assert_eq!(dec("9999999999999999999999999999").to_string(), "9999999999999999999999999999");
        assert_eq!(dec("1.2500e2").to_string(), "125");
        assert_eq!(dec("-1e-28").to_string(), "-0.0000000000000000000000000001");
        assert_eq!(dec("-0.00"), Dec::ZERO);
        assert_eq!(dec("1.50").to_string(), "1.5");
    }

    #[test]
    fn short_ones_are_read_as_all_others_are() {
        for whole in ["", "0", "7", "00", "10", "042", "9999999999", "1234567890123456789"] {
            for fraction in ["", ".", ".0", ".5", ".50", ".05", ".000001", ".987654321", ".1.2", ".x"] {
                for sign in ["", "-", "--", "+"] {
                    let text = format!("{sign}{whole}{fraction}");
                    let Some(short) = Dec::parse_short(&text) else { continue };
                    // An exponent of nought sends it the long way.
                    let long = dec(&format!("{text}e0"));
                    assert_eq!((short.0.mantissa(), short.0.scale()), (long.0.mantissa(), long.0.scale()), "{text}");
                    assert_eq!(short.0.is_sign_negative(), long.0.is_sign_negative(), "{text}");
                }
            }
        }
        for text in ["-0", "0.5", "2403.6", "-12.25", "999999999999999999"] {
            assert!(Dec::parse_short(text).is_some(), "{text}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_keep() {
        for text in ["1e400", "12345678901234567890123456789", "1e-29", "1e28", "0.12345678901234567890123456789"] {
            assert_eq!(Dec::parse(text), Err(DecError::TooPrecise), "{text}");
        }
        for text in ["", "-", "NaN", "Infinity", "1.", ".5", "1,5", "0x10", "1e", "1e+", "--1", "1 ", "+1", "١"] {
            assert_eq!(Dec::parse(text), Err(DecError::Malformed), "{text}");
        }
    }

    #[test]
    fn becomes_the_nearest_float() {
        for text in ["0.1", "110.015625", "2647.1", "-0.37", "123456789.987654321", "0.3333333333333333333333333333"] {
            assert_eq!(dec(text).to_f64(), text.parse::<f64>().expect(text), "{text}");
        }
        assert_eq!(dec("7922816251426433759354395033").to_f64(), 7_922_816_251_426_433_759_354_395_033_f64);
    }

    #[test]
    fn every_size_and_scale_becomes_the_float_that_its_text_reads_as() {
        let mut seed = 1_u128;
        for round in 0..200_000_u32 {
            seed = seed.wrapping_mul(0xda94_2042_e4dd_58b5).wrapping_add(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            let magnitude = (seed >> 32) >> (round % 96);
            let scale = round % 29;
            let decimal = Decimal::from_i128_with_scale(magnitude as i128, scale);
            for decimal in [Dec(decimal), Dec(-decimal)] {
                let text = decimal.to_string();
                assert_eq!(decimal.to_f64(), text.parse::<f64>().expect("a number"), "{text}");
            }
        }
    }

    #[test]
    fn saturates_instead_of_panicking() {
        let huge = dec("9999999999999999999999999999");
        assert_eq!(huge * huge, Dec(Decimal::MAX));
        assert_eq!(huge * -huge, Dec(Decimal::MIN));
        assert_eq!(Dec::ONE.ratio(Dec::ZERO), None);
    }
}
