//! Owns the encoding of fold state and of past rows: the one file that names bincode. Both are caches in
//! `projections.db`; the log never sees it. A value that can't be read back is the caller's to refold.

use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::pack::{pack, unpack};

/// Bytes a single state value may claim while being read: a damaged length must not ask for all memory.
const VALUE_BYTES_MAX: usize = 256 << 20;

/// Room for most values.
const ROOM_MIN: usize = 1_024;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As bincode has it.
    Plain,
    /// With its repeats pointed at: for values that say the same names again and again.
    Packed,
}

/// A value as bytes. `scratch` is room to write in: values are many, and a buffer that grew once serves them all.
pub(crate) fn encode<T: Serialize>(value: &T, form: Form, scratch: &mut Vec<u8>) -> Vec<u8> {
    let bytes = loop {
        match bincode::serde::encode_into_slice(value, scratch, bincode::config::standard()) {
            Ok(len) => break &scratch[..len],
            Err(EncodeError::UnexpectedEnd) => scratch.resize(2 * scratch.len().max(ROOM_MIN), 0),
            Err(error) => unreachable!("fold state has only encodable fields: {error}"),
        }
    };
    match form {
        Form::Plain => bytes.to_vec(),
        Form::Packed => pack(bytes),
    }
}

/// A number that two values share only if they are written alike, but for chance: FNV-1a over what [`encode`] writes.
pub(crate) fn fingerprint<T: Serialize>(value: &T) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    match bincode::serde::encode_into_writer(value, &mut hash, bincode::config::standard()) {
        Ok(()) => hash.0,
        Err(error) => unreachable!("fold state has only encodable fields: {error}"),
    }
}

struct Fnv(u64);

impl Writer for Fnv {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        self.0 = bytes.iter().fold(self.0, step);
        Ok(())
    }
}

/// The value that [`encode`] wrote; `None` where the bytes are another type's or damaged.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8], form: Form) -> Option<T> {
    let unpacked;
    let bytes = match form {
        Form::Plain => bytes,
        Form::Packed => {
            unpacked = unpack(bytes, VALUE_BYTES_MAX)?;
            &unpacked
        }
    };
    let config = bincode::config::standard().with_limit::<VALUE_BYTES_MAX>();
    match bincode::serde::decode_from_slice(bytes, config) {
        Ok((value, read)) if read == bytes.len() => Some(value),
        _ => None,
    }
}
