//! Owns how fold state leaves memory and comes back: a [`Shelf`] keeps bytes by ordered key, a [`Drawer`]
//! is a typed write-back cache over one part of it. Folds ask drawers only, so memory holds what was
//! touched since the last flush and nothing else. The world provides the shelf (SQLite, or a map in tests).

mod index;
mod key;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

pub use key::{Bytes, Key};

use serde::Serialize;
use serde::de::DeserializeOwned;

use index::Index;

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

/// A value in memory, and whether the shelf has it yet.
#[derive(Debug)]
struct Slot<V> {
    key: Vec<u8>,
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
    index: Index,
    /// The same in the order of keys, where the drawer is asked for more than one value at a time.
    order: Option<BTreeMap<Vec<u8>, usize>>,
    /// What was asked for last, which is mostly asked for again.
    latest: usize,
    /// Places of what the shelf has not yet, in the order they changed.
    dirty: Vec<usize>,
    /// Beginnings of keys of which everything is in `slots`: no need to ask the shelf.
    whole: BTreeSet<Vec<u8>>,
}

impl<V: Serialize + DeserializeOwned + Clone> Drawer<V> {
    /// An empty cache over the part called `name`.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            form: Form::Plain,
            slots: Vec::new(),
            index: Index::default(),
            order: None,
            latest: 0,
            dirty: Vec::new(),
            whole: BTreeSet::new(),
        }
    }

    /// The same for values that repeat themselves: they are kept smaller, for a little work.
    #[must_use]
    pub fn packed(name: &'static str) -> Self {
        Self { form: Form::Packed, ..Self::new(name) }
    }

    /// The same for values that are asked for by ranges of keys, too.
    #[must_use]
    pub fn ordered(name: &'static str) -> Self {
        Self { order: Some(BTreeMap::new()), ..Self::new(name) }
    }

    fn slot(&mut self, shelf: &dyn Shelf, key: &[u8]) -> usize {
        let hash = index::hash(key);
        self.place(hash, key).unwrap_or_else(|| {
            let value = if self.is_whole(key, key) { None } else { self.load(shelf, key) };
            self.insert(hash, key.to_vec(), value)
        })
    }

    /// A slot whose value is about to change.
    fn dirty(&mut self, place: usize) -> &mut Option<V> {
        let slot = &mut self.slots[place];
        if !std::mem::replace(&mut slot.dirty, true) {
            self.dirty.push(place);
        }
        &mut slot.value
    }

    /// Where the value at a key is, if it is in memory.
    fn place(&mut self, hash: u32, key: &[u8]) -> Option<usize> {
        let is = |place: usize| self.slots[place].key == key;
        if self.latest < self.slots.len() && is(self.latest) {
            return Some(self.latest);
        }
        self.latest = self.index.find(hash, is)?;
        Some(self.latest)
    }

    fn insert(&mut self, hash: u32, key: Vec<u8>, value: Option<V>) -> usize {
        let place = self.slots.len();
        self.index.insert(hash, place);
        if let Some(order) = &mut self.order {
            order.insert(key.clone(), place);
        }
        self.slots.push(Slot { key, value, dirty: false });
        place
    }

    /// Takes everything whose key begins with `prefix` into memory, to stay there as long as flushes keep it.
    pub fn hold(&mut self, shelf: &dyn Shelf, prefix: &Key) {
        if self.whole.contains(&*prefix.0) {
            return;
        }
        for (key, bytes) in shelf.scan(self.name, &prefix.0, &prefix.end(), usize::MAX, false) {
            let hash = index::hash(&key);
            if self.place(hash, &key).is_none() {
                let value = self.decode(shelf, &key, &bytes);
                self.insert(hash, key, value);
            }
        }
        self.whole.insert(prefix.0.to_vec());
    }

    /// The entries with `from <= key < to`, ascending, of a part that [`Self::hold`] took into memory.
    pub fn held(&self, from: &[u8], to: &[u8]) -> impl DoubleEndedIterator<Item = (&[u8], &V)> + use<'_, V> {
        debug_assert!(self.is_whole(from, to), "{} was not taken into memory there", self.name);
        self.range(from, to).filter_map(|slot| Some((slot.key.as_slice(), slot.value.as_ref()?)))
    }

    fn is_whole(&self, from: &[u8], to: &[u8]) -> bool {
        let before = self.whole.range::<[u8], _>((Bound::Unbounded, Bound::Included(from))).next_back();
        let ends_within = |prefix: &[u8]| to.starts_with(prefix) || to <= &*Key::from(prefix).end();
        before.is_some_and(|prefix| from.starts_with(prefix) && ends_within(prefix))
    }

    /// The value at `key`.
    pub fn get(&mut self, shelf: &dyn Shelf, key: &Key) -> Option<&V> {
        let place = self.slot(shelf, &key.0);
        self.slots[place].value.as_ref()
    }

    /// The value at `key`, to be changed.
    pub fn get_mut(&mut self, shelf: &dyn Shelf, key: &Key) -> Option<&mut V> {
        let place = self.slot(shelf, &key.0);
        self.slots[place].value.as_ref()?;
        self.dirty(place).as_mut()
    }

    /// The value at `key`, made by `default` where there is none, to be changed.
    pub fn entry(&mut self, shelf: &dyn Shelf, key: &Key, default: impl FnOnce() -> V) -> &mut V {
        let place = self.slot(shelf, &key.0);
        self.dirty(place).get_or_insert_with(default)
    }

    /// Sets the value at `key`.
    pub fn put(&mut self, key: &Key, value: V) {
        let hash = index::hash(&key.0);
        let place = self.place(hash, &key.0).unwrap_or_else(|| self.insert(hash, key.0.to_vec(), None));
        *self.dirty(place) = Some(value);
    }

    /// Takes the value at `key` away.
    pub fn remove(&mut self, shelf: &dyn Shelf, key: &Key) -> Option<V> {
        let place = self.slot(shelf, &key.0);
        self.slots[place].value.as_ref()?;
        self.dirty(place).take()
    }

    /// Up to `limit` entries with `from <= key < to`, ascending.
    pub fn scan(&self, shelf: &dyn Shelf, from: &[u8], to: &[u8], limit: usize) -> Vec<(Vec<u8>, V)> {
        self.look(shelf, from, to, limit).into_iter().map(owned).collect()
    }

    /// The same, without a copy of what is in memory.
    pub fn look(&self, shelf: &dyn Shelf, from: &[u8], to: &[u8], limit: usize) -> Vec<Found<'_, V>> {
        self.merge(shelf, from, to, limit, false)
    }

    /// Up to `limit` entries with `from <= key < to`, descending from the end.
    pub fn scan_back(&self, shelf: &dyn Shelf, from: &[u8], to: &[u8], limit: usize) -> Vec<(Vec<u8>, V)> {
        self.merge(shelf, from, to, limit, true).into_iter().map(owned).collect()
    }

    fn merge(&self, shelf: &dyn Shelf, from: &[u8], to: &[u8], limit: usize, descending: bool) -> Vec<Found<'_, V>> {
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
    ) -> Option<Vec<Found<'_, V>>> {
        let range = self.range(from, to);
        let cached: Box<dyn Iterator<Item = &Slot<V>>> =
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
                (Some(mine), Some((theirs, _))) if descending => theirs.cmp(&mine.key),
                (Some(mine), Some((theirs, _))) => mine.key.cmp(theirs),
            };
            if order != Ordering::Greater {
                let slot = cached.next()?;
                let value = slot.value.as_ref();
                merged.extend(value.map(|value| (Cow::Borrowed(slot.key.as_slice()), Cow::Borrowed(value))));
            }
            if order != Ordering::Less {
                let (key, bytes) = shelved.next()?;
                if order == Ordering::Greater {
                    let value = self.decode(shelf, &key, &bytes);
                    merged.extend(value.map(|value| (Cow::Owned(key), Cow::Owned(value))));
                }
            }
        }
        Some(merged)
    }

    /// The values changed since the last flush, in key order.
    pub fn changed(&self) -> impl Iterator<Item = (&[u8], Option<&V>)> {
        let slots = self.dirty.iter().map(|place| &self.slots[*place]);
        let mut changed: Vec<_> = slots.map(|slot| (slot.key.as_slice(), slot.value.as_ref())).collect();
        changed.sort_unstable_by_key(|(key, _)| *key);
        changed.into_iter()
    }

    /// Visits the values changed since the last flush, to change them once more.
    pub fn visit_changed(&mut self, mut visit: impl FnMut(&mut V)) {
        for place in &self.dirty {
            self.slots[*place].value.as_mut().map(&mut visit);
        }
    }

    /// Writes what changed to `out` and forgets every value that `keep` does not want in memory.
    pub fn flush(&mut self, out: &mut Vec<StateChange>, keep: impl Fn(&V) -> bool) {
        self.write_and(out, &keep);
        self.forget(keep);
    }

    /// Writes what changed to `out`, and keeps it all in memory.
    pub fn write(&mut self, out: &mut Vec<StateChange>) {
        self.write_and(out, |_| true);
    }

    /// Writes what changed, in key order. Values that are not kept lose their keys to what is written.
    fn write_and(&mut self, out: &mut Vec<StateChange>, keep: impl Fn(&V) -> bool) {
        let (from, mut scratch) = (out.len(), Vec::new());
        for place in self.dirty.drain(..) {
            let slot = &mut self.slots[place];
            slot.dirty = false;
            let value = slot.value.as_ref().map(|value| codec::encode(value, self.form, &mut scratch));
            let stays = slot.value.as_ref().is_none_or(&keep);
            let key = if stays { slot.key.clone() } else { std::mem::take(&mut slot.key) };
            out.push(StateChange { drawer: self.name, key, value });
        }
        out[from..].sort_unstable_by(|one, other| one.key.cmp(&other.key));
    }

    fn forget(&mut self, keep: impl Fn(&V) -> bool) {
        if self.slots.iter().any(|slot| slot.value.as_ref().is_some_and(|value| !keep(value))) {
            // What is let go is on the shelf alone.
            self.whole.clear();
        }
        self.index.clear();
        self.order.as_mut().map(BTreeMap::clear);
        for Slot { key, value, .. } in std::mem::take(&mut self.slots) {
            if let Some(value) = value.filter(&keep) {
                self.insert(index::hash(&key), key, Some(value));
            }
        }
    }

    /// What is in memory with `from <= key < to`, ascending.
    fn range(&self, from: &[u8], to: &[u8]) -> impl DoubleEndedIterator<Item = &Slot<V>> + use<'_, V> {
        let order = self.order.as_ref().expect("a drawer that is asked for ranges is made in order");
        let range = (Bound::Included(from), Bound::Excluded(to.max(from)));
        order.range::<[u8], _>(range).map(|(_, place)| &self.slots[*place])
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

