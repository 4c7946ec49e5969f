//! Measuring: the same models on every back end of this machine, by number of chains, in one run.
//!
//! May import everything up to `fit`, and reads clocks, which are its business. What lives here:
//!
//! - [`Subject`]: a model to measure, those built in among them;
//! - [`Driver`]: what moves the chains: the CPU one number at a time, the CPU's lanes, a GPU's drivers;
//! - [`run()`]: every driver on every subject for every number of chains, within a time budget: [`Row`]s;
//! - [`Machine`]: what it ran on; [`picture`]: the rows as SVG and PNG.
//!
//! Promises: every row names its adapter and whether that is software; a number that was not measured is absent, never
//! guessed; numbers that rest on another row's say so ([`Row::ess_measured_at_chains`]).

mod clock;
mod driver;
mod machine;
pub mod picture;
mod row;
mod run;
mod subject;

pub use driver::{Driver, drivers};
pub use machine::Machine;
pub use row::{Row, to_csv, to_json};
pub use run::{CHAINS, Measured, Options, Step, run};
pub use subject::Subject;
