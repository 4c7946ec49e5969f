//! The scalar that densities and transforms are written against, so that each formula stands once.
//!
//! Implemented by `f64` (the reference) and by `ir::Expr` (which records the formula as IR nodes; the SIMD code and
//! the WGSL come from these).

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A real number, or the record of a computation that yields one.
///
/// Comparisons yield 1 or 0 and both branches of [`Real::select`] are always evaluated, so a branch that is not taken
/// must not trap; a NaN in it is dropped.
pub trait Real:
    Clone + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// The constant `x`, in the context of `self`.
    fn lit(&self, x: f64) -> Self;
    /// e to the power of self.
    fn exp(&self) -> Self;
    /// Natural logarithm.
    fn ln(&self) -> Self;
    /// ln(1 + self), accurate near 0.
    fn log1p(&self) -> Self;
    /// exp(self) − 1, accurate near 0.
    fn expm1(&self) -> Self;
    /// Square root.
    fn sqrt(&self) -> Self;
    /// self · self.
    fn square(&self) -> Self;
    /// Absolute value.
    fn abs(&self) -> Self;
    /// 1 / (1 + exp(−self)).
    fn inv_logit(&self) -> Self;
    /// ln(1 + exp(self)) without overflow.
    fn softplus(&self) -> Self;
    /// ln Γ(self), for self > 0.
    fn lgamma(&self) -> Self;
    /// ψ(self) = d ln Γ / d self, for self > 0.
    fn digamma(&self) -> Self;
    /// Standard normal distribution function Φ.
    fn std_normal_cdf(&self) -> Self;
    /// ln Φ(self), accurate far into the lower tail.
    fn log_std_normal_cdf(&self) -> Self;
    /// self to the power of `exponent`.
    fn pow(&self, exponent: &Self) -> Self;
    /// 1 where self < other, else 0.
    fn lt(&self, other: &Self) -> Self;
    /// `then` where self is not 0, else `otherwise`.
    fn select(&self, then: &Self, otherwise: &Self) -> Self;
}
