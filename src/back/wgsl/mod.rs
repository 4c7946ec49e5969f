//! The GPU back end's text: a schedule as WGSL, one thread per chain, in f32.
//!
//! The generated function keeps to the contract of [`super::kernel::DensityKernel`]. Data values and index codes are
//! read from buffers, sizes are baked in. The log density is added up in blocks of [`BLOCK`] terms that enter a pair of
//! (whole part, remainder), so that its error does not grow with the number of rows; loops run in a fixed order, so
//! that results are deterministic. Compensated summation is not used: shader compilers remove it.

mod emit;
mod rows;

use super::dispatch::RowsKernel;
use super::kernel::DensityKernel;
use crate::error::Result;
use crate::ir::Program;
use crate::pass::schedule::schedule;

/// Terms of the log density added in plain f32 before they enter the pair.
pub const BLOCK: u32 = 32;

/// The kernel of an optimised, differentiated program; refuses, with the numbers, what does not fit one thread.
pub fn kernel(program: Program) -> Result<DensityKernel> {
    emit::Emitter::new(&schedule(program)?)?.kernel()
}

/// The same program with its rows split over threads, as a sequence of dispatches: for tables that a thread per chain
/// does not fit or would take too long over.
pub fn rows_kernel(program: Program) -> Result<RowsKernel> {
    rows::kernel(&schedule(program)?)
}
