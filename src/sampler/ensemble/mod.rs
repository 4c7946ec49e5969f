//! Ensemble HMC: chains in lockstep that share metric, step size and trajectory length.
//!
//! Jittered HMC whose number of steps follows a quasi-random sequence, adapted across chains as in ChEES-HMC (Hoffman,
//! Radul, Sountsov 2021) and SNAPER-HMC (Sountsov, Hoffman 2021). An [`Engine`] moves the chains: [`CpuEngine`] here,
//! the GPU's in `gpu/`; [`Adaptation`] is the same for both, and [`run_on_engine`] drives either.

mod adaptation;
mod cpu;
mod driver;
mod lanes;
mod moments;

use crate::error::Result;

pub use adaptation::Adaptation;
pub use cpu::CpuEngine;
pub use driver::run_on_engine;

/// The most leapfrog steps of one trajectory.
pub const MAX_LEAPFROG_STEPS: u32 = 1000;

/// One iteration of one ensemble.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Leapfrog step size on the whitened scale, above 0.
    pub step_size: f64,
    /// Steps of the trajectory, 1 to [`MAX_LEAPFROG_STEPS`].
    pub num_leapfrog_steps: u32,
}

/// What one iteration did, for all chains of an engine.
#[derive(Debug, Clone, PartialEq)]
pub struct IterationResult {
    /// Positions after acceptance or rejection, `[chain][dim]`.
    pub positions: Vec<f64>,
    /// min(1, exp(−energy_error)), 0 for a divergence, `[chain]`.
    pub accept_prob: Vec<f64>,
    /// Log density at the position, `[chain]`.
    pub log_density: Vec<f64>,
    /// Hamiltonian of the state that was kept, `[chain]`.
    pub energy: Vec<f64>,
    /// Hamiltonian at the trajectory's end minus that at its start, `[chain]`; may be infinite or NaN.
    pub energy_error: Vec<f64>,
    /// Energy error above [`DIVERGENCE`](super::DIVERGENCE) or not a number, `[chain]`.
    pub is_divergent: Vec<bool>,
}

/// Moves all chains of one or more ensembles; chains are numbered ensemble by ensemble.
pub trait Engine {
    /// Coordinates of a position.
    fn dim(&self) -> usize;
    /// Ensembles, each with its own plan and metric.
    fn ensembles(&self) -> usize;
    /// Chains of each ensemble.
    fn chains_per_ensemble(&self) -> usize;

    /// Puts the chains at `positions`, `[chain][dim]`.
    ///
    /// # Errors
    ///
    /// Those of the device.
    fn set_positions(&mut self, positions: &[f64]) -> Result<()>;

    /// Sets the diagonal of the inverse mass matrix, `[ensemble][dim]`, position² units.
    ///
    /// # Errors
    ///
    /// Those of the device.
    fn set_inv_mass(&mut self, inv_mass_diag: &[f64]) -> Result<()>;

    /// Runs the iterations of `plans`, `[iteration][ensemble]`, numbered from `first_iteration` in the random streams.
    ///
    /// `progress` is told the number of iterations done and ends the run early by returning false; the result has one
    /// element per iteration done.
    ///
    /// # Errors
    ///
    /// Those of the device.
    fn run(
        &mut self,
        first_iteration: u32,
        plans: &[Vec<Plan>],
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<IterationResult>>;
}
