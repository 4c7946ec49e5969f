//! Uniform(lower, upper): Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A.

use rand::Rng;
use rand_distr::{Distribution, Open01};

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "Uniform",
    arguments: &[
        Argument {
            name: "lower",
            aliases: &["min"],
            role: Role::Real,
        },
        Argument {
            name: "upper",
            aliases: &["max"],
            role: Role::Real,
        },
    ],
    support: Support::Interval,
    formula: "−ln(upper − lower)",
};

/// −ln(upper − lower).
///
/// The density inside the support only: a parameter is kept there by its transform, data by [`super::Family::contains`].
/// Bounds that are themselves parameters are right for a parameter y, and wrong for an observed one.
pub(super) fn lpdf<R: Real>(_y: &R, lower: &R, upper: &R) -> R {
    -(upper.clone() - lower.clone()).ln()
}

/// The mean.
pub(super) fn mean(lower: f64, upper: f64) -> Option<f64> {
    Some(0.5 * lower + 0.5 * upper)
}

/// A draw.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, lower: f64, upper: f64) -> f64 {
    let u: f64 = Open01.sample(rng);
    lower * (1.0 - u) + upper * u
}
