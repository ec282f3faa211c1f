//! Owns how a value of fold state that repeats itself is made smaller: a trade names itself, its instrument and its
//! fills in every fact it keeps. What was written before is pointed at, in the manner of LZ4: no table, no entropy
//! coding, little more than a pass over the bytes. Knows nothing of what the bytes mean.

/// A repeat is worth pointing at from this many bytes on.
const REPEAT_MIN: usize = 4;
/// A half of a token that says: more follows.
const NIBBLE_MAX: usize = 15;
const PLACES_BITS: u32 = 9;

/// The bytes with their repeats pointed at. Each token is a byte whose halves say how many bytes stand here and how
/// many are repeated, those bytes, and how far back the repeat begins; the last token repeats nothing.
pub(crate) fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() / 2 + 16);
    // Which four bytes were seen last under each hash, and where below them. At the beginning that claims four NULs at 0,
    // which `common` checks; so the first byte is passed over, lest it repeat itself.
    let mut places = [0_u64; 1 << PLACES_BITS];
    let (mut at, mut plain_from) = (1, 0);
    while let Some(four) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u32::from_le_bytes(*four);
        let place = &mut places[(word.wrapping_mul(0x9E37_79B1) >> (32 - PLACES_BITS)) as usize];
        let seen = std::mem::replace(place, u64::from(word) << 32 | u64::from(at as u32));
        let from = seen as u32 as usize;
        let len = if (seen >> 32) as u32 == word { common(&bytes[from..], &bytes[at..]) } else { 0 };
        if len < REPEAT_MIN {
            at += 1;
            continue;
        }
        put_token(&mut packed, &bytes[plain_from..at], len - REPEAT_MIN);
        put_number(&mut packed, at - from);
        at += len;
        plain_from = at;
    }
    put_token(&mut packed, &bytes[plain_from..], 0);
    packed
}

/// How many bytes both begin with.
fn common(one: &[u8], other: &[u8]) -> usize {
    let words = one.as_chunks::<8>().0.iter().zip(other.as_chunks::<8>().0);
    let mut len = 0;
    for (one, other) in words {
        let different = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
        if different != 0 {
            return len + different.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    len + one[len..].iter().zip(&other[len..]).take_while(|(one, other)| one == other).count()
}

fn put_token(packed: &mut Vec<u8>, plain: &[u8], repeated: usize) {
    let nibble = |number: usize| u8::try_from(number.min(NIBBLE_MAX)).unwrap_or_default();
    packed.push((nibble(plain.len()) << 4) | nibble(repeated));
    for number in [plain.len(), repeated] {
        if number >= NIBBLE_MAX {
            put_number(packed, number - NIBBLE_MAX);
        }
    }
    packed.extend_from_slice(plain);
}

/// Seven bits a byte, the lowest first.
fn put_number(packed: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        packed.push(u8::try_from(number & 0x7F).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    packed.push(u8::try_from(number).unwrap_or_default());
}

/// The bytes that [`pack`] was given, at most `limit`; `None` where it never made these.
pub(crate) fn unpack(packed: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(packed.len() * 2);
    let mut rest = packed;
    loop {
        let (token, after) = rest.split_first()?;
        rest = after;
        let mut number = |nibble: u8| match usize::from(nibble) {
            NIBBLE_MAX => take_number(&mut rest)?.checked_add(NIBBLE_MAX),
            number => Some(number),
        };
        let (plain, repeated) = (number(token >> 4)?, number(token & 15)?);
        bytes.extend_from_slice(rest.get(..plain)?);
        rest = &rest[plain..];
        if rest.is_empty() {
            return (bytes.len() <= limit).then_some(bytes);
        }
        let from = bytes.len().checked_sub(take_number(&mut rest)?)?;
        let end = from.checked_add(repeated)?.checked_add(REPEAT_MIN)?;
        if bytes.len() + (end - from) > limit {
            return None;
        }
        if end <= bytes.len() {
            bytes.extend_from_within(from..end);
            continue;
        }
        // One by one: the repeat runs into what it makes.
        for place in from..end {
            bytes.push(*bytes.get(place)?);
        }
    }
}

fn take_number(rest: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= usize::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_packed_comes_back() {
        let mut seed = 7_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
            (seed >> 33) % below
        };
        for round in 0..3_000 {
            let letters = 1 + random(if round % 2 == 0 { 3 } else { 256 });
            let mut bytes: Vec<u8> = (0..random(700)).map(|_| u8::try_from(random(letters)).unwrap()).collect();
            bytes.extend_from_within(..bytes.len() / 2);
            assert_eq!(unpack(&pack(&bytes), usize::MAX).as_ref(), Some(&bytes));
        }
    }

    #[test]
    fn repeats_take_little_room() {
        let text = "T00000012 MESH6 limit T00000012 MESH6 limit T00000012 MESH6 limit".repeat(20);
        assert!(pack(text.as_bytes()).len() < 40);
    }

    #[test]
    fn damage_is_refused_and_asks_for_no_memory() {
        let packed = pack("T00000012 MESH6 T00000012 MESH6 T00000012".as_bytes());
        for end in 0..packed.len() {
            assert_ne!(unpack(&packed[..end], 1_000), unpack(&packed, 1_000));
        }
        for place in 0..packed.len() {
            for damage in 0..=255 {
                let mut damaged = packed.clone();
                damaged[place] = damage;
                assert!(unpack(&damaged, 1_000).is_none_or(|bytes| bytes.len() <= 1_000));
            }
        }
        assert_eq!(unpack(&[0x1F, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], 1_000), None);
    }
}
