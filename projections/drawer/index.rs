//! Owns where a drawer has the value of a key: an open table of hashes, since folds look up far more than they put.
//! Never iterated, so that no result can depend on the order of hashes; which keys there are, and in which order, is
//! the drawer's business.

use std::num::NonZero;

/// Places by the hashes of their keys. A place is looked at by the caller: it may be another key's of the same hash.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// A power of two of them, at most half of them taken.
    cells: Vec<Option<Cell>>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    hash: u32,
    /// From 1, so that a free cell takes no more room.
    number: NonZero<u32>,
}

impl Cell {
    fn place(self) -> usize {
        self.number.get() as usize - 1
    }
}

const CELLS_MIN: usize = 16;

impl Index {
    /// The first place under a hash that `is` says is the one.
    pub(super) fn find(&self, hash: u32, is: impl Fn(usize) -> bool) -> Option<usize> {
        let mut at = hash as usize;
        loop {
            // An empty table has no cell, any other one a free one.
            let cell = (*self.cells.get(at & self.cells.len().checked_sub(1)?)?)?;
            if cell.hash == hash && is(cell.place()) {
                return Some(cell.place());
            }
            at += 1;
        }
    }

    /// Adds a place that is not there yet.
    pub(super) fn insert(&mut self, hash: u32, place: usize) {
        if 2 * self.len >= self.cells.len() {
            self.grow();
        }
        self.len += 1;
        let number = u32::try_from(place + 1).ok().and_then(NonZero::new);
        set(&mut self.cells, Cell { hash, number: number.expect("fewer values than would fit into memory") });
    }

    /// Forgets all places, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.cells.fill(None);
        self.len = 0;
    }

    fn grow(&mut self) {
        let mut cells = vec![None; (2 * self.cells.len()).max(CELLS_MIN)];
        self.cells.iter().flatten().for_each(|cell| set(&mut cells, *cell));
        self.cells = cells;
    }
}

fn set(cells: &mut [Option<Cell>], cell: Cell) {
    let mut at = cell.hash as usize;
    let last = cells.len() - 1;
    while cells[at & last].is_some() {
        at += 1;
    }
    cells[at & last] = Some(cell);
}

/// A hash of bytes: the same in every process, and good enough for names that somebody chose.
pub(super) fn hash(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let start = bytes.len() as u64;
    let hash = words.iter().chain([&last]).fold(start, |hash, word| mix(hash ^ u64::from_le_bytes(*word)));
    (hash >> 32) as u32
}

/// The two halves of a product folded into one: each bit of the number changes about half of them.
fn mix(number: u64) -> u64 {
    let product = u128::from(number ^ 0x9E37_79B9_7F4A_7C15) * 0xA076_1D64_78BD_642F;
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_put_and_nothing_else() {
        let keys: Vec<String> = (0..5_000).map(|number| format!("T{number:08}")).collect();
        let mut index = Index::default();
        let find = |index: &Index, key: &str| index.find(hash(key.as_bytes()), |place| keys[place] == key);
        for (place, key) in keys.iter().enumerate() {
            assert_eq!(find(&index, key), None);
            index.insert(hash(key.as_bytes()), place);
        }
        for (place, key) in keys.iter().enumerate() {
            assert_eq!(find(&index, key), Some(place));
        }
        index.clear();
        assert_eq!(find(&index, &keys[0]), None);
    }

    #[test]
    fn places_of_one_hash_are_told_apart() {
        let mut index = Index::default();
        (0..100).for_each(|place| index.insert(7, place));
        assert_eq!(index.find(7, |place| place == 61), Some(61));
        assert_eq!(index.find(7, |_| false), None);
        assert_eq!(index.find(8, |_| true), None);
    }

    #[test]
    fn hashes_of_names_in_sequence_are_spread() {
        let mut seen: Vec<u32> = (0..4_096).map(|number| hash(format!("F{number}").as_bytes()) & 0xFFF).collect();
        seen.sort_unstable();
        seen.dedup();
        // As many as chance leaves: 1 − 1/e of them.
        assert!(seen.len() > 2_450, "{} of 4096", seen.len());
    }
}
