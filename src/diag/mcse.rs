//! Monte Carlo standard errors: how far a posterior summary would move if the sampler ran again.
//!
//! All functions return NaN where the ESS they rest on is NaN.

use statrs::distribution::{Beta, ContinuousCDF};

use super::chains::Chains;
use super::ess::{ess_mean, quantile_of, squared_deviations_ess};
use super::moments::{mean, variance_about};
use super::rank::Ordered;
use crate::num::sum::sum_each;

/// Φ(−1) and Φ(1) to the digits that posterior and ArviZ use.
const ONE_SD: [f64; 2] = [0.158_655_3, 0.841_344_7];

/// Standard error of the posterior mean, in the draws' unit: sd/√ESS (Vehtari et al. 2021, eq. 13).
pub fn mcse_mean(chains: Chains) -> f64 {
    let centre = mean(chains.values());
    let sd = variance_about(chains.values(), centre).sqrt();
    sd / ess_mean(chains).sqrt()
}

/// Standard error of the posterior standard deviation, in the draws' unit.
///
/// From the variance of the variance (Kenney and Keeping 1951, p. 141), with the ESS of the squared deviations, and a
/// first-order step to its root: no normality is assumed. As R's posterior and ArviZ up to 0.23.
pub fn mcse_sd(chains: Chains) -> f64 {
    if !chains.is_diagnosable() {
        return f64::NAN;
    }
    mcse_sd_about(chains, mean(chains.values()))
}

/// Standard error of the quantile at `prob` in [0, 1], in the draws' unit: half the distance between the order
/// statistics one standard error of the probability below and above (Vehtari et al. 2021, section 4.3, as in ArviZ).
pub fn mcse_quantile(chains: Chains, prob: f64) -> f64 {
    if !chains.is_diagnosable() || !(0.0..=1.0).contains(&prob) {
        return f64::NAN;
    }
    let ordered = Ordered::new(chains);
    let ess = quantile_of(chains, &ordered, prob);
    let Ok(beta) = Beta::new(ess * prob + 1.0, ess * (1.0 - prob) + 1.0) else {
        return f64::NAN;
    };
    let sorted = ordered.values();
    let last = (sorted.len() - 1) as f64;
    let [low, high] = ONE_SD.map(|p| beta.inverse_cdf(p) * sorted.len() as f64 - 1.0);
    let (low, high) = (low.floor().max(0.0) as usize, high.ceil().min(last) as usize);
    (sorted[high] - sorted[low]) / 2.0
}

/// Standard error of the posterior median, in the draws' unit.
pub fn mcse_median(chains: Chains) -> f64 {
    mcse_quantile(chains, 0.5)
}

/// [`mcse_sd`] about a mean that is already known, of draws known to be diagnosable.
pub(super) fn mcse_sd_about(chains: Chains, centre: f64) -> f64 {
    let n = chains.values().len() as f64;
    let moment = |power: i32| sum_each(chains.values(), |x| (x - centre).powi(power)) / n;
    let variance = moment(2);
    let variance_of_variance = (moment(4) - variance * variance) / squared_deviations_ess(chains, centre);
    (variance_of_variance / variance / 4.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Multiples of the golden ratio, modulo 1: spread more evenly than chance, so errors come out below those of
    /// independent draws.
    fn even_draws(len: u32) -> Vec<f64> {
        (0..len)
            .map(|i| (f64::from(i) * 0.618_033_988_749_895).fract())
            .collect()
    }

    #[test]
    fn errors_scale_with_the_unit_of_the_draws() {
        let values = even_draws(400);
        let scaled: Vec<f64> = values.iter().map(|x| x * 1024.0).collect();
        let chains = Chains::new(&values, 4).unwrap();
        let scaled = Chains::new(&scaled, 4).unwrap();
        for error in [mcse_mean, mcse_sd, mcse_median] {
            assert!((error(scaled) / error(chains) - 1024.0).abs() < 1e-6);
        }
    }

    #[test]
    fn correlated_draws_have_larger_errors() {
        let values = even_draws(400);
        let mut blocks = values.clone();
        // Within each half-chain of 50 draws, ascending: the same draws, all in a row.
        blocks
            .chunks_exact_mut(50)
            .for_each(|half| half.sort_by(f64::total_cmp));
        let chains = Chains::new(&values, 4).unwrap();
        let blocks = Chains::new(&blocks, 4).unwrap();
        assert!(mcse_mean(blocks) > 3.0 * mcse_mean(chains));
        assert!(mcse_median(blocks) > 2.0 * mcse_median(chains));
    }

    #[test]
    fn undefined_is_nan() {
        for values in [vec![1.0; 40], vec![f64::NAN; 40], vec![1.0, 2.0, 3.0]] {
            let chains = Chains::new(&values, 1).unwrap();
            assert!(mcse_mean(chains).is_nan());
            assert!(mcse_sd(chains).is_nan());
            assert!(mcse_median(chains).is_nan());
        }
    }
}
