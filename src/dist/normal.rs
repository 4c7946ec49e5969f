//! Normal(mean, sd): Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

const HALF_LN_2PI: f64 = 0.918_938_533_204_672_7;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "Normal",
    arguments: &[
        Argument {
            name: "mean",
            aliases: &["mu"],
            role: Role::Real,
        },
        Argument {
            name: "sd",
            aliases: &["sigma"],
            role: Role::Positive,
        },
    ],
    support: Support::Real,
    formula: "−½((y − mean)/sd)² − ln sd − ½ ln 2π",
};

/// −½((y − mean)/sd)² − ln sd − ½ ln 2π.
pub(super) fn lpdf<R: Real>(y: &R, mean: &R, sd: &R) -> R {
    let z = (y.clone() - mean.clone()) / sd.clone();
    -(z.square() * z.lit(0.5)) - sd.ln() - z.lit(HALF_LN_2PI)
}

/// The mean.
pub(super) fn mean(mean: f64, _sd: f64) -> Option<f64> {
    Some(mean)
}

/// A draw.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, mean: f64, sd: f64) -> f64 {
    let z: f64 = StandardNormal.sample(rng);
    mean + sd * z
}

/// ln P(Y > 0) = ln Φ(mean/sd).
pub(super) fn ln_upper_mass(mean: f64, sd: f64) -> f64 {
    Real::log_std_normal_cdf(&(mean / sd))
}
