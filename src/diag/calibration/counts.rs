//! Probabilities of counts, accurate in their tails: a tail is summed outwards, and never taken from 1.

use crate::num::Real;

/// Terms smaller than this share of a sum are left out of it.
const NEGLIGIBLE: f64 = 1e-18;

/// Binomial and Poisson probabilities of counts up to `trials`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counts {
    trials: usize,
    /// ln k! for k from 0 to `trials`.
    ln_factorials: Vec<f64>,
}

impl Counts {
    pub(super) fn new(trials: usize) -> Self {
        Self {
            trials,
            ln_factorials: (0..=trials).map(|k| (k as f64 + 1.0).lgamma()).collect(),
        }
    }

    pub(super) fn trials(&self) -> usize {
        self.trials
    }

    /// Poisson probability of `count` at a `mean` above 0.
    pub(super) fn poisson(&self, count: usize, mean: f64) -> f64 {
        (count as f64 * mean.ln() - mean - self.ln_factorials[count]).exp()
    }

    /// P(X ≤ `count`) of Binomial(trials, `share`), 0 < share < 1.
    pub(super) fn at_most(&self, count: usize, share: f64) -> f64 {
        if self.is_above_mean(count, share) {
            return if count < self.trials {
                1.0 - self.at_least(count + 1, share)
            } else {
                1.0
            };
        }
        let odds_against = (1.0 - share) / share;
        let below = |k: usize| k as f64 / (self.trials - k + 1) as f64 * odds_against;
        self.tail(count, share, (1..=count).rev().map(below))
    }

    /// P(X ≥ `count`) of Binomial(trials, `share`), 0 < share < 1.
    pub(super) fn at_least(&self, count: usize, share: f64) -> f64 {
        if !self.is_above_mean(count, share) {
            return match count.checked_sub(1) {
                Some(below) => 1.0 - self.at_most(below, share),
                None => 1.0,
            };
        }
        let odds = share / (1.0 - share);
        let above = |k: usize| (self.trials - k) as f64 / (k + 1) as f64 * odds;
        self.tail(count, share, (count..self.trials).map(above))
    }

    fn is_above_mean(&self, count: usize, share: f64) -> bool {
        count as f64 > self.trials as f64 * share
    }

    /// The probability of `count` and of the counts further from the mean, each of which is the last one times the next
    /// of `ratios`, which fall.
    fn tail(&self, count: usize, share: f64, ratios: impl Iterator<Item = f64>) -> f64 {
        let rest = self.trials - count;
        let ln_first = self.ln_factorials[self.trials] - self.ln_factorials[count] - self.ln_factorials[rest]
            + count as f64 * share.ln()
            + rest as f64 * (-share).ln_1p();
        let (mut sum, mut term) = (1.0, 1.0);
        for ratio in ratios {
            term *= ratio;
            sum += term;
            if term < NEGLIGIBLE * sum {
                break;
            }
        }
        ln_first.exp() * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts of 30 trials by whole numbers: binomials below 2^53 are exact, a share of 1/4 too.
    #[test]
    fn tails_are_sums_of_probabilities() {
        let counts = Counts::new(30);
        let mut choose = 1.0;
        let probabilities: Vec<f64> = (0..=30)
            .map(|k| {
                let p = choose * 0.25_f64.powi(k) * 0.75_f64.powi(30 - k);
                choose = choose * f64::from(30 - k) / f64::from(k + 1);
                p
            })
            .collect();
        for k in 0..=30 {
            let below: f64 = probabilities[..=k].iter().sum();
            let above: f64 = probabilities[k..].iter().rev().sum();
            assert!((counts.at_most(k, 0.25) / below - 1.0).abs() < 1e-12, "{k}");
            assert!((counts.at_least(k, 0.25) / above - 1.0).abs() < 1e-12, "{k}");
        }
    }

    /// 0.3^1000 = 10^−522.88 is below the smallest number, its complement is 1.
    #[test]
    fn tails_beyond_the_smallest_number_are_zero_and_their_complements_one() {
        let counts = Counts::new(1000);
        assert_eq!(counts.at_least(1000, 0.3), 0.0);
        assert!((counts.at_most(1000, 0.3) - 1.0).abs() < 1e-11);
        assert!((counts.at_least(0, 0.3) - 1.0).abs() < 1e-11);
    }

    #[test]
    fn poisson_by_hand() {
        let counts = Counts::new(10);
        assert!((counts.poisson(0, 2.0) / (-2.0_f64).exp() - 1.0).abs() < 1e-14);
        assert!((counts.poisson(3, 2.0) / ((-2.0_f64).exp() * 8.0 / 6.0) - 1.0).abs() < 1e-14);
    }
}
