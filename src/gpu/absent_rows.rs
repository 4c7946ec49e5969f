//! The twin of the driver for long tables in a build without the feature `gpu`.

use std::convert::Infallible;

use crate::back::kernel::{DensityKernel, RowsKernel};
use crate::error::{Error, Result};

use super::absent::Gpu;
use super::adapter::Adapter;
use super::plan::{IterationResult, Plan};

/// The driver for long tables; none can exist in this build.
#[derive(Debug)]
pub struct RowsHmc {
    never: Infallible,
}

impl RowsHmc {
    /// Whether this driver suits a model better than a thread per chain: never in this build.
    pub fn suits(_kernel: Option<&DensityKernel>, _adapter: &Adapter) -> bool {
        false
    }

    /// Why this driver runs no batch of replicates.
    pub fn no_batch() -> Error {
        Error::user(
            "the model's table is too long for a GPU thread per chain, and the driver that splits rows over threads takes \
             one data set a run, no batch of replicates",
        )
        .with_help("use `--backend cpu`, or fit the replicates one by one")
    }

    /// Compiles the shaders and allocates the state.
    ///
    /// # Errors
    /// Never returns in this build, as there is no [`Gpu`] to call it with.
    pub fn new(
        gpu: &Gpu,
        _kernel: &RowsKernel,
        _chains: usize,
        _chains_per_ensemble: usize,
        _seed: u64,
        _replicate: u32,
    ) -> Result<Self> {
        match gpu.never {}
    }

    /// Sets the positions, `[chain][dim]`.
    ///
    /// # Errors
    /// Never returns in this build.
    pub fn set_positions(&mut self, _positions: &[f64]) -> Result<()> {
        match self.never {}
    }

    /// Sets the diagonal metric, `[ensemble][dim]`.
    ///
    /// # Errors
    /// Never returns in this build.
    pub fn set_inv_mass(&mut self, _inv_mass: &[f64]) -> Result<()> {
        match self.never {}
    }

    /// Sets the codes of the centring weights, `[ensemble][level]`.
    ///
    /// # Errors
    /// Never returns in this build.
    pub fn set_centring(&mut self, _codes: &[u32]) -> Result<()> {
        match self.never {}
    }

    /// Log density `[chain]` and gradient `[chain][dim]` at the positions.
    ///
    /// # Errors
    /// Never returns in this build.
    pub fn log_density_grad(&mut self) -> Result<(Vec<f64>, Vec<f64>)> {
        match self.never {}
    }

    /// Runs iterations.
    ///
    /// # Errors
    /// Never returns in this build.
    pub fn run(
        &mut self,
        _first_iteration: u32,
        _plans: &[Vec<Plan>],
        _progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<IterationResult>> {
        match self.never {}
    }

    /// Gradient evaluations so far, summed over chains.
    pub fn gradient_evaluations(&self) -> u64 {
        match self.never {}
    }
}
