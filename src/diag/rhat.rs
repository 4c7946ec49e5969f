//! R-hat: do chains that started apart agree? Ordinary (Vehtari et al. 2021) and nested (Margossian et al. 2024).

use super::chains::{Chains, Status};
use super::moments::{mean, variance};
use super::normal_scores::NormalScores;
use super::rank::Ordered;

/// R-hat of one quantity: the larger of [`rhat_bulk`] and [`rhat_folded`] (Vehtari et al. 2021, section 4).
///
/// Infinite where every chain stands still at its own value. As in R's posterior a single chain is judged by its two
/// halves; ArviZ reports none. NaN for fewer than four draws per chain, for draws that are not finite, and where all
/// draws are equal.
pub fn rhat(chains: Chains) -> f64 {
    with_scores(chains, |ordered, scores| {
        let (bulk, folded) = (ordered.bulk_scores(scores), ordered.folded_scores(scores));
        rhat_of(bulk.view(), folded.view())
    })
}

/// Rank-normalised split R-hat, which sees chains that differ in location.
///
/// Invariant under monotone transformations; NaN as [`rhat`].
pub fn rhat_bulk(chains: Chains) -> f64 {
    with_scores(chains, |ordered, scores| {
        split_rhat(ordered.bulk_scores(scores).view())
    })
}

/// Rank-normalised split R-hat of |x − median|, which sees chains that differ in scale.
///
/// NaN as [`rhat`], and where all draws lie equally far from their median.
pub fn rhat_folded(chains: Chains) -> f64 {
    with_scores(chains, |ordered, scores| {
        split_rhat(ordered.folded_scores(scores).view())
    })
}

/// Nested R-hat of rank-normalised, split chains, the larger of bulk and folded: the default of ArviZ's `rhat_nested`.
///
/// Chains k·m … (k+1)·m − 1, with m = `chains_per_superchain`, form superchain k and started at one point (up to a jitter
/// that is forgotten). Meant for many short chains, where ordinary R-hat stays above 1.01 for chains that are fine. NaN
/// as [`rhat`], for fewer than two superchains, and where the chains cannot be divided into them.
pub fn rhat_nested(chains: Chains, chains_per_superchain: usize) -> f64 {
    with_scores(chains, |ordered, scores| {
        let (bulk, folded) = (ordered.bulk_scores(scores), ordered.folded_scores(scores));
        nested_of(bulk.view(), folded.view(), chains_per_superchain)
    })
}

/// Nested R-hat of the draws as they are (Margossian et al. 2024, eq. 4 to 8), the value of posterior's `rhat_nested`:
/// √(1 + variance of superchain means / mean of (within-chain + between-chain variance)).
///
/// Arguments as [`rhat_nested`]. NaN as there, except that two draws per chain are enough.
pub fn rhat_nested_basic(chains: Chains, chains_per_superchain: usize) -> f64 {
    if chains.status() != Status::Varying {
        return f64::NAN;
    }
    nested(chains, chains_per_superchain)
}

/// [`rhat`] from the rank-normalised half-chains.
pub(super) fn rhat_of(bulk: Chains, folded: Chains) -> f64 {
    // The folded one is NaN where all draws lie equally far from their median; `max` then keeps the other.
    split_rhat(bulk).max(split_rhat(folded))
}

/// [`rhat_nested`] from the rank-normalised half-chains.
pub(super) fn nested_of(bulk: Chains, folded: Chains, chains_per_superchain: usize) -> f64 {
    // Both halves of a chain belong to its superchain, and lie side by side.
    let per_superchain = 2 * chains_per_superchain;
    nested(bulk, per_superchain).max(nested(folded, per_superchain))
}

fn with_scores(chains: Chains, diagnose: impl Fn(&Ordered, &NormalScores) -> f64) -> f64 {
    if !chains.is_diagnosable() {
        return f64::NAN;
    }
    let ordered = Ordered::new(chains);
    let scores = NormalScores::new(ordered.split_len());
    diagnose(&ordered, &scores)
}

/// √((B/W + n − 1)/n) of chains that are already split (Vehtari et al. 2021, eq. 1 to 4), n the draws per half.
fn split_rhat(halves: Chains) -> f64 {
    let n = halves.num_draws() as f64;
    let means: Vec<f64> = halves.iter().map(mean).collect();
    let variances: Vec<f64> = halves.iter().map(variance).collect();
    let between = n * variance(&means);
    let within = mean(&variances);
    ((between / within + n - 1.0) / n).sqrt()
}

