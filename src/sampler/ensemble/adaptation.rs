//! The adaptation of one ensemble: step size, metric and trajectory length, from the chains' positions and acceptance.

use std::ops::Range;

use super::directions::{Directions, MOST_DRAWS};
use super::moments::{LargestEigenvalue, MovingMoments};
use super::reach::Reach;
use super::{MAX_LEAPFROG_STEPS, Plan};
use crate::sampler::centring::Refit;
use crate::sampler::dual_averaging::DualAveraging;
use crate::sampler::low_rank::Direction;
use crate::sampler::scale_estimate::ScaleEstimate;

/// Warm-up iterations after which the jitter of the starting points counts as forgotten; a short warm-up takes less.
const SETTLING: u32 = 16;
/// The most leapfrog steps of a trajectory while chains settle: where the curvature changes on the way, steps are as short
/// as the narrowest place asks, and the way to the posterior is long or short whatever one trajectory does.
const SETTLING_STEPS: u32 = 64;
/// Variances from which on the curvature between chains that start around one point says nothing: there the density is a
/// straight line to them, as a Laplace's is.
const WIDEST: f64 = 1e4;
/// Every how many iterations the steps are fine, so that a chain in a place where the usual step is too long (the far end
/// of a scale's heavy tail) is not held there for ever.
///
/// Such places are rarer than warm-up has iterations, so no step size that warm-up can find knows them. A sequence of
/// kernels each of which leaves the posterior as it is leaves it too.
const FINE: u32 = 16;
/// How much shorter fine steps are, and how many of them there are for each of the usual ones: to a chain that is not held
/// they bring little, so they are not to cost as much. With a quarter of the steps chains were held so long in the tail of
/// m12_5's scales that the others' runs missed it (sds below the reference by up to 4.8 standard errors).
const FINE_STEP: f64 = 0.25;
/// See [`FINE_STEP`].
const FINE_STEPS: f64 = 0.5;
/// The shortest trajectory in lengths of the longest.
const SHORTEST: f64 = 0.5;
/// Iterations in a row in which no chain of the ensemble may move before the step size is searched anew, and the
/// acceptance below which a chain counts as not moving.
const REFUSALS: (u32, f64) = (5, 0.01);
/// Bounds of the step size search; beyond them dual averaging takes over.
const STEP_BOUNDS: (f64, f64) = (1e-9, 1e7);

/// How the step size is found.
#[derive(Debug, Clone)]
enum StepSize {
    /// Doubled or halved on single leapfrog steps until the acceptance crosses the target (Hoffman & Gelman 2014,
    /// algorithm 4, with the ensemble's acceptance): leaves a start that is wrong by orders of magnitude at the price
    /// of one gradient per factor of two.
    Search { step_size: f64, grows: Option<bool> },
    /// Dual averaging, over whole trajectories.
    Averaging(DualAveraging),
    /// Warm-up is over.
    Fixed(f64),
}

/// Adapts one ensemble during warm-up and plans its iterations, in warm-up and after.
///
/// Iterations carry the numbers that they have in the random streams, so that a continued run goes on in the same
/// sequence of trajectory lengths.
#[derive(Debug, Clone)]
pub struct Adaptation {
    /// The iterations that adapt.
    warmup: Range<u32>,
    /// Iterations of warm-up before the first whose metric is estimated.
    settling: u32,
    chains: usize,
    target_accept: f64,
    step: StepSize,
    /// Iterations up to now in which no chain moved.
    refusals: u32,
    moments: MovingMoments,
    eigenvalue: LargestEigenvalue,
    inv_mass_diag: Vec<f64>,
    /// Beside the diagonal, on its scale; orthonormal.
    directions: Vec<Direction>,
    /// The work of a gradient if directions may be sought; see [`Directions::find`].
    work: Option<f64>,
    /// What directions are found from.
    search: Directions,
    reach: Reach,
    /// T, the longest integration time, on the whitened scale.
    trajectory_length: f64,
}

