//! The blocking face of the GPU layer, and the only place that blocks on a future.

use crate::back::kernel::{DensityKernel, FusedKernel};
use crate::error::Result;

use super::adapter::Adapter;
use super::batch::BatchData;
use super::device::{Gpu, adapters};
use super::fused::FusedHmc;
use super::plan::{IterationResult, Plan};
use super::stepped::SteppedHmc;

/// The adapters of this machine, in the system's order; empty where there is none.
///
/// # Errors
/// Environment: the build has no GPU support (never in this one).
pub fn list_adapters() -> Result<Vec<Adapter>> {
    Ok(pollster::block_on(adapters()))
}

impl Gpu {
    /// Blocks on [`Gpu::open_async`].
    ///
    /// # Errors
    /// As there.
    pub fn open(name: Option<&str>) -> Result<Self> {
        pollster::block_on(Self::open_async(name))
    }
}

impl SteppedHmc {
    /// Blocks on [`SteppedHmc::new_async`].
    ///
    /// # Errors
    /// As there.
    pub fn new(
        gpu: &Gpu,
        kernel: &DensityKernel,
        chains: usize,
        chains_per_ensemble: usize,
        seed: u64,
        replicate: u32,
    ) -> Result<Self> {
        pollster::block_on(Self::new_async(
            gpu,
            kernel,
            chains,
            chains_per_ensemble,
            seed,
            replicate,
        ))
    }

    /// Blocks on [`SteppedHmc::with_batch_async`].
    ///
    /// # Errors
    /// As there.
    pub fn with_batch(
        gpu: &Gpu,
        kernel: &DensityKernel,
        batch: &BatchData,
        chains_per_ensemble: usize,
        seed: u64,
    ) -> Result<Self> {
        pollster::block_on(Self::with_batch_async(
            gpu,
            kernel,
            batch,
            chains_per_ensemble,
            seed,
        ))
    }

    /// Blocks on [`SteppedHmc::log_density_grad_async`].
    ///
    /// # Errors
    /// As there.
    pub fn log_density_grad(&mut self) -> Result<(Vec<f64>, Vec<f64>)> {
        pollster::block_on(self.log_density_grad_async())
    }

    /// Blocks on [`SteppedHmc::run_async`].
    ///
    /// # Errors
    /// As there.
    pub fn run(
        &mut self,
        first_iteration: u32,
        plans: &[Vec<Plan>],
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<IterationResult>> {
        pollster::block_on(self.run_async(first_iteration, plans, progress))
    }
}

impl FusedHmc {
    /// Blocks on [`FusedHmc::new_async`].
    ///
    /// # Errors
    /// As there.
    pub fn new(
        gpu: &Gpu,
        kernel: &FusedKernel,
        chains: usize,
        chains_per_ensemble: usize,
        seed: u64,
        replicate: u32,
    ) -> Result<Self> {
        pollster::block_on(Self::new_async(
            gpu,
            kernel,
            chains,
            chains_per_ensemble,
            seed,
            replicate,
        ))
    }

    /// Blocks on [`FusedHmc::with_batch_async`].
    ///
    /// # Errors
    /// As there.
    pub fn with_batch(
        gpu: &Gpu,
        kernel: &FusedKernel,
        batch: &BatchData,
        chains_per_ensemble: usize,
        seed: u64,
    ) -> Result<Self> {
        pollster::block_on(Self::with_batch_async(
            gpu,
            kernel,
            batch,
            chains_per_ensemble,
            seed,
        ))
    }

    /// Blocks on [`FusedHmc::log_density_grad_async`].
    ///
    /// # Errors
    /// As there.
    pub fn log_density_grad(&mut self) -> Result<(Vec<f64>, Vec<f64>)> {
        pollster::block_on(self.log_density_grad_async())
    }

    /// Blocks on [`FusedHmc::run_async`].
    ///
    /// # Errors
    /// As there.
    pub fn run(
        &mut self,
        first_iteration: u32,
        plans: &[Vec<Plan>],
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<IterationResult>> {
        pollster::block_on(self.run_async(first_iteration, plans, progress))
    }
}
