//! Owns the reading of JSON: one pass of recursive descent over the text, after RFC 8259 to the letter.

use std::borrow::Cow;

use super::{DEPTH_MAX, Json, JsonError, JsonProblem, plain_len};

/// Reads a text that is one JSON value, with white space around it or not.
///
/// # Errors
/// [`JsonError`] says what is wrong and where.
pub fn parse(text: &str) -> Result<Json<'_>, JsonError> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let value = reader.document();
    value.map_err(|fault| {
        let mut error = *fault;
        error.path.reverse();
        error
    })
}

struct Reader<'a> {
    text: &'a str,
    /// The byte to read next.
    at: usize,
    /// How many objects and lists are open.
    depth: usize,
}

/// A fault collects its path from the inside out, on the way up. Boxed, since it is rare and large.
type Read<T> = Result<T, Box<JsonError>>;

impl<'a> Reader<'a> {
    fn document(&mut self) -> Read<Json<'a>> {
        self.skip_space();
        let value = self.value()?;
        self.skip_space();
        if self.at < self.text.len() { Err(self.syntax("the end of the line")) } else { Ok(value) }
    }

    fn value(&mut self) -> Read<Json<'a>> {
        match self.peek() {
            Some(b'"') => self.string().map(Json::String),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'0'..=b'9') => self.number(),
            Some(b'-') if !self.rest().starts_with("-I") => self.number(),
            _ => self.word(),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Read<Json<'a>>) -> Read<Json<'a>> {
        if self.depth == DEPTH_MAX {
            return Err(fault(JsonProblem::TooDeep));
        }
        self.depth += 1;
        self.at += 1;
        self.skip_space();
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Read<Json<'a>> {
        let mut entries = Vec::new();
        if self.take(b'}') {
            return Ok(Json::Object(entries));
        }
        // Most objects are no larger: growing them would cost more than reading their keys.
        entries.reserve(16);
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax("a key in double quotes"));
            }
            let key = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.syntax("`:`"));
            }
            self.skip_space();
            let value = self.value().map_err(|fault| within(fault, &key))?;
            entries.push((key, value));
            self.skip_space();
            if self.take(b'}') {
                break;
            }
            if !self.take(b',') {
                return Err(self.syntax("`,` or `}`"));
            }
            self.skip_space();
        }
        match duplicate(&entries) {
            Some(key) => Err(fault(JsonProblem::DuplicateKey(key.to_owned()))),
            None => Ok(Json::Object(entries)),
        }
    }

    fn array(&mut self) -> Read<Json<'a>> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            let item = self.value().map_err(|fault| within(fault, &items.len().to_string()))?;
            items.push(item);
            self.skip_space();
            if self.take(b']') {
                return Ok(Json::Array(items));
            }
            if !self.take(b',') {
                return Err(self.syntax("`,` or `]`"));
            }
            self.skip_space();
        }
    }

    #[cold]
    fn word(&mut self) -> Read<Json<'a>> {
        for (word, value) in [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        for token in ["NaN", "Infinity", "-Infinity"] {
            if self.rest().starts_with(token) {
                return Err(fault(JsonProblem::NotANumber { column: self.column(), token }));
            }
        }
        Err(self.syntax("a value"))
    }

    fn number(&mut self) -> Read<Json<'a>> {
        let from = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(Json::Number(Cow::Borrowed(&self.text[from..self.at])))
    }

    fn digits(&mut self) -> Read<()> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == from { Err(self.syntax("a digit")) } else { Ok(()) }
    }

    fn string(&mut self) -> Read<Cow<'a, str>> {
        self.at += 1;
        let first = self.plain_run();
        if self.take(b'"') { Ok(Cow::Borrowed(first)) } else { self.rest_of_string(first) }
    }

    /// The string that begins with this run, and that cannot be taken as it stands. Apart from the others, which it
    /// would slow down.
    #[cold]
    fn rest_of_string(&mut self, first: &str) -> Read<Cow<'a, str>> {
        let mut resolved = first.to_owned();
        while !self.take(b'"') {
            match self.peek() {
                Some(b'\\') => resolved.push(self.escape()?),
                Some(0) => return Err(self.nul()),
                Some(_) => return Err(self.syntax("a control character to be escaped")),
                None => return Err(self.syntax("a closing quote")),
            }
            resolved.push_str(self.plain_run());
        }
        Ok(Cow::Owned(resolved))
    }

    /// What can be taken as it stands: up to a quote, a backslash, a control character or the end.
    fn plain_run(&mut self) -> &'a str {
        let from = self.at;
        self.at += plain_len(&self.text.as_bytes()[from..]);
        &self.text[from..self.at]
    }

    fn escape(&mut self) -> Read<char> {
        self.at += 1;
        let resolved = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.syntax("one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u")),
        };
        self.at += 1;
        Ok(resolved)
    }

    fn unicode_escape(&mut self) -> Read<char> {
        let backslash = self.at - 1;
        let unit = self.hex_unit()?;
        let mut code = unit;
        if (0xD800..=0xDBFF).contains(&unit) && self.rest().starts_with("\\u") {
            self.at += 1;
            let low = self.hex_unit()?;
            if (0xDC00..=0xDFFF).contains(&low) {
                code = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            }
        }
        match char::from_u32(code) {
            Some('\0') => {
                self.at = backslash;
                Err(self.nul())
            }
            Some(resolved) => Ok(resolved),
            None => {
                self.at = backslash;
                Err(self.syntax("both halves of a surrogate pair"))
            }
        }
    }

    /// The four hexadecimal digits after `u`, at which the reader stands.
    fn hex_unit(&mut self) -> Read<u32> {
        self.at += 1;
        let digits = self.text.as_bytes().get(self.at..self.at + 4).unwrap_or_default();
        let mut unit = 0;
        for digit in digits {
            let value = char::from(*digit).to_digit(16).ok_or_else(|| self.syntax("four hexadecimal digits"))?;
            unit = unit * 16 + value;
        }
        if digits.is_empty() {
            return Err(self.syntax("four hexadecimal digits"));
        }
        self.at += 4;
        Ok(unit)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn column(&self) -> usize {
        // Counted by hand, since a fault inside an escape may stand within a character.
        let before = &self.text.as_bytes()[..self.at.min(self.text.len())];
        before.iter().filter(|byte| **byte & 0xC0 != 0x80).count() + 1
    }

    fn syntax(&self, expected: &'static str) -> Box<JsonError> {
        fault(JsonProblem::Syntax { column: self.column(), expected })
    }

    fn nul(&self) -> Box<JsonError> {
        fault(JsonProblem::Nul { column: self.column() })
    }
}

