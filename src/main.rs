//! The `tradefold` command.
fn main() {}
