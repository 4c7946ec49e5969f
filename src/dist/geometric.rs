//! Geometric(p): failures before the first success: Johnson, Kemp, Kotz, Univariate Discrete Distributions (3rd ed.), section 5.2.

use rand::Rng;
use rand_distr::{Distribution, Exp1};

use super::{Argument, Facts, Role, Support};
use crate::num::Real;

/// What the language and the checks know of this distribution.
pub(super) const FACTS: Facts = Facts {
    name: "Geometric",
    arguments: &[Argument {
        name: "p",
        aliases: &["prob"],
        role: Role::Unit,
    }],
    support: Support::Counts,
    formula: "ln p + y ln(1 − p)",
};

/// ln p + y ln(1 − p).
pub(super) fn lpmf<R: Real>(y: &R, p: &R) -> R {
    p.ln() + y.clone() * (-p.clone()).log1p()
}

/// The mean; none where it is not finite.
pub(super) fn mean(p: f64) -> Option<f64> {
    (p > 0.0).then(|| (1.0 - p) / p)
}

/// A draw.
pub(super) fn sample<G: Rng + ?Sized>(rng: &mut G, p: f64) -> f64 {
    if p == 1.0 {
        return 0.0;
    }
    let e: f64 = Exp1.sample(rng);
    (e / -(-p).ln_1p()).floor()
}
