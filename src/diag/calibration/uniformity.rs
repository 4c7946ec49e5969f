//! The test of uniformity, and its band for pictures.

use super::counts::Counts;
use super::escape::escape;
use super::tally;
use crate::error::{Error, Result};

/// Levels closer than this, relative to themselves, are one: they may differ by rounding alone.
const SAME: f64 = 1e-9;

/// The test of Säilynoja, Bürkner and Vehtari (2022, "Graphical test for discrete uniformity and its applications in
/// goodness-of-fit evaluation and multiple sample comparison", Statistics and Computing 32:32) for one sample of ranks.
///
/// The distribution function of the ranks is looked at in K = min(replicates, draws + 1) points that are equally spaced
/// as far as whole ranks allow. In each point the number of ranks below is binomial; the smallest of its two-sided tail
/// probabilities 2·min(P(X ≤ x), P(X ≥ x)) is the statistic γ. Its distribution under uniformity is computed without
/// simulation, for the points at which ranks can really be cut: the level is exact for ranks of few draws too.
///
/// One value serves any number of quantities of a study.
///
/// ```
/// use tadpool::diag::calibration::RankTest;
///
/// // Twenty replicates with ranks among nine draws: each rank twice, then half of them at the bottom.
/// let test = RankTest::new(20, 9)?;
/// let even: Vec<u32> = (0..20).map(|i| i % 10).collect();
/// assert!(test.judge(&even)?.p_value > 0.99);
/// let low: Vec<u32> = (0..20).map(|i| if i % 2 == 0 { 0 } else { i / 2 }).collect();
/// assert!(test.judge(&low)?.p_value < 0.001);
/// # Ok::<(), tadpool::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RankTest {
    draws: usize,
    /// Ranks below these are counted: K whole numbers, the last one `draws + 1`.
    cuts: Vec<usize>,
    counts: Counts,
}

/// What the test says of the ranks of one quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct Uniformity {
    /// The probability that uniform ranks are as far out in some point as these are in their worst one. At most α
    /// exactly if the ranks leave [`RankTest::band`] of α; 0 where it is below the smallest number.
    pub p_value: f64,
    /// γ: the two-sided tail probability in the worst point.
    pub gamma: f64,
    /// The worst point's place among the points of the band.
    pub worst: usize,
    /// Share of ranks below each point of the band, as [`Band::points`].
    pub ecdf: Vec<f64>,
}

/// Between what the distribution function of uniform ranks stays, at all points at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Share of the possible ranks below each point, rising to 1: the distribution function of uniform ranks.
    pub points: Vec<f64>,
    /// The least share of ranks below each point.
    pub lower: Vec<f64>,
    /// The largest one.
    pub upper: Vec<f64>,
    /// What is more improbable than this in a single point, on both sides together, is outside.
    pub gamma: f64,
    /// The exact probability that uniform ranks leave the band: as near below α as whole counts allow.
    pub escape: f64,
}

impl RankTest {
    /// For `replicates` ranks of 0 to `draws`.
    ///
    /// # Errors
    ///
    /// A bug if there is no replicate or no draw.
    pub fn new(replicates: usize, draws: usize) -> Result<Self> {
        if replicates == 0 || draws == 0 {
            return Err(Error::bug(format!(
                "a test of {replicates} ranks among {draws} draws"
            )));
        }
        let cells = draws + 1;
        let points = replicates.min(cells);
        Ok(Self {
            draws,
            cuts: (1..=points)
                .map(|point| (2 * point * cells + points) / (2 * points))
                .collect(),
            counts: Counts::new(replicates),
        })
    }

    /// Whether `ranks` may be uniform; one rank for each replicate.
    ///
    /// # Errors
    ///
    /// A bug where ranks are above the number of draws or not as many as the replicates.
    pub fn judge(&self, ranks: &[u32]) -> Result<Uniformity> {
        let replicates = self.counts.trials();
        if ranks.len() != replicates {
            return Err(Error::bug(format!(
                "{} ranks of {replicates} replicates",
                ranks.len()
            )));
        }
        let tally = tally(ranks, self.draws)?;
        let (mut below, mut from) = (0, 0);
        let below: Vec<usize> = self
            .cuts
            .iter()
            .map(|&cut| {
                below += tally[from..cut].iter().sum::<usize>();
                from = cut;
                below
            })
            .collect();
        let mut worst = (0, f64::INFINITY);
        for (point, &count) in below[..below.len() - 1].iter().enumerate() {
            let gamma = self.gamma(point, count);
            if gamma < worst.1 {
                worst = (point, gamma);
            }
        }
        Ok(Uniformity {
            p_value: self.level(worst.1),
            gamma: worst.1.min(1.0),
            worst: worst.0,
            ecdf: self.shares(below),
        })
    }

