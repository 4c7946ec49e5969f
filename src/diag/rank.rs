//! Draws in ascending order, and the rank normalisation that the diagnostics of Vehtari et al. (2021) rest on.
//!
//! One sort serves everything that needs an order: quantiles, the highest density interval, and both rank
//! normalisations, since folding around the median turns one ascending sequence into two that only need merging.

use super::chains::{Chains, Halves};
use super::normal_scores::NormalScores;
use super::quantile::median;

/// The draws of one quantity in ascending order, with the place each came from. Free of NaN.
pub(super) struct Ordered {
    /// Ascending values, `num_chains · num_draws`.
    values: Vec<f64>,
    /// For each of `values`, its index in the chains' own order.
    origin: Vec<usize>,
    num_draws: usize,
}

impl Ordered {
    /// Sorts the draws.
    pub(super) fn new(chains: Chains) -> Self {
        let mut keyed: Vec<(u64, usize)> = chains
            .values()
            .iter()
            .enumerate()
            .map(|(i, x)| (sort_key(*x), i))
            .collect();
        if keyed.len() < BY_DIGITS_FROM {
            keyed.sort_unstable_by_key(|(key, _)| *key);
        } else {
            sort_by_digits(&mut keyed);
        }
        let origin: Vec<usize> = keyed.into_iter().map(|(_, i)| i).collect();
        Self {
            values: origin.iter().map(|i| chains.values()[*i]).collect(),
            origin,
            num_draws: chains.num_draws(),
        }
    }

    /// The draws in ascending order.
    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }

    /// Rank-normalised half-chains (Vehtari et al. 2021, eq. 14).
    pub(super) fn bulk_scores(&self, scores: &NormalScores) -> Halves<'static> {
        let ascending = self.values.iter().zip(&self.origin);
        self.normalise(ascending.map(|(x, i)| (*x, *i)), scores)
    }

    /// Rank-normalised half-chains of |x − median|, the median taken over all draws before splitting (section 4.2 there,
    /// and R's posterior; ArviZ's `rhat` splits first, which differs for an odd number of draws).
    pub(super) fn folded_scores(&self, scores: &NormalScores) -> Halves<'static> {
        let centre = median(&self.values);
        let mut right = self.values.partition_point(|x| *x < centre);
        let mut left = right;
        let folded = std::iter::from_fn(|| {
            let below = (left > 0).then(|| centre - self.values[left - 1]);
            let above = self.values.get(right).map(|x| x - centre);
            match (below, above) {
                (Some(b), Some(a)) if a < b => {
                    right += 1;
                    Some((a, self.origin[right - 1]))
                }
                (Some(b), _) => {
                    left -= 1;
                    Some((b, self.origin[left]))
                }
                (None, Some(a)) => {
                    right += 1;
                    Some((a, self.origin[right - 1]))
                }
                (None, None) => None,
            }
        });
        self.normalise(folded, scores)
    }

    /// Number of draws that stay when chains are split into halves.
    pub(super) fn split_len(&self) -> usize {
        self.values.len() / self.num_draws * (self.num_draws / 2 * 2)
    }

    /// Replaces ascending values by the scores of their ranks among the draws that splitting keeps, ties sharing the mean
    /// of their ranks, and puts them where splitting puts the draws.
    fn normalise(
        &self,
        ascending: impl Iterator<Item = (f64, usize)>,
        scores: &NormalScores,
    ) -> Halves<'static> {
        let placed: Vec<(f64, usize)> = ascending
            .filter_map(|(x, i)| Some((x, self.place_in_halves(i)?)))
            .collect();
        let mut out = vec![0.0; placed.len()];
        let mut rank = 0;
        for ties in placed.chunk_by(|a, b| a.0 == b.0) {
            let score = scores.of_doubled(2 * rank + ties.len() + 1);
            for (_, place) in ties {
                out[*place] = score;
            }
            rank += ties.len();
        }
        Halves::from_vec(out, self.num_draws / 2)
    }

    /// Where [`Chains::split`] puts the draw with this index; `None` for a middle draw.
    fn place_in_halves(&self, index: usize) -> Option<usize> {
        if self.num_draws.is_multiple_of(2) {
            return Some(index);
        }
        let half = self.num_draws / 2;
        let (chain, draw) = (index / self.num_draws, index % self.num_draws);
        match draw.cmp(&half) {
            std::cmp::Ordering::Less => Some(chain * 2 * half + draw),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(chain * 2 * half + draw - 1),
        }
    }
}

