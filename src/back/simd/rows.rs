//! Loops that are a linear predictor, a link function and sums weighted by data, as one instruction.
//!
//! Most of the work of a regression's likelihood has this form: η = Σ data·(scalars and gathered levels), one function
//! of η per row, then sums of it by data and by factor for the density and the gradient. One kernel does all of it with
//! a row's numbers in registers, where a pass per operation would carry each of them through the cache.

use super::code::{Operand, Sink};

/// What a number is multiplied by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Factor {
    Constant(f64),
    Column(u32),
    /// Data looked up by tuned codes.
    Lookup(u32),
    /// A chain's number, the same for all elements.
    Scalar(Operand),
}

/// Which of a source's numbers an element reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// The one there is.
    Fixed(Operand),
    /// The element's own.
    Each(Operand),
    /// The one at the element's code.
    Coded { source: Operand, codes: u32 },
}

/// A summand of the linear predictor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Term {
    pub(super) place: Place,
    pub(super) factor: Factor,
}

/// The function of the linear predictor η whose value is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// η
    Identity,
    /// e^η
    Exp,
    /// 1/(1 + e^−η)
    InvLogit,
}

/// How Σ w·softplus(η) + k·η is added to the log density.
///
/// As w·ln(1 + e^−|η|) + (w + k)·max(η, 0) + k·min(η, 0), which cancels nothing. With sums of w·softplus(η) and of k·η the
/// rounding of the largest η stood beside all other rows: chains that came to where scales are beyond 1e20 found densities of
/// any size there, and stayed. A loop that this instruction does not describe, one of two such likelihoods say, still adds them
/// up one after another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Softplus {
    /// w
    pub(super) weight: Factor,
    /// The different numbers that w takes, if they are few: one logarithm of a product of (1 + e^−|η|) for each.
    pub(super) levels: Vec<f64>,
    /// w + k, what η weighs above 0.
    pub(super) above: Factor,
    /// k, what it weighs below.
    pub(super) below: Factor,
    /// Where the elements' places in `levels` begin among the code's; used with two levels and more.
    pub(super) places: u32,
}

/// As many different weights as are worth a product each.
pub(super) const MAX_LEVELS: usize = 8;

/// Where a value times its factor goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum To {
    Density,
    Scalar(u32),
    /// By the codes of an index column; whether these ascend.
    Segment {
        codes: u32,
        ascending: bool,
        sink: Sink,
    },
    /// Added element by element.
    Accumulate(Sink),
    /// Written element by element.
    Each(Operand),
}

/// What is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Value,
    /// The value's square.
    Square,
    /// η
    Predictor,
}

/// A sum, or other use, of the value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) of: Of,
    pub(super) factor: Factor,
    pub(super) to: To,
}

/// Summands of a predictor, and uses of its value (one of them to keep it), that one instruction takes.
pub(super) const MAX_TERMS: usize = 12;
pub(super) const MAX_SPREADS: usize = 12;

/// The instruction.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows {
    pub(super) terms: Vec<Term>,
    pub(super) offset: Factor,
    pub(super) link: Link,
    pub(super) softplus: Option<Softplus>,
    pub(super) spreads: Vec<Spread>,
}
