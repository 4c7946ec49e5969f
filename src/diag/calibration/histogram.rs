//! Ranks in bins, with what chance makes of each.

use super::counts::Counts;
use super::tally;
use crate::diag::Prob;
use crate::error::Result;

/// The bins that a histogram has where they can be equal.
const FEWEST: usize = 10;
const MOST: usize = 25;
/// The bins that it has where they cannot.
const USUAL: usize = 20;
/// Ranks that a bin should hold on average, so that its shape says something.
const PER_BIN: usize = 5;

/// Counts of ranks in bins as equal as whole ranks allow.
///
/// The band is that of each bin alone: of a hundred bins it is left by some. [`super::RankTest`] judges all at once.
#[derive(Debug, Clone, PartialEq)]
pub struct RankHistogram {
    /// A bin holds the ranks from one edge up to the next, without it: one more than bins, from 0 to draws + 1.
    pub edges: Vec<usize>,
    /// Ranks in each bin.
    pub counts: Vec<usize>,
    /// Ranks in each bin if they were spread evenly.
    pub expected: Vec<f64>,
    /// Lower and upper end of the interval of each bin's count, binomial and equal-tailed.
    pub band: Vec<(usize, usize)>,
}

impl RankHistogram {
    /// `bins` of the ranks, fewer where there are fewer possible ranks; the band holds at least `prob` in each.
    ///
    /// # Errors
    ///
    /// A bug if a rank is above `draws`.
    pub fn new(ranks: &[u32], draws: usize, bins: usize, prob: Prob) -> Result<Self> {
        let tally = tally(ranks, draws)?;
        let cells = draws + 1;
        let bins = bins.clamp(1, cells);
        let edges: Vec<usize> = (0..=bins)
            .map(|edge| (2 * edge * cells + bins) / (2 * bins))
            .collect();
        let counts = Counts::new(ranks.len());
        let share = |bin: &[usize]| (bin[1] - bin[0]) as f64 / cells as f64;
        Ok(Self {
            counts: edges
                .windows(2)
                .map(|bin| tally[bin[0]..bin[1]].iter().sum())
                .collect(),
            expected: edges
                .windows(2)
                .map(|bin| ranks.len() as f64 * share(bin))
                .collect(),
            band: edges
                .windows(2)
                .map(|bin| interval(&counts, share(bin), prob))
                .collect(),
            edges,
        })
    }

    /// How many bins suit `replicates` ranks among `draws`: 10 to 25 that divide the possible ranks evenly, as near to
    /// 20 as can be, or else 20; fewer where that would leave fewer than five ranks to a bin.
    pub fn bins(replicates: usize, draws: usize) -> usize {
        let cells = draws + 1;
        let most = (replicates / PER_BIN).max(1).min(cells);
        let even = (FEWEST..=MOST.min(most)).filter(|bins| cells.is_multiple_of(*bins));
        even.min_by_key(|bins| bins.abs_diff(USUAL))
            .unwrap_or(USUAL.min(most))
    }
}

/// The equal-tailed interval of a binomial count.
fn interval(counts: &Counts, share: f64, prob: Prob) -> (usize, usize) {
    let trials = counts.trials();
    if share >= 1.0 {
        return (trials, trials);
    }
    let tail = 0.5 * (1.0 - prob.get());
    let low = (0..trials)
        .find(|count| counts.at_most(*count, share) > tail)
        .unwrap_or(trials);
    let high = (low + 1..=trials).find(|count| counts.at_least(*count, share) <= tail);
    (low, high.map_or(trials, |beyond| beyond - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_is_in_one_bin_and_unequal_bins_expect_in_proportion() {
        // Eleven possible ranks in four bins: of 3, 3, 2 and 3.
        let ranks: Vec<u32> = (0..=10).flat_map(|rank| vec![rank; 4]).collect();
        let histogram = RankHistogram::new(&ranks, 10, 4, Prob::default()).unwrap();
        assert_eq!(histogram.edges, [0, 3, 6, 8, 11]);
        assert_eq!(histogram.counts, [12, 12, 8, 12]);
        assert_eq!(histogram.expected, [12.0, 12.0, 8.0, 12.0]);
        for (band, expected) in histogram.band.iter().zip(&histogram.expected) {
            assert!((band.0 as f64) < *expected && *expected < band.1 as f64);
        }
    }

    /// qbinom(c(0.05, 0.95), 1000, 0.05) = 39, 62 and qbinom(c(0.005, 0.995), 50, 0.1) = 0, 11 in R 4.
    #[test]
    fn bands_are_binomial_quantiles() {
        let counts = Counts::new(1000);
        assert_eq!(interval(&counts, 0.05, Prob::new(0.9).unwrap()), (39, 62));
        assert_eq!(interval(&Counts::new(50), 0.1, Prob::new(0.99).unwrap()), (0, 11));
        assert_eq!(interval(&counts, 1.0, Prob::default()), (1000, 1000));
    }

    #[test]
    fn bins_divide_the_ranks_where_they_can() {
        assert_eq!(RankHistogram::bins(1000, 99), 20);
        assert_eq!(RankHistogram::bins(1000, 63), 16);
        assert_eq!(RankHistogram::bins(1000, 100), 20, "101 is prime");
        assert_eq!(RankHistogram::bins(1000, 7), 8);
        assert_eq!(RankHistogram::bins(50, 99), 10);
        assert_eq!(RankHistogram::bins(3, 99), 1);
    }

    #[test]
    fn ranks_above_the_draws_are_a_fault() {
        assert!(RankHistogram::new(&[0, 11], 10, 5, Prob::default()).is_err());
    }
}
