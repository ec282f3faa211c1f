//! Owns how an error is said in one sentence, whoever it is said to.

use std::error::Error;
use std::fmt::Write as _;

/// An error with its causes, each said once.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            let _infallible = write!(text, ": {said}");
        }
        next = cause.source();
    }
    text
}