impl Adaptation {
    /// Adaptation of `chains` chains of `dim` coordinates over the iterations `warmup` towards
    /// `target_accept`.
    pub fn new(dim: usize, chains: usize, warmup: Range<u32>, target_accept: f64) -> Self {
        // The scale at which a leapfrog step on a standard normal has a fixed acceptance (Neal 2011, section 5.4.4).
        let step_size = (dim.max(1) as f64).powf(-0.25);
        let reach = Reach::new(dim).value();
        Self::tuned(vec![1.0; dim], chains, warmup, target_accept, step_size, reach)
    }

    /// The same from a known metric, step size and trajectory length, which stay as they are if `warmup` is empty.
    pub fn tuned(
        inv_mass_diag: Vec<f64>,
        chains: usize,
        warmup: Range<u32>,
        target_accept: f64,
        step_size: f64,
        trajectory_length: f64,
    ) -> Self {
        let dim = inv_mass_diag.len();
        Self {
            settling: SETTLING.min(warmup.len() as u32 / 4),
            chains,
            target_accept,
            step: if warmup.is_empty() {
                StepSize::Fixed(step_size)
            } else {
                StepSize::Search {
                    step_size,
                    grows: None,
                }
            },
            refusals: 0,
            moments: MovingMoments::new(dim, chains),
            eigenvalue: LargestEigenvalue::new(dim, 1.0),
            reach: Reach::new(dim),
            inv_mass_diag,
            directions: Vec::new(),
            work: None,
            search: Directions::default(),
            trajectory_length,
            warmup,
        }
    }

    /// The same with a metric that has `directions` beside its diagonal. New ones are sought during warm-up, where those
    /// that pay for a gradient of so much `work` are kept (see [`crate::back::evaluate::Density::work`]); with none, the
    /// metric is a diagonal from the first iteration of warm-up on.
    pub(crate) fn with_directions(mut self, directions: Vec<Direction>, work: Option<f64>) -> Self {
        self.work = work;
        if work.is_some() || self.warmup.is_empty() {
            self.directions = directions;
        }
        self
    }

    /// Step size and number of leapfrog steps of `iteration`: ⌈uT/ε⌉, u of a Halton sequence on (½, 1), between 1 and
    /// [`MAX_LEAPFROG_STEPS`]; every sixteenth iteration takes half the steps, each a quarter as long.
    pub fn plan(&self, iteration: u32) -> Plan {
        let step_size = self.step_size();
        if let StepSize::Search { .. } = self.step {
            return Plan {
                step_size,
                num_leapfrog_steps: 1,
            };
        }
        let share = SHORTEST + (1.0 - SHORTEST) * halton(iteration);
        let most = if self.is_settling(iteration) {
            SETTLING_STEPS
        } else {
            MAX_LEAPFROG_STEPS
        };
        let steps = share * self.trajectory_length / step_size;
        let (step_size, steps) = if is_fine(iteration) {
            (FINE_STEP * step_size, FINE_STEPS * steps)
        } else {
            (step_size, steps)
        };
        Plan {
            step_size,
            num_leapfrog_steps: steps.ceil().clamp(1.0, f64::from(most)) as u32,
        }
    }

    /// Whether `iteration` comes before the first metric.
    pub(crate) fn is_settling(&self, iteration: u32) -> bool {
        self.warmup.contains(&iteration) && iteration - self.warmup.start < self.settling
    }

    /// Takes the metric of the curvature where settling chains are, √(Var positions / Var gradients) over their `positions`
    /// and `gradients`, `[chain][dim]`: they need not have found the posterior for that, as variances of positions alone
    /// ask. Far from it the curvature of a long table is that of many observations at once, and with the identity chains
    /// came nearer only by trajectories of a thousand steps. A coordinate in which the density hardly bends keeps its scale.
    pub(crate) fn settle(&mut self, positions: &[f64], gradients: &[f64]) {
        let dim = self.inv_mass_diag.len();
        let mut estimate = ScaleEstimate::new(dim);
        for (position, gradient) in positions.chunks_exact(dim).zip(gradients.chunks_exact(dim)) {
            if gradient.iter().all(|g| g.is_finite()) {
                estimate.add(position, gradient);
            }
        }
        let mut variances = vec![f64::INFINITY; dim];
        estimate.write(&mut variances);
        for (own, variance) in self.inv_mass_diag.iter_mut().zip(variances) {
            if variance < WIDEST {
                *own = variance;
            }
        }
    }

