//! The stepped driver: the host records leapfrog steps, one dispatch each, many per submission, and reads back draws
//! only when a block of iterations is complete.
//!
//! It serves every size of model and is the yardstick for other drivers. A thread is a chain (`shaders/hmc_step.wgsl`).

use std::time::Instant;

use crate::back::kernel::DensityKernel;
use crate::error::Result;

use super::batch::{BatchData, Sources};
use super::buffers::most_ensembles;
use super::chains::{Chains, check_trips};
use super::device::{Gpu, Submission};
use super::pace::Pace;
use super::pipelines::{Pipelines, record};
use super::plan::{IterationResult, Plan};
use super::schedule::Schedule;
use super::shader::{COUNTER_ROWS, LANES, assemble, loop_trips};
use super::thinning::Thinning;

/// Ensemble HMC of one model on one device, chains and their random streams included.
#[derive(Debug)]
pub struct SteppedHmc {
    chains: Chains,
    bind_group: wgpu::BindGroup,
    pipelines: Pipelines,
    pace: Pace,
}

/// Work in flight, and how many iterations of the block it completes.
struct Flight {
    submission: Submission,
    dispatches: usize,
    finished: usize,
}

impl SteppedHmc {
    /// Compiles `kernel` with the driver's shaders and allocates the state of `chains` chains; chain c belongs to
    /// ensemble c / `chains_per_ensemble`. Positions start at 0, the metric at 1.
    ///
    /// # Errors
    /// User: sizes beyond the adapter's limits, or a kernel with more loop trips than software Vulkan executes.
    /// Environment: not enough memory, or the driver fails. Bug: the shader does not compile, or the chains do not
    /// divide into ensembles.
    pub async fn new_async(
        gpu: &Gpu,
        kernel: &DensityKernel,
        chains: usize,
        chains_per_ensemble: usize,
        seed: u64,
        replicate: u32,
    ) -> Result<Self> {
        let sources = Sources::shared(kernel, replicate)?;
        Self::over(gpu, kernel, chains, chains_per_ensemble, seed, sources).await
    }

    /// Compiles `kernel`, whose ensembles have data of their own, and allocates the state of `batch`'s ensembles of
    /// `chains_per_ensemble` chains; the rest as [`Self::new_async`].
    ///
    /// # Errors
    /// As there. Bug: a batch that does not fit the kernel.
    pub async fn with_batch_async(
        gpu: &Gpu,
        kernel: &DensityKernel,
        batch: &BatchData,
        chains_per_ensemble: usize,
        seed: u64,
    ) -> Result<Self> {
        let chains = batch.ensembles().saturating_mul(chains_per_ensemble);
        let sources = Sources::of_batch(batch, kernel.data, kernel.columns.len())?;
        Self::over(gpu, kernel, chains, chains_per_ensemble, seed, sources).await
    }

