//! Owns how fold state leaves memory and comes back: a [`Shelf`] keeps bytes by ordered key, a [`Drawer`]
//! is a typed write-back cache over one part of it. Folds ask drawers only, so memory holds what was
//! touched since the last flush and nothing else. The world provides the shelf (SQLite, or a map in tests).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{self, Form};

/// Bytes by ordered key: what a fold remembers beyond one flush.
///
/// A shelf that fails to read answers as if nothing were there and keeps the failure for its owner, who must
/// look before it commits anything that was folded meanwhile: folds themselves cannot fail.
pub trait Shelf {
    /// The value at `key`.
    fn get(&self, drawer: &'static str, key: &[u8]) -> Option<Vec<u8>>;
    /// At most `limit` entries with `from <= key < to`, ascending, or descending from the end.
    fn scan(&self, drawer: &'static str, from: &[u8], to: &[u8], limit: usize, descending: bool) -> Entries;
    /// Tells the shelf that a value could not be decoded.
    fn damaged(&self, drawer: &'static str, key: &[u8]);
}

/// Keys and values as a shelf returns them.
pub type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// An ordered key: parts of text end with NUL (which no text of an event holds), numbers are big-endian.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(pub Vec<u8>);

impl Key {
    /// A key that begins with a text.
    #[must_use]
    pub fn text(part: &str) -> Self {
        // Room for what mostly follows, so that no key moves while it grows.
        Self(Vec::with_capacity(part.len() + 32)).and(part)
    }

    /// Followed by a text.
    #[must_use]
    pub fn and(mut self, part: &str) -> Self {
        self.0.extend_from_slice(part.as_bytes());
        self.0.push(0);
        self
    }

    /// Followed by a position.
    #[must_use]
    pub fn seq(mut self, part: u64) -> Self {
        self.0.extend_from_slice(&part.to_be_bytes());
        self
    }

    /// Followed by a signed number, in its order.
    #[must_use]
    pub fn signed(self, part: i64) -> Self {
        self.seq(part.cast_unsigned() ^ (1 << 63))
    }

    /// Reads what [`Key::seq`] wrote.
    #[must_use]
    pub fn read_seq(bytes: &[u8]) -> Option<u64> {
        Some(u64::from_be_bytes(bytes.try_into().ok()?))
    }

    /// Reads what [`Key::signed`] wrote.
    #[must_use]
    pub fn read_signed(bytes: &[u8]) -> Option<i64> {
        Some((Self::read_seq(bytes)? ^ (1 << 63)).cast_signed())
    }

    /// The least key greater than every key that begins with this one.
    #[must_use]
    pub fn end(&self) -> Vec<u8> {
        let mut end = self.0.clone();
        // Text parts end in NUL and no key part begins above 0xFE at this place, so one 0xFF closes the range.
        end.extend_from_slice(&[0xFF; 9]);
        end
    }
}

/// A value in memory, and whether the shelf has it yet.
#[derive(Debug)]
struct Slot<V> {
    value: Option<V>,
    dirty: bool,
}

/// A typed write-back cache over one named part of a shelf.
#[derive(Debug)]
pub struct Drawer<V> {
    name: &'static str,
    form: Form,
    /// Values in the order they were first asked for, where they stay until a flush: values are large.
    slots: Vec<Slot<V>>,
    /// Their places, by key.
    places: BTreeMap<Vec<u8>, usize>,
    /// What was asked for last, which is mostly asked for again.
    latest: Option<(Vec<u8>, usize)>,
    /// Keys and places of what the shelf has not yet, in the order they changed.
    dirty: Vec<(Vec<u8>, usize)>,
    /// Beginnings of keys of which everything is in `slots`: no need to ask the shelf.
    whole: BTreeSet<Vec<u8>>,
}

impl<V: Serialize + DeserializeOwned + Clone> Drawer<V> {
    /// An empty cache over the part called `name`.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self::with_form(name, Form::Plain)
    }

    /// The same for values that repeat themselves: they are kept smaller, for a little work.
    #[must_use]
    pub fn packed(name: &'static str) -> Self {
        Self::with_form(name, Form::Packed)
    }

    fn with_form(name: &'static str, form: Form) -> Self {
        Self {
            name,
            form,
            slots: Vec::new(),
            places: BTreeMap::new(),
            latest: None,
            dirty: Vec::new(),
            whole: BTreeSet::new(),
        }
    }

    fn slot(&mut self, shelf: &dyn Shelf, key: &Key) -> usize {
        self.place(key).unwrap_or_else(|| {
            let value = if self.is_whole(&key.0, &key.0) { None } else { self.load(shelf, &key.0) };
            self.insert(key.0.clone(), Slot { value, dirty: false })
        })
    }

    /// A slot whose value is about to change.
    fn dirty(&mut self, key: &Key, place: usize) -> &mut Option<V> {
        let slot = &mut self.slots[place];
        if !std::mem::replace(&mut slot.dirty, true) {
            self.dirty.push((key.0.clone(), place));
        }
        &mut slot.value
    }

    /// Where the value at `key` is, if it is in memory.
    fn place(&mut self, key: &Key) -> Option<usize> {
        match &mut self.latest {
            Some((latest, place)) if *latest == key.0 => return Some(*place),
            Some((latest, place)) => {
                *place = *self.places.get(&key.0)?;
                latest.clone_from(&key.0);
            }
            None => self.latest = Some((key.0.clone(), *self.places.get(&key.0)?)),
        }
        self.latest.as_ref().map(|(_, place)| *place)
    }

    fn insert(&mut self, key: Vec<u8>, slot: Slot<V>) -> usize {
        let place = self.slots.len();
        self.slots.push(slot);
        self.places.insert(key, place);
        place
    }

    /// Takes everything whose key begins with `prefix` into memory, to stay there as long as flushes keep it.
    pub fn hold(&mut self, shelf: &dyn Shelf, prefix: &Key) {
        if self.whole.contains(&prefix.0) {
            return;
        }
        for (key, bytes) in shelf.scan(self.name, &prefix.0, &prefix.end(), usize::MAX, false) {
            if !self.places.contains_key(&key) {
                let value = self.decode(shelf, &key, &bytes);
                self.insert(key, Slot { value, dirty: false });
            }
        }
        self.whole.insert(prefix.0.clone());
    }

    /// The entries with `from <= key < to`, ascending, of a part that [`Self::hold`] took into memory.
    pub fn held(&self, from: &[u8], to: &[u8]) -> impl DoubleEndedIterator<Item = (&[u8], &V)> + use<'_, V> {
        debug_assert!(self.is_whole(from, to), "{} was not taken into memory there", self.name);
        let range = (Bound::Included(from), Bound::Excluded(to.max(from)));
        let places = self.places.range::<[u8], _>(range);
        places.filter_map(|(key, place)| Some((key.as_slice(), self.slots[*place].value.as_ref()?)))
    }

    fn is_whole(&self, from: &[u8], to: &[u8]) -> bool {
        let before = self.whole.range::<[u8], _>((Bound::Unbounded, Bound::Included(from))).next_back();
        let ends_within = |prefix: &[u8]| to.starts_with(prefix) || to <= Key(prefix.to_vec()).end().as_slice();
        before.is_some_and(|prefix| from.starts_with(prefix) && ends_within(prefix))
    }

    /// The value at `key`.
    pub fn get(&mut self, shelf: &dyn Shelf, key: &Key) -> Option<&V> {
        let place = self.slot(shelf, key);
        self.slots[place].value.as_ref()
    }

    /// The value at `key`, to be changed.
    pub fn get_mut(&mut self, shelf: &dyn Shelf, key: &Key) -> Option<&mut V> {
        let place = self.slot(shelf, key);
        self.slots[place].value.as_ref()?;
        self.dirty(key, place).as_mut()
    }

    /// The value at `key`, made by `default` where there is none, to be changed.
    pub fn entry(&mut self, shelf: &dyn Shelf, key: &Key, default: impl FnOnce() -> V) -> &mut V {
        let place = self.slot(shelf, key);
        self.dirty(key, place).get_or_insert_with(default)
    }

    /// Sets the value at `key`.
    pub fn put(&mut self, key: &Key, value: V) {
        let empty = || Slot { value: None, dirty: false };
        let place = self.place(key).unwrap_or_else(|| self.insert(key.0.clone(), empty()));
        *self.dirty(key, place) = Some(value);
    }

    /// Takes the value at `key` away.
    pub fn remove(&mut self, shelf: &dyn Shelf, key: &Key) -> Option<V> {
        let place = self.slot(shelf, key);
        self.slots[place].value.as_ref()?;
        self.dirty(key, place).take()
    }

    /// Up to `limit` entries with `from <= key < to`, ascending.
    pub fn scan(&self, shelf: &dyn Shelf, from: &[u8], to: &[u8], limit: usize) -> Vec<(Vec<u8>, V)> {
        self.merge(shelf, from, to, limit, false)
    }

    /// Up to `limit` entries with `from <= key < to`, descending from the end.
    pub fn scan_back(&self, shelf: &dyn Shelf, from: &[u8], to: &[u8], limit: usize) -> Vec<(Vec<u8>, V)> {
        self.merge(shelf, from, to, limit, true)
    }

    fn merge(&self, shelf: &dyn Shelf, from: &[u8], to: &[u8], limit: usize, descending: bool) -> Vec<(Vec<u8>, V)> {
        if from >= to || limit == 0 {
            return Vec::new();
        }
        let mut ask = limit;
        loop {
            let whole = self.is_whole(from, to);
            let shelved = if whole { Vec::new() } else { shelf.scan(self.name, from, to, ask, descending) };
            let all = whole || shelved.len() < ask;
            let merged = self.merge_with(shelf, shelved, from, to, limit, descending, all);
            // What is cached may hide some of the shelf's: then ask for more.
            match merged {
                Some(entries) => return entries,
                None => ask = ask.saturating_mul(2),
            }
        }
    }

    /// The first `limit` of both; `None` where the shelf must be asked for more to know them.
    #[expect(clippy::too_many_arguments, reason = "one step of `merge`, whose arguments these are")]
    fn merge_with(
        &self,
        shelf: &dyn Shelf,
        shelved: Entries,
        from: &[u8],
        to: &[u8],
        limit: usize,
        descending: bool,
        all: bool,
    ) -> Option<Vec<(Vec<u8>, V)>> {
        let range = self.places.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        let cached: Box<dyn Iterator<Item = (&Vec<u8>, &usize)>> =
            if descending { Box::new(range.rev()) } else { Box::new(range) };
        let mut cached = cached.peekable();
        let mut shelved = shelved.into_iter().peekable();
        let mut merged = Vec::new();
        while merged.len() < limit {
            let order = match (cached.peek(), shelved.peek()) {
                (None, None) => return all.then_some(merged),
                (Some(_), None) if !all => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((mine, _)), Some((theirs, _))) if descending => theirs.cmp(mine),
                (Some((mine, _)), Some((theirs, _))) => (*mine).cmp(theirs),
            };
            if order != Ordering::Greater {
                let (key, place) = cached.next()?;
                merged.extend(self.slots[*place].value.clone().map(|value| (key.clone(), value)));
            }
            if order != Ordering::Less {
                let (key, bytes) = shelved.next()?;
                if order == Ordering::Greater {
                    merged.extend(self.decode(shelf, &key, &bytes).map(|value| (key, value)));
                }
            }
        }
        Some(merged)
    }

