//! Learned centring: the weight λ of every level, chosen from draws of warm-up, and the change of coordinates.
//!
//! A level's coordinate is η = λ·m + τ^λ·ξ (see [`Centring`]). Of the grid's weights the one is taken that minimises
//! −λ·E[ln τ] + ln sd(η): up to a constant the Kullback–Leibler divergence from the posterior of η to the normal next to
//! it, the criterion of variationally inferred parameterisation (Gorinova, Moore, Hoffman 2020, section 4) with the
//! draws' own moments in place of a fitted approximation. Informative levels come out centred (λ near 1), uninformative
//! ones non-centred (λ near 0). The posterior of the natural values is the same whatever λ.

use std::ops::Range;

use crate::back::evaluate::{CENTRING_STEPS, Centring, Standardised};
use crate::transform::centring_weight;

/// Weights of the grid.
const GRID: usize = CENTRING_STEPS as usize + 1;
/// Warm-ups below this learn nothing: an eighth of them is no sample.
const SHORTEST: u32 = 64;

/// Pull of a level's weight towards the share of the effect's variance that its data take away, nats.
///
/// For a normal likelihood and hyperparameters that stand still that share is the best weight, I τ²/(1 + I τ²) with I the
/// level's information (Papaspiliopoulos, Roberts, Sköld 2007, section 2), and every weight has the same divergence: with
/// thousands of levels the draws of a single chain then tell the weights apart by their noise alone, and the hyperparameters
/// pay for it, since they feel all levels at once. Where hyperparameters move, differences between weights are larger.
const POOLING: f64 = 0.3;

/// What an effect's levels together must gain over non-centring, nats.
const LEAST_GAIN: f64 = 1.0;

/// Moments of the levels' coordinates under every weight of the grid, over the positions counted so far.
#[derive(Debug, Clone)]
pub(crate) struct CentringMoments {
    count: f64,
    /// Mean of ln τ, `[level]`.
    ln_scale: Vec<f64>,
    /// Mean of η, `[level][code]`.
    mean: Vec<[f64; GRID]>,
    /// Sum of squared deviations of η, `[level][code]`.
    squares: Vec<[f64; GRID]>,
}

impl CentringMoments {
    /// Nothing counted yet, of `levels` levels.
    pub(crate) fn new(levels: usize) -> Self {
        Self {
            count: 0.0,
            ln_scale: vec![0.0; levels],
            mean: vec![[0.0; GRID]; levels],
            squares: vec![[0.0; GRID]; levels],
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.count = 0.0;
        self.ln_scale.fill(0.0);
        self.mean.fill([0.0; GRID]);
        self.squares.fill([0.0; GRID]);
    }

    /// Counts what the levels stand for at some positions (Welford's update).
    pub(crate) fn add(&mut self, values: &Standardised) {
        let levels = self.ln_scale.len();
        if levels == 0 {
            return;
        }
        let positions = values
            .location
            .chunks_exact(levels)
            .zip(values.ln_scale.chunks_exact(levels))
            .zip(values.effect.chunks_exact(levels));
        for ((location, ln_scale), effect) in positions {
            self.count += 1.0;
            let share = 1.0 / self.count;
            // Most levels have the scale of the level before.
            let mut known = (0.0, 1.0);
            for level in 0..levels {
                self.ln_scale[level] += share * (ln_scale[level] - self.ln_scale[level]);
                if ln_scale[level] != known.0 {
                    known = (
                        ln_scale[level],
                        (ln_scale[level] / f64::from(CENTRING_STEPS)).exp(),
                    );
                }
                let step = known.1;
                let mut scale = 1.0;
                let (mean, squares) = (&mut self.mean[level], &mut self.squares[level]);
                for code in 0..GRID {
                    let coordinate = centring_weight(code as u32) * location[level] + scale * effect[level];
                    let deviation = coordinate - mean[code];
                    mean[code] += share * deviation;
                    squares[code] += deviation * (coordinate - mean[code]);
                    scale *= step;
                }
            }
        }
    }

    /// Writes the best code of every level into `codes`; a level whose moments tell nothing (constant or not finite)
    /// keeps the one that it has. `effects` are the numbers of levels of the effects.
    ///
    /// An effect whose levels together hardly gain stays non-centred: with a small scale any weight makes a funnel, for
    /// which the criterion, an average, has no eye.
    pub(crate) fn choose(&self, effects: &[usize], codes: &mut [u32]) {
        let mut first = 0;
        for &levels in effects {
            let own = &mut codes[first..first + levels];
            let mut gain: Option<f64> = None;
            for (place, code) in own.iter_mut().enumerate() {
                if let Some((best, gained)) = self.best(first + place) {
                    *code = best;
                    *gain.get_or_insert(0.0) += gained;
                }
            }
            if gain.is_some_and(|gain| gain < LEAST_GAIN) {
                own.fill(0);
            }
            first += levels;
        }
    }

    /// The best code of a level, and its gain over code 0 in nats; none where the moments tell nothing.
    fn best(&self, level: usize) -> Option<(u32, f64)> {
        let variance = |code: usize| self.squares[level][code] / self.count;
        // What the data leave of the effect's variance, by the scale of the draws' mean logarithm or draw by draw: hyper-
        // parameters that move inflate both, and the smaller one less.
        let left = (variance(GRID - 1) * (-2.0 * self.ln_scale[level]).exp()).min(variance(0));
        let known = (1.0 - left).max(0.0);
        let loss = |code: usize| {
            let weight = centring_weight(code as u32);
            0.5 * variance(code).ln() - weight * self.ln_scale[level] + POOLING * (weight - known).powi(2)
        };
        let losses: [f64; GRID] = std::array::from_fn(loss);
        if !losses.iter().all(|loss| loss.is_finite()) {
            return None;
        }
        let mut best = 0;
        for code in 1..GRID {
            if losses[code] < losses[best] {
                best = code;
            }
        }
        Some((best as u32, losses[0] - losses[best]))
    }

    /// Mean and variance of a level's coordinate under `code`.
    fn of(&self, level: usize, code: u32) -> (f64, f64) {
        let code = code as usize;
        (self.mean[level][code], self.squares[level][code] / self.count)
    }
}

/// Moves `positions` (`[position][dim]`) from the coordinates of the codes `from` to those of `to` (`[level]`).
///
/// The natural values stay what they are: η' = λ'·m + τ^λ'·ξ, all levels from the same natural values at once. A level
/// whose code stays keeps its coordinate to the bit.
pub(crate) fn recentre(centring: &dyn Centring, from: &[u32], to: &[u32], positions: &mut [f64]) {
    let coordinates = centring.coordinates();
    let levels = coordinates.len();
    if levels == 0 || from == to {
        return;
    }
    let values = centring.standardise(from, positions);
    let count = values.location.len() / levels;
    let dim = positions.len() / count.max(1);
    for (at, position) in positions.chunks_exact_mut(dim).enumerate() {
        for level in 0..levels {
            if from[level] != to[level] {
                let cell = at * levels + level;
                let weight = centring_weight(to[level]);
                position[coordinates[level]] = weight * values.location[cell]
                    + (weight * values.ln_scale[cell]).exp() * values.effect[cell];
            }
        }
    }
}

/// What a refit changed: the moments of the levels' coordinates under the new codes, over the draws that it saw.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refit {
    /// `[level]`.
    pub(crate) mean: Vec<f64>,
    /// `[level]`.
    pub(crate) variance: Vec<f64>,
}