    /// The stretches of warm-up, counted from its start, whose draws tell directions, which are in force after each: as soon
    /// as chains have settled, and when the coordinates may just have changed.
    fn searches(&self) -> [Range<u32>; 3] {
        let total = self.warmup.len() as u32;
        let enough = MOST_DRAWS.div_ceil(self.chains) as u32;
        [self.settling, total / 4, total / 2].map(|first| first..first + enough.min(total / 16))
    }

    /// Whether [`Adaptation::collect`] is to be called after `iteration`.
    pub(crate) fn collects(&self, iteration: u32) -> bool {
        self.work.is_some()
            && self.warmup.contains(&iteration)
            && self
                .searches()
                .iter()
                .any(|stretch| stretch.contains(&(iteration - self.warmup.start)))
    }

    /// Counts the positions after `iteration` and the gradients there, `[chain][dim]` both, towards the directions; tells
    /// whether these have changed.
    pub(crate) fn collect(&mut self, iteration: u32, positions: &[f64], gradients: &[f64]) -> bool {
        let done = iteration + 1 - self.warmup.start;
        self.search.add(self.inv_mass_diag.len(), positions, gradients);
        let Some(work) = self
            .work
            .filter(|_| self.searches().iter().any(|s| s.end == done))
        else {
            return false;
        };
        let found = self.search.find(&self.inv_mass_diag, work);
        self.search.clear();
        if found.is_none() && self.directions.is_empty() {
            return false;
        }
        let (directions, variance) =
            found.map_or((Vec::new(), 1.0), |found| (found.directions, found.variance));
        self.directions = directions;
        self.step = StepSize::Search {
            step_size: self.step_size(),
            grows: None,
        };
        self.eigenvalue = LargestEigenvalue::new(self.inv_mass_diag.len(), variance);
        self.trajectory_length = self.reach.value() * variance.sqrt();
        true
    }

    /// The iterations of warm-up, counted from its start, in which lengths are tried: the coordinates stay and the metric
    /// has followed them, and time is left for the step size to follow the length that is chosen.
    fn trial(&self) -> Range<u32> {
        let total = self.warmup.len() as u32;
        total / 2 + total / 16..total - total / 8
    }

    /// The step size of the next iteration; after warm-up the averaged one.
    pub fn step_size(&self) -> f64 {
        match &self.step {
            StepSize::Search { step_size, .. } | StepSize::Fixed(step_size) => *step_size,
            StepSize::Averaging(averaging) => averaging.step_size(),
        }
    }

    /// Diagonal of the inverse mass matrix of the next iteration, `[dim]`, position² units.
    pub fn inv_mass_diag(&self) -> &[f64] {
        &self.inv_mass_diag
    }

    /// The directions of the metric of the next iteration, on the scale of the diagonal.
    pub fn directions(&self) -> &[Direction] {
        &self.directions
    }

    /// Whether the metric may be more than a diagonal.
    pub(crate) fn has_room_for_directions(&self) -> bool {
        self.work.is_some() || !self.directions.is_empty()
    }

    /// Longest integration time, the reach times √λ_max on the whitened scale.
    pub fn trajectory_length(&self) -> f64 {
        self.trajectory_length
    }

    /// Learns from an iteration of warm-up: positions after it, `[chain][dim]`, and accept_prob, `[chain]`.
    ///
    /// After the last iteration of warm-up everything is fixed, and calls for later iterations change nothing.
    pub fn update(&mut self, iteration: u32, positions: &[f64], accept_prob: &[f64]) {
        if !self.warmup.contains(&iteration) {
            return;
        }
        let done = iteration + 1 - self.warmup.start;
        self.try_reach(iteration, positions);
        if !(is_fine(iteration) && matches!(self.step, StepSize::Averaging(_))) {
            self.update_step_size(accept_prob);
        }
        // The first half of settling is not even looked at: the chains still lie around one point.
        if done > self.settling / 2 {
            self.moments.update(done, positions);
        }
        if done == self.settling {
            self.restart_step_size();
        }
        if done >= self.settling {
            self.moments.regularised(&mut self.inv_mass_diag);
            self.eigenvalue
                .update(&self.moments, &self.inv_mass_diag, &self.directions, positions);
            self.trajectory_length = self.reach.value() * self.eigenvalue.value().sqrt();
        }
        if iteration + 1 == self.warmup.end {
            let step_size = match &self.step {
                StepSize::Search { step_size, .. } | StepSize::Fixed(step_size) => *step_size,
                StepSize::Averaging(averaging) => averaging.averaged(),
            };
            self.step = StepSize::Fixed(step_size);
        }
    }

