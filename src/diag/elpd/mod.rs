//! How well a model predicts: the expected log predictive density (elpd) of its rows, from the log likelihood of each
//! row in each draw.
//!
//! What lives here, by the notation of Vehtari, Gelman, Gabry 2017 ("Practical Bayesian model evaluation using
//! leave-one-out cross-validation and WAIC", Statistics and Computing 27): the elpd of a row by WAIC ([`waic`]) and by
//! leave-one-out with Pareto smoothed importance sampling ([`loo`], [`psis`]); sums over rows with their standard errors
//! ([`total`], [`difference`]); weights of several models ([`stacking`], [`pseudo_bma`], [`pseudo_bma_plus`]).
//!
//! All values are on the log scale, in nats. Rows come one at a time, so that a table of any length fits in memory.

mod gpd;
mod pseudo_bma;
mod psis;
mod row;
mod stacking;
mod total;

pub use pseudo_bma::{BOOTSTRAPS, pseudo_bma, pseudo_bma_plus};
pub use psis::{Smoothed, pareto_k_threshold, psis};
pub use row::{Row, VARIANCE_LIMIT, loo, loo_at, waic};
pub use stacking::stacking;
pub use total::{Total, difference, total};

/// ln Σ exp(x), without overflow; −∞ of nothing, NaN if a term is NaN.
fn log_sum_exp(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() && !terms.clone().any(f64::is_nan) {
        return largest;
    }
    largest + terms.map(|x| (x - largest).exp()).sum::<f64>().ln()
}

/// Weights proportional to exp(x), which sum to 1.
fn softmax(x: &[f64]) -> Vec<f64> {
    let scale = log_sum_exp(x.iter().copied());
    x.iter().map(|x| (x - scale).exp()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_exponentials_stay_in_range() {
        let of = |x: &[f64]| log_sum_exp(x.iter().copied());
        assert_eq!(of(&[-1000.0, -1000.0]), -1000.0 + 2f64.ln());
        assert_eq!(of(&[f64::NEG_INFINITY, 1.0]), 1.0);
        assert_eq!(of(&[f64::NEG_INFINITY; 2]), f64::NEG_INFINITY);
        assert_eq!(of(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(of(&[f64::NAN, f64::INFINITY]).is_nan() && of(&[1.0, f64::NAN]).is_nan());
    }
}
