//! The tables and their projectors, tested by what one should fear of them: that they are not what a fresh
//! replay of the log gives, and that nobody notices.

mod converge;
mod cuts;
mod damage;
mod determinism;
mod events;
mod kill;
mod load;
mod past;
mod rebuild;
mod share;
mod stop;
mod support;
mod tail;
mod versions;
