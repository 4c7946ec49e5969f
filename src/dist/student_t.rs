//! StudentT(nu, mu, sigma): Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use statrs::function::beta::beta_reg;

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

const HALF_LN_PI: f64 = 0.572_364_942_924_700_1;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "StudentT",
    arguments: &[
        Argument {
            name: "nu",
            aliases: &["df"],
            role: Role::Positive,
        },
        Argument {
            name: "mu",
            aliases: &["location"],
            role: Role::Real,
        },
        Argument {
            name: "sigma",
            aliases: &["scale"],
            role: Role::Positive,
        },
    ],
    support: Support::Real,
    formula: "ln Γ((ν+1)/2) − ln Γ(ν/2) − ½ ln(νπ) − ln σ − ((ν+1)/2) ln(1 + z²/ν), z = (y − μ)/σ",
};

/// ln Γ((ν+1)/2) − ln Γ(ν/2) − ½ ln(νπ) − ln σ − ((ν+1)/2) ln(1 + z²/ν), z = (y − μ)/σ.
pub(super) fn lpdf<R: Real>(y: &R, nu: &R, mu: &R, sigma: &R) -> R {
    let half = nu.lit(0.5);
    let upper = (nu.clone() + nu.lit(1.0)) * half.clone();
    let z = (y.clone() - mu.clone()) / sigma.clone();
    let tail = upper.clone() * (z.square() / nu.clone()).log1p();
    let constant =
        upper.lgamma() - (nu.clone() * half.clone()).lgamma() - nu.ln() * half - nu.lit(HALF_LN_PI);
    constant - sigma.ln() - tail
}

/// The mean; none where it is not finite.
pub(super) fn mean(nu: f64, mu: f64, _sigma: f64) -> Option<f64> {
    (nu > 1.0).then_some(mu)
}

/// A draw.
///
/// # Errors
/// Arguments that the generator refuses.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, nu: f64, mu: f64, sigma: f64) -> Result<f64, String> {
    let z: f64 = StandardNormal.sample(rng);
    let chi_square = 2.0 * super::gamma::standard(rng, 0.5 * nu)?;
    Ok(mu + sigma * z * (nu / chi_square).sqrt())
}

/// ln P(Y > 0) = ln P(T > −t) for t = mu/sigma, by the regularised incomplete beta function: P(T > |t|) is
/// ½ I_x(ν/2, ½) at x = ν/(ν + t²).
pub(super) fn ln_upper_mass(nu: f64, mu: f64, sigma: f64) -> f64 {
    let t = mu / sigma;
    let tail = 0.5 * beta_reg(0.5 * nu, 0.5, nu / (nu + t * t));
    if t < 0.0 { tail.ln() } else { (-tail).ln_1p() }
}
