//! Pseudo-BMA weights (Geisser and Eddy 1979; Yao, Vehtari, Simpson, Gelman 2018, "Using stacking to average Bayesian
//! predictive distributions", Bayesian Analysis 13), with WAIC the Akaike weights of the book.

use rand::RngExt;
use rand_distr::Exp1;

use super::softmax;
use crate::rng::{Purpose, Stream};

/// Resamplings of the rows behind [`pseudo_bma_plus`].
pub const BOOTSTRAPS: u32 = 1000;

/// Weights proportional to exp(elpd). `rows` has shape `[model][row]`, all models of the same rows.
pub fn pseudo_bma(rows: &[&[f64]]) -> Vec<f64> {
    softmax(&rows.iter().map(|rows| rows.iter().sum()).collect::<Vec<f64>>())
}

/// Pseudo-BMA weights averaged over Bayesian bootstraps of the rows (Rubin 1981; Yao et al. 2018, "Pseudo-BMA+"): how
/// uncertain the elpd are, being sums of few rows, draws the weights together. `rows` as in [`pseudo_bma`].
pub fn pseudo_bma_plus(rows: &[&[f64]], seed: u64) -> Vec<f64> {
    let n = rows.first().map_or(0, |rows| rows.len());
    let mut sum = vec![0.0; rows.len()];
    let mut shares = vec![0.0; n];
    for replicate in 0..BOOTSTRAPS {
        let stream = Stream {
            seed,
            replicate,
            chain: 0,
            iteration: 0,
            purpose: Purpose::Bootstrap,
        };
        // Dirichlet(1, …, 1): exponential variates over their sum.
        let mut rng = stream.rng();
        shares.iter_mut().for_each(|share| *share = rng.sample(Exp1));
        let scale = n as f64 / shares.iter().sum::<f64>();
        let elpds: Vec<f64> = rows
            .iter()
            .map(|rows| scale * shares.iter().zip(*rows).map(|(share, x)| share * x).sum::<f64>())
            .collect();
        for (sum, weight) in sum.iter_mut().zip(softmax(&elpds)) {
            *sum += weight;
        }
    }
    sum.iter().map(|sum| sum / f64::from(BOOTSTRAPS)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_follow_the_elpd() {
        let weights = pseudo_bma(&[&[-1.0, -2.0], &[-2.0, -2.0]]);
        assert!((weights[0] - 1.0 / (1.0 + (-1f64).exp())).abs() < 1e-15);
        assert!((weights[0] + weights[1] - 1.0).abs() < 1e-15);
    }

    /// One row of two favours the first model by 4, the other the second by as much: the shares of the rows are uniform,
    /// the difference of the elpd is 8(2u − 1) and the weights average to ½. With the first row's lead at 8,
    /// the difference is 2(12u − 4) and the mean weight ∫ 1/(1 + exp(8 − 24u)) du = (softplus(16) − softplus(−8))/24.
    #[test]
    fn bootstraps_average_over_the_shares_of_the_rows() {
        let weights = pseudo_bma_plus(&[&[8.0, 0.0], &[0.0, 4.0]], 1);
        let expected = (16f64.exp().ln_1p() - (-8f64).exp().ln_1p()) / 24.0;
        // The sd of a weight is below ½, so 1,000 of them have an error below 0.016; three of these.
        assert!(
            (weights[0] - expected).abs() < 0.048,
            "{weights:?} for {expected}"
        );
        assert_ne!(weights, pseudo_bma_plus(&[&[8.0, 0.0], &[0.0, 4.0]], 2));
    }
}
