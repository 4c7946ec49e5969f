//! The real program, from outside: exit codes, what goes to stdout and what to stderr, files written and not written.

mod failures;
mod harness;
mod results;
mod stages;
mod usage;
