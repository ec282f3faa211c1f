//! Owns what is known of futures without asking: tick size and point value of the roots of CME Group (`futures.csv`), and
//! how a contract's symbol is its root, a month and a year. A symbol it does not know has no default: whoever trades it
//! says what it is.

use std::sync::LazyLock;

use projections::decimal::Dec;

const LIST: &str = include_str!("futures.csv");

/// What a contract of a root is.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// The letters before month and year.
    pub root: &'static str,
    /// The smallest step of its price.
    pub tick_size: &'static str,
    /// What one point is worth, in dollars.
    pub point_value: &'static str,
    /// Where it is traded.
    pub exchange: &'static str,
    /// What people call it.
    pub name: &'static str,
}

impl Contract {
    pub(crate) fn tick(&self) -> Dec {
        Dec::parse(self.tick_size).unwrap_or_default()
    }
}

static CONTRACTS: LazyLock<Vec<Contract>> = LazyLock::new(|| {
    let entry = |line: &'static str| {
        let mut cells = line.splitn(5, ',');
        let mut cell = || cells.next();
        Some(Contract { root: cell()?, tick_size: cell()?, point_value: cell()?, exchange: cell()?, name: cell()? })
    };
    LIST.lines().skip(1).filter_map(entry).collect()
});

/// The letters of the months, January first.
const MONTHS: &str = "FGHJKMNQUVXZ";

/// Month names as some platforms write them: `MES 03-26`, `MES MAR26`.
const MONTH_NAMES: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// What is known of a symbol such as `MNQH6`, `MNQH26` or plain `MNQ`.
#[must_use]
pub fn contract(symbol: &str) -> Option<&'static Contract> {
    CONTRACTS.iter().find(|contract| contract.root == symbol || root_of(symbol) == Some(contract.root))
}

/// The root of a symbol that ends in month and year.
fn root_of(symbol: &str) -> Option<&str> {
    let before_year = symbol.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let year = symbol.len() - before_year.len();
    let month = before_year.chars().next_back()?;
    let root = &before_year[..before_year.len() - month.len_utf8()];
    ((1..=2).contains(&year) && MONTHS.contains(month) && !root.is_empty()).then_some(root)
}

/// One spelling for a contract however a platform writes it: `MES 03-26` (NinjaTrader), `MES MAR26`, `/MESH26`,
/// `CON.F.US.MES.H26` (ProjectX) and `MESH26` become `MESH6`. What it doesn't know stays as it is.
#[must_use]
pub fn one_spelling(symbol: &str) -> String {
    let symbol = symbol.trim().trim_start_matches('/');
    let symbol = symbol.strip_suffix(".CME").unwrap_or(symbol);
    if let Some(contract) = symbol.strip_prefix("CON.F.US.") {
        return contract
            .split_once('.')
            .map_or_else(|| symbol.to_owned(), |(root, rest)| short(&format!("{root}{rest}")));
    }
    if let Some((root, expiry)) = symbol.split_once(' ')
        && let Some((month, year)) = expiry_of(expiry.trim())
    {
        return short(&format!("{root}{month}{year}"));
    }
    short(symbol)
}

/// `03-26` and `MAR26` as the letter of the month and the digits of the year.
fn expiry_of(expiry: &str) -> Option<(char, &str)> {
    let letter = |month: usize| MONTHS.chars().nth(month);
    if let Some((month, year)) = expiry.split_once('-') {
        return Some((letter(month.parse::<usize>().ok()?.checked_sub(1)?)?, year));
    }
    let (name, year) = expiry.split_at_checked(3)?;
    let month = MONTH_NAMES.iter().position(|other| other.eq_ignore_ascii_case(name))?;
    (!year.is_empty() && year.bytes().all(|byte| byte.is_ascii_digit())).then_some(())?;
    Some((letter(month)?, year))
}

/// A year of two digits as its last, where the root is known.
fn short(symbol: &str) -> String {
    let digits = symbol.len() - symbol.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
    match (digits, contract(symbol)) {
        (2, Some(_)) if root_of(symbol).is_some() => {
            let (head, year) = symbol.split_at(symbol.len() - 2);
            format!("{head}{}", &year[1..])
        }
        _ => symbol.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_whole() {
        assert_eq!(CONTRACTS.len(), LIST.lines().count() - 1);
        assert!(CONTRACTS.len() >= 60);
        for contract in CONTRACTS.iter() {
            assert!(Dec::parse(contract.tick_size).is_ok_and(Dec::is_positive), "{contract:?}");
            assert!(Dec::parse(contract.point_value).is_ok_and(Dec::is_positive), "{contract:?}");
        }
    }

    #[test]
    fn a_symbol_has_a_root_whatever_its_year() {
        for (symbol, root) in [("MNQH6", "MNQ"), ("MNQH26", "MNQ"), ("6EM6", "6E"), ("ZN", "ZN"), ("M2KZ5", "M2K")] {
            assert_eq!(contract(symbol).map(|contract| contract.root), Some(root), "{symbol}");
        }
        for unknown in ["AAPL", "MNQA6", "XYZH6", "", "H6", "BTCUSDT"] {
            assert!(contract(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn a_contract_has_one_spelling() {
        for (given, expected) in [
            ("MES 03-26", "MESH6"),
            ("MES MAR26", "MESH6"),
            ("/MESH26", "MESH6"),
            ("CON.F.US.MES.H26", "MESH6"),
            ("MESH6", "MESH6"),
            ("MESH6.CME", "MESH6"),
            ("BTCUSDT", "BTCUSDT"),
            ("RXRX", "RXRX"),
        ] {
            assert_eq!(one_spelling(given), expected);
        }
    }
}
