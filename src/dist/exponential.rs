//! Exponential(rate): Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A.

use rand::Rng;
use rand_distr::{Distribution, Exp1};

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "Exponential",
    arguments: &[Argument {
        name: "rate",
        aliases: &["lambda"],
        role: Role::Positive,
    }],
    support: Support::NonNegative,
    formula: "ln rate − rate·y",
};

/// ln rate − rate·y.
pub(super) fn lpdf<R: Real>(y: &R, rate: &R) -> R {
    rate.ln() - rate.clone() * y.clone()
}

/// The mean.
pub(super) fn mean(rate: f64) -> Option<f64> {
    Some(1.0 / rate)
}

/// A draw.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, rate: f64) -> f64 {
    let e: f64 = Exp1.sample(rng);
    e / rate
}
