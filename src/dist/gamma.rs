//! Gamma(shape, rate): Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A.

use rand::Rng;
use rand_distr::Distribution;

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "Gamma",
    arguments: &[
        Argument {
            name: "shape",
            aliases: &["alpha"],
            role: Role::Positive,
        },
        Argument {
            name: "rate",
            aliases: &["beta"],
            role: Role::Positive,
        },
    ],
    support: Support::Positive,
    formula: "shape·ln rate − ln Γ(shape) + (shape − 1) ln y − rate·y",
};

/// shape·ln rate − ln Γ(shape) + (shape − 1) ln y − rate·y.
pub(super) fn lpdf<R: Real>(y: &R, shape: &R, rate: &R) -> R {
    shape.clone() * rate.ln() - shape.lgamma() + (shape.clone() - y.lit(1.0)) * y.ln()
        - rate.clone() * y.clone()
}

/// The mean.
pub(super) fn mean(shape: f64, rate: f64) -> Option<f64> {
    Some(shape / rate)
}

/// A draw.
///
/// # Errors
/// Arguments that the generator refuses.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, shape: f64, rate: f64) -> Result<f64, String> {
    Ok(standard(rng, shape)? / rate)
}

/// A draw of Gamma(shape, 1).
///
/// # Errors
/// A shape that the generator refuses.
pub(super) fn standard<G: Rng + ?Sized>(rng: &mut G, shape: f64) -> Result<f64, String> {
    let gamma = rand_distr::Gamma::new(shape, 1.0).map_err(|cause| cause.to_string())?;
    Ok(gamma.sample(rng))
}
