//! The `tadpool` command.

fn main() {}
