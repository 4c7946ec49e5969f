//! The twin of the GPU drivers in a build without the feature `gpu`: the same names, which report that.

use std::convert::Infallible;

use crate::back::kernel::{DensityKernel, FusedKernel};
use crate::error::{Error, Result};

use super::adapter::Adapter;
use super::batch::BatchData;
use super::plan::{IterationResult, Plan};

fn no_gpu() -> Error {
    Error::environment("this build has no GPU support")
        .with_help("build with `--features gpu`, or use `--backend cpu`")
}

/// The adapters of this machine.
///
/// # Errors
/// Environment, always: this build has no GPU support.
pub fn list_adapters() -> Result<Vec<Adapter>> {
    Err(no_gpu())
}

/// An open device; none can exist in this build.
#[derive(Debug, Clone)]
pub struct Gpu {
    pub(super) never: Infallible,
}

impl Gpu {
    /// Opens the best adapter, or the one whose name contains `name`.
    ///
    /// # Errors
    /// Environment, always: this build has no GPU support.
    pub fn open(_name: Option<&str>) -> Result<Self> {
        Err(no_gpu())
    }

    /// The adapter that the device belongs to.
    pub fn adapter(&self) -> &Adapter {
        match self.never {}
    }
}

/// The stepped driver; none can exist in this build.
#[derive(Debug)]
pub struct SteppedHmc {
    never: Infallible,
}

impl SteppedHmc {
    /// Compiles the shaders and allocates the state.
    ///
    /// # Errors
    /// Never returns in this build, as there is no [`Gpu`] to call it with.
    pub fn new(
        gpu: &Gpu,
        _kernel: &DensityKernel,
        _chains: usize,
        _chains_per_ensemble: usize,
        _seed: u64,
        _replicate: u32,
    ) -> Result<Self> {
        match gpu.never {}
    }

    /// Compiles the shaders and allocates the state of a batch.
    ///
    /// # Errors
    /// Never returns in this build, as there is no [`Gpu`] to call it with.
    pub fn with_batch(
        gpu: &Gpu,
        _kernel: &DensityKernel,
        _batch: &BatchData,
        _chains_per_ensemble: usize,
        _seed: u64,
    ) -> Result<Self> {
        match gpu.never {}
    }

    /// The most ensembles that the adapter takes.
    pub fn most_ensembles(
        gpu: &Gpu,
        _kernel: &DensityKernel,
        _chains_per_ensemble: usize,
        _memory_bytes: u64,
    ) -> usize {
        match gpu.never {}
    }

    /// Takes up another batch of as many ensembles.
    ///
    /// # Errors
    /// Never returns in this build.
    pub fn set_batch(&mut self, _batch: &BatchData) -> Result<()> {
        match self.never {}
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

/// The fused driver; none can exist in this build.
#[derive(Debug)]
pub struct FusedHmc {
    never: Infallible,
}

impl FusedHmc {
    /// Compiles the shaders and allocates the state.
    ///
    /// # Errors
    /// Never returns in this build, as there is no [`Gpu`] to call it with.
    pub fn new(
        gpu: &Gpu,
        _kernel: &FusedKernel,
        _chains: usize,
        _chains_per_ensemble: usize,
        _seed: u64,
        _replicate: u32,
    ) -> Result<Self> {
        match gpu.never {}
    }

    /// Compiles the shaders and allocates the state of a batch.
    ///
    /// # Errors
    /// Never returns in this build, as there is no [`Gpu`] to call it with.
    pub fn with_batch(
        gpu: &Gpu,
        _kernel: &FusedKernel,
        _batch: &BatchData,
        _chains_per_ensemble: usize,
        _seed: u64,
    ) -> Result<Self> {
        match gpu.never {}
    }

    /// The most ensembles that the adapter takes.
    pub fn most_ensembles(
        gpu: &Gpu,
        _kernel: &FusedKernel,
        _chains_per_ensemble: usize,
        _memory_bytes: u64,
    ) -> usize {
        match gpu.never {}
    }

    /// Takes up another batch of as many ensembles.
    ///
    /// # Errors
    /// Never returns in this build.
    pub fn set_batch(&mut self, _batch: &BatchData) -> Result<()> {
        match self.never {}
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

    /// Takes back results that were read.
    pub fn recycle(&mut self, _results: Vec<IterationResult>) {
        match self.never {}
    }

    /// Keeps the last of every `thin` iterations.
    pub fn set_thin(&mut self, _thin: u32) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn it_says_so() {
        let error = Gpu::open(None).unwrap_err();
        assert_eq!(error.kind(), Kind::Environment);
        assert!(error.help().is_some_and(|help| help.contains("--features gpu")));
        assert!(list_adapters().is_err());
    }
}