    /// The widest band that uniform ranks leave with a probability of at most `alpha`, between 0 and 1.
    ///
    /// A study that tests Q quantities with a family-wise error of α gives α/Q.
    pub fn band(&self, alpha: f64) -> Band {
        let gamma = self.gamma_of(alpha);
        let inside = self.inside(gamma);
        let replicates = self.counts.trials();
        let ends = |end: &dyn Fn(&(usize, usize)) -> usize| {
            self.shares(inside.iter().map(end).chain([replicates]).collect())
        };
        Band {
            points: self.points(),
            lower: ends(&|band| band.0),
            upper: ends(&|band| band.1),
            gamma,
            escape: self.level(gamma),
        }
    }

    /// [`Band::points`].
    pub fn points(&self) -> Vec<f64> {
        (0..self.cuts.len()).map(|point| self.share(point)).collect()
    }

    fn share(&self, point: usize) -> f64 {
        self.cuts[point] as f64 / (self.draws + 1) as f64
    }

    fn shares(&self, counts: Vec<usize>) -> Vec<f64> {
        let replicates = self.counts.trials() as f64;
        counts
            .into_iter()
            .map(|count| count as f64 / replicates)
            .collect()
    }

    /// The points in which something can be seen: at the last one, all ranks are below.
    fn inner(&self) -> &[usize] {
        &self.cuts[..self.cuts.len() - 1]
    }

    /// The two-sided tail probability of `count` ranks below a point, above 1 where both tails are above a half.
    fn gamma(&self, point: usize, count: usize) -> f64 {
        let share = self.share(point);
        2.0 * self
            .counts
            .at_most(count, share)
            .min(self.counts.at_least(count, share))
    }

    /// The counts whose γ is above `gamma`, in each inner point; the first is above the second where there are none.
    fn inside(&self, gamma: f64) -> Vec<(usize, usize)> {
        let limit = 0.5 * gamma * (1.0 + SAME);
        let replicates = self.counts.trials();
        // Both ends rise from point to point, so that each is looked for from the one before on.
        let (mut low, mut high) = (0, 0);
        (0..self.inner().len())
            .map(|point| {
                let share = self.share(point);
                while low < replicates && self.counts.at_most(low, share) <= limit {
                    low += 1;
                }
                while high < replicates && self.counts.at_least(high + 1, share) > limit {
                    high += 1;
                }
                (low, high)
            })
            .collect()
    }

    /// The probability that γ of uniform ranks is at most `gamma`.
    fn level(&self, gamma: f64) -> f64 {
        if self.inner().is_empty() {
            return 1.0;
        }
        let band = self.inside(gamma);
        escape(&self.counts, self.draws + 1, self.inner(), &band, gamma.min(1.0)).min(1.0)
    }

    /// The largest γ that ranks can have and whose level is at most `alpha`; 0 if there is none.
    fn gamma_of(&self, alpha: f64) -> f64 {
        if self.inner().is_empty() {
            return 0.0;
        }
        // The level is nearly proportional to γ: a few steps bring both sides close.
        let (mut good, mut bad) = (0.0, 2.0);
        let mut guess = alpha / (self.inner().len() as f64).sqrt();
        for _ in 0..12 {
            let level = self.level(guess);
            let is_good = level <= alpha;
            if is_good {
                // Of what never happens, all is the same.
                good = if level > 0.0 { guess } else { 0.0 };
            } else {
                bad = guess;
            }
            if bad <= 1.02 * good || level == 0.0 {
                break;
            }
            // Beyond where it should be, so that the next one lies on the other side.
            let next = guess * alpha / level * if is_good { 1.005 } else { 0.995 };
            guess = if next > good && next < bad {
                next
            } else {
                0.5 * (good + bad)
            };
        }
        // All values between the two, and the last one that will do.
        let mut values: Vec<f64> = Vec::new();
        let bands = self.inside(good).into_iter().zip(self.inside(bad));
        for (point, (wide, narrow)) in bands.enumerate() {
            let lost = (wide.0..=wide.1).filter(|count| !(narrow.0..=narrow.1).contains(count));
            values.extend(lost.map(|count| self.gamma(point, count)));
        }
        values.sort_by(f64::total_cmp);
        values.dedup_by(|a, b| *a <= *b * (1.0 + SAME));
        let good_ones = values.partition_point(|gamma| self.level(*gamma) <= alpha);
        good_ones.checked_sub(1).map_or(good, |last| values[last])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn uniforms(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        }
    }

