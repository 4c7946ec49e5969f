//! Logistic(location, scale): Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 2, chapter 23.

use rand::Rng;
use rand_distr::{Distribution, Open01};

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "Logistic",
    arguments: &[
        Argument {
            name: "location",
            aliases: &["mu"],
            role: Role::Real,
        },
        Argument {
            name: "scale",
            aliases: &["sigma"],
            role: Role::Positive,
        },
    ],
    support: Support::Real,
    formula: "−z − ln scale − 2 ln(1 + exp(−z)), z = (y − location)/scale",
};

/// −z − ln scale − 2 ln(1 + exp(−z)), z = (y − location)/scale.
pub(super) fn lpdf<R: Real>(y: &R, location: &R, scale: &R) -> R {
    let z = (y.clone() - location.clone()) / scale.clone();
    -z.clone() - scale.ln() - z.lit(2.0) * (-z).softplus()
}

/// The mean.
pub(super) fn mean(location: f64, _scale: f64) -> Option<f64> {
    Some(location)
}

/// A draw.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, location: f64, scale: f64) -> f64 {
    let u: f64 = Open01.sample(rng);
    location + scale * (u.ln() - (-u).ln_1p())
}

/// ln P(Y > 0) = −ln(1 + exp(−location/scale)).
pub(super) fn ln_upper_mass(location: f64, scale: f64) -> f64 {
    -Real::softplus(&(-location / scale))
}
