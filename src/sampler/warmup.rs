//! The adaptation of one NUTS chain during warm-up: metric in overlapping windows, step size by dual averaging, and the
//! centring of the model's effects.

use super::chain_centring::ChainCentring;
use super::dual_averaging::DualAveraging;
use super::low_rank::LatestDraws;
use super::nuts::Transition;
use super::phase_space::{Hamiltonian, Point};
use super::scale_estimate::{ScaleEstimate, initial_inv_mass_diag};
use super::step_size::find_step_size;
use super::windows::Windows;
use crate::rng::Stream;

/// Steps that a divergent transition must have come for its draw to count towards the metric: nearer ones are biased
/// towards the start (as in nutpie).
const DIVERGENT_DISPLACEMENT: u32 = 4;

/// Positions whose gradients are evaluated again in new coordinates at most, to begin the metric there.
const MOST_RECOUNTED: usize = 128;

/// What a chain learns in warm-up, and its step size.
pub(crate) struct Warmup<'c> {
    /// None for a model without effects to centre.
    centring: Option<ChainCentring<'c>>,
    windows: Windows,
    estimate: ScaleEstimate,
    /// What directions of the metric are found from.
    latest: LatestDraws,
    inv_mass_diag: Vec<f64>,
    step_size: DualAveraging,
    target_accept: f64,
    /// Whether directions are sought.
    seeks_directions: bool,
    /// The metric is still the one that the chain came with.
    is_metric_initial: bool,
    scratch: Point,
}

impl<'c> Warmup<'c> {
    /// Begins the warm-up of `iterations` iterations of a chain that comes with metric, centring and `step_size`.
    pub(crate) fn new(
        system: &Hamiltonian<'_>,
        centring: Option<ChainCentring<'c>>,
        iterations: u32,
        step_size: f64,
        target_accept: f64,
        seeks_directions: bool,
    ) -> Self {
        let inv_mass_diag = system.metric().inv_mass_diag();
        let dim = inv_mass_diag.len();
        Self {
            centring,
            windows: Windows::new(iterations),
            estimate: ScaleEstimate::new(dim),
            latest: LatestDraws::new(),
            inv_mass_diag,
            step_size: DualAveraging::new(step_size, target_accept),
            target_accept,
            seeks_directions,
            is_metric_initial: true,
            scratch: Point::new(dim),
        }
    }

    /// Learns from the transition of `iteration` that led to `current`; yields the next iteration's step size.
    ///
    /// Where the centring changes, `current` changes its coordinates. `stream` names the iteration.
    pub(crate) fn learn(
        &mut self,
        iteration: u32,
        transition: &Transition,
        system: &mut Hamiltonian<'_>,
        current: &mut Point,
        stream: Stream,
    ) -> f64 {
        // On the way to the posterior energies fall, which the symmetric acceptance takes for an error as large.
        self.step_size.update(if self.windows.is_early(iteration) {
            transition.accept_prob
        } else {
            transition.accept_prob_symmetric
        });
        if !self.windows.collects(iteration) {
            return self.step_size.step_size();
        }
        let displacement = transition.displacement.unsigned_abs();
        let least = if transition.is_divergent {
            DIVERGENT_DISPLACEMENT
        } else {
            0
        };
        if displacement > least {
            self.count(current);
        }
        let moved = self
            .centring
            .as_mut()
            .and_then(|centring| centring.learn(iteration + 1, &mut current.position));
        let mut searches = moved.is_some();
        let mut window_ends = searches || self.windows.is_last(iteration);
        if let Some(positions) = moved {
            self.begin_anew(system, &positions, current);
        } else if self.windows.switches(iteration, self.estimate.background_count()) {
            self.estimate.switch();
            if self.windows.is_early(iteration) {
                self.latest.clear();
            } else {
                window_ends = true;
            }
        }
        if self.estimate.write(&mut self.inv_mass_diag) {
            system.metric_mut().set_inv_mass_diag(&self.inv_mass_diag);
            searches |= self.is_metric_initial;
            self.is_metric_initial = false;
        }
        if window_ends && self.seeks_directions {
            let directions = self.latest.directions(system.metric().scale());
            searches |= !(directions.is_empty() && system.metric().directions().is_empty());
            system.metric_mut().set_directions(directions);
        }
        if searches {
            let start = self.step_size.averaged();
            let found = find_step_size(system, current, &mut self.scratch, start, stream);
            self.step_size = DualAveraging::new(found, self.target_accept);
        }
        self.step_size.step_size()
    }

    /// Counts the draw of an evaluated point towards the metric.
    fn count(&mut self, point: &Point) {
        if point.gradient.iter().all(|g| g.is_finite()) {
            self.estimate.add(&point.position, &point.gradient);
            if self.seeks_directions {
                self.latest.add(&point.position, &point.gradient);
            }
        }
    }

    /// Goes over to the centring just learned: `current`'s density and the metric, from `positions`, are those there.
    fn begin_anew(&mut self, system: &mut Hamiltonian<'_>, positions: &[f64], current: &mut Point) {
        system.set_centring(self.codes());
        system.evaluate(current);
        self.estimate.clear();
        self.latest.clear();
        self.windows.leave_early();
        let mut point = std::mem::replace(&mut self.scratch, Point::new(0));
        let dim = current.position.len();
        let latest = positions.len().saturating_sub(MOST_RECOUNTED * dim);
        for position in positions[latest..].chunks_exact(dim) {
            point.position.copy_from_slice(position);
            system.evaluate(&mut point);
            self.count(&point);
        }
        self.scratch = point;
    }

    /// The codes of the centring in force, `[level]`; none for a model without effects to centre.
    pub(crate) fn codes(&self) -> &[u32] {
        self.centring.as_ref().map_or(&[], ChainCentring::codes)
    }

    /// The step size for the draws after warm-up.
    pub(crate) fn final_step_size(&self) -> f64 {
        self.step_size.averaged()
    }
}

/// Metric and step size of a chain without tuning, from the gradient at its evaluated starting point.
pub(crate) fn tune_at_start(
    system: &mut Hamiltonian<'_>,
    point: &Point,
    scratch: &mut Point,
    stream: Stream,
) -> f64 {
    let mut inv_mass_diag = vec![1.0; point.gradient.len()];
    initial_inv_mass_diag(&point.gradient, &mut inv_mass_diag);
    system.metric_mut().set_inv_mass_diag(&inv_mass_diag);
    find_step_size(system, point, scratch, 1.0, stream)
}
