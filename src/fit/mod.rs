//! Fitting a model, and the fit file: all of a fit, in one NetCDF-4 file that tadpool and ArviZ read.
//!
//! May import everything up to `sampler`, and the standard library's files and clocks. What lives here:
//!
//! - [`Options`], [`plan()`]: what a fit is asked for, and what that comes to on this machine;
//! - `rounds`, `keeper`, `digest`, `tables`, `precision`, `footprint`: the run, some draws of every chain at a time; what is kept of them; when they are
//!   enough; what they take of memory;
//! - [`Restored`]: model and data of a fit file, compiled again;
//! - [`Pointwise`]: the log likelihood of each row, stored or computed again; [`Elpd`]: how well it is predicted;
//!   [`data_difference`]: whether two fits are of the same data;
//! - [`fit()`]: from a compiled model to a [`Fit`]; [`Report`]: its table and diagnostics;
//! - [`select()`]: numbers of a fit by name or pattern, as the command line takes them;
//! - [`layout`]: a fit as plain structs, and where each part of it lies in the file (ArviZ's InferenceData layout);
//! - [`netcdf`]: NetCDF-4 files as groups, dimensions and variables;
//! - `encode`, `decode`, `names`: from the one to the other;
//! - `hdf5`: the part of HDF5 underneath, written and read without the C library;
//! - `storage`: a file is replaced as a whole or not at all.
//!
//! Promises: a fit that was written reads back equal, to the last bit of every array; a failure leaves an older file
//! as it was; files of any content yield an error with a remedy, never a panic.

mod assemble;
mod decode;
mod device;
mod digest;
mod doubts;
mod elpd;
mod encode;
mod footprint;
mod hdf5;
mod keeper;
pub mod layout;
mod names;
pub mod netcdf;
mod options;
mod pointwise;
mod precision;
mod report;
mod restored;
mod rounds;
mod same_data;
mod sample;
mod select;
mod storage;
mod tables;

pub use device::{gpu_batch_driver, gpu_driver};
pub use doubts::REFITS;
pub use elpd::{Criterion, Elpd, Own};
pub use footprint::GROWING_BYTES;
pub use layout::Fit;
pub use options::{Backend, Keep, LOG_LIK_BYTES, LogLik, Options, Plan, Sampler, hardware, plan};
pub use pointwise::Pointwise;
pub use report::{Report, Row, element_names};
pub use restored::{Observation, Restored};
pub use same_data::{Known, data_difference};
pub use sample::{available_threads, fit, fit_as_planned};
pub use select::select;
pub use storage::writable;
pub(crate) use storage::{put, sync_folder};