    fn is_within(band: &Band, ecdf: &[f64]) -> bool {
        (0..ecdf.len()).all(|point| band.lower[point] <= ecdf[point] && ecdf[point] <= band.upper[point])
    }

    /// The recursion of the paper with binomial steps (dbinom, qbinom of R 4), 1 − the sum over paths inside the band.
    /// R's difference from 1 keeps 1e-14 of the smaller ones, hence the absolute part of the tolerance.
    #[test]
    fn levels_are_those_of_the_recursion_with_binomial_steps() {
        for (replicates, draws, gamma, level) in [
            (100, 99, 5e-4, 0.007_655_291_752_191_37),
            (100, 99, 1e-3, 0.013_896_982_394_329_8),
            (1000, 99, 1e-3, 0.021_232_493_149_038_5),
            (1000, 99, 1e-7, 3.309_118_453_587_17e-6),
            (250, 19, 5e-3, 0.041_893_481_566_962),
            (60, 6, 1e-2, 0.031_220_435_812_125_2),
            (1000, 999, 3.5e-4, 0.013_758_637_120_447_3),
            (1000, 999, 2e-8, 1.447_308_936_475_27e-6),
        ] {
            let test = RankTest::new(replicates, draws).unwrap();
            let found = test.level(gamma);
            assert!(
                (found - level).abs() < 1e-9 * level + 1e-13,
                "{replicates}, {draws}, {gamma}: {found} for {level}"
            );
        }
    }

    /// Of all 3^6 samples of ranks among two draws, the share whose worst point is as bad.
    #[test]
    fn p_values_are_shares_of_all_samples() {
        let test = RankTest::new(6, 2).unwrap();
        let samples: Vec<Vec<u32>> = (0..729_u32)
            .map(|sample| (0..6).map(|i| sample / 3_u32.pow(i) % 3).collect())
            .collect();
        let judged: Vec<Uniformity> = samples.iter().map(|ranks| test.judge(ranks).unwrap()).collect();
        let statistic = |one: &Uniformity| {
            let counts = one.ecdf.iter().map(|share| (6.0 * share).round() as usize);
            let gammas = counts
                .take(2)
                .enumerate()
                .map(|(point, count)| test.gamma(point, count));
            gammas.fold(f64::INFINITY, f64::min)
        };
        let statistics: Vec<f64> = judged.iter().map(statistic).collect();
        for (one, own) in judged.iter().zip(&statistics) {
            let as_bad = statistics
                .iter()
                .filter(|other| **other <= own * (1.0 + 1e-12))
                .count();
            assert!((one.p_value - as_bad as f64 / 729.0).abs() < 1e-12, "{one:?}");
        }
    }

    /// Ranks leave the band of α exactly if their p-value is at most α; samples from nearly uniform to far off.
    #[test]
    fn band_and_p_value_say_the_same() {
        let mut uniform = uniforms(3);
        for (replicates, draws) in [(100, 99), (200, 7), (50, 20)] {
            let test = RankTest::new(replicates, draws).unwrap();
            let bands = [0.3, 0.05, 1e-3, 1e-5].map(|alpha| (alpha, test.band(alpha)));
            for (alpha, band) in &bands {
                assert!(
                    band.escape <= *alpha && band.escape > 0.5 * alpha,
                    "{}",
                    band.escape
                );
            }
            let mut outside = 0;
            for sample in 0..200 {
                let power = 1.0 + f64::from(sample) / 200.0;
                let ranks: Vec<u32> = (0..replicates)
                    .map(|_| (uniform().powf(power) * (draws + 1) as f64) as u32)
                    .collect();
                let judged = test.judge(&ranks).unwrap();
                for (alpha, band) in &bands {
                    assert_eq!(is_within(band, &judged.ecdf), judged.p_value > *alpha);
                    outside += usize::from(judged.p_value <= *alpha);
                }
                let (_, narrow) = &bands[0];
                if judged.p_value <= 0.3 {
                    let (share, at) = (judged.ecdf[judged.worst], judged.worst);
                    assert!(share < narrow.lower[at] || share > narrow.upper[at]);
                }
            }
            assert!(outside > 50);
        }
    }