fn fault(problem: JsonProblem) -> Box<JsonError> {
    Box::new(JsonError { path: Vec::new(), problem })
}

fn within(mut fault: Box<JsonError>, key: &str) -> Box<JsonError> {
    fault.path.push(key.to_owned());
    fault
}

/// A key that an object gives twice.
fn duplicate<'e>(entries: &'e [(Cow<'_, str>, Json<'_>)]) -> Option<&'e str> {
    // Above this, comparing would let one line cost seconds.
    const COMPARED_MAX: usize = 24;
    if entries.len() <= COMPARED_MAX {
        return duplicate_of_few(entries);
    }
    let mut keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_ref()).collect();
    keys.sort_unstable();
    keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

/// Marks each key by its length and its ends, and compares only those that share a mark.
fn duplicate_of_few<'e>(entries: &'e [(Cow<'_, str>, Json<'_>)]) -> Option<&'e str> {
    let mut marks = 0_u64;
    for (index, (key, _)) in entries.iter().enumerate() {
        let end = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or_default());
        let bytes = key.as_bytes();
        let mark = 1 << ((bytes.len() + 5 * end(bytes.first()) + 11 * end(bytes.last())) % 64);
        if marks & mark != 0 && entries[..index].iter().any(|(other, _)| other == key) {
            return Some(key);
        }
        marks |= mark;
    }
    None
}
