//! The service, spoken to over real sockets.

mod access;
mod answers;
mod append;
mod rows;
mod stream;
mod support;
