//! The blocking face of the driver.

use crate::back::kernel::RowsKernel;
use crate::error::Result;

use super::super::device::Gpu;
use super::super::plan::{IterationResult, Plan};
use super::RowsHmc;

impl RowsHmc {
    /// Blocks on [`RowsHmc::new_async`].
    ///
    /// # Errors
    /// As there.
    pub fn new(
        gpu: &Gpu,
        kernel: &RowsKernel,
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

    /// Blocks on [`RowsHmc::log_density_grad_async`].
    ///
    /// # Errors
    /// As there.
    pub fn log_density_grad(&mut self) -> Result<(Vec<f64>, Vec<f64>)> {
        pollster::block_on(self.log_density_grad_async())
    }

    /// Blocks on [`RowsHmc::run_async`].
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
