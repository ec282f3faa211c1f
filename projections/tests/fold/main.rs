//! The folds from outside: events in, rows out. Scenarios worked out by hand, whole recorded streams with the
//! tables they must produce, and the property everything rests on: cuts and restarts change nothing.

mod cuts;
mod fixtures;
mod limits;
mod runner;
mod scenarios;
