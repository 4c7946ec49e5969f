//! The driver for long tables and few chains: rows are split over threads, one dispatch after another makes a gradient.
//!
//! Streams, plans and results are those of [`super::SteppedHmc`]; so are the draws, but for f32 rounding.

mod blocking;
mod buffers;
mod pipelines;
mod shader;

use std::time::Instant;

use crate::back::kernel::{DensityKernel, RowsKernel};
use crate::error::{Error, Result};

use super::adapter::Adapter;
use super::batch::Sources;
use super::chains::{Chains, check_trips};
use super::device::{Gpu, Submission};
use super::mapping::MANY_TRIPS;
use super::pace::Pace;
use super::plan::{IterationResult, Plan};
use super::schedule::Schedule;
use super::shader::COUNTER_ROWS;
use super::thinning::Thinning;
use buffers::{Bound, RowsBuffers};
use pipelines::{RowsPipelines, Step};
use shader::{ProgressRow, assemble, loop_trips};

/// Ensemble HMC of one model on one device, its rows split over threads.
#[derive(Debug)]
pub struct RowsHmc {
    chains: Chains,
    buffers: RowsBuffers,
    model: Bound,
    hmc: Bound,
    pipelines: RowsPipelines,
    pace: Pace,
}

/// Work in flight, and how many iterations of the block it completes.
struct Flight {
    submission: Submission,
    parts: usize,
    finished: usize,
}

impl RowsHmc {
    /// Whether this driver suits a model better than a thread per chain. `kernel` is that of [`super::SteppedHmc`], none
    /// if the model does not fit its threads.
    pub fn suits(kernel: Option<&DensityKernel>, adapter: &Adapter) -> bool {
        kernel.is_none_or(|kernel| {
            let trips = super::shader::loop_trips(kernel.loop_trips, kernel.dim);
            trips > MANY_TRIPS.min(adapter.max_loop_trips().unwrap_or(u64::MAX))
        })
    }

    /// Why this driver runs no batch of replicates.
    pub fn no_batch() -> Error {
        Error::user(
            "the model's table is too long for a GPU thread per chain, and the driver that splits rows over threads takes \
             one data set a run, no batch of replicates",
        )
        .with_help("use `--backend cpu`, or fit the replicates one by one")
    }

    /// Compiles `kernel` with the driver's shaders and allocates the state of `chains` chains; chain c belongs to
    /// ensemble c / `chains_per_ensemble`. Positions start at 0, the metric at 1, centring weights at the kernel's.
    ///
    /// # Errors
    /// User: sizes beyond the adapter's limits. Environment: not enough memory, or the driver fails. Bug: the shader does
    /// not compile, or the chains do not divide into ensembles.
    pub async fn new_async(
        gpu: &Gpu,
        kernel: &RowsKernel,
        chains: usize,
        chains_per_ensemble: usize,
        seed: u64,
        replicate: u32,
    ) -> Result<Self> {
        check_trips(gpu, loop_trips(kernel))?;
        let sources = Sources::shared(&kernel.density, replicate)?;
        let chains = Chains::new(
            gpu,
            &kernel.density,
            None,
            chains,
            chains_per_ensemble,
            seed,
            sources,
        )
        .await?;
        let buffers = RowsBuffers::new(&chains, kernel).await?;
        let text = assemble(kernel, gpu.has_wide_integers());
        let module = gpu
            .scoped("the shader of the log density", |device| {
                device.create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: Some("rows"),
                    source: wgpu::ShaderSource::Wgsl(text.into()),
                })
            })
            .await?;
        let (model, hmc, pipelines) = gpu
            .scoped("the pipelines of the driver for long tables", |device| {
                let model = buffers.bind_model(device, &chains);
                let hmc = buffers.bind_hmc(device, &chains);
                let pipelines = RowsPipelines::new(device, &module, &model, &hmc, kernel);
                (model, hmc, pipelines)
            })
            .await?;
        let driver = Self {
            chains,
            buffers,
            model,
            hmc,
            pipelines,
            pace: Pace::new(),
        };
        driver.grid(driver.pipelines.most_items())?;
        Ok(driver)
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

    /// Runs `plans.len()` iterations; the method of this name of [`super::SteppedHmc`] says how.
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

    /// Fills a row of what the chains note.
    fn write_row(&self, row: ProgressRow, value: u32) {
        let count = self.chains.shape.chains;
        let values = vec![value; count];
        let at = 4 * (row as usize * count) as u64;
        let bytes = bytemuck::cast_slice(&values);
        self.chains
            .gpu
            .queue
            .write_buffer(&self.buffers.progress, at, bytes);
    }

    async fn evaluate(&mut self) -> Result<()> {
        self.chains.write_params(0, 0, 0, Thinning::NONE);
        // One step to make, so that every chain counts as active.
        self.write_row(ProgressRow::Steps, 1);
        self.write_row(ProgressRow::Fault, 0);
        let mut encoder = self.chains.encoder();
        self.chains.clear_counters(&mut encoder, COUNTER_ROWS);
        self.record(&mut encoder, self.pipelines.evaluation())?;
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
        let mut since = Instant::now();
        let mut goes_on = true;
        loop {
            let parts = schedule.slice(self.pace.dispatches());
            if parts.is_empty() {
                break;
            }
            let mut encoder = self.chains.encoder();
            let steps = parts.iter().flat_map(|&part| self.pipelines.of(part));
            self.record(&mut encoder, steps)?;
            let next = Flight {
                submission: self.chains.gpu.submit(encoder),
                parts: parts.len(),
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
        self.write_row(ProgressRow::Fault, 0);
        let (x, y) = self.chains.grid(draw_words)?;
        let mut encoder = self.chains.encoder();
        self.chains.clear_counters(&mut encoder, COUNTER_ROWS);
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_bind_group(0, &self.hmc.group, &[]);
        pass.set_pipeline(&self.pipelines.poison);
        pass.dispatch_workgroups(x, y, 1);
        drop(pass);
        Ok(Flight {
            submission: self.chains.gpu.submit(encoder),
            parts: 0,
            finished: 0,
        })
    }

    /// Waits for `flight`, learns the pace from it, and returns the iterations it completed. `since` is when the
    /// flight before it landed.
    async fn complete(&mut self, flight: Flight, since: &mut Instant) -> Result<usize> {
        self.chains.gpu.finished(flight.submission).await?;
        let now = Instant::now();
        if flight.parts > 0 {
            self.pace.record(flight.parts, now - *since);
        }
        *since = now;
        Ok(flight.finished)
    }

    /// Records dispatches in order; each sees what those before it have written.
    fn record<'a>(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        steps: impl IntoIterator<Item = Step<'a>>,
    ) -> Result<()> {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        let mut bound = None;
        for step in steps {
            if bound != Some(step.is_model) {
                let group = if step.is_model { &self.model } else { &self.hmc };
                pass.set_bind_group(0, &group.group, &[]);
                bound = Some(step.is_model);
            }
            let (x, y) = self.grid(step.items)?;
            pass.set_pipeline(step.pipeline);
            pass.dispatch_workgroups(x, y, 1);
        }
        Ok(())
    }

    /// Workgroups of a dispatch over `items` items of every chain.
    fn grid(&self, items: usize) -> Result<(u32, u32)> {
        let threads = items.saturating_mul(self.chains.shape.chains);
        // Threads are numbered in 32 bits, those that are too many included.
        if threads > u32::MAX as usize / 2 {
            return Err(
                Error::user(format!("{threads} threads are more than can be numbered"))
                    .with_help("use fewer chains"),
            );
        }
        self.chains.grid(threads)
    }
}
