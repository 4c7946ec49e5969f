//! Learned centring of one NUTS chain: codes refitted in warm-up from its latest positions, which move with them.

use super::centring::{CentringMoments, recentre};
use crate::back::evaluate::Centring;
use crate::error::{Error, Result};

/// Warm-ups below this learn nothing: an eighth of them is no sample.
const SHORTEST: u32 = 64;
/// Positions kept for a refit at most: they bound its memory.
const MOST_KEPT: u32 = 256;

/// The codes of one chain, and the positions that the next refit learns from.
///
/// Refits come when a quarter and when a half of warm-up is done: the first from the positions of the second eighth, since
/// those before come from the starting point, the second from those of the second quarter. What was learned about the
/// old coordinates is lost; the positions kept, moved to the new ones, give the metric there.
pub(crate) struct ChainCentring<'c> {
    centring: &'c dyn Centring,
    codes: Vec<u32>,
    /// Iterations done at the refits; empty if nothing is learned.
    refits: Vec<u32>,
    /// The iteration after which the first position counts.
    begin: u32,
    /// `[position][dim]`, before the next refit.
    positions: Vec<f64>,
}

impl<'c> ChainCentring<'c> {
    /// Starts from `codes` (`[level]`), or if there are none from the model's own; `warmup` iterations may change them.
    ///
    /// # Errors
    ///
    /// [`crate::error::Kind::Bug`] for another number of codes than there are levels.
    pub(crate) fn new(centring: &'c dyn Centring, codes: &[u32], warmup: u32) -> Result<Self> {
        let initial = centring.initial();
        if !codes.is_empty() && codes.len() != initial.len() {
            return Err(Error::bug(format!(
                "a state of {} centring codes for {} levels",
                codes.len(),
                initial.len()
            )));
        }
        let learns = warmup >= SHORTEST && !initial.is_empty();
        Ok(Self {
            centring,
            codes: if codes.is_empty() { initial } else { codes }.to_vec(),
            refits: if learns {
                vec![warmup / 4, warmup / 2]
            } else {
                Vec::new()
            },
            begin: warmup / 8,
            positions: Vec::new(),
        })
    }

