//! How far trajectories go: lengths that are tried in turn during warm-up, and the one that pays.

use super::moments::MovingMoments;

/// T in standard deviations of the longest direction.
///
/// Along a direction of a normal with sd s, trajectories uniform on (T/2, T) leave the autocorrelation
/// (sin x − sin x/2)/(x/2), x = T/s: 0.49 at 1.4, 0.28 at 1.7 and −0.34 at 2.6. Where the slowest direction is such a normal
/// the longest pays by far; where it is a scale with a heavy tail, what a trajectory forgets hardly grows with its
/// length, and the shortest pays (`benches/runs/` has both).
const REACHES: [f64; 3] = [1.4, 1.7, 2.6];
/// The reach before any has been chosen.
const FIRST: usize = 1;
/// How many times as much as the first another reach must give in its trials, which are estimates, to be chosen.
const PAYS: f64 = 1.25;
/// Iterations in a row with one reach: so many elements of the sequence of lengths fill their interval evenly.
const TURN: u32 = 8;
/// Pairs of positions, over all chains, below which a reach has not been tried.
const FEWEST_PAIRS: u32 = 128;

/// What trajectories of one reach did to every coordinate.
#[derive(Debug, Clone)]
struct Trial {
    /// Sum over the pairs of half the squared moves, in variances, `[dim]`.
    moved: Vec<f64>,
    /// Sum over the pairs of squared distances from the mean, in variances, `[dim]`.
    spread: Vec<f64>,
    pairs: u32,
    leapfrog_steps: u64,
}

impl Trial {
    fn new(dim: usize) -> Self {
        Self {
            moved: vec![0.0; dim],
            spread: vec![0.0; dim],
            pairs: 0,
            leapfrog_steps: 0,
        }
    }

    /// Effective draws per leapfrog step of the coordinate that has least, (1 − ρ)/(1 + ρ) with ρ the autocorrelation
    /// from one iteration to the next.
    fn effect(&self) -> f64 {
        // Of an antithetic coordinate no more is believed than that: ρ is an estimate.
        const LEAST_CORRELATION: f64 = -0.8;
        let least = self
            .moved
            .iter()
            .zip(&self.spread)
            .map(|(moved, spread)| {
                let correlation = (1.0 - moved / spread).max(LEAST_CORRELATION);
                (1.0 - correlation) / (1.0 + correlation)
            })
            .fold(f64::INFINITY, f64::min);
        least * f64::from(self.pairs) / self.leapfrog_steps.max(1) as f64
    }
}

/// The choice among the reaches.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    trials: [Trial; REACHES.len()],
    /// Positions of the iteration before, `[chain][dim]`; none before the first.
    before: Vec<f64>,
    chosen: usize,
}

impl Reach {
    /// The choice for positions of `dim` coordinates.
    pub(super) fn new(dim: usize) -> Self {
        Self {
            trials: std::array::from_fn(|_| Trial::new(dim)),
            before: Vec::new(),
            chosen: FIRST,
        }
    }

    /// The reach in force.
    pub(super) fn value(&self) -> f64 {
        REACHES[self.chosen]
    }

    /// Counts an iteration of trial, the `trial`-th, that led to `positions` (`[chain][dim]`) in `steps` leapfrog steps,
    /// none if it was not of the reach; then it is the turn of the reach of the next.
    pub(super) fn learn(
        &mut self,
        trial: u32,
        positions: &[f64],
        steps: Option<u32>,
        moments: &MovingMoments,
        inv_mass: &[f64],
    ) {
        let dim = inv_mass.len();
        if let Some(steps) = steps.filter(|_| self.before.len() == positions.len()) {
            let own = &mut self.trials[self.chosen];
            own.leapfrog_steps += u64::from(steps);
            for (now, before) in positions.chunks_exact(dim).zip(self.before.chunks_exact(dim)) {
                own.pairs += 1;
                for i in 0..dim {
                    let (moved, distance) = (now[i] - before[i], now[i] - moments.mean()[i]);
                    own.moved[i] += 0.5 * moved * moved / inv_mass[i];
                    own.spread[i] += distance * distance / inv_mass[i];
                }
            }
        }
        self.before.clear();
        self.before.extend_from_slice(positions);
        self.chosen = ((trial + 1) / TURN) as usize % REACHES.len();
    }

    /// Keeps the reach whose trials gave most, if that is clearly more than the first one's; the first where not all have
    /// been tried enough.
    pub(super) fn choose(&mut self) {
        self.chosen = FIRST;
        if self.trials.iter().all(|trial| trial.pairs >= FEWEST_PAIRS) {
            let mut most = PAYS * self.trials[FIRST].effect();
            for (place, trial) in self.trials.iter().enumerate() {
                if trial.effect() > most {
                    most = trial.effect();
                    self.chosen = place;
                }
            }
        }
        self.before = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    /// The reach chosen where an iteration with reach r leaves the autocorrelation `correlation(r)` of 16 chains of a
    /// standard normal, and costs 10 r steps.
    fn chosen(iterations: u32, correlation: impl Fn(f64) -> f64) -> f64 {
        let mut reach = Reach::new(1);
        let mut moments = MovingMoments::new(1, 16);
        let mut positions = vec![0.0; 16];
        let mut noise = vec![0.0; 16];
        for trial in 0..iterations {
            Stream {
                seed: 2,
                replicate: 0,
                chain: 0,
                iteration: trial,
                purpose: Purpose::Predictive,
            }
            .fill_normal(&mut noise);
            let rho = correlation(reach.value());
            for (x, z) in positions.iter_mut().zip(&noise) {
                *x = rho * *x + (1.0 - rho * rho).sqrt() * z;
            }
            moments.update(trial + 1, &positions);
            let steps = (10.0 * reach.value()) as u32;
            reach.learn(trial, &positions, Some(steps), &moments, &[1.0]);
        }
        reach.choose();
        reach.value()
    }

    #[test]
    fn the_reach_that_pays_is_chosen() {
        // Effects per step of the shortest and the longest relative to the middle one: of a normal 0.8 and 2.2; 1.5 and 0.7
        // where longer trajectories forget less; 1 and 1 where effect grows with length, known to a twentieth.
        let normal = |r: f64| (r.sin() - (0.5 * r).sin()) / (0.5 * r);
        assert_eq!(chosen(240, normal), 2.6);
        assert_eq!(chosen(240, |r| if r == 1.4 { 0.3 } else { 0.4 }), 1.4);
        assert_eq!(chosen(960, |r| (1.0 - 0.25 * r) / (1.0 + 0.25 * r)), 1.7);
    }

    #[test]
    fn reaches_that_were_hardly_tried_are_not_compared() {
        assert_eq!(chosen(20, |r| r.cos()), 1.7);
    }
}
