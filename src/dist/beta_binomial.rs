//! BetaBinomial(n, a, b): Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A.

use rand::Rng;

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "BetaBinomial",
    arguments: &[
        Argument {
            name: "n",
            aliases: &["size", "trials"],
            role: Role::Count,
        },
        Argument {
            name: "a",
            aliases: &["alpha", "shape1"],
            role: Role::Positive,
        },
        Argument {
            name: "b",
            aliases: &["beta", "shape2"],
            role: Role::Positive,
        },
    ],
    support: Support::CountsUpTo,
    formula: "ln C(n, y) + ln B(y + a, n − y + b) − ln B(a, b)",
};

/// ln C(n, y) + ln B(y + a, n − y + b) − ln B(a, b).
pub(super) fn lpmf<R: Real>(y: &R, n: &R, a: &R, b: &R) -> R {
    super::binomial::ln_choose(n, y) + ln_beta(&(y.clone() + a.clone()), &(n.clone() - y.clone() + b.clone()))
        - ln_beta(a, b)
}

/// The mean.
pub(super) fn mean(n: f64, a: f64, b: f64) -> Option<f64> {
    Some(n * a / (a + b))
}

/// A draw.
///
/// # Errors
/// Arguments that the generator refuses.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, n: f64, a: f64, b: f64) -> Result<f64, String> {
    let p = super::beta::sample(rng, a, b)?;
    super::binomial::sample(rng, n, p)
}

/// ln B(a, b) = ln Γ(a) + ln Γ(b) − ln Γ(a + b).
fn ln_beta<R: Real>(a: &R, b: &R) -> R {
    a.lgamma() + b.lgamma() - (a.clone() + b.clone()).lgamma()
}
