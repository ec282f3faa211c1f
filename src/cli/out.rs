//! Owns the two streams: everything a command prints goes through [`Out`] or [`complain`], and a terminal gets
//! no control characters that came with data, since it would obey them. What is printed is the commands' choice.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use serde::Serialize;

/// Standard output.
#[derive(Debug)]
pub(crate) struct Out {
    stream: BufWriter<Stdout>,
    /// On a terminal.
    filter: Option<Filter>,
}

impl Out {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let filter = stdout.is_terminal().then(Filter::default);
        Self { stream: BufWriter::with_capacity(64 * 1024, stdout), filter }
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        self.write_all(text.as_ref().as_bytes())?;
        self.write_all(b"\n")
    }

    /// Writes a value as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(value).map_err(io::Error::other)?;
        self.line(text)
    }
}

/// Takes the control characters out of what a terminal is shown, and writes their JSON escapes instead.
#[derive(Debug, Default)]
struct Filter {
    /// Whether the first byte of a two-byte character has come and its second has not.
    held: bool,
}

impl Filter {
    fn pass(&mut self, bytes: &[u8], to: &mut impl Write) -> io::Result<()> {
        for &byte in bytes {
            if std::mem::take(&mut self.held) {
                // C1 controls, U+0080 to U+009F, are C2 80 to C2 9F.
                if (0x80..0xa0).contains(&byte) {
                    write!(to, "\\u{byte:04x}")?;
                    continue;
                }
                to.write_all(&[0xc2])?;
            }
            match byte {
                0xc2 => self.held = true,
                b'\n' | b'\r' | b'\t' | b' '..=b'~' | 0x80.. => to.write_all(&[byte])?,
                control => write!(to, "\\u{control:04x}")?,
            }
        }
        Ok(())
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.filter {
            None => self.stream.write(bytes),
            Some(filter) => filter.pass(bytes, &mut self.stream).map(|()| bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Writes a line to stderr. Nobody is left to hear of it when that fails.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", visible(text, true));
}

/// The text with its control characters written out; line feeds only where `lines` allows them.
pub(crate) fn visible(text: &str, lines: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' if lines => shown.push(char),
            '\n' => shown.push('⏎'),
            '\t' => shown.push(' '),
            char if char.is_control() => shown.extend(char.escape_default()),
            char => shown.push(char),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_commands_from_data() {
        let text = "é ─ \u{1b}]0;title\u{7} \u{9b}31m\tline\n\u{7f}Â";
        let mut shown = Vec::new();
        let mut filter = Filter::default();
        // Byte by byte, as a buffer may cut anywhere.
        text.as_bytes().iter().try_for_each(|byte| filter.pass(&[*byte], &mut shown)).unwrap();
        assert_eq!(String::from_utf8(shown).unwrap(), "é ─ \\u001b]0;title\\u0007 \\u009b31m\tline\n\\u007fÂ");
        assert_eq!(visible("a\u{1b}[2J\nb", false), "a\\u{1b}[2J⏎b");
    }
}
