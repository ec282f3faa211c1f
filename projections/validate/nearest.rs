//! Owns the choice of the known name that a mistyped one is near to.

/// The known name that takes the fewest edits to reach. Letters left out hardly count, so that `qty` is
/// near to `quantity`; too many wrong ones, and there is none.
#[must_use]
pub fn nearest<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    const GIVEN_CHARS_MAX: usize = 64;
    let given = letters(given);
    if given.len() > GIVEN_CHARS_MAX {
        return None;
    }
    let scored = known.into_iter().map(|name| (distance(&given, &letters(name)), name));
    let near = |(wrong, left_out): (usize, usize)| wrong <= given.len() / 3 && left_out <= 2 * given.len();
    // Of equals the first listed is kept.
    scored.filter(|(distance, _)| near(*distance)).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Case and separators make no difference: `fillId` is `fill_id`.
fn letters(name: &str) -> Vec<char> {
    name.chars().filter(|char| !matches!(char, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// How many letters of `given` are wrong, and how many of `name` it leaves out: the fewest wrong first.
fn distance(given: &[char], name: &[char]) -> (usize, usize) {
    let mut row: Vec<(usize, usize)> = (0..=name.len()).map(|left_out| (0, left_out)).collect();
    for from in given {
        let mut diagonal = row[0];
        row[0].0 += 1;
        for (index, to) in name.iter().enumerate() {
            let replaced = (diagonal.0 + usize::from(from != to), diagonal.1);
            let removed = (row[index + 1].0 + 1, row[index + 1].1);
            let left_out = (row[index].0, row[index].1 + 1);
            diagonal = row[index + 1];
            row[index + 1] = replaced.min(removed).min(left_out);
        }
    }
    row[name.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let known = ["fill_id", "side", "quantity", "price", "fees", "trade_id", "stop_price", "liquidity"];
        for (given, expected) in [
            ("qty", Some("quantity")),
            ("quantty", Some("quantity")),
            ("Quantity", Some("quantity")),
            ("fillId", Some("fill_id")),
            ("fill", Some("fill_id")),
            ("prcie", Some("price")),
            ("stop", Some("stop_price")),
            ("fee", Some("fees")),
            ("trades_id", Some("trade_id")),
            ("colour", None),
            ("", None),
            ("\u{1F4B0}", None),
        ] {
            assert_eq!(nearest(given, known), expected, "{given}");
        }
        assert_eq!(nearest(&"price".repeat(100_000), known), None);
    }
}
