//! Binomial(n, p): Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A.

use rand::Rng;
use rand_distr::Distribution;

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "Binomial",
    arguments: &[
        Argument {
            name: "n",
            aliases: &["size", "trials"],
            role: Role::Count,
        },
        Argument {
            name: "p",
            aliases: &["prob"],
            role: Role::Unit,
        },
    ],
    support: Support::CountsUpTo,
    formula: "ln C(n, y) + y ln p + (n − y) ln(1 − p)",
};

/// ln C(n, y) + y ln p + (n − y) ln(1 − p).
///
/// With p = inv_logit(η) the simplifier turns the last two terms into yη − n·softplus(η).
pub(super) fn lpmf<R: Real>(y: &R, n: &R, p: &R) -> R {
    ln_choose(n, y) + y.clone() * p.ln() + (n.clone() - y.clone()) * (-p.clone()).log1p()
}

/// The mean.
pub(super) fn mean(n: f64, p: f64) -> Option<f64> {
    Some(n * p)
}

/// A draw.
///
/// # Errors
/// Arguments that the generator refuses.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, n: f64, p: f64) -> Result<f64, String> {
    let binomial = rand_distr::Binomial::new(n as u64, p).map_err(|cause| cause.to_string())?;
    Ok(binomial.sample(rng) as f64)
}

/// ln C(n, y) = ln Γ(n + 1) − ln Γ(y + 1) − ln Γ(n − y + 1).
pub(super) fn ln_choose<R: Real>(n: &R, y: &R) -> R {
    let one = y.lit(1.0);
    (n.clone() + one.clone()).lgamma()
        - (y.clone() + one.clone()).lgamma()
        - (n.clone() - y.clone() + one).lgamma()
}
