//! The real program, from outside: exit codes, what goes to stdout and what to stderr, files written and not written.

mod bench;
mod compare;
mod export;
mod failures;
mod formula;
#[cfg(feature = "gpu")]
mod gpu;
mod harness;
mod plot;
mod predict;
mod report;
mod results;
mod stages;
mod stopping;
mod study;
mod trouble;
mod usage;
