//! Owns the two streams: everything a command prints goes through [`Out`] or [`complain`], and a terminal gets
//! no control characters that came with data, since it would obey them. What is printed is the commands' choice.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use serde::Serialize;

/// Standard output.
#[derive(Debug)]
pub(crate) struct Out {
    stream: BufWriter<Stdout>,
    terminal: bool,
    /// The first byte of a two-byte character whose second has not come yet.
    held: bool,
}

impl Out {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Self { stream: BufWriter::with_capacity(64 * 1024, stdout), terminal, held: false }
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

    fn write_filtered(&mut self, bytes: &[u8]) -> io::Result<()> {
        for &byte in bytes {
            if std::mem::take(&mut self.held) {
                // C1 controls, U+0080 to U+009F, are C2 80 to C2 9F.
                if (0x80..0xa0).contains(&byte) {
                    write!(self.stream, "\\u{byte:04x}")?;
                    continue;
                }
                self.stream.write_all(&[0xc2])?;
            }
            match byte {
                0xc2 => self.held = true,
                b'\n' | b'\r' | b'\t' | b' '..=b'~' | 0x80.. => self.stream.write_all(&[byte])?,
                control => write!(self.stream, "\\u{control:04x}")?,
            }
        }
        Ok(())
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.terminal {
            return self.stream.write(bytes);
        }
        self.write_filtered(bytes).map(|()| bytes.len())
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
