//! Beta(a, b): Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A.

use rand::Rng;
use rand_distr::Distribution;

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "Beta",
    arguments: &[
        Argument {
            name: "a",
            aliases: &["alpha", "shape1"],
            role: Role::Positive,
        },
        Argument {
            name: "b",
            aliases: &["beta", "shape2"],
            role: Role::Positive,
        },
    ],
    support: Support::Unit,
    formula: "ln Γ(a + b) − ln Γ(a) − ln Γ(b) + (a − 1) ln y + (b − 1) ln(1 − y)",
};

/// ln Γ(a + b) − ln Γ(a) − ln Γ(b) + (a − 1) ln y + (b − 1) ln(1 − y).
pub(super) fn lpdf<R: Real>(y: &R, a: &R, b: &R) -> R {
    let one = y.lit(1.0);
    let constant = (a.clone() + b.clone()).lgamma() - a.lgamma() - b.lgamma();
    constant + (a.clone() - one.clone()) * y.ln() + (b.clone() - one) * (-y.clone()).log1p()
}

/// The mean.
pub(super) fn mean(a: f64, b: f64) -> Option<f64> {
    Some(a / (a + b))
}

/// A draw.
///
/// # Errors
/// Arguments that the generator refuses.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, a: f64, b: f64) -> Result<f64, String> {
    let beta = rand_distr::Beta::new(a, b).map_err(|cause| cause.to_string())?;
    Ok(beta.sample(rng))
}
