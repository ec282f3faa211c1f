//! Owns the quick reading of what the log holds: an object as this program's own writer left it, straight into the
//! struct of its type. Fields come in the order of the struct, without white space and mostly without escapes. Whatever
//! else a text may be, it is left to serde_json to read or refuse, so that nothing is decided here.

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, U64Deserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

/// Reads a payload of the log.
///
/// # Errors
/// Those of serde_json.
pub(crate) fn from_stored<T: DeserializeOwned>(data: &str) -> Result<T, serde_json::Error> {
    quickly(data).map_or_else(|NotCanonical| serde_json::from_str(data), Ok)
}

fn quickly<T: DeserializeOwned>(data: &str) -> Result<T, NotCanonical> {
    let mut reader = Reader { rest: data };
    let value = T::deserialize(&mut reader)?;
    if reader.rest.is_empty() { Ok(value) } else { Err(NotCanonical) }
}

/// The text is something else, or wrong: serde_json will tell.
#[derive(Debug)]
struct NotCanonical;

impl fmt::Display for NotCanonical {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("not in canonical form")
    }
}

impl std::error::Error for NotCanonical {}

impl Error for NotCanonical {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Reader<'de> {
    rest: &'de str,
}

impl<'de> Reader<'de> {
    fn take(&mut self, byte: u8) -> bool {
        let found = self.rest.as_bytes().first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotCanonical> {
        if self.take(byte) { Ok(()) } else { Err(NotCanonical) }
    }

    /// A string that stands for itself.
    fn string(&mut self) -> Result<&'de str, NotCanonical> {
        self.expect(b'"')?;
        let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        let end = self.rest.as_bytes().iter().position(special).ok_or(NotCanonical)?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.expect(b'"')?;
        Ok(text)
    }

