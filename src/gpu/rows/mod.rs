//! The driver for long tables and few chains: rows are split over threads, one dispatch after another makes a gradient.
//!
//! Streams, plans and results are those of [`super::SteppedHmc`]; so are the draws, but for f32 rounding.

mod blocking;
mod buffers;
mod pipelines;
mod shader;

use std::time::Instant;

use crate::back::dispatch::RowsKernel;
use crate::back::kernel::DensityKernel;
use crate::error::{Error, Result};

use super::adapter::Adapter;
use super::buffers::{Params, Shape, expect_length};
use super::device::{Gpu, Submission};
use super::draws::{by_chain, decode, log_densities};
use super::pace::Pace;
use super::pipelines::grid;
use super::plan::{IterationResult, Plan};
use super::schedule::Schedule;
use super::shader::{ChainRow, LANES};
use buffers::{Bound, RowsBuffers, iterations_per_block};
use pipelines::{RowsPipelines, Step};
use shader::{MoreRow, STATE_ROWS, assemble, loop_trips};

/// Loop trips of one gradient from which rows are split over threads rather than looped over by a thread per chain.
const MANY_TRIPS: u64 = 100_000;

/// Ensemble HMC of one model on one device, its rows split over threads.
#[derive(Debug)]
pub struct RowsHmc {
    gpu: Gpu,
    shape: Shape,
    iterations_per_block: usize,
    seed: u64,
    replicate: u32,
    /// The kernel's constant, added in f64.
    constant: f64,
    buffers: RowsBuffers,
    model: Bound,
    hmc: Bound,
    pipelines: RowsPipelines,
    levels: usize,
    pace: Pace,
    /// Whether the device's log density and gradient belong to its positions.
    is_evaluated: bool,
    gradient_evaluations: u64,
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
        let shape = Shape {
            dim: kernel.dim,
            chains,
            chains_per_ensemble,
        };
        if kernel.dim == 0
            || chains == 0
            || chains_per_ensemble == 0
            || !chains.is_multiple_of(chains_per_ensemble)
        {
            return Err(Error::bug(format!("the driver was asked for {shape:?}")));
        }
        let trips = loop_trips(kernel);
        if let Some(most) = gpu.adapter().max_loop_trips()
            && trips > most
        {
            return Err(Error::user(format!(
                "a thread makes {trips} loop trips per gradient; software Vulkan ({}) silently ends loops beyond about \
                 {most}",
                gpu.adapter().name
            ))
            .with_help("use a hardware GPU, or `--backend cpu`, which is as fast as a GPU in software"));
        }
        let iterations_per_block = iterations_per_block(shape, kernel, gpu.adapter())?;
        let buffers = RowsBuffers::new(gpu, kernel, shape, iterations_per_block).await?;
        let text = assemble(kernel);
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
                let (model, hmc) = (buffers.bind_model(device), buffers.bind_hmc(device));
                let pipelines = RowsPipelines::new(device, &module, &model, &hmc, kernel);
                (model, hmc, pipelines)
            })
            .await?;
        let mut driver = Self {
            gpu: gpu.clone(),
            shape,
            iterations_per_block,
            seed,
            replicate,
            constant: kernel.constant,
            buffers,
            model,
            hmc,
            pipelines,
            levels: kernel.centring.len(),
            pace: Pace::new(),
            is_evaluated: false,
            gradient_evaluations: 0,
        };
        driver.threads(driver.pipelines.most_items())?;
        driver.set_positions(&vec![0.0; chains * kernel.dim])?;
        driver.set_inv_mass(&vec![1.0; shape.inv_mass_words()])?;
        Ok(driver)
    }

    /// Sets the positions, `[chain][dim]`; they are rounded to f32.
    ///
    /// # Errors
    /// Bug: another number of values than chains times coordinates.
    pub fn set_positions(&mut self, positions: &[f64]) -> Result<()> {
        let Shape { dim, chains, .. } = self.shape;
        expect_length("positions", positions.len(), dim * chains)?;
        let mut by_row = vec![0f32; dim * chains];
        for (chain, of_chain) in positions.chunks_exact(dim).enumerate() {
            for (i, &x) in of_chain.iter().enumerate() {
                by_row[i * chains + chain] = x as f32;
            }
        }
        self.write(&self.buffers.position, 0, bytemuck::cast_slice(&by_row));
        self.is_evaluated = false;
        Ok(())
    }

    /// Sets the diagonal metric `[ensemble][dim]`, a variance in squared units of the position.
    ///
    /// # Errors
    /// Bug: another number of values than ensembles times coordinates, or one that is not a positive f32.
    pub fn set_inv_mass(&mut self, inv_mass: &[f64]) -> Result<()> {
        expect_length("inv_mass_diag", inv_mass.len(), self.shape.inv_mass_words())?;
        let rounded: Vec<f32> = inv_mass.iter().map(|&m| m as f32).collect();
        if let Some(at) = rounded.iter().position(|m| !(m.is_normal() && *m > 0.0)) {
            return Err(Error::bug(format!(
                "inv_mass_diag[{at}] = {} is not a positive number of f32's range",
                inv_mass[at]
            )));
        }
        self.write(&self.buffers.settings, 0, bytemuck::cast_slice(&rounded));
        Ok(())
    }

    /// Sets the codes of the centring weights, `[ensemble][level]`. The positions are those of the new coordinates.
    ///
    /// # Errors
    /// Bug: another number of codes than ensembles times the kernel's levels.
    pub fn set_centring(&mut self, codes: &[u32]) -> Result<()> {
        expect_length(
            "centring codes",
            codes.len(),
            self.levels * self.shape.ensembles(),
        )?;
        self.write(&self.buffers.codes, 0, bytemuck::cast_slice(codes));
        self.is_evaluated = false;
        Ok(())
    }

    /// Log density `[chain]`, the kernel's constant included, and its gradient `[chain][dim]` at the positions.
    ///
    /// # Errors
    /// Environment: device lost, out of memory, or a driver that did not execute all of the shader.
    pub async fn log_density_grad_async(&mut self) -> Result<(Vec<f64>, Vec<f64>)> {
        self.evaluate().await?;
        let Shape { dim, chains, .. } = self.shape;
        let state = self.fetch(&self.buffers.chain_state, STATE_ROWS * chains).await?;
        let row = |row: ChainRow| &state[row as usize * chains..][..chains];
        let log_density = log_densities(
            row(ChainRow::NowWhole),
            row(ChainRow::NowRest),
            self.constant,
            self.gpu.adapter(),
        )?;
        let by_row = self.fetch(&self.buffers.gradient, dim * chains).await?;
        Ok((log_density, by_chain(&by_row, dim, chains)))
    }

    /// Runs `plans.len()` iterations; see [`super::SteppedHmc`], whose method of this name does the same.
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
        self.shape.check_plans(first_iteration, plans)?;
        if !self.is_evaluated {
            self.evaluate().await?;
        }
        let mut results: Vec<IterationResult> = Vec::with_capacity(plans.len());
        for block in plans.chunks(self.iterations_per_block) {
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
        self.gradient_evaluations
    }

    fn write(&self, buffer: &wgpu::Buffer, offset: u64, bytes: &[u8]) {
        self.gpu.queue.write_buffer(buffer, offset, bytes);
    }

    /// Writes the parameters of the next submissions.
    fn write_params(&self, first_iteration: u32, draw_words: usize) {
        let params = Params {
            chains: self.shape.chains as u32,
            chains_per_ensemble: self.shape.chains_per_ensemble as u32,
            ensembles: self.shape.ensembles() as u32,
            first_iteration,
            seed_low: self.seed as u32,
            seed_high: (self.seed >> 32) as u32,
            replicate: self.replicate,
            draw_words: draw_words as u32,
        };
        self.write(&self.buffers.params, 0, bytemuck::bytes_of(&params));
    }

    /// Fills a row of the chains' state.
    fn write_row(&self, row: usize, value: u32) {
        let chains = self.shape.chains;
        let values = vec![value; chains];
        self.write(
            &self.buffers.chain_state,
            4 * (row * chains) as u64,
            bytemuck::cast_slice(&values),
        );
    }

    async fn evaluate(&mut self) -> Result<()> {
        self.write_params(0, 0);
        // One step to make, so that every chain counts as active.
        self.write_row(ChainRow::Step as usize, 0);
        self.write_row(MoreRow::Steps.at(), 1);
        self.write_row(MoreRow::Fault.at(), 0);
        let mut encoder = self.encoder();
        self.record(&mut encoder, self.pipelines.evaluation())?;
        let submission = self.gpu.submit(encoder);
        self.gpu.finished(submission).await?;
        self.gradient_evaluations += self.shape.chains as u64;
        self.is_evaluated = true;
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
            let mut encoder = self.encoder();
            let steps = parts.iter().flat_map(|&part| self.pipelines.of(part));
            self.record(&mut encoder, steps)?;
            let next = Flight {
                submission: self.gpu.submit(encoder),
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
        let steps = plans[..finished].iter().flatten();
        self.gradient_evaluations += steps
            .map(|plan| u64::from(plan.num_leapfrog_steps) * self.shape.chains_per_ensemble as u64)
            .sum::<u64>();
        let words = self
            .fetch(&self.buffers.draws, finished * self.shape.draw_words())
            .await?;
        let Shape { dim, chains, .. } = self.shape;
        let results = decode(&words, dim, chains, self.constant, self.gpu.adapter())?;
        goes_on &= progress(finished);
        Ok((results, goes_on))
    }

    /// Uploads a block's plans, resets the chains' counters and poisons the draws.
    fn start_block(&self, first_iteration: u32, plans: &[Vec<Plan>]) -> Result<Flight> {
        let draw_words = plans.len() * self.shape.draw_words();
        self.write_params(first_iteration, draw_words);
        let words: Vec<u32> = plans
            .iter()
            .flatten()
            .flat_map(|plan| [(plan.step_size as f32).to_bits(), plan.num_leapfrog_steps])
            .collect();
        let after_metric = 4 * self.shape.inv_mass_words() as u64;
        self.write(&self.buffers.settings, after_metric, bytemuck::cast_slice(&words));
        self.write_row(ChainRow::Iteration as usize, 0);
        self.write_row(MoreRow::Fault.at(), 0);
        let mut encoder = self.encoder();
        let most = self.gpu.adapter().limits.max_workgroups_per_dimension;
        let (x, y) = grid(draw_words, LANES, most).ok_or_else(|| self.too_many(draw_words))?;
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_bind_group(0, &self.hmc.group, &[]);
        pass.set_pipeline(&self.pipelines.poison);
        pass.dispatch_workgroups(x, y, 1);
        drop(pass);
        Ok(Flight {
            submission: self.gpu.submit(encoder),
            parts: 0,
            finished: 0,
        })
    }

    /// Waits for `flight`, learns the pace from it, and returns the iterations it completed. `since` is when the
    /// flight before it landed.
    async fn complete(&mut self, flight: Flight, since: &mut Instant) -> Result<usize> {
        self.gpu.finished(flight.submission).await?;
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
                let group = if step.is_model {
                    &self.model.group
                } else {
                    &self.hmc.group
                };
                pass.set_bind_group(0, group, &[]);
                bound = Some(step.is_model);
            }
            let (x, y) = self.threads(step.items)?;
            pass.set_pipeline(step.pipeline);
            pass.dispatch_workgroups(x, y, 1);
        }
        Ok(())
    }

    /// Workgroups of a dispatch over `items` items of every chain.
    fn threads(&self, items: usize) -> Result<(u32, u32)> {
        let threads = items.saturating_mul(self.shape.chains);
        let most = self.gpu.adapter().limits.max_workgroups_per_dimension;
        // Threads are numbered in 32 bits, those that are too many included.
        Some(threads)
            .filter(|threads| *threads < u32::MAX as usize / 2)
            .and_then(|threads| grid(threads, LANES, most))
            .ok_or_else(|| self.too_many(threads))
    }

    fn too_many(&self, threads: usize) -> Error {
        Error::user(format!(
            "{threads} threads are more than {} starts in one dispatch",
            self.gpu.adapter()
        ))
        .with_help("use fewer chains")
    }

    /// The first `words` words of `buffer`, read back to the host.
    async fn fetch(&self, buffer: &wgpu::Buffer, words: usize) -> Result<Vec<u32>> {
        let mut encoder = self.encoder();
        encoder.copy_buffer_to_buffer(buffer, 0, &self.buffers.staging, 0, 4 * words as u64);
        let submission = self.gpu.submit(encoder);
        self.gpu.finished(submission).await?;
        self.gpu.read(&self.buffers.staging, words).await
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        self.gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }
}
