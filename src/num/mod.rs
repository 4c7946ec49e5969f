//! Numbers: the scalar interface that every formula is written against, special functions, sums, small dense algebra, and
//! work on many numbers spread over threads.
//!
//! Imports nothing but `error`. Promises: pure functions of their arguments, no allocation in the lane kernels.
//!
//! The special functions stand twice, for two purposes: `scalar` in f64 through libm, the reference, and `lanes` without
//! any call, for SIMD. Both answer to the same tables (tests/num, made with mpmath); the f32 functions of
//! `shaders/special.wgsl` are a third set of approximations and answer to them too.

pub mod dense;
pub mod lanes;
pub mod parallel;
pub mod real;
mod scalar;
pub mod sum;

pub use real::Real;
