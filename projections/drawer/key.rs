//! Owns [`Key`], by whose order a shelf keeps its values. Keys are made for every look-up, so they stay out of the
//! heap while they are as short as names mostly are.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

/// What an account and two ids of a usual length take.
const SHORT_MAX: usize = 62;

/// The bytes of a key.
#[derive(Clone)]
pub struct Bytes(Kept);

#[derive(Clone)]
enum Kept {
    /// All beyond `len` is nought.
    Short {
        len: u8,
        bytes: [u8; SHORT_MAX],
    },
    Long(Vec<u8>),
}

impl Bytes {
    /// Appends a part, and so many NULs.
    fn push(&mut self, part: &[u8], nuls: usize) {
        match &mut self.0 {
            Kept::Short { len, bytes } => {
                let from = usize::from(*len);
                let end = from + part.len();
                if end + nuls > SHORT_MAX {
                    self.0 = Kept::Long([&bytes[..from], part, &[0][..nuls]].concat());
                    return;
                }
                bytes[from..end].copy_from_slice(part);
                *len = u8::try_from(end + nuls).unwrap_or_default();
            }
            Kept::Long(bytes) => {
                bytes.extend_from_slice(part);
                bytes.resize(bytes.len() + nuls, 0);
            }
        }
    }
}

impl Default for Bytes {
    fn default() -> Self {
        Self(Kept::Short { len: 0, bytes: [0; SHORT_MAX] })
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { len, bytes } => &bytes[..usize::from(*len)],
            Kept::Long(bytes) => bytes,
        }
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl PartialOrd for Bytes {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bytes {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(out)
    }
}

/// An ordered key: parts of text end with NUL (which no text of an event holds), numbers are big-endian.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(pub Bytes);

impl Key {
    /// A key that begins with a text.
    #[must_use]
    pub fn text(part: &str) -> Self {
        Self::default().and(part)
    }

    /// Followed by a text.
    #[must_use]
    pub fn and(mut self, part: &str) -> Self {
        self.0.push(part.as_bytes(), 1);
        self
    }

    /// Followed by a position.
    #[must_use]
    pub fn seq(mut self, part: u64) -> Self {
        self.0.push(&part.to_be_bytes(), 0);
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
    pub fn end(&self) -> Bytes {
        let mut end = self.0.clone();
        // Text parts end in NUL and no key part begins above 0xFE at this place, so one 0xFF closes the range.
        end.push(&[0xFF; 9], 0);
        end
    }
}

impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Self {
        let mut key = Self::default();
        key.0.push(bytes, 0);
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_parts_however_long() {
        for len in [0, 1, 52, 53, 54, 61, 62, 63, 300] {
            let part = "n".repeat(len);
            let key = Key::text(&part).seq(7).and("end");
            let expected = [part.as_bytes(), &[0], &7_u64.to_be_bytes(), b"end\0"].concat();
            assert_eq!(*key.0, *expected);
            assert_eq!(Key::from(expected.as_slice()), key);
            assert_eq!(*key.end(), *[expected.as_slice(), &[0xFF; 9]].concat());
            assert!(Key::text(&part).seq(6).and("end") < key && key < Key::text(&part).seq(8));
        }
    }
}