/// An entry with its key, where it lies in memory, or read from the shelf.
pub type Found<'a, V> = (Cow<'a, [u8]>, Cow<'a, V>);

fn owned<V: Clone>((key, value): Found<'_, V>) -> (Vec<u8>, V) {
    (key.into_owned(), value.into_owned())
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
    drawers: BTreeMap<&'static str, BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryShelf {
    /// Keeps what a flush wrote.
    pub fn keep(&mut self, changes: Vec<StateChange>) {
        for change in changes {
            let entries = self.drawers.entry(change.drawer).or_default();
            match change.value {
                Some(value) => entries.insert(change.key, value),
                None => entries.remove(&change.key),
            };
        }
    }
}

impl Shelf for MemoryShelf {
    fn get(&self, drawer: &'static str, key: &[u8]) -> Option<Vec<u8>> {
        self.drawers.get(drawer)?.get(key).cloned()
    }

    fn scan(&self, drawer: &'static str, from: &[u8], to: &[u8], limit: usize, descending: bool) -> Entries {
        let Some(entries) = self.drawers.get(drawer) else { return Entries::new() };
        let range = entries.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        let owned = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        if descending { range.rev().take(limit).map(owned).collect() } else { range.take(limit).map(owned).collect() }
    }

    fn damaged(&self, drawer: &'static str, key: &[u8]) {
        unreachable!("fold state in memory is never damaged: {drawer} {key:?}")
    }
}
