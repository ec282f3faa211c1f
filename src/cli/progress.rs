//! Owns progress bars: on stderr, on a terminal only, gone when the work is done.

use std::fmt::Write;
use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// What a bar counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    Bytes,
    Events,
}

/// A bar that shows nothing where nobody looks. Dropping it takes it away.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(doing: &'static str, unit: Unit, total: u64) -> Self {
        if !stderr().is_terminal() {
            return Self::none();
        }
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
        let template = match unit {
            Unit::Bytes => "{msg} {wide_bar} {bytes}/{total_bytes} {eta}",
            Unit::Events => "{msg} {wide_bar} {human_pos}/{human_len}, {rate}, {eta} left",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
                // A bar that can't be drawn is not worth a failure.
                let _ = write!(out, "{:.0} events/s", state.per_sec());
            }));
        }
        bar.set_message(doing);
        Self(bar)
    }

    /// A bar that is never shown.
    pub(crate) fn none() -> Self {
        Self(ProgressBar::hidden())
    }

    pub(crate) fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    /// Sets how far it is and how far it goes.
    pub(crate) fn set_of(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
