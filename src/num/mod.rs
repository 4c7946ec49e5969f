//! Numbers: the scalar interface that every formula is written against, special functions, sums, small dense algebra.
//!
//! Imports nothing but `error`. Promises: pure functions of their arguments, no allocation in the lane kernels.

pub mod lanes;
pub mod real;
mod scalar;

pub use real::Real;
