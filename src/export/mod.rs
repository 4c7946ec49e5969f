//! Draws for other programs: CSV, Parquet, and the CSV of CmdStan.
//!
//! May import `error`, `data`, `sampler` and `fit`. What lives here:
//!
//! - [`Draws`]: the numbers of a fit that were chosen, by row and column;
//! - [`csv()`], [`parquet()`]: one table, a row for each draw of each chain, with the columns `.chain`, `.iteration` and
//!   `.draw` of R's posterior and one column for each number, by its printed name;
//! - [`CmdStan`]: one file for each chain, as Stan's command line writes them.
//!
//! Promises: every number is written so that it reads back as the same number; beside the fit, a writer holds no more
//! than a row, or [`ROWS`] values of one column, however many draws there are.

mod cmdstan;
mod csv;
mod draws;
mod parquet;

pub use cmdstan::CmdStan;
pub use csv::csv;
pub use draws::{Draws, INDEX};
pub use parquet::{ROWS, parquet};
pub(crate) use parquet::{field, write_column};