    /// Of 20,000 uniform samples as many leave the band as it says, within four standard errors.
    #[test]
    fn the_level_is_that_of_simulated_samples() {
        let mut uniform = uniforms(17);
        for (replicates, draws) in [(200, 99), (100, 6), (40, 999)] {
            let test = RankTest::new(replicates, draws).unwrap();
            let band = test.band(0.05);
            let mut outside = 0;
            for _ in 0..20_000 {
                let ranks: Vec<u32> = (0..replicates)
                    .map(|_| (uniform() * (draws + 1) as f64) as u32)
                    .collect();
                let tally = tally(&ranks, draws).unwrap();
                let (mut below, mut from) = (0, 0);
                let ecdf: Vec<f64> = test
                    .cuts
                    .iter()
                    .map(|&cut| {
                        below += tally[from..cut].iter().sum::<usize>();
                        from = cut;
                        below as f64 / replicates as f64
                    })
                    .collect();
                outside += usize::from(!is_within(&band, &ecdf));
            }
            let (share, error) = (
                f64::from(outside as u32) / 20_000.0,
                (band.escape * (1.0 - band.escape) / 20_000.0).sqrt(),
            );
            assert!(
                (share - band.escape).abs() < 4.0 * error,
                "{replicates}, {draws}: {share} for {}",
                band.escape
            );
        }
    }

    /// Truths one standard deviation of the posterior's mean off, and posteriors too wide or too narrow by half, are
    /// caught in 1,000 replicates at the level of a study; uniform ranks are not.
    #[test]
    fn wrong_ranks_are_caught() {
        let test = RankTest::new(1000, 99).unwrap();
        let mut uniform = uniforms(23);
        let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        let mut ranks = |shift: f64, spread: f64| -> Vec<u32> {
            (0..1000)
                .map(|_| {
                    let truth = shift + spread * normal();
                    (0..99).filter(|_| normal() < truth).count() as u32
                })
                .collect()
        };
        assert!(test.judge(&ranks(0.0, 1.0)).unwrap().p_value > 1e-3);
        for (shift, spread) in [(0.25, 1.0), (-0.25, 1.0), (0.0, 0.75), (0.0, 1.33)] {
            let judged = test.judge(&ranks(shift, spread)).unwrap();
            assert!(judged.p_value < 1e-5, "{shift}, {spread}: {judged:?}");
        }
    }

    #[test]
    fn extremes_are_numbers() {
        let test = RankTest::new(1000, 999).unwrap();
        let judged = test.judge(&[0; 1000]).unwrap();
        assert_eq!((judged.p_value, judged.gamma), (0.0, 0.0));
        // All ranks in the lower half: 2 · 0.5^60, and with it any of the points around.
        let test = RankTest::new(60, 1).unwrap();
        let p = test.judge(&[0; 60]).unwrap().p_value;
        assert!((p / (2.0 * 0.5_f64.powi(60)) - 1.0).abs() < 1e-9, "{p}");
        // Three ranks can never be improbable enough.
        let band = RankTest::new(3, 99).unwrap().band(1e-6);
        assert_eq!((band.gamma, band.escape), (0.0, 0.0));
        assert_eq!((band.lower, band.upper), (vec![0.0, 0.0, 1.0], vec![1.0; 3]));
        // A single rank says nothing.
        assert_eq!(RankTest::new(1, 99).unwrap().judge(&[5]).unwrap().p_value, 1.0);
    }

    #[test]
    fn points_are_where_ranks_can_be_cut() {
        // Ten possible ranks in four points: below 3, 5, 8 and 10.
        let test = RankTest::new(4, 9).unwrap();
        assert_eq!(test.points(), [0.3, 0.5, 0.8, 1.0]);
        assert_eq!(test.judge(&[2, 3, 7, 9]).unwrap().ecdf, [0.25, 0.5, 0.75, 1.0]);
        // The paper's recursion at these points, with 40 replicates, in R as above.
        let mut test = RankTest::new(40, 9).unwrap();
        test.cuts = vec![3, 5, 8, 10];
        assert!((test.level(0.02) - 0.041_645_890_473_355_7).abs() < 1e-12);
    }

    #[test]
    fn ranks_that_cannot_be_are_faults() {
        let test = RankTest::new(3, 9).unwrap();
        assert!(test.judge(&[1, 2]).is_err());
        assert!(test.judge(&[1, 2, 10]).is_err());
        assert!(RankTest::new(0, 9).is_err() && RankTest::new(9, 0).is_err());
    }
}
