//! Owns waiting on behalf of Python: without holding the interpreter, and in slices, between which an interrupt
//! (Ctrl-C) gets through. What is waited for is the caller's.

use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::raise::Raise;

/// Until an interrupt is looked for.
const SLICE: Duration = Duration::from_millis(50);

/// How long is forever.
const FOREVER: Duration = Duration::from_secs(1 << 32);

/// Seconds as Python gives them; `None` is forever.
pub(crate) fn seconds(given: Option<f64>) -> PyResult<Duration> {
    let Some(given) = given else { return Ok(FOREVER) };
    let wrong = || Raise::question(format!("timeout: expected seconds of 0 or above, or None, got {given}"));
    Ok(Duration::try_from_secs_f64(given).map_err(|_| wrong())?.min(FOREVER))
}

/// Tries again and again, each time for at most the time it is handed, until there is an answer (`Some`) or the time
/// is over.
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    timeout: Duration,
    attempt: impl Fn(Duration) -> Result<Option<T>, Raise> + Sync,
) -> PyResult<Option<T>> {
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if let Some(answer) = py.detach(|| attempt(left.min(SLICE)))? {
            return Ok(Some(answer));
        }
        if left.is_zero() {
            return Ok(None);
        }
        py.check_signals()?;
    }
}
