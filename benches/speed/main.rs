//! Times tradefold beside plain programs that do the same work with nothing around it, in the same run and on the same
//! seeded events (six a trade): `cargo bench --bench speed`.
//!
//! `cargo bench --bench speed -- [EVENTS] [ROUNDS] [append|replay|answers]...` measures so many events (200,000) so often
//! (5), all or some of it; `-- growth [EVENTS]` measures time and memory at so many events (1,000,000) and ten times as
//! many, which takes long. Prints a Markdown table: ratios are those of one round, minimum, median and maximum over all.
#![expect(clippy::print_stdout, reason = "what it measures is its output")]

mod answers;
mod append;
mod growth;
mod machine;
mod plain;
mod replay;
mod report;
mod sample;
#[path = "../seeded/mod.rs"]
mod seeded;

use sample::Sample;

/// What can be asked for by name.
const PARTS: [&str; 3] = ["append", "replay", "answers"];

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<usize>().ok());
    let (first, second) = (numbers.next(), numbers.next());
    let rounds = second.unwrap_or(5);
    machine::describe();
    if arguments.iter().any(|argument| argument == "growth") {
        report::head();
        return growth::measure(first.unwrap_or(1_000_000));
    }
    let asked = |part: &str| {
        let named = |name: &&str| arguments.iter().any(|argument| argument == name);
        !PARTS.iter().any(named) || named(&part)
    };
    let sample = Sample::new(first.unwrap_or(200_000));
    println!("{} events, {rounds} rounds.\n", sample.events);
    report::head();
    if asked("append") {
        append::measure(&sample, rounds);
    }
    if asked("replay") {
        replay::measure(&sample, rounds);
    }
    if asked("answers") {
        answers::measure(&sample, rounds);
    }
}
