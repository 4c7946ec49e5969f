//! The engine of one ensemble on a CPU: blocks of eight lanes, every block its whole trajectory at a time.

use super::lanes::{LANES, energies, kick, kick_drift, take_lanes};
use super::{Engine, IterationResult, Plan};
use crate::back::evaluate::{Density, Evaluator};
use crate::error::{Error, Result};
use crate::rng::{Purpose, Stream};
use crate::sampler::DIVERGENCE;
use crate::sampler::settings::Settings;

/// Eight chains in lockstep; arrays are `[dim][lane]`.
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
/// A number of chains that is no multiple of eight leaves lanes of the last block over: they hold copies of chains and
/// their results are dropped.
pub struct CpuEngine<'d> {
    evaluator: Box<dyn Evaluator + 'd>,
    seed: u64,
    replicate: u32,
    /// Number of the first chain in the whole run.
    first_chain: usize,
    chains: usize,
    dim: usize,
    inv_mass: Vec<f64>,
    blocks: Vec<Block>,
    trajectory: Block,
    momentum: Vec<f64>,
    normals: Vec<f64>,
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
            inv_mass: vec![1.0; dim],
            blocks: (0..chains.div_ceil(LANES)).map(|_| Block::new(dim)).collect(),
            trajectory: Block::new(dim),
            momentum: vec![0.0; dim * LANES],
            normals: vec![0.0; dim],
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
        for lane in 0..LANES {
            let stream = self.stream(self.chain_in(block, lane), iteration, Purpose::Momentum);
            stream.fill_normal(&mut self.normals);
            for i in 0..self.dim {
                self.momentum[i * LANES + lane] = self.normals[i] / self.inv_mass[i].sqrt();
            }
        }
    }

    /// Integrates `self.trajectory` and `self.momentum`; tells which lanes stayed finite all the way.
    fn integrate(&mut self, plan: Plan) -> [bool; LANES] {
        let Self {
            evaluator,
            inv_mass,
            trajectory,
            momentum,
            ..
        } = self;
        let mut is_finite = [true; LANES];
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
            evaluator.log_density_grad(
                &trajectory.position,
                &mut trajectory.log_density,
                &mut trajectory.gradient,
            );
            for lane in 0..LANES {
                is_finite[lane] &= trajectory.log_density[lane].is_finite();
            }
        }
        kick(momentum, &trajectory.gradient, half);
        is_finite
    }

    /// One iteration of one block, written into its chains' places of `result`.
    fn iterate(&mut self, block: usize, iteration: u32, plan: Plan, result: &mut IterationResult) {
        self.refresh_momentum(block, iteration);
        self.trajectory.copy_from(&self.blocks[block]);
        let mut before = [0.0; LANES];
        let mut after = [0.0; LANES];
        energies(
            &mut before,
            &self.momentum,
            &self.inv_mass,
            &self.trajectory.log_density,
        );
        let is_finite = self.integrate(plan);
        energies(
            &mut after,
            &self.momentum,
            &self.inv_mass,
            &self.trajectory.log_density,
        );

        let mut take = [false; LANES];
        let first = block * LANES;
        let chains = LANES.min(self.chains - first);
        for lane in 0..chains {
            let chain = first + lane;
            let energy_error = after[lane] - before[lane];
            // Written so that a NaN is a divergence.
            let is_divergent = !(is_finite[lane] && energy_error <= DIVERGENCE);
            let accept_prob = if is_divergent {
                0.0
            } else {
                (-energy_error).exp().min(1.0)
            };
            let uniform = self.stream(chain, iteration, Purpose::Accept).uniform();
            take[lane] = uniform < accept_prob;
            result.accept_prob[chain] = accept_prob;
            result.energy[chain] = if take[lane] { after[lane] } else { before[lane] };
            result.energy_error[chain] = energy_error;
            result.is_divergent[chain] = is_divergent;
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
        Ok(())
    }

    fn run(
        &mut self,
        first_iteration: u32,
        plans: &[Vec<Plan>],
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<IterationResult>> {
        let mut results = Vec::with_capacity(plans.len());
        for (offset, plan) in plans.iter().enumerate() {
            let mut result = IterationResult {
                positions: vec![0.0; self.chains * self.dim],
                accept_prob: vec![0.0; self.chains],
                log_density: vec![0.0; self.chains],
                energy: vec![0.0; self.chains],
                energy_error: vec![0.0; self.chains],
                is_divergent: vec![false; self.chains],
            };
            for block in 0..self.blocks.len() {
                self.iterate(block, first_iteration + offset as u32, plan[0], &mut result);
            }
            results.push(result);
            if !progress(offset + 1) {
                break;
            }
        }
        Ok(results)
    }
}
