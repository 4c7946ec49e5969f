//! Cauchy(location, scale): Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1, chapter 16.

use rand::Rng;
use rand_distr::Distribution;

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

const LN_PI: f64 = 1.144_729_885_849_400_2;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "Cauchy",
    arguments: &[
        Argument {
            name: "location",
            aliases: &["mu"],
            role: Role::Real,
        },
        Argument {
            name: "scale",
            aliases: &["sigma", "gamma"],
            role: Role::Positive,
        },
    ],
    support: Support::Real,
    formula: "−ln(1 + ((y − location)/scale)²) − ln scale − ln π",
};

/// −ln(1 + ((y − location)/scale)²) − ln scale − ln π.
pub(super) fn lpdf<R: Real>(y: &R, location: &R, scale: &R) -> R {
    let z = (y.clone() - location.clone()) / scale.clone();
    -z.square().log1p() - scale.ln() - z.lit(LN_PI)
}

/// The mean; none where it is not finite.
pub(super) fn mean(_location: f64, _scale: f64) -> Option<f64> {
    None
}

/// A draw.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, location: f64, scale: f64) -> f64 {
    let z = rand_distr::Cauchy::new(0.0, 1.0)
        .expect("1 is a positive scale")
        .sample(rng);
    location + scale * z
}

/// ln P(Y > 0) = ln(½ + atan(location/scale)/π), as an angle that keeps its digits in the lower tail.
pub(super) fn ln_upper_mass(location: f64, scale: f64) -> f64 {
    (scale.atan2(-location) * std::f64::consts::FRAC_1_PI).ln()
}
