//! Distributions: one file each, with support, arguments, log density, citation and random generator.
//!
//! May import `error`, `num`, `rng`. A density is written once, generic over [`crate::num::Real`]; the reference, the
//! SIMD code and the WGSL all come from that text. Normalising constants are always complete.

mod bernoulli;
mod beta;
mod beta_binomial;
mod binomial;
mod cauchy;
mod exponential;
mod family;
mod gamma;
mod geometric;
mod half_cauchy;
mod half_normal;
mod half_student_t;
mod inv_gamma;
mod laplace;
mod log_normal;
mod logistic;
mod neg_binomial;
mod normal;
mod poisson;
mod student_t;
mod uniform;
mod weibull;

pub use family::Family;

/// What an argument of a distribution may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Any real number.
    Real,
    /// A scale, rate, shape or dispersion: above 0. A parameter used here is constrained to be positive.
    Positive,
    /// A probability.
    Unit,
    /// A number of trials: a whole number, 0 or above. Data only.
    Count,
}

/// An argument of a distribution, in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument {
    /// The name under which the argument can be given (`sd = 2`).
    pub name: &'static str,
    /// Other names that people know it by, also accepted.
    pub aliases: &'static [&'static str],
    /// What it may be.
    pub role: Role,
}

/// The set of outcomes of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// All reals.
    Real,
    /// (0, ∞).
    Positive,
    /// [0, ∞): as `Positive` when a parameter, but an observed 0 is possible (Exponential, half distributions).
    NonNegative,
    /// (0, 1).
    Unit,
    /// (first argument, second argument).
    Interval,
    /// 0 or 1.
    Binary,
    /// 0, 1, 2, …
    Counts,
    /// 0, 1, … up to the first argument.
    CountsUpTo,
}

/// The largest count: beyond, neighbouring whole numbers soon are no longer told apart.
pub const LARGEST_COUNT: f64 = 1e15;

impl Support {
    /// Whether outcomes are whole numbers.
    pub fn is_discrete(self) -> bool {
        match self {
            Support::Real | Support::Positive | Support::NonNegative | Support::Unit | Support::Interval => {
                false
            }
            Support::Binary | Support::Counts | Support::CountsUpTo => true,
        }
    }
}

/// What the language and the checks know of a distribution; its functions stand beside it in its file.
struct Facts {
    name: &'static str,
    arguments: &'static [Argument],
    support: Support,
    /// The log density in one line.
    formula: &'static str,
}

#[cfg(test)]
mod tests;