/// Draws from which sorting digit by digit is the faster one: its tables of counts fill a good part of the first cache.
const BY_DIGITS_FROM: usize = 1 << 14;
/// Bits of a digit.
const DIGIT: u32 = 11;
const DIGITS: usize = u64::BITS.div_ceil(DIGIT) as usize;

/// Sorts by the first of each pair: stable, a pass over all for each digit, least significant first.
fn sort_by_digits(keyed: &mut Vec<(u64, usize)>) {
    let digit = |key: u64, place: usize| (key >> (place as u32 * DIGIT)) as usize & ((1 << DIGIT) - 1);
    let mut counts = vec![[0_usize; 1 << DIGIT]; DIGITS];
    for (key, _) in keyed.iter() {
        for (place, counts) in counts.iter_mut().enumerate() {
            counts[digit(*key, place)] += 1;
        }
    }
    let mut other = vec![(0, 0); keyed.len()];
    for (place, counts) in counts.iter_mut().enumerate() {
        // A digit that all keys share moves none of them.
        if counts.contains(&keyed.len()) {
            continue;
        }
        let mut start = 0;
        for count in counts.iter_mut() {
            start += std::mem::replace(count, start);
        }
        for pair in keyed.iter() {
            let to = &mut counts[digit(pair.0, place)];
            other[*to] = *pair;
            *to += 1;
        }
        std::mem::swap(keyed, &mut other);
    }
}

/// An integer that orders as the number does: integers compare without branches, which sorting gains much from.
/// −0 sorts before 0; both still tie, because ties are judged on the values.
fn sort_key(x: f64) -> u64 {
    let bits = x.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Ranks by counting, the definition: (number below) + (number equal + 1) / 2, doubled.
    fn doubled_ranks(values: &[f64]) -> Vec<usize> {
        let rank = |x: &f64| {
            let below = values.iter().filter(|y| *y < x).count();
            let equal = values.iter().filter(|y| *y == x).count();
            2 * below + equal + 1
        };
        values.iter().map(rank).collect()
    }

    fn scores_by_definition(values: &[f64]) -> Vec<f64> {
        let scores = NormalScores::new(values.len());
        doubled_ranks(values)
            .into_iter()
            .map(|r| scores.of_doubled(r))
            .collect()
    }

    proptest! {
        /// Coarse values, so that ties (also between −0 and 0) are common; 1 to 3 chains of even and odd length.
        #[test]
        fn scores_match_ranks_by_counting(
            coarse in prop::collection::vec(-6i32..6, 12..90),
            num_chains in 1usize..4,
        ) {
            let len = coarse.len() / num_chains * num_chains;
            let values: Vec<f64> = coarse[..len].iter().map(|i| f64::from(*i) * -0.25).collect();
            let chains = Chains::new(&values, num_chains).unwrap();
            let ordered = Ordered::new(chains);
            prop_assert!(ordered.values().is_sorted());
            let scores = NormalScores::new(ordered.split_len());
            prop_assert_eq!(
                ordered.bulk_scores(&scores).view().values().to_vec(),
                scores_by_definition(chains.split().view().values())
            );
            let centre = median(ordered.values());
            let folded: Vec<f64> = values.iter().map(|x| (x - centre).abs()).collect();
            let folded = Chains::new(&folded, num_chains).unwrap().split();
            prop_assert_eq!(
                ordered.folded_scores(&scores).view().values().to_vec(),
                scores_by_definition(folded.view().values())
            );
        }
    }

    #[test]
    fn digit_by_digit_is_the_same_order() {
        let mut state = 1_u64;
        let mut keyed: Vec<(u64, usize)> = (0..5000)
            .map(|i| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                // Numbers of all sizes and both signs; every eighth repeats.
                let x = f64::from_bits(state);
                (sort_key(if x.is_nan() || i % 8 == 0 { 1.5 } else { x }), i)
            })
            .collect();
        let mut expected = keyed.clone();
        expected.sort();
        sort_by_digits(&mut keyed);
        assert_eq!(keyed, expected);
    }

    #[test]
    fn negative_zero_ties_with_zero() {
        let values = [0.0, -0.0, 1.0, -1.0];
        let ordered = Ordered::new(Chains::new(&values, 1).unwrap());
        let scores = ordered.bulk_scores(&NormalScores::new(4));
        assert_eq!(scores.view().values()[0], scores.view().values()[1]);
    }
}
