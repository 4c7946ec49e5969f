//! The engine of one ensemble on a CPU: blocks of lanes, every block its whole trajectory at a time.

use super::axes::Axes;
use super::lanes::{LANES, energies, kick, kick_drift, take_lanes};
use super::momentum::fill_momentum;
use super::thinner::Thinner;
use super::{Engine, IterationResult, Plan};
use crate::back::evaluate::{Density, Evaluator};
use crate::error::{Error, Result};
use crate::rng::{Purpose, Stream};
use crate::sampler::DIVERGENCE;
use crate::sampler::low_rank::Direction;
use crate::sampler::settings::Settings;

/// A block's chains in lockstep; arrays are `[dim][lane]`.
struct Block {
    position: Vec<f64>,
    gradient: Vec<f64>,
    log_density: [f64; LANES],
}

impl Block {
    fn new(dim: usize) -> Self {
        Self {
            position: vec![0.0; dim * LANES],
            gradient: vec![0.0; dim * LANES],
            log_density: [0.0; LANES],
        }
    }

    fn copy_from(&mut self, other: &Self) {
        self.position.copy_from_slice(&other.position);
        self.gradient.copy_from_slice(&other.gradient);
        self.log_density = other.log_density;
    }
}

/// One ensemble on one thread.
///
/// A number of chains that is no multiple of a block's leaves lanes of the last block over: they hold copies of chains and
/// their results are dropped.
pub struct CpuEngine<'d> {
    evaluator: Box<dyn Evaluator + 'd>,
    seed: u64,
    replicate: u32,
    /// Number of the first chain in the whole run.
    first_chain: usize,
    chains: usize,
    dim: usize,
    /// Levels whose centring can be set.
    levels: usize,
    /// Of a gradient.
    work: f64,
    inv_mass: Vec<f64>,
    /// 1/√inv_mass, the standard deviations of the momentum.
    momentum_sd: Vec<f64>,
    /// Beside the diagonal.
    directions: Vec<Direction>,
    /// The same on its scale.
    axes: Axes,
    blocks: Vec<Block>,
    trajectory: Block,
    momentum: Vec<f64>,
    thinner: Thinner,
    /// Results that were read already.
    spare: Vec<IterationResult>,
}

impl<'d> CpuEngine<'d> {
    /// An engine for the `chains` chains from `first_chain` on, which are one ensemble.
    pub fn new(density: &'d dyn Density, settings: &Settings, first_chain: usize, chains: usize) -> Self {
        let dim = density.dim();
        Self {
            evaluator: density.evaluator(LANES),
            seed: settings.seed,
            replicate: settings.replicate,
            first_chain,
            chains,
            dim,
            levels: density.centring().map_or(0, |centring| centring.initial().len()),
            work: density.work(),
            inv_mass: vec![1.0; dim],
            momentum_sd: vec![1.0; dim],
            directions: Vec::new(),
            axes: Axes::default(),
            blocks: (0..chains.div_ceil(LANES)).map(|_| Block::new(dim)).collect(),
            trajectory: Block::new(dim),
            momentum: vec![0.0; dim * LANES],
            thinner: Thinner::new(1),
            spare: Vec::new(),
        }
    }

    /// Room for the results of an iteration; the numbers in it mean nothing yet.
    fn room(&mut self) -> IterationResult {
        match self.spare.pop() {
            Some(result) => IterationResult {
                divergences: 0,
                ..result
            },
            None => IterationResult::zeros(self.chains, self.dim),
        }
    }

    /// The chain (of the ensemble) in a lane of a block; spare lanes repeat the last chain.
    fn chain_in(&self, block: usize, lane: usize) -> usize {
        (block * LANES + lane).min(self.chains - 1)
    }

    fn stream(&self, chain: usize, iteration: u32, purpose: Purpose) -> Stream {
        Stream {
            seed: self.seed,
            replicate: self.replicate,
            chain: (self.first_chain + chain) as u32,
            iteration,
            purpose,
        }
    }

