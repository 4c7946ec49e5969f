//! Poisson(mu): Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A.

use rand::Rng;
use rand_distr::Distribution;

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "Poisson",
    arguments: &[Argument {
        name: "mu",
        aliases: &["mean", "rate", "lambda"],
        role: Role::Positive,
    }],
    support: Support::Counts,
    formula: "y ln mu − mu − ln Γ(y + 1)",
};

/// y ln mu − mu − ln Γ(y + 1).
///
/// With mu = exp(η) the simplifier turns the first term into yη.
pub(super) fn lpmf<R: Real>(y: &R, mu: &R) -> R {
    y.clone() * mu.ln() - mu.clone() - (y.clone() + y.lit(1.0)).lgamma()
}

/// The mean.
pub(super) fn mean(mu: f64) -> Option<f64> {
    Some(mu)
}

/// A draw.
///
/// # Errors
/// Arguments that the generator refuses.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, mu: f64) -> Result<f64, String> {
    if mu == 0.0 {
        return Ok(0.0);
    }
    let poisson = rand_distr::Poisson::new(mu).map_err(|cause| cause.to_string())?;
    Ok(poisson.sample(rng))
}
