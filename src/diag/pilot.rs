//! What the first draws of a run fix for the rest of it: the functions of a draw whose errors are followed in a stream.
//!
//! Ranks of all draws need all draws. The effective sample sizes that rest on them depend little on the exact scores,
//! though: any function close to the normal scores, fixed beforehand, has nearly the same autocorrelations. So the
//! scores are a piecewise linear function through the pilot's quantiles, flat beyond ±2.1 standard normal units, and
//! the tails are the indicators at the pilot's 5 % and 95 % quantiles.

use super::ess::TAILS;
use super::moments::mean;
use super::quantile::quantile;

/// Standard normal scores at which the score function bends, and their probabilities Φ(z).
const BENDS: [(f64, f64); 7] = [
    (-2.1, 0.017_864_420_562_816_56),
    (-1.4, 0.080_756_659_233_771_05),
    (-0.7, 0.241_963_652_223_073_03),
    (0.0, 0.5),
    (0.7, 0.758_036_347_776_926_9),
    (1.4, 0.919_243_340_766_229),
    (2.1, 0.982_135_579_437_183_4),
];
/// Linear pieces of the score function.
const PIECES: usize = BENDS.len() - 1;

/// Functions of the draws of `elements` numbers, fixed by pilot draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Pilot {
    /// The pilot's mean, `[element]`.
    pub(super) centre: Vec<f64>,
    /// Where each piece begins, `[piece][element]`.
    pub(super) starts: Vec<f64>,
    /// How wide it is, `[piece][element]`.
    pub(super) widths: Vec<f64>,
    /// Its slope, `[piece][element]`; 0 where it has no width.
    pub(super) slopes: Vec<f64>,
    /// The 5 % and the 95 % quantile, `[tail][element]`.
    pub(super) tails: Vec<f64>,
}

impl Pilot {
    /// The functions of `elements` numbers whose pilot draws `draws_of` tells, at least one each.
    pub fn new(elements: usize, mut draws_of: impl FnMut(usize) -> Vec<f64>) -> Self {
        let mut pilot = Self {
            centre: vec![0.0; elements],
            starts: vec![0.0; PIECES * elements],
            widths: vec![0.0; PIECES * elements],
            slopes: vec![0.0; PIECES * elements],
            tails: vec![0.0; TAILS.len() * elements],
        };
        for element in 0..elements {
            let mut draws = draws_of(element);
            pilot.centre[element] = mean(&draws);
            draws.sort_unstable_by(f64::total_cmp);
            for (piece, bends) in BENDS.windows(2).enumerate() {
                let [(low_score, low), (high_score, high)] = [bends[0], bends[1]];
                let start = quantile(&draws, low);
                let width = quantile(&draws, high) - start;
                let at = piece * elements + element;
                pilot.starts[at] = start;
                // Neither equal quantiles nor infinite ones make a slope.
                if width > 0.0 && width.is_finite() {
                    pilot.widths[at] = width;
                    pilot.slopes[at] = (high_score - low_score) / width;
                }
            }
            for (tail, prob) in TAILS.into_iter().enumerate() {
                pilot.tails[tail * elements + element] = quantile(&draws, prob);
            }
        }
        pilot
    }

    /// Numbers whose draws are followed.
    pub fn elements(&self) -> usize {
        self.centre.len()
    }

    /// The score of a draw `x` of `element`, from 0 below the lowest bend.
    #[inline(always)]
    pub(super) fn score(&self, element: usize, x: f64) -> f64 {
        let elements = self.elements();
        (0..PIECES)
            .map(|piece| {
                let at = piece * elements + element;
                self.slopes[at] * (x - self.starts[at]).max(0.0).min(self.widths[at])
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::normal_scores::std_normal_quantile;
    use super::*;

    #[test]
    fn scores_of_normal_draws_are_the_draws_between_the_outer_bends() {
        let draws: Vec<f64> = (1..2000)
            .map(|i| 5.0 + 3.0 * std_normal_quantile(f64::from(i) / 2000.0))
            .collect();
        let pilot = Pilot::new(1, |_| draws.clone());
        for z in [-2.0, -1.0, -0.2, 0.0, 1.3, 2.0] {
            // Quantiles of 1,999 draws lie within 2/2000 of their probabilities; the density at 2.1 is 0.044.
            let error = pilot.score(0, 5.0 + 3.0 * z) - 2.1 - z;
            assert!(error.abs() < 0.001 / 0.044, "{z}: {error}");
        }
        assert_eq!(pilot.score(0, -1e300), 0.0);
        assert!((pilot.score(0, 1e300) - 4.2).abs() < 1e-12);
    }

    #[test]
    fn equal_draws_have_one_score() {
        let pilot = Pilot::new(2, |_| vec![0.1; 9]);
        assert_eq!(pilot.centre, [0.1, 0.1]);
        assert_eq!(pilot.score(1, 0.1), pilot.score(1, 7.0));
    }
}
