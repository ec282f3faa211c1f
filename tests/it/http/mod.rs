//! The service, spoken to over real sockets.

mod access;
mod answers;
mod append;
mod command;
mod described;
mod rows;
mod rude;
mod stream;
mod support;