    fn refresh_momentum(&mut self, block: usize, iteration: u32) {
        let streams =
            std::array::from_fn(|lane| self.stream(self.chain_in(block, lane), iteration, Purpose::Momentum));
        fill_momentum(&mut self.momentum, &self.momentum_sd, &streams);
        self.axes.refresh(&mut self.momentum);
    }

    /// Integrates `self.trajectory` and `self.momentum`; tells which lanes end at a finite density, which none does that
    /// lost a coordinate on the way.
    fn integrate(&mut self, plan: Plan) -> [bool; LANES] {
        let Self {
            evaluator,
            inv_mass,
            axes,
            trajectory,
            momentum,
            ..
        } = self;
        let half = 0.5 * plan.step_size;
        for step in 0..plan.num_leapfrog_steps {
            // The last half kick of a step and the first of the next are one.
            let size = if step == 0 { half } else { plan.step_size };
            kick_drift(
                &mut trajectory.position,
                momentum,
                &trajectory.gradient,
                inv_mass,
                size,
                plan.step_size,
            );
            axes.drift(&mut trajectory.position, momentum, plan.step_size);
            if step + 1 < plan.num_leapfrog_steps {
                evaluator.grad(&trajectory.position, &mut trajectory.gradient);
            } else {
                evaluator.log_density_grad(
                    &trajectory.position,
                    &mut trajectory.log_density,
                    &mut trajectory.gradient,
                );
            }
        }
        kick(momentum, &trajectory.gradient, half);
        trajectory.log_density.map(f64::is_finite)
    }

    /// The energies of the trajectory's lanes.
    fn energies(&self) -> [f64; LANES] {
        let mut energy = [0.0; LANES];
        energies(
            &mut energy,
            &self.momentum,
            &self.inv_mass,
            &self.trajectory.log_density,
        );
        self.axes.energies(&mut energy, &self.momentum);
        energy
    }

    /// One iteration of one block, written into its chains' places of `result`.
    fn iterate(&mut self, block: usize, iteration: u32, plan: Plan, result: &mut IterationResult) {
        self.refresh_momentum(block, iteration);
        self.trajectory.copy_from(&self.blocks[block]);
        let before = self.energies();
        let is_finite = self.integrate(plan);
        let after = self.energies();

        let mut take = [false; LANES];
        let first = block * LANES;
        let chains = LANES.min(self.chains - first);
        for lane in 0..chains {
            let chain = first + lane;
            let energy_error = after[lane] - before[lane];
            let is_divergent = !(is_finite[lane] && energy_error.is_finite()) || energy_error > DIVERGENCE;
            let accept_prob = if is_divergent {
                0.0
            } else {
                (-energy_error).exp().min(1.0)
            };
            let uniform = self.stream(chain, iteration, Purpose::Accept).uniform();
            take[lane] = uniform < accept_prob;
            result.accept_prob[chain] = accept_prob;
            result.energy[chain] = if take[lane] { after[lane] } else { before[lane] };
            result.energy_error[chain] = if energy_error.is_finite() {
                energy_error
            } else {
                f64::INFINITY
            };
            result.is_divergent[chain] = is_divergent;
            result.divergences += u64::from(is_divergent);
        }
        // Spare lanes stay copies of what they were: their results are never read.
        let state = &mut self.blocks[block];
        take_lanes(&mut state.position, &self.trajectory.position, &take);
        take_lanes(&mut state.gradient, &self.trajectory.gradient, &take);
        take_lanes(&mut state.log_density, &self.trajectory.log_density, &take);
        for lane in 0..chains {
            let chain = first + lane;
            result.log_density[chain] = state.log_density[lane];
            for i in 0..self.dim {
                result.positions[chain * self.dim + i] = state.position[i * LANES + lane];
            }
        }
    }
}

