//! Reverse-mode differentiation of a program: one derivative rule per operation, one reverse sweep.
//!
//! May import `error`, `num`, `ir`. Promises: the gradient is made of the same operations as the density, so every
//! back end that can evaluate a density can evaluate its gradient.

mod rules;
mod sweep;

pub use sweep::differentiate;
