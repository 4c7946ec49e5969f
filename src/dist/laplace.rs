//! Laplace(location, scale): Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 2, chapter 24.

use rand::Rng;
use rand_distr::{Distribution, Exp1};

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "Laplace",
    arguments: &[
        Argument {
            name: "location",
            aliases: &["mu"],
            role: Role::Real,
        },
        Argument {
            name: "scale",
            aliases: &["sigma", "b"],
            role: Role::Positive,
        },
    ],
    support: Support::Real,
    formula: "−|y − location|/scale − ln scale − ln 2",
};

/// −|y − location|/scale − ln scale − ln 2.
pub(super) fn lpdf<R: Real>(y: &R, location: &R, scale: &R) -> R {
    let z = (y.clone() - location.clone()) / scale.clone();
    -z.abs() - scale.ln() - z.lit(std::f64::consts::LN_2)
}

/// The mean.
pub(super) fn mean(location: f64, _scale: f64) -> Option<f64> {
    Some(location)
}

/// A draw.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, location: f64, scale: f64) -> f64 {
    let (plus, minus): (f64, f64) = (Exp1.sample(rng), Exp1.sample(rng));
    location + scale * (plus - minus)
}

/// ln P(Y > 0): ln ½ + t for t = location/scale below 0, ln(1 − ½ exp(−t)) above.
pub(super) fn ln_upper_mass(location: f64, scale: f64) -> f64 {
    let t = location / scale;
    if t < 0.0 {
        t - std::f64::consts::LN_2
    } else {
        (-0.5 * (-t).exp()).ln_1p()
    }
}
