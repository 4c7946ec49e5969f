//! Effective sample size: the number of independent draws that would estimate as well (Vehtari et al. 2021, section 3).
//!
//! All functions take chains as they are, split them, and return NaN for fewer than four draws per chain, for draws that
//! are not finite and for draws that are all equal: a chain that never moved earns no ESS.

use super::autocovariance::Autocovariance;
use super::chains::{Chains, Halves};
use super::moments::{mean, variance};
use super::normal_scores::NormalScores;
use super::quantile::quantile;
use super::rank::Ordered;

/// Probabilities of the quantiles that tail ESS looks at (Vehtari et al. 2021, section 4.3).
pub(super) const TAILS: [f64; 2] = [0.05, 0.95];

/// ESS of the rank-normalised draws: how well the bulk of the distribution is known.
pub fn ess_bulk(chains: Chains) -> f64 {
    if !chains.is_diagnosable() {
        return f64::NAN;
    }
    let ordered = Ordered::new(chains);
    let scores = NormalScores::new(ordered.split_len());
    split_ess(ordered.bulk_scores(&scores).view())
}

/// The smaller of the ESS of the 5 % and the 95 % quantile.
pub fn ess_tail(chains: Chains) -> f64 {
    if !chains.is_diagnosable() {
        return f64::NAN;
    }
    tail_of(chains, &Ordered::new(chains))
}

/// ESS for the mean.
pub fn ess_mean(chains: Chains) -> f64 {
    if !chains.is_diagnosable() {
        return f64::NAN;
    }
    split_ess(chains.split().view())
}

/// ESS for the standard deviation: that of the squared deviations from the mean.
pub fn ess_sd(chains: Chains) -> f64 {
    if !chains.is_diagnosable() {
        return f64::NAN;
    }
    squared_deviations_ess(chains, mean(chains.values()))
}

/// ESS for the quantile at `prob` in [0, 1]: that of the indicator x ≤ quantile.
///
/// Where ties make that indicator always true, every draw counts, as in ArviZ.
pub fn ess_quantile(chains: Chains, prob: f64) -> f64 {
    if !chains.is_diagnosable() || !(0.0..=1.0).contains(&prob) {
        return f64::NAN;
    }
    quantile_of(chains, &Ordered::new(chains), prob)
}

/// [`ess_tail`] of draws that are already in order and known to be diagnosable.
pub(super) fn tail_of(chains: Chains, ordered: &Ordered) -> f64 {
    let [low, high] = TAILS.map(|prob| quantile_of(chains, ordered, prob));
    low.min(high)
}

/// [`ess_quantile`] of draws that are already in order and known to be diagnosable.
pub(super) fn quantile_of(chains: Chains, ordered: &Ordered, prob: f64) -> f64 {
    let limit = quantile(ordered.values(), prob);
    let below = |x: &f64| f64::from(u8::from(*x <= limit));
    mapped_ess(chains, below)
}

/// [`ess_sd`] about a mean that is already known, of draws known to be diagnosable.
pub(super) fn squared_deviations_ess(chains: Chains, mean: f64) -> f64 {
    mapped_ess(chains, |x| (x - mean).powi(2))
}

fn mapped_ess(chains: Chains, map: impl Fn(&f64) -> f64) -> f64 {
    let halves = chains.split();
    let values: Vec<f64> = halves.view().values().iter().map(map).collect();
    let num_draws = halves.view().num_draws();
    split_ess(Halves::from_vec(values, num_draws).view())
}

