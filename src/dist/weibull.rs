//! Weibull(shape, scale): Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1, chapter 21.

use rand::Rng;
use rand_distr::{Distribution, Exp1};

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "Weibull",
    arguments: &[
        Argument {
            name: "shape",
            aliases: &["k", "alpha"],
            role: Role::Positive,
        },
        Argument {
            name: "scale",
            aliases: &["lambda", "sigma"],
            role: Role::Positive,
        },
    ],
    support: Support::Positive,
    formula: "ln shape + shape·d − ln y − exp(shape·d), d = ln y − ln scale",
};

/// ln shape + shape·d − ln y − exp(shape·d), d = ln y − ln scale.
pub(super) fn lpdf<R: Real>(y: &R, shape: &R, scale: &R) -> R {
    let log_y = y.ln();
    let power = shape.clone() * (log_y.clone() - scale.ln());
    shape.ln() + power.clone() - log_y - power.exp()
}

/// The mean.
pub(super) fn mean(shape: f64, scale: f64) -> Option<f64> {
    Some(scale * Real::lgamma(&(1.0 + 1.0 / shape)).exp())
}

/// A draw.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, shape: f64, scale: f64) -> f64 {
    let e: f64 = Exp1.sample(rng);
    scale * e.powf(1.0 / shape)
}
