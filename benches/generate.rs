//! Writes a seeded stream of events as JSON Lines: `cargo bench --bench generate -- EVENTS [SEED] > events.jsonl`.

mod seeded;

use std::io::{self, BufWriter};

fn main() -> io::Result<()> {
    // Cargo adds `--bench`.
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let wanted = numbers.next().unwrap_or(1_000_000);
    let seed = numbers.next().unwrap_or(1);
    seeded::write(wanted, seed, BufWriter::with_capacity(1 << 20, io::stdout().lock()))
}