/// Margossian et al. 2024, eq. 8; NaN if the chains do not divide into at least two superchains.
fn nested(chains: Chains, per_superchain: usize) -> f64 {
    if per_superchain == 0 || !chains.num_chains().is_multiple_of(per_superchain) {
        return f64::NAN;
    }
    let means: Vec<f64> = chains.iter().map(mean).collect();
    let variances: Vec<f64> = chains.iter().map(variance).collect();
    let superchain_means: Vec<f64> = means.chunks_exact(per_superchain).map(mean).collect();
    let inner = means
        .chunks_exact(per_superchain)
        .zip(variances.chunks_exact(per_superchain));
    let inner: Vec<f64> = inner
        .map(|(means, variances)| {
            let between = if per_superchain == 1 { 0.0 } else { variance(means) };
            mean(variances) + between
        })
        .collect();
    (1.0 + variance(&superchain_means) / mean(&inner)).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 4 chains of 50 draws without autocorrelation: multiples of the golden ratio, modulo 1.
    fn even_draws() -> Vec<f64> {
        (0..200)
            .map(|i| (f64::from(i) * 0.618_033_988_749_895).fract())
            .collect()
    }

    fn chains(values: &[f64]) -> Chains<'_> {
        Chains::new(values, 4).unwrap()
    }

    #[test]
    fn a_shifted_chain_raises_the_bulk() {
        let mut values = even_draws();
        assert!(rhat(chains(&values)) < 1.01);
        values[..50].iter_mut().for_each(|x| *x += 1.0);
        assert!(rhat_bulk(chains(&values)) > 1.3);
    }

    #[test]
    fn a_narrow_chain_raises_only_the_folded() {
        let mut values = even_draws();
        values[..50].iter_mut().for_each(|x| *x = 0.5 + (*x - 0.5) / 20.0);
        assert!(rhat_bulk(chains(&values)) < 1.01);
        assert!(rhat_folded(chains(&values)) > 1.1);
        assert_eq!(rhat(chains(&values)), rhat_folded(chains(&values)));
    }

    #[test]
    fn a_drift_within_chains_raises_the_bulk() {
        let mut values = even_draws();
        for chain in values.chunks_exact_mut(50) {
            chain[25..].iter_mut().for_each(|x| *x += 1.0);
        }
        assert!(rhat_bulk(chains(&values)) > 1.3);
        assert!(
            rhat(Chains::new(&values[..50], 1).unwrap()) > 1.3,
            "one chain is judged by its halves"
        );
    }

    #[test]
    fn chains_that_stand_still_apart_are_infinitely_wrong() {
        let values: Vec<f64> = (0..40).map(|i| 0.1 * f64::from(i / 10)).collect();
        assert_eq!(rhat(chains(&values)), f64::INFINITY);
    }

    #[test]
    fn equal_distances_from_the_median_leave_the_bulk() {
        let values: Vec<f64> = (0..40).map(|i| f64::from(i % 2 * 2 - 1)).collect();
        assert!(rhat_folded(chains(&values)).is_nan());
        assert!(rhat(chains(&values)) < 1.0);
    }

    #[test]
    fn undefined_is_nan() {
        let mut broken = even_draws();
        broken[3] = f64::NAN;
        for values in [broken, vec![1.0; 200], (0..12).map(f64::from).collect()] {
            assert!(rhat(chains(&values)).is_nan());
            assert!(rhat_nested(chains(&values), 2).is_nan());
        }
        for per_superchain in [0, 3, 4] {
            assert!(rhat_nested(chains(&even_draws()), per_superchain).is_nan());
            assert!(rhat_nested_basic(chains(&even_draws()), per_superchain).is_nan());
        }
    }

    #[test]
    fn nested_sees_superchains_that_remember_their_start_but_forgives_single_chains() {
        let mut values = even_draws();
        // Chains 0 and 2 are shifted: with superchains {0, 1} and {2, 3} both have the same mean.
        for chain in [0, 2] {
            values[chain * 50..][..50].iter_mut().for_each(|x| *x += 1.0);
        }
        assert!(rhat_nested(chains(&values), 2) < 1.01);
        assert!(rhat_nested_basic(chains(&values), 2) < 1.01);
        values.swap_with_slice(&mut even_draws());
        values[..100].iter_mut().for_each(|x| *x += 1.0);
        assert!(rhat_nested(chains(&values), 2) > 1.3);
        assert!(rhat_nested_basic(chains(&values), 2) > 1.3);
    }

    #[test]
    fn nested_by_hand() {
        // Superchain means 2 and 4, so their variance is 2; within chains 2, between the chains of a superchain 2.
        let values = [0., 2., 2., 4., 2., 4., 4., 6.];
        assert_eq!(
            rhat_nested_basic(chains(&values), 2),
            (1.0_f64 + 2.0 / 4.0).sqrt()
        );
    }

    proptest! {
        #[test]
        fn order_of_chains_and_monotone_maps_do_not_matter(
            values in prop::collection::vec(-3.0f64..3.0, 4 * 11), a in 0usize..4, b in 0usize..4,
        ) {
            let bulk = rhat_bulk(chains(&values));
            let mapped: Vec<f64> = values.iter().map(|x| x.exp() * 1e3).collect();
            // Distinct draws that exp rounds together would tie; the range and precision here rule that out.
            prop_assert_eq!(bulk, rhat_bulk(chains(&mapped)));
            let negated: Vec<f64> = values.iter().map(|x| -x).collect();
            prop_assert!((bulk - rhat_bulk(chains(&negated))).abs() < 1e-12);
            let mut order = [0, 1, 2, 3];
            order.swap(a, b);
            let exchanged: Vec<f64> = order.iter().flat_map(|c| values[c * 11..][..11].to_vec()).collect();
            prop_assert!((rhat(chains(&values)) - rhat(chains(&exchanged))).abs() < 1e-12);
        }
    }
}