    /// Learns from an iteration of trial which trajectories pay.
    fn try_reach(&mut self, iteration: u32, positions: &[f64]) {
        let done = iteration - self.warmup.start;
        let trial = self.trial();
        if trial.contains(&done) {
            let counts = matches!(self.step, StepSize::Averaging(_)) && !is_fine(iteration);
            let steps = counts.then(|| self.plan(iteration).num_leapfrog_steps);
            self.reach.learn(
                done - trial.start,
                positions,
                steps,
                &self.moments,
                &self.inv_mass_diag,
            );
        } else if done == trial.end {
            self.reach.choose();
        }
    }

    /// Goes on in the coordinates of a refitted centring: the metric of the levels' `coordinates` is what the refit's
    /// draws had there, that of the others stays, and step size and longest direction are searched anew.
    pub(crate) fn recentre(&mut self, coordinates: &[usize], refit: &Refit) {
        self.moments.replace(coordinates, &refit.mean, &refit.variance);
        self.restart_step_size();
        self.directions.clear();
        self.search.clear();
        self.moments.regularised(&mut self.inv_mass_diag);
        self.eigenvalue = LargestEigenvalue::new(self.inv_mass_diag.len(), 1.0);
        self.trajectory_length = self.reach.value();
    }

    /// Searches the step size anew when the metric is about to change from what it was since the start to an estimate:
    /// from the step that moves the coordinate of the smallest relative scale as far as before.
    fn restart_step_size(&mut self) {
        let mut estimate = vec![0.0; self.inv_mass_diag.len()];
        self.moments.regularised(&mut estimate);
        let largest = self
            .inv_mass_diag
            .iter()
            .zip(&estimate)
            .map(|(old, new)| old / new)
            .fold(0.0, f64::max);
        self.step = StepSize::Search {
            step_size: (self.step_size() * largest.sqrt()).clamp(STEP_BOUNDS.0, STEP_BOUNDS.1),
            grows: None,
        };
    }

    fn update_step_size(&mut self, accept_prob: &[f64]) {
        let accept = harmonic_mean(accept_prob);
        let (most, least) = REFUSALS;
        // A NaN is no movement either.
        if accept_prob.iter().any(|a| *a >= least) {
            self.refusals = 0;
        } else {
            self.refusals += 1;
        }
        match &mut self.step {
            StepSize::Search { step_size, grows } => {
                let is_accepted = accept > self.target_accept;
                if *grows.get_or_insert(is_accepted) == is_accepted {
                    *step_size *= if is_accepted { 2.0 } else { 0.5 };
                    if (STEP_BOUNDS.0..=STEP_BOUNDS.1).contains(step_size) {
                        return;
                    }
                }
                self.step = StepSize::Averaging(DualAveraging::near(*step_size, self.target_accept));
            }
            // The average remembers too much to follow an ensemble that came to where the steps are all too long.
            StepSize::Averaging(averaging) if self.refusals == most => {
                self.refusals = 0;
                self.step = StepSize::Search {
                    step_size: averaging.step_size().max(STEP_BOUNDS.0),
                    grows: None,
                };
            }
            StepSize::Averaging(averaging) => averaging.update(accept),
            StepSize::Fixed(_) => {}
        }
    }
}

/// Whether the steps of `iteration` are fine.
fn is_fine(iteration: u32) -> bool {
    iteration.is_multiple_of(FINE)
}

/// Harmonic mean of acceptance probabilities: it obeys the chains that accept least. 0 if any is 0 or not a number.
///
/// Chains that have long been held are heard like all others: when those of a Poisson model that started where rates are huge
/// were left out, the others' steps left them there for good.
fn harmonic_mean(accept_prob: &[f64]) -> f64 {
    let inverse: f64 = accept_prob.iter().map(|a| 1.0 / a).sum();
    if inverse.is_nan() {
        0.0
    } else {
        accept_prob.len() as f64 / inverse
    }
}