/// ESS of chains that are already split: number of draws over the integrated autocorrelation time.
///
/// Autocorrelations combine within-chain autocovariance and between-chain variance (Vehtari et al. 2021, eq. 10); their
/// sum is cut by Geyer's (1992) initial positive, then monotone sequence of pairs, with one more even term that lowers
/// the variance for antithetic chains; the time is at least 1/log10(S), which caps ESS at S·log10 S. The last lag looked
/// at is ArviZ's (posterior stops one pair earlier for halves of odd length).
pub(super) fn split_ess(halves: Chains) -> f64 {
    let size = halves.values().len() as f64;
    if halves.values().iter().all(|x| *x == halves.values()[0]) {
        return size;
    }
    let n = halves.num_draws();
    let means: Vec<f64> = halves.iter().map(mean).collect();
    let mut autocovariance = Autocovariance::new(halves, &means);
    let biased = autocovariance.at(0);
    let within = biased * n as f64 / (n as f64 - 1.0);
    let pooled = if halves.num_chains() > 1 {
        biased + variance(&means)
    } else {
        biased
    };
    let mut rho = |lag: usize| 1.0 - (within - autocovariance.at(lag)) / pooled;

    if rho(1).is_nan() {
        // Squares of the draws overflow.
        return f64::NAN;
    }

    // `pairs[k]` is (ρ(2k), ρ(2k + 1)); the first is kept whatever its sum.
    let mut pairs = vec![(1.0, rho(1))];
    let mut last = pairs[0];
    while 2 * pairs.len() + 1 < n - 1 && last.0 + last.1 > 0.0 {
        let lag = 2 * pairs.len();
        last = (rho(lag), rho(lag + 1));
        pairs.push(last);
    }
    // The last pair is only the source of the extra even term.
    pairs.pop();
    for k in 1..pairs.len() {
        let (before, here) = (pairs[k - 1], pairs[k]);
        if here.0 + here.1 > before.0 + before.1 {
            let half = (before.0 + before.1) / 2.0;
            pairs[k] = (half, half);
        }
    }
    let sum: f64 = pairs.iter().map(|(even, odd)| even + odd).sum();
    let (even, odd) = last;
    let extra = if even > 0.0 || even + odd >= 0.0 {
        even
    } else {
        0.0
    };
    let time = -1.0 + 2.0 * sum + extra;
    size / time.max(1.0 / size.log10())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uniform noise of SplitMix64 in (−½, ½).
    fn noise(len: usize) -> Vec<f64> {
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        (0..len).map(|_| next()).collect()
    }

    /// x(t) = φ·x(t − 1) + e(t), chain after chain.
    fn autoregressive(phi: f64, num_chains: usize, num_draws: usize) -> Vec<f64> {
        let mut x = noise(num_chains * num_draws);
        for chain in x.chunks_exact_mut(num_draws) {
            for t in 1..num_draws {
                chain[t] += phi * chain[t - 1];
            }
        }
        x
    }

    /// An AR(1) chain has S(1 − φ)/(1 + φ) effective draws for its mean. The estimate's own error is about √(2M/S) of
    /// it, M the lags summed (Sokal 1997, eq. 3.19); at S = 40,000 and M near 20 that is 5 %, and 20 % is four of it.
    #[test]
    fn mean_of_an_autoregression_has_its_known_ess() {
        for phi in [-0.5, 0.0, 0.5, 0.8] {
            let values = autoregressive(phi, 8, 5_000);
            let ess = ess_mean(Chains::new(&values, 8).unwrap());
            let known = 40_000.0 * (1.0 - phi) / (1.0 + phi);
            assert!((ess / known - 1.0).abs() < 0.2, "phi {phi}: {ess} for {known}");
        }
    }

    #[test]
    fn ess_is_capped() {
        let alternating: Vec<f64> = (0..1000).map(|i| f64::from(i % 2)).collect();
        let ess = ess_mean(Chains::new(&alternating, 2).unwrap());
        assert!((ess - 1000.0 * 3.0).abs() < 1e-9, "{ess}");
    }

    #[test]
    fn chains_that_disagree_have_little_ess() {
        let mut values = noise(4_000);
        values[3_000..].iter_mut().for_each(|x| *x += 3.0);
        let chains = Chains::new(&values, 4).unwrap();
        assert!(ess_bulk(chains) < 20.0, "{}", ess_bulk(chains));
        assert!(ess_tail(chains) < 100.0, "{}", ess_tail(chains));
    }

    #[test]
    fn nothing_is_credited_to_draws_that_cannot_be_diagnosed() {
        let mut infinite = noise(100);
        infinite[17] = f64::INFINITY;
        for values in [vec![2.5; 100], infinite, noise(3)] {
            let chains = Chains::new(&values, 1).unwrap();
            let all = [ess_bulk, ess_tail, ess_mean, ess_sd].map(|ess| ess(chains));
            assert!(all.iter().all(|x| x.is_nan()), "{all:?}");
            assert!(ess_quantile(chains, 0.5).is_nan());
        }
        assert!(ess_quantile(Chains::new(&noise(100), 1).unwrap(), 1.5).is_nan());
    }

    #[test]
    fn overflow_is_nan_not_a_number_of_draws() {
        let huge: Vec<f64> = noise(100).iter().map(|x| x * 1e300).collect();
        assert!(ess_mean(Chains::new(&huge, 2).unwrap()).is_nan());
        assert!(ess_bulk(Chains::new(&huge, 2).unwrap()).is_finite());
    }
}
