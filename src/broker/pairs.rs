//! Owns how brokers pair fills: first in, first out, contract by contract, in the order of time and fill id, whatever
//! trades the journal makes of them. A pair's profit is points x quantity x point value, rounded half to even to the
//! cent, before fees.

use std::collections::{BTreeMap, VecDeque};

use projections::decimal::Dec;
use projections::moment::Moment;

use super::statement::Side;

/// A fill as pairing sees it.
#[derive(Clone, Debug)]
pub(crate) struct Execution {
    pub(crate) fill_id: String,
    pub(crate) symbol: String,
    pub(crate) side: Side,
    pub(crate) quantity: Dec,
    pub(crate) price: Dec,
    pub(crate) fees: Dec,
    pub(crate) at: Moment,
}

/// Two fills, or parts of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pair {
    pub(crate) buy: String,
    pub(crate) sell: String,
    pub(crate) symbol: String,
    pub(crate) quantity: Dec,
    /// In the broker's rounding.
    pub(crate) gross: Dec,
    /// When the later of both came.
    pub(crate) closed_at: Moment,
}

/// Pairs fills that are in order. `point_value` tells what a point of a symbol is worth.
pub(crate) fn pair(fills: &[Execution], point_value: impl Fn(&str) -> Dec) -> Vec<Pair> {
    let mut open: BTreeMap<&str, VecDeque<(&Execution, Dec)>> = BTreeMap::new();
    let mut pairs = Vec::new();
    for fill in fills {
        let waiting = open.entry(&fill.symbol).or_default();
        let mut left = fill.quantity;
        while left.is_positive() {
            let Some((first, rest)) = waiting.front_mut().filter(|(first, _)| first.side != fill.side) else { break };
            let quantity = if *rest < left { *rest } else { left };
            let (buy, sell) = if fill.side == Side::Buy { (fill, *first) } else { (*first, fill) };
            pairs.push(Pair {
                buy: buy.fill_id.clone(),
                sell: sell.fill_id.clone(),
                symbol: fill.symbol.clone(),
                quantity,
                gross: ((sell.price - buy.price) * quantity * point_value(&fill.symbol)).rounded(2),
                closed_at: fill.at,
            });
            left -= quantity;
            *rest -= quantity;
            if rest.is_zero() {
                waiting.pop_front();
            }
        }
        if left.is_positive() {
            waiting.push_back((fill, left));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(id: &str, side: Side, quantity: &str, price: &str, second: i64) -> Execution {
        let dec = |text: &str| Dec::parse(text).unwrap();
        Execution {
            fill_id: id.to_owned(),
            symbol: "ZNM6".to_owned(),
            side,
            quantity: dec(quantity),
            price: dec(price),
            fees: Dec::ZERO,
            at: Moment(second * 1_000_000),
        }
    }

    #[test]
    fn first_in_is_first_out_and_what_is_left_waits() {
        let fills = [
            fill("1", Side::Buy, "2", "110.015625", 1),
            fill("2", Side::Buy, "1", "110.03125", 2),
            fill("3", Side::Sell, "4", "110.046875", 3),
            fill("4", Side::Buy, "1", "110", 4),
        ];
        let pairs = pair(&fills, |_| Dec::from_int(1000));
        let told: Vec<(&str, &str, String, String)> = pairs
            .iter()
            .map(|pair| (pair.buy.as_str(), pair.sell.as_str(), pair.quantity.to_string(), pair.gross.to_string()))
            .collect();
        // 15.625 and 46.875: half to even.
        let expected = [("1", "3", "2", "62.5"), ("2", "3", "1", "15.62"), ("4", "3", "1", "46.88")];
        let expected = expected.map(|(buy, sell, quantity, gross)| (buy, sell, quantity.to_owned(), gross.to_owned()));
        assert_eq!(told, expected);
        assert_eq!(pairs[2].closed_at, Moment(4_000_000));
    }
}