impl Engine for CpuEngine<'_> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn ensembles(&self) -> usize {
        1
    }

    fn chains_per_ensemble(&self) -> usize {
        self.chains
    }

    fn set_positions(&mut self, positions: &[f64]) -> Result<()> {
        if positions.len() != self.chains * self.dim {
            return Err(Error::bug(format!(
                "{} coordinates for {} chains of {}",
                positions.len(),
                self.chains,
                self.dim
            )));
        }
        for block in 0..self.blocks.len() {
            for lane in 0..LANES {
                let chain = self.chain_in(block, lane);
                for i in 0..self.dim {
                    self.blocks[block].position[i * LANES + lane] = positions[chain * self.dim + i];
                }
            }
            let block = &mut self.blocks[block];
            self.evaluator
                .log_density_grad(&block.position, &mut block.log_density, &mut block.gradient);
        }
        Ok(())
    }

    fn set_inv_mass(&mut self, inv_mass_diag: &[f64]) -> Result<()> {
        if inv_mass_diag.len() != self.dim {
            return Err(Error::bug(format!(
                "a metric of {} variances for {} coordinates",
                inv_mass_diag.len(),
                self.dim
            )));
        }
        self.inv_mass.copy_from_slice(inv_mass_diag);
        for (sd, v) in self.momentum_sd.iter_mut().zip(inv_mass_diag) {
            *sd = 1.0 / v.sqrt();
        }
        self.axes = Axes::new(&self.directions, &self.inv_mass);
        Ok(())
    }

    fn gradient_work(&self) -> Option<f64> {
        Some(self.work)
    }

    fn set_directions(&mut self, directions: &[&[Direction]]) -> Result<()> {
        let [own] = directions else {
            return Err(Error::bug(format!(
                "directions of {} ensembles for one",
                directions.len()
            )));
        };
        if own.iter().any(|direction| direction.unit.len() != self.dim) {
            return Err(Error::bug(format!(
                "directions of other than {} coordinates",
                self.dim
            )));
        }
        self.directions = own.to_vec();
        self.axes = Axes::new(&self.directions, &self.inv_mass);
        Ok(())
    }

    fn set_centring(&mut self, codes: &[u32]) -> Result<()> {
        if codes.len() != self.levels {
            return Err(Error::bug(format!(
                "{} centring codes for {} levels",
                codes.len(),
                self.levels
            )));
        }
        self.evaluator.set_centring(codes);
        Ok(())
    }

    fn set_thin(&mut self, thin: u32) {
        self.thinner = Thinner::new(thin);
    }

    fn run(
        &mut self,
        first_iteration: u32,
        plans: &[Vec<Plan>],
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<IterationResult>> {
        let mut results = Vec::with_capacity(plans.len());
        for (offset, plan) in plans.iter().enumerate() {
            let mut result = self.room();
            for block in 0..self.blocks.len() {
                self.iterate(block, first_iteration + offset as u32, plan[0], &mut result);
            }
            results.extend(self.thinner.keep(result));
            if !progress(offset + 1) {
                break;
            }
        }
        Ok(results)
    }

    fn gradients(&mut self) -> Result<(Vec<f64>, u64)> {
        let mut gradients = Vec::with_capacity(self.chains * self.dim);
        for chain in 0..self.chains {
            let (block, lane) = (&self.blocks[chain / LANES], chain % LANES);
            gradients.extend((0..self.dim).map(|i| block.gradient[i * LANES + lane]));
        }
        Ok((gradients, 0))
    }

    fn recycle(&mut self, mut results: Vec<IterationResult>) {
        let fits = |result: &IterationResult| {
            result.positions.len() == self.chains * self.dim && result.accept_prob.len() == self.chains
        };
        results.retain(fits);
        self.spare.append(&mut results);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::error::Kind;
    use crate::sampler::phase_space::{Hamiltonian, Point};
    use crate::sampler::settings::Sampler;
    use crate::sampler::targets::{Target, eight_schools};

    fn settings() -> Settings {
        Settings {
            sampler: Sampler::Hmc,
            chains: 19,
            warmup: 0,
            draws: 1,
            thin: 1,
            seed: 21,
            replicate: 4,
            target_accept: 0.8,
            directions: true,
            threads: 1,
        }
    }

    const PLAN: Plan = Plan {
        step_size: 0.5,
        num_leapfrog_steps: 6,
    };

    /// HMC of one chain, step by step as in Neal 2011, figure 2.
    fn textbook(
        density: &dyn Density,
        position: &[f64],
        inv_mass: &[f64],
        directions: &[Direction],
        stream: Stream,
    ) -> (Point, f64, bool) {
        let mut system = Hamiltonian::new(density);
        system.metric_mut().set_inv_mass_diag(inv_mass);
        system.metric_mut().set_directions(directions.to_vec());
        let mut point = Point::new(position.len());
        point.position.copy_from_slice(position);
        system.evaluate(&mut point);
        system.refresh_momentum(&mut point, stream);
        let begin = point.clone();
        for _ in 0..PLAN.num_leapfrog_steps {
            system.leapfrog(&mut point, PLAN.step_size);
        }
        let energy_error = point.energy() - begin.energy();
        let accept = Stream {
            purpose: Purpose::Accept,
            ..stream
        };
        let is_accepted = accept.uniform() < (-energy_error).exp();
        (if is_accepted { point } else { begin }, energy_error, is_accepted)
    }

    /// Three orthonormal directions in ten coordinates: more than one group of axes.
    fn directions() -> Vec<Direction> {
        let unit = |period: usize| {
            let sign = |i: usize| if (i / period).is_multiple_of(2) { 1.0 } else { -1.0 };
            (0..10)
                .map(|i| if i < 8 { sign(i) / 8f64.sqrt() } else { 0.0 })
                .collect()
        };
        [(1.2, unit(1)), (-0.4, unit(2)), (0.6, unit(4))]
            .map(|(stretch, unit)| Direction { stretch, unit })
            .to_vec()
    }

    #[test]
    fn every_lane_does_what_a_chain_alone_would() {
        assert_lanes_are_chains(&[]);
    }

    #[test]
    fn with_directions_too_every_lane_does_what_a_chain_alone_would() {
        assert_lanes_are_chains(&directions());
    }

    /// Nineteen chains: a full block and one with spare lanes.
    fn assert_lanes_are_chains(directions: &[Direction]) {
        let target = eight_schools();
        let inv_mass: Vec<f64> = (0..10).map(|i| 0.5 + 0.2 * f64::from(i)).collect();
        let mut engine = CpuEngine::new(&target, &settings(), 100, 19);
        let mut positions: Vec<f64> = (0..190).map(|i| (f64::from(i) * 0.7).sin()).collect();
        engine.set_positions(&positions).unwrap();
        engine.set_inv_mass(&inv_mass).unwrap();
        engine.set_directions(&[directions]).unwrap();
        let results = engine.run(30, &vec![vec![PLAN]; 20], &mut |_| true).unwrap();
        let mut rejected = 0;
        for (offset, result) in results.iter().enumerate() {
            for chain in 0..19 {
                let stream = Stream {
                    seed: 21,
                    replicate: 4,
                    chain: 100 + chain as u32,
                    iteration: 30 + offset as u32,
                    purpose: Purpose::Momentum,
                };
                let place = chain * 10..(chain + 1) * 10;
                let (expected, energy_error, is_accepted) =
                    textbook(&target, &positions[place.clone()], &inv_mass, directions, stream);
                rejected += u32::from(!is_accepted);
                // The merged half kicks round differently: a few ulps a step, and the flow's growth over six.
                for (got, want) in result.positions[place].iter().zip(&expected.position) {
                    assert!((got - want).abs() < 1e-10, "chain {chain}: {got}, {want}");
                }
                assert!((result.energy_error[chain] - energy_error).abs() < 1e-10);
                assert!((result.accept_prob[chain] - (-energy_error).exp().min(1.0)).abs() < 1e-10);
                assert!((result.log_density[chain] - expected.log_density).abs() < 1e-10);
            }
            positions.copy_from_slice(&result.positions);
        }
        assert!(rejected > 5, "hardly a rejection among 380: {rejected}");
    }

    #[test]
    fn a_trajectory_turned_round_ends_where_it_began() {
        let target = eight_schools();
        let mut engine = CpuEngine::new(&target, &settings(), 0, LANES);
        let positions: Vec<f64> = (0..10 * LANES).map(|i| (i as f64 * 0.7).sin()).collect();
        engine.set_positions(&positions).unwrap();
        engine.set_directions(&[&directions()]).unwrap();
        engine.set_inv_mass(&[0.7; 10]).unwrap();
        engine.refresh_momentum(0, 3);
        engine.trajectory.copy_from(&engine.blocks[0]);
        let begin = engine.energies();
        for _ in 0..2 {
            assert!(engine.integrate(PLAN).iter().all(|is_finite| *is_finite));
            engine.momentum.iter_mut().for_each(|p| *p = -*p);
        }
        let moved = engine.blocks[0].position.iter().zip(&engine.trajectory.position);
        for (before, after) in moved {
            // Roundings of twelve steps.
            assert!((before - after).abs() < 1e-12, "{before}, {after}");
        }
        for (before, after) in begin.iter().zip(engine.energies()) {
            assert!((before - after).abs() < 1e-11, "{before}, {after}");
        }
    }

    #[test]
    fn directions_that_do_not_fit_are_refused() {
        let target = eight_schools();
        let mut engine = CpuEngine::new(&target, &settings(), 0, 8);
        let short = [Direction {
            stretch: 1.0,
            unit: vec![1.0],
        }];
        assert_eq!(engine.set_directions(&[&short]).unwrap_err().kind(), Kind::Bug);
        assert_eq!(engine.set_directions(&[]).unwrap_err().kind(), Kind::Bug);
    }

    /// Chain 3 sits where every step leads out of the support; the others must move as if it were not there.
    #[test]
    fn a_lane_that_diverges_harms_no_other() {
        let target = Target::new(2, |q, gradient| {
            gradient[0] = if q[0] > 50.0 { f64::NAN } else { -q[0] };
            gradient[1] = -q[1];
            let outside = q[0] > 50.0 && q[0] != 1e5;
            if outside {
                f64::NAN
            } else {
                -0.5 * (q[0] * q[0] + q[1] * q[1])
            }
        });
        let run = |third: f64| {
            let mut engine = CpuEngine::new(&target, &settings(), 0, 8);
            let mut positions = vec![0.5; 16];
            positions[6] = third;
            engine.set_positions(&positions).unwrap();
            engine.run(0, &vec![vec![PLAN]; 5], &mut |_| true).unwrap()
        };
        let (with, without) = (run(1e5), run(0.5));
        for (with, without) in with.iter().zip(&without) {
            assert!(with.is_divergent[3] && with.accept_prob[3] == 0.0);
            assert_eq!(with.positions[6..8], [1e5, 0.5]);
            for chain in [0, 1, 2, 4, 5, 6, 7] {
                assert!(!with.is_divergent[chain]);
                assert_eq!(
                    with.positions[chain * 2..chain * 2 + 2],
                    without.positions[chain * 2..chain * 2 + 2]
                );
            }
        }
    }

    /// The third of six steps has no slope, the end would have a density again: nothing leads out of there.
    #[test]
    fn a_trajectory_through_the_impossible_is_divergent() {
        let calls = AtomicU64::new(0);
        let target = Target::new(1, |q, gradient| {
            // All lanes to set the positions, then all of them each step.
            let step = calls.fetch_add(1, Ordering::Relaxed) / LANES as u64;
            gradient[0] = if step == 3 { f64::NAN } else { -q[0] };
            -0.5 * q[0] * q[0]
        });
        let mut engine = CpuEngine::new(&target, &settings(), 0, 8);
        engine.set_positions(&[0.5; 8]).unwrap();
        let results = engine.run(0, &[vec![PLAN]], &mut |_| true).unwrap();
        assert_eq!(results[0].is_divergent, [true; 8]);
        assert_eq!(results[0].positions, [0.5; 8]);
    }

    #[test]
    fn the_progress_function_ends_a_run_early() {
        let target = eight_schools();
        let mut engine = CpuEngine::new(&target, &settings(), 0, 19);
        engine.set_positions(&[0.1; 190]).unwrap();
        let results = engine
            .run(0, &vec![vec![PLAN]; 20], &mut |done| done < 7)
            .unwrap();
        assert_eq!(results.len(), 7);
    }
}
