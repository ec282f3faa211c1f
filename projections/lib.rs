//! The event vocabulary and the pure folds of tradefold: events in, tables out.
//!
//! Nothing in this crate reads a clock, draws a random number, looks at the environment or iterates over
//! an unordered map, so the live path and every replay give the same bytes.
#![deny(clippy::float_arithmetic)]

pub mod decimal;
pub mod draft;
pub mod event;
pub mod json;
pub mod moment;
pub mod schema;
pub mod upcast;
pub mod validate;
