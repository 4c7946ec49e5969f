//! LogNormal(meanlog, sdlog): Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1, chapter 14.

use rand::Rng;

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "LogNormal",
    arguments: &[
        Argument {
            name: "meanlog",
            aliases: &["mu", "mean"],
            role: Role::Real,
        },
        Argument {
            name: "sdlog",
            aliases: &["sigma", "sd"],
            role: Role::Positive,
        },
    ],
    support: Support::Positive,
    formula: "the density of Normal(meanlog, sdlog) at ln y, minus ln y",
};

/// the density of Normal(meanlog, sdlog) at ln y, minus ln y.
pub(super) fn lpdf<R: Real>(y: &R, meanlog: &R, sdlog: &R) -> R {
    let log_y = y.ln();
    super::normal::lpdf(&log_y, meanlog, sdlog) - log_y
}

/// The mean.
pub(super) fn mean(meanlog: f64, sdlog: f64) -> Option<f64> {
    Some((meanlog + 0.5 * sdlog * sdlog).exp())
}

/// A draw.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, meanlog: f64, sdlog: f64) -> f64 {
    super::normal::sample(rng, meanlog, sdlog).exp()
}