    async fn over(
        gpu: &Gpu,
        kernel: &DensityKernel,
        chains: usize,
        chains_per_ensemble: usize,
        seed: u64,
        sources: Sources<'_>,
    ) -> Result<Self> {
        check_trips(gpu, loop_trips(kernel.loop_trips, kernel.dim))?;
        let chains = Chains::new(gpu, kernel, None, chains, chains_per_ensemble, seed, sources).await?;
        let module = gpu
            .scoped("the shader of the log density", |device| {
                device.create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: Some("hmc"),
                    source: wgpu::ShaderSource::Wgsl(assemble(&kernel.wgsl, gpu.has_wide_integers()).into()),
                })
            })
            .await?;
        let (bind_group, pipelines) = gpu
            .scoped("the pipelines of the stepped driver", |device| {
                let (layout, bind_group) = chains.buffers.bind(device, None);
                (
                    bind_group,
                    Pipelines::new(device, &layout, &module, kernel.dim, LANES),
                )
            })
            .await?;
        Ok(Self {
            chains,
            bind_group,
            pipelines,
            pace: Pace::new(),
        })
    }

    /// The most ensembles of `chains_per_ensemble` chains that the adapter takes with this kernel, and whose buffers stay
    /// within `memory_bytes` on the device all together (some 270 MB of them hold draws, whatever the number); 0 if not
    /// even one does.
    pub fn most_ensembles(
        gpu: &Gpu,
        kernel: &DensityKernel,
        chains_per_ensemble: usize,
        memory_bytes: u64,
    ) -> usize {
        let one = Chains::shape(kernel, None, chains_per_ensemble, chains_per_ensemble);
        most_ensembles(kernel, one, gpu.adapter(), memory_bytes)
    }

    /// Takes up another batch of as many ensembles, without compiling anything anew: positions, metric and centring
    /// weights are again those of a new driver.
    ///
    /// # Errors
    /// Bug: a driver without a batch, or a batch of another number of ensembles or entries.
    pub fn set_batch(&mut self, batch: &BatchData) -> Result<()> {
        self.chains.set_batch(batch)
    }

    /// Sets the positions, `[chain][dim]`; they are rounded to f32.
    ///
    /// # Errors
    /// Bug: another number of values than chains times coordinates.
    pub fn set_positions(&mut self, positions: &[f64]) -> Result<()> {
        self.chains.set_positions(positions)
    }

    /// Sets the diagonal metric `[ensemble][dim]`, a variance in squared units of the position.
    ///
    /// # Errors
    /// Bug: another number of values than ensembles times coordinates, or one that is not a positive f32.
    pub fn set_inv_mass(&mut self, inv_mass: &[f64]) -> Result<()> {
        self.chains.set_inv_mass(inv_mass)
    }

    /// Sets the codes of the centring weights, `[ensemble][level]`, see [`crate::back::evaluate::Centring`].
    ///
    /// # Errors
    /// Bug: another number of codes than ensembles times the kernel's levels.
    pub fn set_centring(&mut self, codes: &[u32]) -> Result<()> {
        self.chains.set_centring(codes)
    }

    /// Log density `[chain]`, the kernel's constant included, and its gradient `[chain][dim]` at the positions.
    ///
    /// # Errors
    /// Environment: device lost, out of memory, or a driver that did not execute all of the shader.
    pub async fn log_density_grad_async(&mut self) -> Result<(Vec<f64>, Vec<f64>)> {
        self.evaluate().await?;
        self.chains.read_log_density_grad().await
    }

    /// Runs `plans.len()` iterations, `plans[iteration][ensemble]`, the first of which is number `first_iteration` of
    /// the run (it names the random streams). `progress` hears how many are done after each submission; when it
    /// returns false, the iteration under way is finished and the rest is left undone.
    ///
    /// Draws stay on the device for as many iterations as 128 MiB hold and are read in one go. The result takes
    /// 8 · (dim + 4) bytes per chain and iteration on the host.
    ///
    /// # Errors
    /// Environment: device lost, out of memory, or a driver that did not execute all of the shader. Bug: plans of the
    /// wrong shape.
    pub async fn run_async(
        &mut self,
        first_iteration: u32,
        plans: &[Vec<Plan>],
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<IterationResult>> {
        self.chains.check_plans(first_iteration, plans)?;
        if !self.chains.is_evaluated {
            self.evaluate().await?;
        }
        let mut results: Vec<IterationResult> = Vec::with_capacity(plans.len());
        for block in plans.chunks(self.chains.room.draws) {
            let done = results.len();
            let mut heard = |in_block: usize| progress(done + in_block);
            // The number fits: check_plans saw the last iteration's.
            let first = first_iteration + done as u32;
            let (of_block, goes_on) = self.run_block(first, block, &mut heard).await?;
            results.extend(of_block);
            if !goes_on {
                break;
            }
        }
        Ok(results)
    }

    /// Gradient evaluations so far, summed over chains; steps that a chain skips because its ensemble is done do not
    /// count.
    pub fn gradient_evaluations(&self) -> u64 {
        self.chains.gradient_evaluations
    }

    async fn evaluate(&mut self) -> Result<()> {
        self.chains.write_params(0, 0, 0, Thinning::NONE);
        let mut encoder = self.chains.encoder();
        let grid = self.chains.grid(self.chains.shape.chains)?;
        record(&mut encoder, &self.bind_group, [&self.pipelines.evaluate], grid);
        let submission = self.chains.gpu.submit(encoder);
        self.chains.gpu.finished(submission).await?;
        self.chains.gradient_evaluations += self.chains.shape.chains as u64;
        self.chains.is_evaluated = true;
        Ok(())
    }

    /// Runs one block; false means that `progress` stopped the run, and then the results may be fewer than the plans.
    async fn run_block(
        &mut self,
        first_iteration: u32,
        plans: &[Vec<Plan>],
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<(Vec<IterationResult>, bool)> {
        let mut pending = self.start_block(first_iteration, plans)?;
        let mut schedule = Schedule::new(plans);
        let grid = self.chains.grid(self.chains.shape.chains)?;
        let mut since = Instant::now();
        let mut goes_on = true;
        loop {
            let parts = schedule.slice(self.pace.dispatches());
            if parts.is_empty() {
                break;
            }
            let mut encoder = self.chains.encoder();
            let pipelines = parts.iter().map(|&part| self.pipelines.of(part));
            record(&mut encoder, &self.bind_group, pipelines, grid);
            let next = Flight {
                submission: self.chains.gpu.submit(encoder),
                dispatches: parts.len(),
                finished: schedule.finished(),
            };
            // One submission runs while the next is recorded, so the device does not wait for the host.
            let previous = std::mem::replace(&mut pending, next);
            if !progress(self.complete(previous, &mut since).await?) {
                goes_on = false;
                schedule.stop();
            }
        }
        let finished = self.complete(pending, &mut since).await?;
        self.chains.count(&plans[..finished]);
        let results = self.chains.read_draws(finished).await?;
        goes_on &= progress(finished);
        Ok((results, goes_on))
    }

    /// Uploads a block's plans, resets the chains' counters and poisons the draws.
    fn start_block(&self, first_iteration: u32, plans: &[Vec<Plan>]) -> Result<Flight> {
        let draw_words = plans.len() * self.chains.shape.draw_words();
        self.chains
            .write_params(first_iteration, draw_words, 0, Thinning::NONE);
        self.chains.write_plans(plans);
        let mut encoder = self.chains.encoder();
        self.chains.clear_counters(&mut encoder, COUNTER_ROWS);
        let grid = self.chains.grid(draw_words)?;
        record(&mut encoder, &self.bind_group, [&self.pipelines.poison], grid);
        Ok(Flight {
            submission: self.chains.gpu.submit(encoder),
            dispatches: 0,
            finished: 0,
        })
    }

    /// Waits for `flight`, learns the pace from it, and returns the iterations it completed. `since` is when the
    /// flight before it landed.
    async fn complete(&mut self, flight: Flight, since: &mut Instant) -> Result<usize> {
        self.chains.gpu.finished(flight.submission).await?;
        let now = Instant::now();
        if flight.dispatches > 0 {
            self.pace.record(flight.dispatches, now - *since);
        }
        *since = now;
        Ok(flight.finished)
    }
}
