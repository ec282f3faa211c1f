//! Owns reading JSON Lines: numbered lines without their line feeds, each turned into what the caller makes of it,
//! on a thread of their own, beside whatever is done with them, and so that a caller can notice when the input
//! pauses. Tolerates a byte-order mark, CRLF and blank lines; a line that is too long is refused before it fills the
//! memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Stdin};
use std::path::Path;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use projections::validate::LINE_BYTES_MAX;

use super::failure::Failure;

/// The most lines of a parcel: enough that handing it over costs next to nothing.
const PARCEL_LINES: usize = 256;

/// Lines read ahead of whoever takes them: as many as fit into some megabytes of usual events.
const AHEAD: usize = 8_192;

/// A line of the input.
#[derive(Debug)]
pub(crate) struct Line<T> {
    /// From 1, blank ones counted.
    pub(crate) number: u64,
    /// What it was turned into.
    pub(crate) content: T,
    /// Where the input stands after it, in bytes.
    pub(crate) offset: u64,
}

/// What is wrong with the input itself.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) number: u64,
    pub(crate) problem: String,
}

/// Lines that came together.
pub(crate) type Parcel<T> = Vec<Result<Line<T>, Unreadable>>;

/// An input that is read ahead.
#[derive(Debug)]
pub(crate) struct Lines<T> {
    /// What the input is called in messages.
    pub(crate) name: String,
    /// Its size in bytes, where it has one.
    pub(crate) size: Option<u64>,
    /// The lines that aren't blank. It ends with the input, or after an error.
    pub(crate) queue: Receiver<Parcel<T>>,
}

impl<T: Send + 'static> Lines<T> {
    /// Begins to read a file, or standard input for `-`, and to turn its lines into something; so many of them at
    /// least may be read ahead.
    pub(crate) fn open(path: &Path, ahead: usize, turn: fn(&str) -> T) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Self::start("<stdin>".to_owned(), None, io::stdin(), ahead, turn);
        }
        let name = path.display().to_string();
        let cannot = |error: io::Error| Failure::usage(format!("cannot read {name}: {error}"));
        let file = File::open(path).map_err(cannot)?;
        let meta = file.metadata().map_err(cannot)?;
        if meta.is_dir() {
            return Err(Failure::usage(format!("cannot read {name}: it is a folder; expected a file of JSON Lines")));
        }
        let size = meta.is_file().then_some(meta.len());
        Self::start(name, size, file, ahead, turn)
    }

    fn start(
        name: String,
        size: Option<u64>,
        input: impl Input,
        ahead: usize,
        turn: fn(&str) -> T,
    ) -> Result<Self, Failure> {
        let (parcels, queue) = bounded(ahead.max(AHEAD) / PARCEL_LINES);
        // Never joined: a thread that waits for a terminal ends with the process.
        thread::Builder::new()
            .name("input".to_owned())
            .spawn(move || read(input, turn, &parcels))
            .map_err(|error| Failure::journal(format!("cannot start a thread: {error}")))?;
        Ok(Self { name, size, queue })
    }
}

trait Input: Read + Send + 'static {}
impl Input for Stdin {}
impl Input for File {}

fn read<T>(input: impl Read, turn: fn(&str) -> T, parcels: &Sender<Parcel<T>>) {
    let mut input = BufReader::with_capacity(256 * 1024, input);
    let (mut number, mut offset) = (0, 0);
    let (mut bytes, mut parcel) = (Vec::new(), Vec::new());
    loop {
        number += 1;
        bytes.clear();
        let read = next(&mut input, &mut bytes);
        offset += bytes.len() as u64;
        let line = match read {
            Ok(false) => {
                // Nobody takes them any more after an error of theirs, here and below.
                let _ = parcels.send(parcel);
                return;
            }
            Ok(true) => clean(&bytes, number),
            Err(problem) => Err(problem),
        };
        let is_last = line.is_err();
        match line {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => parcel.push(Ok(Line { number, content: turn(text), offset })),
            Err(problem) => parcel.push(Err(Unreadable { number, problem })),
        }
        // Before the next line has to be waited for, too.
        if (is_last || parcel.len() == PARCEL_LINES || !input.buffer().contains(&b'\n'))
            && (parcels.send(std::mem::take(&mut parcel)).is_err() || is_last)
        {
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

fn clean(bytes: &[u8], number: u64) -> Result<&str, String> {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
    std::str::from_utf8(line).map_err(|error| {
        let at = error.valid_up_to() + 1;
        format!("expected UTF-8; byte {at} of the line is something else")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(input: &[u8]) -> Vec<Result<(u64, String), (u64, String)>> {
        let (parcels, queue) = bounded(100);
        read(input, str::to_owned, &parcels);
        drop(parcels);
        queue
            .iter()
            .flatten()
            .map(|line| line.map(|l| (l.number, l.content)).map_err(|u| (u.number, u.problem)))
            .collect()
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
