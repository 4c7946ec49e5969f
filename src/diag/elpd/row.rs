//! What one row contributes: its elpd by WAIC and by PSIS-LOO, its share of the effective number of parameters.

use super::log_sum_exp;
use super::psis::psis;
use crate::diag::chains::Chains;
use crate::diag::ess::ess_mean;
use crate::diag::moments::{mean, variance};

/// A variance of a row's log likelihood from which on WAIC is not to be relied on (Vehtari, Gelman, Gabry 2017).
pub const VARIANCE_LIMIT: f64 = 0.4;

/// One row's part of a criterion.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Expected log predictive density.
    pub elpd: f64,
    /// What fitting the row added to its log predictive density: its part of the effective number of parameters.
    pub p: f64,
    /// The posterior variance of its log likelihood, divisor S − 1.
    pub variance: f64,
    /// The shape of the tail of its importance ratios, see [`super::Smoothed`]; none by WAIC.
    pub pareto_k: Option<f64>,
    /// The influence of each draw on `elpd` (delta method): their mean is 0, and the Monte Carlo standard error of their
    /// mean is that of `elpd`. Shape `[draws]`.
    pub influence: Vec<f64>,
}

/// ln of the mean of exp(x): of log likelihoods, the log predictive density of the row that was fitted.
fn log_mean_exp(log_lik: &[f64]) -> f64 {
    log_sum_exp(log_lik.iter().copied()) - (log_lik.len() as f64).ln()
}

/// A row by WAIC: log predictive density less the variance of the log likelihood (Vehtari, Gelman, Gabry 2017, eqs. 11
/// to 13; the variance with divisor S − 1). `log_lik` has shape `[draws]`.
pub fn waic(log_lik: &[f64]) -> Row {
    let density = log_mean_exp(log_lik);
    let (centre, variance) = (mean(log_lik), variance(log_lik));
    Row {
        elpd: density - variance,
        p: variance,
        variance,
        pareto_k: None,
        influence: log_lik
            .iter()
            .map(|x| ((x - density).exp() - 1.0) - ((x - centre).powi(2) - variance))
            .collect(),
    }
}

/// A row by leave-one-out: the draws weighted by the smoothed inverses of its likelihood (Vehtari, Gelman, Gabry 2017,
/// eq. 10), `r_eff` being the effective number of draws of the likelihood over their number, as R's loo has it: that of
/// [`ess_mean`]; 1 where that is not defined.
pub fn loo(log_lik: Chains) -> Row {
    let draws = log_lik.values();
    let largest = draws.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let likelihood: Vec<f64> = draws.iter().map(|x| (x - largest).exp()).collect();
    let r_eff = Chains::new(&likelihood, log_lik.num_chains())
        .map_or(f64::NAN, |likelihood| ess_mean(likelihood) / draws.len() as f64);
    loo_at(draws, if r_eff.is_finite() { r_eff } else { 1.0 })
}

/// [`loo`] with a given `r_eff`; `log_lik` has shape `[draws]`.
pub fn loo_at(log_lik: &[f64], r_eff: f64) -> Row {
    let ratios: Vec<f64> = log_lik.iter().map(|x| -x).collect();
    let smoothed = psis(&ratios, r_eff);
    let weights = &smoothed.log_weights;
    let elpd = log_sum_exp(log_lik.iter().zip(weights).map(|(x, w)| x + w));
    let size = log_lik.len() as f64;
    Row {
        elpd,
        p: log_mean_exp(log_lik) - elpd,
        variance: variance(log_lik),
        pareto_k: Some(smoothed.pareto_k),
        // The self-normalised estimate's, the weights being taken as known.
        influence: log_lik
            .iter()
            .zip(weights)
            .map(|(x, w)| size * w.exp() * ((x - elpd).exp() - 1.0))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Log likelihoods without a pattern that matters.
    fn log_lik() -> Vec<f64> {
        (0..400)
            .map(|i| -1.0 - 0.3 * (f64::from(i) * 0.7).sin())
            .collect()
    }

    #[test]
    fn influences_average_to_nothing() {
        for row in [waic(&log_lik()), loo_at(&log_lik(), 1.0)] {
            // Up to the divisor S − 1 of the variance.
            assert!(mean(&row.influence).abs() < row.variance / 300.0, "{row:?}");
        }
    }

    #[test]
    fn a_row_that_the_draws_agree_on_costs_nothing() {
        let values = [-2.5; 100];
        let by_loo = loo(Chains::new(&values, 4).unwrap());
        for row in [waic(&values), by_loo] {
            assert!((row.elpd + 2.5).abs() < 1e-14 && row.p.abs() < 1e-14, "{row:?}");
        }
    }

    #[test]
    fn a_draw_under_which_the_row_is_impossible_leaves_no_number() {
        let mut values = log_lik();
        values[3] = f64::NEG_INFINITY;
        assert!(!waic(&values).elpd.is_finite());
        let row = loo_at(&values, 1.0);
        assert!(
            row.elpd.is_nan() && row.pareto_k == Some(f64::INFINITY),
            "{}",
            row.elpd
        );
    }
}