    /// The values changed since the last flush, in key order.
    pub fn changed(&self) -> impl Iterator<Item = (&[u8], Option<&V>)> {
        let mut dirty: Vec<&(Vec<u8>, usize)> = self.dirty.iter().collect();
        dirty.sort_unstable();
        dirty.into_iter().map(|(key, place)| (key.as_slice(), self.slots[*place].value.as_ref()))
    }

    /// Visits the values changed since the last flush, to change them once more.
    pub fn visit_changed(&mut self, mut visit: impl FnMut(&mut V)) {
        for (_, place) in &self.dirty {
            self.slots[*place].value.as_mut().map(&mut visit);
        }
    }

    /// Writes what changed to `out` and forgets every value that `keep` does not want in memory.
    pub fn flush(&mut self, out: &mut Vec<StateChange>, keep: impl Fn(&V) -> bool) {
        self.write(out);
        self.forget(keep);
    }

    /// Writes what changed to `out`, and keeps it all in memory.
    pub fn write(&mut self, out: &mut Vec<StateChange>) {
        self.dirty.sort_unstable();
        let mut scratch = Vec::new();
        for (key, place) in self.dirty.drain(..) {
            let slot = &mut self.slots[place];
            slot.dirty = false;
            let value = slot.value.as_ref().map(|value| codec::encode(value, self.form, &mut scratch));
            out.push(StateChange { drawer: self.name, key, value });
        }
    }

