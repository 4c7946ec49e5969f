//! Fitting a model, and the fit file: all of a fit, in one NetCDF-4 file that tadpool and ArviZ read.
//!
//! May import everything up to `sampler`, and the standard library's files and clocks. What lives here:
//!
//! - [`Options`], [`plan()`]: what a fit is asked for, and what that comes to on this machine;
//! - [`fit()`]: from a compiled model to a [`Fit`]; [`Report`]: its table and diagnostics;
//! - [`layout`]: a fit as plain structs, and where each part of it lies in the file (ArviZ's InferenceData layout);
//! - [`netcdf`]: NetCDF-4 files as groups, dimensions and variables;
//! - `encode`, `decode`, `names`: from the one to the other;
//! - `hdf5`: the part of HDF5 underneath, written and read without the C library;
//! - `storage`: a file is replaced as a whole or not at all.
//!
//! Promises: a fit that was written reads back equal, to the last bit of every array; a failure leaves an older file
//! as it was; files of any content yield an error with a remedy, never a panic.

mod decode;
mod encode;
mod hdf5;
pub mod layout;
mod names;
pub mod netcdf;
mod options;
mod report;
mod sample;
mod storage;

pub use layout::Fit;
pub use options::{Backend, LOG_LIK_BYTES, LogLik, Options, Plan, Sampler, hardware, plan};
pub use report::{Report, Row};
pub use sample::{available_threads, fit};
pub use storage::writable;
