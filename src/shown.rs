//! Owns how numbers look to people, wherever they are shown: rounded for the eye alone, thousands parted.

/// What stands for a value that isn't there.
pub const ABSENT: &str = "–";

/// A number with so many decimals, thousands parted, and no minus before a zero.
#[must_use]
pub fn decimals(value: Option<f64>, places: usize) -> String {
    let Some(value) = value else { return ABSENT.to_owned() };
    let text = format!("{:.places$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut shown = String::new();
    if value < 0.0 && text.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        shown.push('-');
    }
    for (index, digit) in whole.char_indices() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown + rest
}

/// An amount of money, or an R.
#[must_use]
pub fn amount(value: Option<f64>) -> String {
    decimals(value, 2)
}

/// A share as a percentage.
#[must_use]
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| ABSENT.to_owned(), |share| format!("{} %", decimals(Some(share * 100.0), 1)))
}

/// A count.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A number of things, by their plural: "1 day", "2,000 days".
#[must_use]
pub fn counted(value: u64, plural: &str) -> String {
    let name = if value == 1 { plural.strip_suffix('s').unwrap_or(plural) } else { plural };
    format!("{} {name}", count(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_and_parted() {
        assert_eq!(decimals(Some(-1_234_567.891), 2), "-1,234,567.89");
        assert_eq!(decimals(Some(-0.001), 2), "0.00");
        assert_eq!(decimals(Some(999.995), 0), "1,000");
        assert_eq!(decimals(None, 2), ABSENT);
        assert_eq!(percent(Some(0.541_666)), "54.2 %");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12), "12");
        assert_eq!([0, 1, 2_000].map(|days| counted(days, "days")), ["0 days", "1 day", "2,000 days"]);
    }
}
