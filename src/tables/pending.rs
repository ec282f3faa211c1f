//! Owns fold state that was flushed and may not be written yet: what a fold on its way through the next page has to
//! see before it looks into the tables.

use std::collections::BTreeMap;

use projections::drawer::{Entries, StateChange};

/// The changes of one flush.
#[derive(Debug, Default)]
pub(crate) struct Pending(Vec<StateChange>);

impl Pending {
    pub(super) const fn nothing() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn new(mut changes: Vec<StateChange>) -> Self {
        // Drawers are flushed one by one and in key order: nearly sorted.
        changes.sort_by(|one, other| (one.drawer, &one.key).cmp(&(other.drawer, &other.key)));
        Self(changes)
    }

    /// The changes, in the order of drawers and keys.
    pub(super) fn changes(&self) -> &[StateChange] {
        &self.0
    }

    /// What was changed under a key; `Some(None)` where it was taken away.
    pub(super) fn get(&self, drawer: &str, key: &[u8]) -> Option<Option<&[u8]>> {
        let at = self.0.binary_search_by(|change| (change.drawer, change.key.as_slice()).cmp(&(drawer, key))).ok()?;
        Some(self.0[at].value.as_deref())
    }

    /// What was changed under keys with `from <= key < to`.
    pub(super) fn range(&self, drawer: &str, from: &[u8], to: &[u8]) -> &[StateChange] {
        let before =
            |bound: &[u8]| self.0.partition_point(|change| (change.drawer, change.key.as_slice()) < (drawer, bound));
        let start = before(from);
        &self.0[start..before(to).max(start)]
    }
}

/// Puts changes over what is stored: the first `limit` entries of both.
pub(super) fn merge(stored: Entries, changes: &[StateChange], limit: usize, descending: bool) -> Entries {
    if changes.is_empty() {
        return stored;
    }
    let mut merged: BTreeMap<_, _> = stored.into_iter().collect();
    for StateChange { key, value, .. } in changes {
        match value {
            Some(value) => drop(merged.insert(key.clone(), value.clone())),
            None => drop(merged.remove(key)),
        }
    }
    let entries = merged.into_iter();
    if descending { entries.rev().take(limit).collect() } else { entries.take(limit).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: u8, value: u8) -> (Vec<u8>, Vec<u8>) {
        (vec![key], vec![value])
    }

    fn change(drawer: &'static str, key: u8, value: Option<u8>) -> StateChange {
        StateChange { drawer, key: vec![key], value: value.map(|value| vec![value]) }
    }

    #[test]
    fn what_is_pending_lies_over_what_is_stored() {
        let changes = [("b", 5, Some(50)), ("a", 2, None), ("a", 9, Some(90)), ("a", 3, Some(31)), ("c", 2, Some(0))];
        let pending = Pending::new(changes.map(|(drawer, key, value)| change(drawer, key, value)).into());
        assert_eq!(pending.get("a", &[2]), Some(None));
        assert_eq!(pending.get("a", &[3]), Some(Some([31].as_slice())));
        assert_eq!(pending.get("b", &[2]), None);
        let merged = |stored: &[(Vec<u8>, Vec<u8>)], limit, descending| {
            merge(stored.to_vec(), pending.range("a", &[2], &[10]), limit, descending)
        };
        let stored = [entry(2, 20), entry(3, 30), entry(4, 40)];
        assert_eq!(merged(&stored, 9, false), [entry(3, 31), entry(4, 40), entry(9, 90)]);
        assert_eq!(merged(&stored, 2, false), [entry(3, 31), entry(4, 40)]);
        assert_eq!(merged(&stored, 2, true), [entry(9, 90), entry(4, 40)]);
        assert_eq!(pending.range("a", &[4], &[9]), []);
        assert_eq!(pending.range("a", &[9], &[2]), []);
    }
}
