//! Binomial(n, p): Gelman et al., Bayesian Data Analysis (3rd ed.), appendix A.

use crate::num::Real;

/// ln C(n, y) + y ln p + (n − y) ln(1 − p).
///
/// With p = inv_logit(η) the simplifier turns the last two terms into yη − n·softplus(η).
pub(super) fn lpmf<R: Real>(y: &R, n: &R, p: &R) -> R {
    let one = y.lit(1.0);
    let choose = (n.clone() + one.clone()).lgamma()
        - (y.clone() + one.clone()).lgamma()
        - (n.clone() - y.clone() + one).lgamma();
    choose + y.clone() * p.ln() + (n.clone() - y.clone()) * (-p.clone()).log1p()
}