/// The base-2 Halton (van der Corput) sequence, from its first element ½ on, in (0, 1).
fn halton(index: u32) -> f64 {
    let bits = (u64::from(index) + 1).reverse_bits();
    // 64 reversed bits as a fraction; 33 of them are in use, so the conversion is exact.
    bits as f64 * 2f64.powi(-64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    #[test]
    fn halton_fills_the_unit_interval_in_order() {
        let first: Vec<f64> = (0..7).map(halton).collect();
        assert_eq!(first, [0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875]);
        assert!(halton(u32::MAX - 1) > 0.0 && halton(u32::MAX - 1) < 1.0);
    }

    #[test]
    fn the_harmonic_mean_obeys_the_worst_chain() {
        assert_eq!(harmonic_mean(&[1.0, 0.5]), 2.0 / 3.0);
        assert_eq!(harmonic_mean(&[1.0, 0.0]), 0.0);
        assert_eq!(harmonic_mean(&[1.0, f64::NAN]), 0.0);
    }

    /// Feeds an adaptation with an acceptance of exp(−ε) whatever the trajectory, and constant positions.
    fn adapt(warmup: u32, start: f64) -> Adaptation {
        let mut adaptation = Adaptation::tuned(vec![1.0; 2], 4, 0..warmup, 0.8, start, 1.7);
        let positions = [1.0, 2.0, -1.0, -2.0, 1.0, -2.0, -1.0, 2.0];
        for iteration in 0..warmup {
            let accept = (-adaptation.plan(iteration).step_size).exp();
            adaptation.update(iteration, &positions, &[accept; 4]);
        }
        adaptation
    }

    #[test]
    fn a_step_size_wrong_by_orders_of_magnitude_is_found_again() {
        for start in [1e-8, 1.0, 1e6] {
            let reached = (-adapt(400, start).step_size()).exp();
            assert!((reached - 0.8).abs() < 0.02, "from {start}: acceptance {reached}");
        }
    }

    /// Late in warm-up the ensemble enters a region where steps must be 10,000 times shorter.
    #[test]
    fn an_ensemble_that_is_stuck_searches_its_step_size_anew() {
        let mut adaptation = Adaptation::tuned(vec![1.0; 2], 4, 0..400, 0.8, 1.0, 1.7);
        let positions = [1.0, 2.0, -1.0, -2.0, 1.0, -2.0, -1.0, 2.0];
        let acceptance = |step_size: f64| (-1e4 * step_size).exp();
        for iteration in 0..400 {
            let step_size = adaptation.plan(iteration).step_size;
            let accept = if iteration < 320 {
                (-step_size).exp()
            } else {
                acceptance(step_size)
            };
            adaptation.update(iteration, &positions, &[accept; 4]);
        }
        let reached = acceptance(adaptation.step_size());
        // Fifty iterations of dual averaging are what is left.
        assert!((reached - 0.8).abs() < 0.1, "acceptance {reached}");
    }

    /// Ten coordinates with correlation ½ have λ_max = 5.5, whatever their scales.
    #[test]
    fn the_trajectory_spans_the_longest_direction() {
        let mut adaptation = Adaptation::new(10, 16, 0..400, 0.8);
        for iteration in 0..400 {
            let mut z = vec![0.0; 16 * 11];
            let stream = Stream {
                seed: 2,
                replicate: 0,
                chain: 0,
                iteration,
                purpose: Purpose::Predictive,
            };
            stream.fill_normal(&mut z);
            let positions: Vec<f64> = z
                .chunks_exact(11)
                .flat_map(|z| (0..10).map(|i| 10f64.powi(i as i32 % 3) * 0.5f64.sqrt() * (z[10] + z[i])))
                .collect();
            adaptation.update(iteration, &positions, &[0.8; 16]);
        }
        let expected = adaptation.reach.value() * 5.5f64.sqrt();
        // λ's relative standard error is √(2/1600) for a window of 50 iterations of 16, its root's half of that; the
        // whitening adds as much again.
        let bound = 4.5 * (2.0f64 / 1600.0).sqrt();
        let length = adaptation.trajectory_length();
        assert!(
            (length / expected - 1.0).abs() < bound,
            "{length}, expected {expected}"
        );
    }

    #[test]
    fn nothing_changes_after_warmup() {
        let mut adaptation = adapt(50, 1.0);
        let (plan, metric) = (adaptation.plan(60), adaptation.inv_mass_diag().to_vec());
        for iteration in 50..60 {
            adaptation.update(iteration, &[9.0; 8], &[0.0; 4]);
        }
        assert_eq!(adaptation.plan(60), plan);
        assert_eq!(adaptation.inv_mass_diag(), metric);
    }

    #[test]
    fn trajectories_have_one_to_a_thousand_steps_and_follow_the_sequence() {
        let plan = |step_size, length, iteration| {
            Adaptation::tuned(vec![1.0], 16, 0..0, 0.8, step_size, length)
                .plan(iteration)
                .num_leapfrog_steps
        };
        assert_eq!(plan(100.0, 1.0, 0), 1);
        assert_eq!(plan(1e-6, 1.0, 0), MAX_LEAPFROG_STEPS);
        // ⌈uT/ε⌉ with T/ε = 20 and u = ⅝, ⅞, 9/16.
        assert_eq!([1, 2, 3].map(|i| plan(0.05, 1.0, i)), [13, 18, 12]);
    }

    #[test]
    fn every_sixteenth_iteration_takes_half_the_steps_a_quarter_as_long() {
        let adaptation = Adaptation::tuned(vec![1.0], 16, 0..0, 0.8, 0.1, 2.0);
        for iteration in 0..64 {
            let (factor, steps) = if iteration % 16 == 0 {
                (0.25, 5..=10)
            } else {
                (1.0, 10..=20)
            };
            let plan = adaptation.plan(iteration);
            assert_eq!(plan.step_size, factor * 0.1);
            assert!(steps.contains(&plan.num_leapfrog_steps));
        }
    }

    /// A curvature of 100, which positions spread by 2 do not tell, and a straight line.
    #[test]
    fn settling_takes_the_curvature_and_leaves_straight_lines() {
        let mut adaptation = Adaptation::tuned(vec![0.5; 2], 4, 0..400, 0.8, 1.0, 1.7);
        assert!(adaptation.is_settling(0) && adaptation.is_settling(15) && !adaptation.is_settling(16));
        let positions = [1.0, 2.0, -1.0, -2.0, 1.0, -2.0, -1.0, 2.0];
        let gradients: Vec<f64> = positions
            .chunks_exact(2)
            .flat_map(|q| [3.0 - 100.0 * q[0], -7.0])
            .collect();
        adaptation.settle(&positions, &gradients);
        let [bent, straight] = adaptation.inv_mass_diag() else {
            panic!("two coordinates")
        };
        assert!((bent / 0.01 - 1.0).abs() < 1e-14, "{bent}");
        assert_eq!(*straight, 0.5);
        // A chain where the density is not finite is passed over.
        let mut broken = gradients.clone();
        broken[0] = f64::NAN;
        adaptation.settle(&positions, &broken);
        assert!((adaptation.inv_mass_diag()[0] / 0.01 - 1.0).abs() < 1e-14);
    }

    /// One chain of four starts where steps must be 1,000 times shorter, and comes to the others' region by 50 iterations in
    /// which it moves.
    #[test]
    fn a_chain_that_starts_where_steps_must_be_short_is_waited_for() {
        let mut adaptation = Adaptation::tuned(vec![1.0; 2], 4, 0..400, 0.8, 1.0, 1.7);
        let positions = [1.0, 2.0, -1.0, -2.0, 1.0, -2.0, -1.0, 2.0];
        let mut moves = 0;
        for iteration in 0..400 {
            let step_size = adaptation.plan(iteration).step_size;
            let mut accept = [(-step_size).exp(); 4];
            if moves < 50 {
                accept[1] = (-1e3 * step_size).exp();
                moves += u32::from(accept[1] > 0.5);
            }
            adaptation.update(iteration, &positions, &accept);
        }
        assert_eq!(moves, 50);
        let reached = (-adaptation.step_size()).exp();
        assert!((reached - 0.8).abs() < 0.05, "acceptance {reached}");
    }
}
