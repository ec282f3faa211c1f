//! Owns reading JSON Lines: numbered lines without their line feeds, from a thread of their own, so that a
//! caller can notice when the input pauses. Tolerates a byte-order mark, CRLF and blank lines; a line that is
//! too long is refused before it fills the memory. What a line says is not looked at.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Stdin};
use std::path::Path;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use projections::validate::LINE_BYTES_MAX;

use super::failure::Failure;

/// Lines read ahead of whoever takes them: as many as fit into some megabytes of usual events.
const AHEAD: usize = 8_192;

/// A line of the input.
#[derive(Debug)]
pub(crate) struct Line {
    /// From 1, blank ones counted.
    pub(crate) number: u64,
    pub(crate) text: String,
    /// Where the input stands after it, in bytes.
    pub(crate) offset: u64,
}

/// What is wrong with the input itself.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) number: u64,
    pub(crate) problem: String,
}

/// An input that is read ahead.
#[derive(Debug)]
pub(crate) struct Lines {
    /// What the input is called in messages.
    pub(crate) name: String,
    /// Its size in bytes, where it has one.
    pub(crate) size: Option<u64>,
    /// The lines that aren't blank. It ends with the input, or after an error.
    pub(crate) queue: Receiver<Result<Line, Unreadable>>,
}

impl Lines {
    /// Begins to read a file, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Self::start("<stdin>".to_owned(), None, io::stdin());
        }
        let name = path.display().to_string();
        let cannot = |error: io::Error| Failure::usage(format!("cannot read {name}: {error}"));
        let file = File::open(path).map_err(cannot)?;
        let meta = file.metadata().map_err(cannot)?;
        if meta.is_dir() {
            return Err(Failure::usage(format!("cannot read {name}: it is a folder; expected a file of JSON Lines")));
        }
        let size = meta.is_file().then_some(meta.len());
        Self::start(name, size, file)
    }

    fn start(name: String, size: Option<u64>, input: impl Input) -> Result<Self, Failure> {
        let (lines, queue) = bounded(AHEAD);
        // Never joined: a thread that waits for a terminal ends with the process.
        thread::Builder::new()
            .name("input".to_owned())
            .spawn(move || read(input, &lines))
            .map_err(|error| Failure::journal(format!("cannot start a thread: {error}")))?;
        Ok(Self { name, size, queue })
    }
}

trait Input: Read + Send + 'static {}
impl Input for Stdin {}
impl Input for File {}

fn read(input: impl Read, lines: &Sender<Result<Line, Unreadable>>) {
    let mut input = BufReader::with_capacity(256 * 1024, input);
    let (mut number, mut offset) = (0, 0);
    loop {
        number += 1;
        let mut bytes = Vec::new();
        let line = match next(&mut input, &mut bytes) {
            Ok(false) => return,
            Ok(true) => {
                offset += bytes.len() as u64;
                clean(bytes, number)
            }
            Err(problem) => Err(problem),
        };
        let line = match line {
            Ok(text) if text.trim().is_empty() => continue,
            Ok(text) => Ok(Line { number, text, offset }),
            Err(problem) => Err(Unreadable { number, problem }),
        };
        let is_last = line.is_err();
        // Nobody takes them any more after an error of theirs.
        if lines.send(line).is_err() || is_last {
            return;
        }
    }
}

/// The next line with its line feed; `false` at the end of the input.
fn next(input: &mut impl BufRead, bytes: &mut Vec<u8>) -> Result<bool, String> {
    // A byte-order mark, a carriage return and a line feed are not the line's own.
    let most = LINE_BYTES_MAX + 5;
    let read = input.by_ref().take(most as u64 + 1).read_until(b'\n', bytes);
    match read.map_err(|error| format!("cannot be read: {error}"))? {
        0 => Ok(false),
        length if length > most => Err(format!("a line has at most {LINE_BYTES_MAX} bytes; this one has more")),
        _ => Ok(true),
    }
}

fn clean(mut bytes: Vec<u8>, number: u64) -> Result<String, String> {
    for ending in [b'\n', b'\r'] {
        if bytes.last() == Some(&ending) {
            bytes.pop();
        }
    }
    if number == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to() + 1;
        format!("expected UTF-8; byte {at} of the line is something else")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(input: &[u8]) -> Vec<Result<(u64, String), (u64, String)>> {
        let (lines, queue) = bounded(100);
        read(input, &lines);
        drop(lines);
        queue.iter().map(|line| line.map(|l| (l.number, l.text)).map_err(|u| (u.number, u.problem))).collect()
    }

    #[test]
    fn tolerates_what_editors_leave_behind() {
        let text = b"\xef\xbb\xbf{\"a\":1}\r\n\n  \r\n{\"b\":2}";
        let expected = [Ok((1, "{\"a\":1}".to_owned())), Ok((4, "{\"b\":2}".to_owned()))];
        assert_eq!(lines_of(text), expected);
        assert_eq!(lines_of(b""), []);
    }

    #[test]
    fn refuses_what_is_no_text_and_what_is_too_long() {
        assert_eq!(lines_of(b"{}\n{\xff}\n{}\n")[1].clone().unwrap_err().0, 2);
        let long = vec![b'x'; LINE_BYTES_MAX + 10];
        assert!(lines_of(&long)[0].clone().unwrap_err().1.contains("1048576"));
        let longest = vec![b'x'; LINE_BYTES_MAX];
        assert_eq!(lines_of(&longest).len(), 1);
    }
}
