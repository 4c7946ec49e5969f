//! HalfNormal(sd): |Normal(0, sd)|, so the density of the Normal plus ln 2: Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

const HALF_LN_2_OVER_PI: f64 = -0.225_791_352_644_727_44;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "HalfNormal",
    arguments: &[Argument {
        name: "sd",
        aliases: &["sigma", "scale"],
        role: Role::Positive,
    }],
    support: Support::NonNegative,
    formula: "−½(y/sd)² − ln sd + ½ ln(2/π)",
};

/// −½(y/sd)² − ln sd + ½ ln(2/π).
pub(super) fn lpdf<R: Real>(y: &R, sd: &R) -> R {
    let z = y.clone() / sd.clone();
    -(z.square() * z.lit(0.5)) - sd.ln() + z.lit(HALF_LN_2_OVER_PI)
}

/// The mean.
pub(super) fn mean(sd: f64) -> Option<f64> {
    Some(sd * std::f64::consts::FRAC_2_PI.sqrt())
}

/// A draw.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, sd: f64) -> f64 {
    let z: f64 = StandardNormal.sample(rng);
    sd * z.abs()
}
