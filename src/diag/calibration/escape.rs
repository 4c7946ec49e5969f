//! How probable it is that the counts of a uniform sample leave a band anywhere.
//!
//! Counts of a uniform sample below rising points are a Markov chain with binomial steps; Säilynoja, Bürkner and
//! Vehtari (2022, section 2) sum over its paths inside the band, point by point. As multinomial counts are Poisson
//! counts given their sum, the steps may be Poisson ones, divided by the probability of the sum in the end: they
//! depend on the step's length alone (as in Moscovich and Nadler 2017), so that one table of them serves all starts.
//!
//! What leaves is summed where it leaves, not taken from 1 in the end: probabilities of 1e-12 keep their digits.

use super::counts::Counts;
use crate::num::sum::{Sum, sum_pairs};

/// What is smaller than this share of the smallest tail of interest is left out.
const NEGLIGIBLE: f64 = 1e-24;

/// Poisson probabilities of the steps from one point to the next, in falling order of lengths up to the last one that
/// matters.
struct Steps {
    /// Cells between the points.
    cells: usize,
    falling: Vec<f64>,
}

impl Steps {
    fn new(counts: &Counts, cells: usize, mean: f64, negligible: f64) -> Self {
        let mut falling = Vec::new();
        for length in 0..=counts.trials() {
            let p = counts.poisson(length, mean);
            if length as f64 > mean && p < negligible {
                break;
            }
            falling.push(p);
        }
        falling.reverse();
        Self { cells, falling }
    }

    /// The probability of coming to `to`, from counts `start`, `start + 1`, … that have the probabilities `inside`.
    fn arriving(&self, start: usize, inside: &[f64], to: usize) -> f64 {
        let longest = self.falling.len() - 1;
        let first = to.saturating_sub(longest).max(start);
        let last = (start + inside.len() - 1).min(to);
        if first > last {
            return 0.0;
        }
        sum_pairs(
            &inside[first - start..=last - start],
            &self.falling[longest - (to - first)..],
            |here, step| here * step,
        )
    }
}

/// The probability that the number of ranks below `cuts[i]`, of as many uniform ranks as `counts` knows trials, is
/// outside `band[i].0 ..= band[i].1` for some i.
///
/// `cuts` rise strictly between 0 and `cells`, the number of values a rank can have; both ends of the band rise. Tails
/// down to `smallest` keep their relative accuracy.
pub(super) fn escape(
    counts: &Counts,
    cells: usize,
    cuts: &[usize],
    band: &[(usize, usize)],
    smallest: f64,
) -> f64 {
    let trials = counts.trials();
    let mean = |cut: usize| trials as f64 * (cut as f64 / cells as f64);
    let negligible = NEGLIGIBLE * smallest;
    let (mut start, mut inside) = (0, vec![1.0]);
    let mut next = Vec::new();
    let mut escaped = Sum::default();
    // Cuts are as evenly spaced as whole numbers allow: one or two lengths in all.
    let mut known: Vec<Steps> = Vec::new();
    let mut before = 0;
    for (&cut, &(low, high)) in cuts.iter().zip(band) {
        if low > high {
            return 1.0;
        }
        let width = cut - before;
        let place = known
            .iter()
            .position(|steps| steps.cells == width)
            .unwrap_or_else(|| {
                known.push(Steps::new(counts, width, mean(width), negligible));
                known.len() - 1
            });
        let steps = &known[place];
        // Whoever leaves must still come to the full number in the end.
        let rest = mean(cells - cut);
        let leaving = |to: usize| steps.arriving(start, &inside, to) * counts.poisson(trials - to, rest);
        for to in start..low {
            escaped.add(leaving(to));
        }
        let mut last = 0.0;
        for to in high + 1..=trials {
            let term = leaving(to);
            escaped.add(term);
            if term <= last && term <= 1e-18 * escaped.total() {
                break;
            }
            last = term;
        }
        next.clear();
        next.extend((low..=high).map(|to| steps.arriving(start, &inside, to)));
        std::mem::swap(&mut inside, &mut next);
        (start, before) = (low, cut);
    }
    escaped.total() / counts.poisson(trials, trials as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All 4^5 samples of five ranks of four values, and bands of all kinds.
    #[test]
    fn all_small_samples_are_counted() {
        let counts = Counts::new(5);
        let cuts = [1, 2, 3];
        for band in [
            [(0, 2), (1, 4), (3, 5)],
            [(1, 1), (2, 3), (3, 4)],
            [(0, 5), (2, 5), (2, 5)],
            [(0, 5), (0, 5), (0, 5)],
            [(0, 3), (0, 3), (0, 3)],
        ] {
            let leaves = |sample: u32| {
                let ranks: Vec<usize> = (0..5).map(|i| (sample >> (2 * i)) as usize & 3).collect();
                cuts.iter().zip(band).any(|(cut, (low, high))| {
                    let below = ranks.iter().filter(|rank| *rank < cut).count();
                    below < low || below > high
                })
            };
            let share = (0..1024).filter(|sample| leaves(*sample)).count() as f64 / 1024.0;
            let found = escape(&counts, 4, &cuts, &band, 1e-3);
            assert!((found - share).abs() < 1e-13, "{band:?}: {found} for {share}");
        }
    }
}
