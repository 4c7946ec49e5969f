//! Ensemble HMC: chains in lockstep that share metric, step size and trajectory length.
//!
//! The metric is a diagonal, on the CPU with directions beside it where `directions` finds such as pay.
//!
//! Jittered HMC whose number of steps follows a quasi-random sequence, adapted across chains as in ChEES-HMC (Hoffman,
//! Radul, Sountsov 2021) and SNAPER-HMC (Sountsov, Hoffman 2021). An [`Engine`] moves the chains: [`CpuEngine`] here,
//! the GPU's in `gpu/`; [`Adaptation`] is the same for both, and [`run_on_engine`] drives either.

mod adaptation;
mod axes;
mod cpu;
mod directions;
mod driver;
mod gpu;
pub(super) mod lanes;
mod moments;
pub(super) mod momentum;
mod reach;
mod thinner;

#[cfg(test)]
mod direction_tests;

use crate::error::{Error, Result};
use crate::sampler::low_rank::Direction;

pub use adaptation::Adaptation;
pub use cpu::CpuEngine;
pub use driver::run_on_engine;
pub use gpu::{GpuDriver, GpuEngine};

/// One iteration's trajectory, and what it did: the GPU's own types, so that both engines speak of the same.
pub use crate::gpu::{IterationResult, Plan};

/// The most leapfrog steps of one trajectory.
pub const MAX_LEAPFROG_STEPS: u32 = 1000;

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

    /// About how many multiplications a gradient takes (see [`crate::back::evaluate::Density::work`]), for an engine whose
    /// metric may have directions beside its diagonal: these have to pay by that measure. None where the metric is a
    /// diagonal, as on the GPU: none are sought then.
    fn gradient_work(&self) -> Option<f64> {
        None
    }

    /// Sets the directions of every ensemble, orthonormal, `[ensemble]`. They hold on the scale of the diagonal, whichever
    /// is set now or later: S = D Π (I + stretch · u uᵀ), inverse mass matrix S Sᵀ.
    ///
    /// # Errors
    ///
    /// [`crate::error::Kind::Bug`] for directions that do not fit the engine, or for any where it has none.
    fn set_directions(&mut self, directions: &[&[Direction]]) -> Result<()> {
        if directions.iter().any(|own| !own.is_empty()) {
            return Err(Error::bug("directions for an engine whose metric is a diagonal"));
        }
        Ok(())
    }

    /// Sets the codes of the centring weights, `[ensemble][level]`, see [`crate::back::evaluate::Centring`]; the
    /// positions, which keep their numbers, now stand for other values: [`Engine::set_positions`] is to follow.
    ///
    /// # Errors
    ///
    /// [`crate::error::Kind::Bug`] for another number of codes than the engine's model has levels, or for codes that
    /// the engine cannot take; those of the device.
    fn set_centring(&mut self, codes: &[u32]) -> Result<()>;

    /// Keeps the last of every `thin` iterations from now on, at least 1. A new engine keeps all.
    fn set_thin(&mut self, thin: u32);

    /// Runs the iterations of `plans`, `[iteration][ensemble]`, numbered from `first_iteration` in the random streams.
    ///
    /// `progress` is told the number of iterations done and ends the run early by returning false; the result has one
    /// element per iteration that is kept, which tells of the divergences of those that are not.
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

    /// Gradients of the log density at the chains' positions, `[chain][dim]`, and how many were evaluated for that.
    ///
    /// # Errors
    ///
    /// Those of the device.
    fn gradients(&mut self) -> Result<(Vec<f64>, u64)>;

    /// Takes back results that were read, so that their memory may serve for those to come.
    fn recycle(&mut self, results: Vec<IterationResult>) {
        drop(results);
    }
}
