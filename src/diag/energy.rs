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

/// The energies of chains that stream by, so that E-BFMI is known without them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EnergyStream {
    /// One per chain.
    chains: Vec<EnergyOfChain>,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct EnergyOfChain {
    draws: usize,
    /// Taken off every energy: sums near 0 lose no digits.
    first: f64,
    last: f64,
    sum: f64,
    squares: f64,
    squared_steps: f64,
}

impl EnergyStream {
    /// Takes in the next energies of every chain, `[chain][draw]`.
    pub fn add(&mut self, energy: Chains) {
        self.chains.resize(energy.num_chains(), EnergyOfChain::default());
        for (chain, values) in self.chains.iter_mut().zip(energy.iter()) {
            for &x in values {
                if chain.draws == 0 {
                    chain.first = x;
                } else {
                    chain.squared_steps += (x - chain.last).powi(2);
                }
                chain.last = x;
                chain.draws += 1;
                chain.sum += x - chain.first;
                chain.squares += (x - chain.first).powi(2);
            }
        }
    }

    /// What [`ebfmi`] says of the energies of all these chains, up to rounding.
    pub fn ebfmi(streams: &[&Self]) -> Ebfmi {
        let chains = || streams.iter().flat_map(|stream| &stream.chains);
        let step = |chain: &EnergyOfChain| chain.squared_steps / (chain.draws as f64 - 1.0);
        let deviations = |chain: &EnergyOfChain| chain.squares - chain.sum * chain.sum / chain.draws as f64;
        let centre = |chain: &EnergyOfChain| chain.first + chain.sum / chain.draws as f64;
        let per_chain = chains()
            .map(|chain| finite(step(chain) / (deviations(chain) / (chain.draws as f64 - 1.0))))
            .collect();
        let size: f64 = chains().map(|chain| chain.draws as f64).sum();
        let steps: Vec<f64> = chains().map(step).collect();
        let centres: Vec<f64> = chains().map(centre).collect();
        let overall = mean(&centres);
        let spread: f64 = chains()
            .zip(&centres)
            .map(|(chain, own)| deviations(chain) + chain.draws as f64 * (own - overall).powi(2))
            .sum();
        Ebfmi {
            per_chain,
            pooled: finite(mean(&steps) / (spread / (size - 1.0))),
        }
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
    fn a_stream_tells_what_all_energies_tell() {
        let values: Vec<f64> = (0..600).map(|i| 1e3 + f64::from(i * i * 7 % 101)).collect();
        let expected = ebfmi(Chains::new(&values, 3).unwrap());
        let [mut front, mut back] = [EnergyStream::default(), EnergyStream::default()];
        // Two chains in one stream, the third in another; uneven blocks.
        for range in [0..1, 1..80, 80..200] {
            let block = |chain: usize| values[chain * 200..][range.clone()].to_vec();
            front.add(Chains::new(&[block(0), block(1)].concat(), 2).unwrap());
            back.add(Chains::new(&block(2), 1).unwrap());
        }
        let got = EnergyStream::ebfmi(&[&front, &back]);
        let pairs = got.per_chain.iter().zip(&expected.per_chain);
        for (got, expected) in pairs.chain([(&got.pooled, &expected.pooled)]) {
            // Sums of 600 terms near 50²: a few hundred roundings.
            assert!((got / expected - 1.0).abs() < 1e-12, "{got} for {expected}");
        }
    }

    #[test]
    fn undefined_is_nan() {
        let result = ebfmi(Chains::new(&[1.0, 2.0], 2).unwrap());
        assert!(result.per_chain.iter().all(|x| x.is_nan()) && result.pooled.is_nan());
        let result = ebfmi(Chains::new(&[1.0, f64::INFINITY, 2.0], 1).unwrap());
        assert!(result.per_chain[0].is_nan() && result.min().is_none());
    }
}
