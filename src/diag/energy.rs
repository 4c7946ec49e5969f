//! E-BFMI: does resampling the momentum move the energy as widely as its distribution asks?

use super::chains::Chains;
use super::moments::{mean, variance, variance_about};

/// Estimated Bayesian fraction of missing information (Betancourt 2016, arXiv 1604.00695, eq. 3).
#[derive(Debug, Clone, PartialEq)]
pub struct Ebfmi {
    /// One value per chain, mean(ΔE²)/Var(E) as in ArviZ; NaN for a chain of fewer than two draws, for energies that are
    /// not finite, and for a chain whose energy never changes.
    pub per_chain: Vec<f64>,
    /// The same ratio with numerator and denominator pooled over all chains: steady where chains are many and short.
    pub pooled: f64,
}

impl Ebfmi {
    /// The smallest value of a chain; `None` if no chain has one.
    pub fn min(&self) -> Option<f64> {
        self.per_chain
            .iter()
            .copied()
            .filter(|x| !x.is_nan())
            .reduce(f64::min)
    }
}

/// E-BFMI from the energies of the kept draws (potential plus kinetic, at the start of each trajectory's last state).
pub fn ebfmi(energy: Chains) -> Ebfmi {
    let steps: Vec<f64> = energy.iter().map(mean_squared_step).collect();
    let per_chain = steps
        .iter()
        .zip(energy.iter())
        .map(|(step, chain)| finite(step / variance(chain)));
    let overall = variance_about(energy.values(), mean(energy.values()));
    Ebfmi {
        per_chain: per_chain.collect(),
        pooled: finite(mean(&steps) / overall),
    }
}

/// Mean over successive draws of the squared change; NaN for fewer than two draws.
fn mean_squared_step(chain: &[f64]) -> f64 {
    let squares: Vec<f64> = chain.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).collect();
    mean(&squares)
}

fn finite(x: f64) -> f64 {
    if x.is_finite() { x } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Changes 1, 1, 3 of 0, 1, 2, 5; variance 14/3.
        let values = [0., 1., 2., 5., 7., 7., 7., 7.];
        let result = ebfmi(Chains::new(&values, 2).unwrap());
        assert!((result.per_chain[0] - (11.0 / 3.0) / (14.0 / 3.0)).abs() < 1e-15);
        assert!(
            result.per_chain[1].is_nan(),
            "a chain that never moved has no E-BFMI"
        );
        assert_eq!(result.min(), Some(result.per_chain[0]));
        // All eight: mean 4.5, squared deviations 64 over 7; mean squared steps 11/3 and 0.
        assert!((result.pooled - (11.0 / 6.0) / (64.0 / 7.0)).abs() < 1e-15);
    }

    #[test]
    fn slow_energies_are_low_and_fresh_ones_near_two() {
        let slow: Vec<f64> = (0..1000).map(|i| (f64::from(i) / 100.0).sin()).collect();
        assert!(ebfmi(Chains::new(&slow, 1).unwrap()).pooled < 0.01);
        let fresh: Vec<f64> = (0..1000).map(|i| f64::from(i * i * 7 % 101)).collect();
        assert!(ebfmi(Chains::new(&fresh, 1).unwrap()).pooled > 1.0);
    }

    #[test]
    fn undefined_is_nan() {
        let result = ebfmi(Chains::new(&[1.0, 2.0], 2).unwrap());
        assert!(result.per_chain.iter().all(|x| x.is_nan()) && result.pooled.is_nan());
        let result = ebfmi(Chains::new(&[1.0, f64::INFINITY, 2.0], 1).unwrap());
        assert!(result.per_chain[0].is_nan() && result.min().is_none());
    }
}
