//! Owns what can be said of fold state without looking: that there is nothing under a key. A fold from nothing asks
//! for each new trade and fill whether there is one already, and nearly always there is none. So a filter (Bloom's)
//! remembers which keys were ever written: what it doesn't know is not there, what it does is looked up. Its size
//! is fixed; beyond some tens of millions of keys it knows everything, and only helps no more.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many words the filter has: 4 MiB.
const WORDS: usize = 1 << 19;

/// The keys of fold state that were written to tables made from nothing.
#[derive(Debug)]
pub(super) struct Known(Vec<AtomicU64>);

impl Known {
    pub(super) fn nothing() -> Self {
        Self((0..WORDS).map(|_| AtomicU64::new(0)).collect())
    }

    /// Remembers a key that is written.
    pub(super) fn add(&self, projection: &str, drawer: &str, key: &[u8]) {
        let (word, bits) = place(projection, drawer, key);
        // Whoever reads what is being written looks at what is pending first: no order is needed.
        self.0[word].fetch_or(bits, Ordering::Relaxed);
    }

    /// Whether a key may have been written; if not, certainly nothing is there.
    pub(super) fn may_have(&self, projection: &str, drawer: &str, key: &[u8]) -> bool {
        let (word, bits) = place(projection, drawer, key);
        self.0[word].load(Ordering::Relaxed) & bits == bits
    }
}

/// A word, and four bits of it.
fn place(projection: &str, drawer: &str, key: &[u8]) -> (usize, u64) {
    let mut hasher = DefaultHasher::new();
    (projection, drawer, key).hash(&mut hasher);
    let hash = hasher.finish();
    let bits = (0..4).fold(0, |bits, at| bits | 1 << (hash >> (6 * at) & 63));
    ((hash >> 32) as usize % WORDS, bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_known_and_little_else() {
        let known = Known::nothing();
        let key = |number: u32| number.to_be_bytes();
        (0..100_000).for_each(|number| known.add("ledger", "fills", &key(number)));
        assert!((0..100_000).all(|number| known.may_have("ledger", "fills", &key(number))));
        let wrongly = |number: &u32| known.may_have("ledger", "trades", &key(*number));
        assert!((0..100_000).filter(wrongly).count() < 100);
    }
}
