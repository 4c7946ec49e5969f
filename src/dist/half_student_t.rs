//! HalfStudentT(nu, sigma): |StudentT(nu, 0, sigma)|: Gelman (2006), Prior distributions for variance parameters, Bayesian Analysis 1, 515–534.

use rand::Rng;

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "HalfStudentT",
    arguments: &[
        Argument {
            name: "nu",
            aliases: &["df"],
            role: Role::Positive,
        },
        Argument {
            name: "sigma",
            aliases: &["scale"],
            role: Role::Positive,
        },
    ],
    support: Support::NonNegative,
    formula: "the density of StudentT(nu, 0, sigma) plus ln 2",
};

/// the density of StudentT(nu, 0, sigma) plus ln 2.
pub(super) fn lpdf<R: Real>(y: &R, nu: &R, sigma: &R) -> R {
    super::student_t::lpdf(y, nu, &y.lit(0.0), sigma) + y.lit(std::f64::consts::LN_2)
}

/// The mean; none where it is not finite.
pub(super) fn mean(nu: f64, sigma: f64) -> Option<f64> {
    if nu <= 1.0 {
        return None;
    }
    let ratio = (Real::lgamma(&(0.5 * (nu + 1.0))) - Real::lgamma(&(0.5 * nu))).exp();
    Some(2.0 * sigma * (nu / std::f64::consts::PI).sqrt() * ratio / (nu - 1.0))
}

/// A draw.
///
/// # Errors
/// Arguments that the generator refuses.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, nu: f64, sigma: f64) -> Result<f64, String> {
    Ok(super::student_t::sample(rng, nu, 0.0, sigma)?.abs())
}
