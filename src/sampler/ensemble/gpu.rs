//! The engine on a GPU: any of the drivers that take chains as threads, behind the interface that the CPU's engine has too.

use super::thinner::Thinner;
use super::{Engine, IterationResult, Plan};
use crate::error::Result;
use crate::gpu::{BatchData, FusedHmc, RowsHmc, SteppedHmc};
use crate::sampler::settings::Layout;

/// The drivers.
#[derive(Debug)]
pub enum GpuDriver {
    /// One dispatch for each leapfrog step.
    Stepped(Box<SteppedHmc>),
    /// Whole iterations in one dispatch.
    Fused(Box<FusedHmc>),
    /// Rows split over threads.
    Rows(Box<RowsHmc>),
}

impl From<SteppedHmc> for GpuDriver {
    fn from(driver: SteppedHmc) -> Self {
        Self::Stepped(Box::new(driver))
    }
}

impl From<FusedHmc> for GpuDriver {
    fn from(driver: FusedHmc) -> Self {
        Self::Fused(Box::new(driver))
    }
}

impl From<RowsHmc> for GpuDriver {
    fn from(driver: RowsHmc) -> Self {
        Self::Rows(Box::new(driver))
    }
}

/// All ensembles of a run on one device.
#[derive(Debug)]
pub struct GpuEngine {
    driver: GpuDriver,
    /// For the drivers that return all iterations.
    thinner: Thinner,
    dim: usize,
    layout: Layout,
}

impl GpuEngine {
    /// The chains of `driver`, which hold `dim` coordinates each and are grouped as `layout` says.
    pub fn new(driver: impl Into<GpuDriver>, dim: usize, layout: Layout) -> Self {
        Self {
            driver: driver.into(),
            thinner: Thinner::new(1),
            dim,
            layout,
        }
    }

    /// Takes up another batch of as many ensembles, as a new engine over it would; nothing is compiled anew.
    ///
    /// # Errors
    ///
    /// [`crate::error::Kind::User`] for the driver whose rows are split over threads, which takes no batches;
    /// [`crate::error::Kind::Bug`] for a batch that does not fit the driver.
    pub fn set_batch(&mut self, batch: &BatchData) -> Result<()> {
        match &mut self.driver {
            GpuDriver::Stepped(driver) => driver.set_batch(batch)?,
            GpuDriver::Fused(driver) => driver.set_batch(batch)?,
            GpuDriver::Rows(_) => return Err(RowsHmc::no_batch()),
        }
        self.thinner = Thinner::new(1);
        Ok(())
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
        match &mut self.driver {
            GpuDriver::Stepped(driver) => driver.set_positions(positions),
            GpuDriver::Fused(driver) => driver.set_positions(positions),
            GpuDriver::Rows(driver) => driver.set_positions(positions),
        }
    }

    fn set_inv_mass(&mut self, inv_mass_diag: &[f64]) -> Result<()> {
        match &mut self.driver {
            GpuDriver::Stepped(driver) => driver.set_inv_mass(inv_mass_diag),
            GpuDriver::Fused(driver) => driver.set_inv_mass(inv_mass_diag),
            GpuDriver::Rows(driver) => driver.set_inv_mass(inv_mass_diag),
        }
    }

    fn set_centring(&mut self, codes: &[u32]) -> Result<()> {
        match &mut self.driver {
            GpuDriver::Stepped(driver) => driver.set_centring(codes),
            GpuDriver::Fused(driver) => driver.set_centring(codes),
            GpuDriver::Rows(driver) => driver.set_centring(codes),
        }
    }

    fn set_thin(&mut self, thin: u32) {
        match &mut self.driver {
            GpuDriver::Stepped(_) | GpuDriver::Rows(_) => self.thinner = Thinner::new(thin),
            GpuDriver::Fused(driver) => driver.set_thin(thin),
        }
    }

    fn run(
        &mut self,
        first_iteration: u32,
        plans: &[Vec<Plan>],
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<IterationResult>> {
        let all = match &mut self.driver {
            GpuDriver::Stepped(driver) => driver.run(first_iteration, plans, progress)?,
            GpuDriver::Rows(driver) => driver.run(first_iteration, plans, progress)?,
            GpuDriver::Fused(driver) => return driver.run(first_iteration, plans, progress),
        };
        Ok(all
            .into_iter()
            .filter_map(|result| self.thinner.keep(result))
            .collect())
    }

    fn gradients(&mut self) -> Result<(Vec<f64>, u64)> {
        let (log_density, gradients) = match &mut self.driver {
            GpuDriver::Stepped(driver) => driver.log_density_grad()?,
            GpuDriver::Fused(driver) => driver.log_density_grad()?,
            GpuDriver::Rows(driver) => driver.log_density_grad()?,
        };
        Ok((gradients, log_density.len() as u64))
    }

    fn recycle(&mut self, results: Vec<IterationResult>) {
        match &mut self.driver {
            GpuDriver::Stepped(_) | GpuDriver::Rows(_) => drop(results),
            GpuDriver::Fused(driver) => driver.recycle(results),
        }
    }
}
