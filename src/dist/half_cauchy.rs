//! HalfCauchy(scale): |Cauchy(0, scale)|: Gelman (2006), Prior distributions for variance parameters, Bayesian Analysis 1, 515–534.

use rand::Rng;

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

const LN_2_OVER_PI: f64 = -0.451_582_705_289_454_9;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "HalfCauchy",
    arguments: &[Argument {
        name: "scale",
        aliases: &["sigma"],
        role: Role::Positive,
    }],
    support: Support::NonNegative,
    formula: "−ln(1 + (y/scale)²) − ln scale + ln(2/π)",
};

/// −ln(1 + (y/scale)²) − ln scale + ln(2/π).
pub(super) fn lpdf<R: Real>(y: &R, scale: &R) -> R {
    let z = y.clone() / scale.clone();
    -z.square().log1p() - scale.ln() + z.lit(LN_2_OVER_PI)
}

/// The mean; none where it is not finite.
pub(super) fn mean(_scale: f64) -> Option<f64> {
    None
}

/// A draw.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, scale: f64) -> f64 {
    super::cauchy::sample(rng, 0.0, scale).abs()
}