    fn forget(&mut self, keep: impl Fn(&V) -> bool) {
        if self.slots.iter().any(|slot| slot.value.as_ref().is_some_and(|value| !keep(value))) {
            // What is let go is on the shelf alone.
            self.whole.clear();
        }
        let mut slots = std::mem::take(&mut self.slots);
        for (key, place) in std::mem::take(&mut self.places) {
            let value = slots[place].value.take_if(|value| keep(value));
            if value.is_some() {
                self.insert(key, Slot { value, dirty: false });
            }
        }
        self.latest = None;
    }

    fn load(&self, shelf: &dyn Shelf, key: &[u8]) -> Option<V> {
        let bytes = shelf.get(self.name, key)?;
        self.decode(shelf, key, &bytes)
    }

    fn decode(&self, shelf: &dyn Shelf, key: &[u8], bytes: &[u8]) -> Option<V> {
        let value = codec::decode(bytes, self.form);
        if value.is_none() {
            shelf.damaged(self.name, key);
        }
        value
    }
}

/// A change of fold state for the shelf to keep; `None` takes the key away.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StateChange {
    pub drawer: &'static str,
    pub key: Vec<u8>,
    pub value: Option<Vec<u8>>,
}

/// A shelf in memory: for tests, audits and replays that leave nothing behind.
#[derive(Debug, Default)]
pub struct MemoryShelf {
    entries: BTreeMap<(&'static str, Vec<u8>), Vec<u8>>,
}

impl MemoryShelf {
    /// Keeps what a flush wrote.
    pub fn keep(&mut self, changes: Vec<StateChange>) {
        for change in changes {
            match change.value {
                Some(value) => self.entries.insert((change.drawer, change.key), value),
                None => self.entries.remove(&(change.drawer, change.key)),
            };
        }
    }
}

impl Shelf for MemoryShelf {
    fn get(&self, drawer: &'static str, key: &[u8]) -> Option<Vec<u8>> {
        self.entries.get(&(drawer, key.to_vec())).cloned()
    }

    fn scan(&self, drawer: &'static str, from: &[u8], to: &[u8], limit: usize, descending: bool) -> Entries {
        let range = self.entries.range((drawer, from.to_vec())..(drawer, to.to_vec()));
        let owned = |((_, key), value): (&(&'static str, Vec<u8>), &Vec<u8>)| (key.clone(), value.clone());
        if descending { range.rev().take(limit).map(owned).collect() } else { range.take(limit).map(owned).collect() }
    }

    fn damaged(&self, drawer: &'static str, key: &[u8]) {
        unreachable!("fold state in memory is never damaged: {drawer} {key:?}")
    }
}