/// The centring of one unit (a chain of NUTS, an ensemble of HMC) during a run.
///
/// Codes are refitted when a quarter and when a half of warm-up is done, each time from the draws of the second half of
/// the stretch before: draws from before the first refit know nothing of the posterior yet at their start, and
/// everything later belongs to step size and metric in the coordinates that stay.
pub(crate) struct Recentring<'c> {
    centring: &'c dyn Centring,
    codes: Vec<u32>,
    warmup: Range<u32>,
    moments: CentringMoments,
}

impl<'c> Recentring<'c> {
    /// Starts from `codes` (`[level]`), or from the model's own if there are none yet; `warmup` are the iterations that
    /// may change them.
    pub(crate) fn new(centring: &'c dyn Centring, codes: Option<&[u32]>, warmup: Range<u32>) -> Self {
        let codes = codes.unwrap_or(centring.initial()).to_vec();
        Self {
            centring,
            moments: CentringMoments::new(codes.len()),
            codes,
            warmup,
        }
    }

    /// The codes in force, `[level]`.
    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The coordinate of the position that each level has, `[level]`.
    pub(crate) fn coordinates(&self) -> &'c [usize] {
        self.centring.coordinates()
    }

    /// Learns from the `positions` (`[position][dim]`) after an `iteration` of warm-up.
    ///
    /// At a refit that changes any code, moves `positions` to the new coordinates and tells what is known there; density
    /// and gradient have to be evaluated anew.
    pub(crate) fn update(&mut self, iteration: u32, positions: &mut [f64]) -> Option<Refit> {
        let total = self.warmup.len() as u32;
        if total < SHORTEST || self.codes.is_empty() || !self.warmup.contains(&iteration) {
            return None;
        }
        let done = iteration + 1 - self.warmup.start;
        let refits = [total / 4, total / 2];
        let &refit = refits.iter().find(|&&refit| done <= refit)?;
        // The stretch before a refit is a quarter of warm-up; its second half counts.
        if done > refit - total / 8 {
            self.moments
                .add(&self.centring.standardise(&self.codes, positions));
        }
        if done < refit {
            return None;
        }
        let before = self.codes.clone();
        self.moments.choose(self.centring.effects(), &mut self.codes);
        let known = (0..self.codes.len()).map(|level| self.moments.of(level, self.codes[level]));
        let (mean, variance) = known.unzip();
        self.moments.clear();
        if before == self.codes {
            return None;
        }
        recentre(self.centring, &before, &self.codes, positions);
        Some(Refit { mean, variance })
    }
}
