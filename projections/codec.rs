//! Owns the encoding of fold state and of past rows: the one file that names bincode. Both are caches in
//! `projections.db`; the log never sees it. A value that can't be read back is the caller's to refold.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes a single state value may claim while being read: a damaged length must not ask for all memory.
const VALUE_BYTES_MAX: usize = 256 << 20;

/// A value as bytes.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).expect("fold state has only encodable fields")
}

/// The value that [`encode`] wrote; `None` where the bytes are another type's or damaged.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let config = bincode::config::standard().with_limit::<VALUE_BYTES_MAX>();
    match bincode::serde::decode_from_slice(bytes, config) {
        Ok((value, read)) if read == bytes.len() => Some(value),
        _ => None,
    }
}
