//! The engine on a GPU: the stepped driver, behind the interface that the CPU's engine has too.

use super::{Engine, IterationResult, Plan};
use crate::error::{Error, Result};
use crate::gpu::SteppedHmc;
use crate::sampler::settings::Layout;

/// All ensembles of a run on one device.
#[derive(Debug)]
pub struct GpuEngine {
    driver: SteppedHmc,
    dim: usize,
    layout: Layout,
}

impl GpuEngine {
    /// The chains of `driver`, which hold `dim` coordinates each and are grouped as `layout` says.
    pub fn new(driver: SteppedHmc, dim: usize, layout: Layout) -> Self {
        Self { driver, dim, layout }
    }
}

impl Engine for GpuEngine {
    fn dim(&self) -> usize {
        self.dim
    }

    fn ensembles(&self) -> usize {
        self.layout.ensembles
    }

    fn chains_per_ensemble(&self) -> usize {
        self.layout.chains_per_ensemble
    }

    fn set_positions(&mut self, positions: &[f64]) -> Result<()> {
        self.driver.set_positions(positions)
    }

    fn set_inv_mass(&mut self, inv_mass_diag: &[f64]) -> Result<()> {
        self.driver.set_inv_mass(inv_mass_diag)
    }

    fn set_centring(&mut self, codes: &[u32]) -> Result<()> {
        if codes.is_empty() {
            return Ok(());
        }
        Err(Error::bug(format!(
            "{} centring codes for a driver that knows none",
            codes.len()
        )))
    }

    fn run(
        &mut self,
        first_iteration: u32,
        plans: &[Vec<Plan>],
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<IterationResult>> {
        self.driver.run(first_iteration, plans, progress)
    }
}
