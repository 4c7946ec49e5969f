//! NegBinomial(mu, phi): Gelman, Hill, Vehtari, Regression and Other Stories (2020), section 15.2; variance mu + mu²/phi.

use rand::Rng;

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "NegBinomial",
    arguments: &[
        Argument {
            name: "mu",
            aliases: &["mean"],
            role: Role::Positive,
        },
        Argument {
            name: "phi",
            aliases: &["dispersion"],
            role: Role::Positive,
        },
    ],
    support: Support::Counts,
    formula: "ln Γ(y + φ) − ln Γ(φ) − ln Γ(y + 1) + y(d − softplus(d)) − φ·softplus(d), d = ln μ − ln φ",
};

/// ln Γ(y + φ) − ln Γ(φ) − ln Γ(y + 1) + y(d − softplus(d)) − φ·softplus(d), d = ln μ − ln φ.
///
/// d − softplus(d) = ln(μ/(μ + φ)) and −softplus(d) = ln(φ/(μ + φ)): with μ = exp(η) no exponential is left.
pub(super) fn lpmf<R: Real>(y: &R, mu: &R, phi: &R) -> R {
    let choose = (y.clone() + phi.clone()).lgamma() - phi.lgamma() - (y.clone() + y.lit(1.0)).lgamma();
    let d = mu.ln() - phi.ln();
    let softplus = d.softplus();
    choose + y.clone() * d - (y.clone() + phi.clone()) * softplus
}

/// The mean.
pub(super) fn mean(mu: f64, _phi: f64) -> Option<f64> {
    Some(mu)
}

/// A draw.
///
/// # Errors
/// Arguments that the generator refuses.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, mu: f64, phi: f64) -> Result<f64, String> {
    let rate = super::gamma::standard(rng, phi)? * (mu / phi);
    super::poisson::sample(rng, rate)
}