    /// A small whole number.
    fn whole(&mut self) -> Result<u64, NotCanonical> {
        const DIGITS_MAX: usize = 9;
        let len = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(len);
        // A fraction or an exponent may follow, but then no struct takes what comes next.
        if len == 0 || len > DIGITS_MAX || (len > 1 && digits.starts_with('0')) {
            return Err(NotCanonical);
        }
        self.rest = rest;
        Ok(digits.bytes().fold(0, |number, digit| 10 * number + u64::from(digit - b'0')))
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = NotCanonical;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NotCanonical> {
        Err(NotCanonical)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotCanonical> {
        self.expect(b'{')?;
        visitor.visit_map(Fields { reader: self, fields, next: 0 })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotCanonical> {
        self.expect(b'[')?;
        visitor.visit_seq(Items { reader: self, first: true })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotCanonical> {
        // What is absent is left out, so `null` is none of these.
        visitor.visit_some(self)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotCanonical> {
        visitor.visit_borrowed_str(self.string()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotCanonical> {
        self.deserialize_str(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotCanonical> {
        visitor.visit_u64(self.whole()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotCanonical> {
        visitor.visit_u64(self.whole()?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotCanonical> {
        visitor.visit_enum(Word(self.string()?))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u16 u64 u128 f32 f64 char bytes byte_buf unit unit_struct newtype_struct tuple
        tuple_struct map identifier ignored_any
    }
}

/// The fields of a struct, each named by its number: fields that are looked for in their order are found at once.
struct Fields<'r, 'de> {
    reader: &'r mut Reader<'de>,
    fields: &'static [&'static str],
    /// The first field that may come next.
    next: usize,
}

impl<'de> MapAccess<'de> for Fields<'_, 'de> {
    type Error = NotCanonical;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, NotCanonical> {
        if self.reader.take(b'}') {
            return Ok(None);
        }
        if self.next > 0 {
            self.reader.expect(b',')?;
        }
        let key = self.reader.string()?;
        self.reader.expect(b':')?;
        let ahead = self.fields[self.next..].iter().position(|field| *field == key).ok_or(NotCanonical)?;
        let number = self.next + ahead;
        self.next = number + 1;
        let number: U64Deserializer<NotCanonical> = (number as u64).into_deserializer();
        seed.deserialize(number).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, NotCanonical> {
        seed.deserialize(&mut *self.reader)
    }
}

/// The items of a list.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    first: bool,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = NotCanonical;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, NotCanonical> {
        if self.reader.take(b']') {
            return Ok(None);
        }
        if !std::mem::replace(&mut self.first, false) {
            self.reader.expect(b',')?;
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

/// One of an enum's words.
struct Word<'de>(&'de str);

impl<'de> EnumAccess<'de> for Word<'de> {
    type Error = NotCanonical;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), NotCanonical> {
        Ok((seed.deserialize(BorrowedStrDeserializer::new(self.0))?, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'de> {
    type Error = NotCanonical;

    fn unit_variant(self) -> Result<(), NotCanonical> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, NotCanonical> {
        Err(NotCanonical)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, NotCanonical> {
        Err(NotCanonical)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, NotCanonical> {
        Err(NotCanonical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{AccountOpened, BarClosed, FillRecorded, MentalStateRated, TradeOpened};

    const FILL: &str =
        r#"{"fill_id":"F1-1","symbol":"MESH6","side":"buy","quantity":"2","price":"-0.25","trade_id":"T1"}"#;
    const TRADE: &str = concat!(
        r#"{"trade_id":"T1","symbol":"ES","side":"short","strategy":"","tags":["a","b"],"mental_state":4,"#,
        r#""conditions":{"atr":"4.25","conflicting_timeframes":[]}}"#
    );
    const ACCOUNT: &str =
        r#"{"account_id":"a","currency":"USD","starting_equity":"50000","metrics_windows":[0,20,100]}"#;
    const BAR: &str = concat!(
        r#"{"symbol":"ES","timeframe":"1m","timestamp":"2026-01-05T14:30:00Z","open":"1","high":"2","low":"0.5","#,
        r#""close":"1.5","volume":"0"}"#
    );
    const RATING: &str = r#"{"score":4,"note":"so \"so\""}"#;

    /// Whatever is read quickly is read the same by serde_json.
    fn holds<T: DeserializeOwned + PartialEq + fmt::Debug>(data: &str) {
        if let Ok(value) = quickly::<T>(data) {
            assert_eq!(serde_json::from_str::<T>(data).expect(data), value, "{data}");
        }
    }

    fn holds_however_damaged<T: DeserializeOwned + PartialEq + fmt::Debug>(data: &str) {
        for place in 0..data.len() {
            let (before, after) = (&data[..place], &data[place..]);
            holds::<T>(before);
            for new in ["\"", "\\", "{", "}", "[", "]", ",", ":", " ", "0", "-", ".", "e", "null", "\n", "\0", "é"] {
                holds::<T>(&format!("{before}{new}{after}"));
                holds::<T>(&format!("{before}{new}{}", &after[1..]));
            }
        }
    }

    #[test]
    fn what_the_log_mostly_holds_is_read_quickly() {
        assert!(quickly::<FillRecorded>(FILL).is_ok());
        assert!(quickly::<TradeOpened>(TRADE).is_ok());
        assert!(quickly::<AccountOpened>(ACCOUNT).is_ok());
        assert!(quickly::<BarClosed>(BAR).is_ok());
    }

    #[test]
    fn nothing_is_read_otherwise_than_by_serde_json() {
        holds_however_damaged::<FillRecorded>(FILL);
        holds_however_damaged::<TradeOpened>(TRADE);
        holds_however_damaged::<AccountOpened>(ACCOUNT);
        holds_however_damaged::<BarClosed>(BAR);
        holds_however_damaged::<MentalStateRated>(RATING);
    }

    #[test]
    fn all_else_is_left_to_serde_json() {
        assert!(quickly::<MentalStateRated>(RATING).is_err());
        let rated: MentalStateRated = from_stored(RATING).unwrap();
        assert_eq!(rated.note.as_deref(), Some("so \"so\""));
        let spaced = FILL.replace(':', ": ");
        assert_eq!(from_stored::<FillRecorded>(&spaced).unwrap(), from_stored(FILL).unwrap());
        let attributed = FILL.replace('}', r#","attributes":{"b":1.50,"a":[null]}}"#);
        let fill: FillRecorded = from_stored(&attributed).unwrap();
        assert_eq!(fill.attributes.unwrap().0, r#"{"b":1.50,"a":[null]}"#);
        let error = from_stored::<FillRecorded>(&FILL.replace("price", "prize")).unwrap_err();
        assert!(error.to_string().starts_with("unknown field `prize`"), "{error}");
    }
}