    /// The codes in force, `[level]`.
    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// Learns from the `position` when `done` iterations of warm-up are done.
    ///
    /// At a refit that changes any code, moves `position` to the new coordinates and yields the positions learned from,
    /// there too, `[position][dim]`.
    pub(crate) fn learn(&mut self, done: u32, position: &mut [f64]) -> Option<Vec<f64>> {
        let &refit = self.refits.iter().find(|refit| done <= **refit)?;
        if done <= self.begin || done + MOST_KEPT <= refit {
            return None;
        }
        self.positions.extend_from_slice(position);
        if done < refit {
            return None;
        }
        let mut positions = std::mem::take(&mut self.positions);
        let mut codes = self.codes.clone();
        let mut moments = CentringMoments::new(codes.len());
        moments.add(&self.centring.standardise(&self.codes, &positions));
        moments.choose(self.centring.effects(), &mut codes);
        if codes == self.codes {
            return None;
        }
        recentre(self.centring, &self.codes, &codes, &mut positions);
        recentre(self.centring, &self.codes, &codes, position);
        self.codes = codes;
        Some(positions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::back::evaluate::CENTRING_STEPS;
    use crate::sampler::posterior_tests::{assert_mean, assert_moments, sample, sample_from, settings};
    use crate::sampler::targets::{Groups, hyper_moments};
    use crate::sampler::{Sampler, Settings};

    /// Four groups measured well and four hardly at all, around effects of sd about 3.
    fn mixed(code: u32) -> Groups {
        let sd = |j: usize| if j < 4 { 0.05 } else { 60.0 };
        let effects = [4.0, -2.5, 1.0, -3.0, 2.0, 0.0, -1.0, 3.0];
        let data = effects.iter().enumerate().map(|(j, y)| (*y, sd(j)));
        Groups::new(data.collect(), code)
    }

    #[test]
    fn weights_follow_the_information_from_either_extreme() {
        for start in [0, CENTRING_STEPS] {
            let samples = sample(&mixed(start), &settings(Sampler::Nuts, 1));
            let tuning = samples.state.tuning.unwrap();
            let chains = tuning.centring.chunks_exact(8);
            let mean = |level: usize| chains.clone().map(|codes| f64::from(codes[level])).sum::<f64>() / 32.0;
            let means: Vec<f64> = (0..8).map(mean).collect();
            // Single chains learn from some 75 correlated draws; the mean of 32 errs by a fifth of that.
            assert!(
                means[..4].iter().all(|code| *code > 9.0),
                "from {start}: {means:?}"
            );
            assert!(
                means[4..].iter().all(|code| *code < 2.0),
                "from {start}: {means:?}"
            );
        }
    }

    #[test]
    fn draws_in_learned_coordinates_have_the_right_posterior() {
        let groups = mixed(0);
        let (means, variances) = hyper_moments(&groups.data);
        for seed in [1, 2, 3] {
            let mut samples = sample(&groups, &settings(Sampler::Nuts, seed));
            for i in 0..2 {
                assert_moments(
                    &samples,
                    i,
                    means[i],
                    variances[i],
                    &format!("seed {seed} coordinate {i}"),
                );
            }
            // The draws as they would be centred: the groups' own values.
            let codes = samples.state.tuning.as_ref().unwrap().centring.clone();
            let per_chain = samples.draws * samples.dim;
            for (codes, positions) in codes
                .chunks_exact(8)
                .zip(samples.positions.chunks_exact_mut(per_chain))
            {
                recentre(&groups, codes, &[CENTRING_STEPS; 8], positions);
            }
            for j in 0..8 {
                let (y, variance) = (groups.data[j].0, groups.data[j].1.powi(2));
                let expected = |q: &[f64]| {
                    let share = (2.0 * q[1]).exp() / ((2.0 * q[1]).exp() + variance);
                    share * y + (1.0 - share) * q[0]
                };
                assert_mean(
                    &samples,
                    |q| q[2 + j] - expected(q),
                    0.0,
                    &format!("seed {seed} group {j}"),
                );
            }
        }
    }

    #[test]
    fn a_resumed_chain_keeps_its_codes() {
        let groups = mixed(0);
        let whole = Settings {
            chains: 3,
            warmup: 80,
            draws: 20,
            ..settings(Sampler::Nuts, 9)
        };
        let first = Settings {
            draws: 8,
            ..whole.clone()
        };
        let rest = Settings {
            warmup: 0,
            draws: 12,
            ..whole.clone()
        };
        let (whole, first) = (sample(&groups, &whole), sample(&groups, &first));
        let codes = &whole.state.tuning.as_ref().unwrap().centring;
        assert!(codes.iter().any(|code| *code > 0), "nothing was learned");
        let second = sample_from(&groups, &rest, &first.state);
        assert_eq!(second.state, whole.state);
        for chain in 0..3 {
            assert_eq!(
                whole.positions[(chain * 20 + 8) * 10..(chain + 1) * 200],
                second.positions[chain * 120..(chain + 1) * 120]
            );
        }
    }

    /// A refit moves the chain and the positions learned from to the new coordinates, natural values unchanged.
    #[test]
    fn positions_move_with_the_codes_at_a_quarter_and_a_half_of_warmup() {
        let groups = mixed(0);
        let mut centring = ChainCentring::new(&groups, &[], 400).unwrap();
        let mut moves = Vec::new();
        for done in 1..=400u32 {
            // Hyperparameters and effects that go round; the well-known groups are fixed.
            let phase = f64::from(done);
            let (mu, log_tau) = (
                (0.7 * phase).sin(),
                0.5 * (1.1 * phase).cos() + f64::from(done / 150),
            );
            let effects: Vec<f64> = (0..8)
                .map(|j| {
                    if j < 4 {
                        groups.data[j].0
                    } else {
                        mu + 2.0 * (phase * (1.3 + j as f64)).sin()
                    }
                })
                .collect();
            let mut position = vec![mu, log_tau];
            position.extend(&effects);
            recentre(&groups, &[CENTRING_STEPS; 8], centring.codes(), &mut position);
            let before = centring.codes().to_vec();
            let Some(positions) = centring.learn(done, &mut position) else {
                assert_eq!(before, centring.codes());
                continue;
            };
            moves.push(done);
            assert_ne!(before, centring.codes());
            let learned_from = if done == 100 { 50 } else { 100 };
            assert_eq!(positions.len(), learned_from * 10);
            assert_eq!(positions[(learned_from - 1) * 10..], position);
            for (found, expected) in groups.natural(centring.codes(), &position).iter().zip(&effects) {
                // A few roundings of values below 10.
                assert!((found - expected).abs() < 1e-13, "{found}, {expected}");
            }
        }
        assert_eq!(moves, [100, 200]);
    }

    #[test]
    fn codes_of_another_model_are_refused() {
        let groups = mixed(0);
        let error = ChainCentring::new(&groups, &[0; 7], 0)
            .err()
            .map(|error| error.kind());
        assert_eq!(error, Some(crate::error::Kind::Bug));
    }
}
