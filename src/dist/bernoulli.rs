//! Bernoulli(p): Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A (Binomial with n = 1).

use rand::Rng;
use rand_distr::{Distribution, StandardUniform};

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "Bernoulli",
    arguments: &[Argument {
        name: "p",
        aliases: &["prob"],
        role: Role::Unit,
    }],
    support: Support::Binary,
    formula: "y ln p + (1 − y) ln(1 − p)",
};

/// y ln p + (1 − y) ln(1 − p).
///
/// With p = inv_logit(η) the simplifier turns this into yη − softplus(η).
pub(super) fn lpmf<R: Real>(y: &R, p: &R) -> R {
    y.clone() * p.ln() + (y.lit(1.0) - y.clone()) * (-p.clone()).log1p()
}

/// The mean.
pub(super) fn mean(p: f64) -> Option<f64> {
    Some(p)
}

/// A draw.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, p: f64) -> f64 {
    let u: f64 = StandardUniform.sample(rng);
    f64::from(u8::from(u < p))
}
