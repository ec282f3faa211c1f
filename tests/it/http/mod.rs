//! The service, spoken to over real sockets.

mod access;
mod append;
mod rows;
mod support;
