//! The fused driver: whole iterations in one dispatch, a chain's state in its thread's own memory.
//!
//! A dispatch lets every chain make a number of leapfrog steps, through as many iterations as these reach; the number
//! keeps a submission to about a tenth of a second, as measured, and the loops below what software Vulkan executes.

use std::time::Instant;

use crate::back::kernel::{DensityKernel, Form, FusedKernel};
use crate::error::Result;

use super::batch::{BatchData, Sources};
use super::buffers::most_ensembles;
use super::chains::{Chains, Tuned, check_trips};
use super::device::{Gpu, Submission};
use super::fused_shader::{fused_module, known_columns};
use super::ledger::Ledger;
use super::pace::Pace;
use super::pipelines::{compile, record};
use super::plan::{IterationResult, Plan};
use super::shader::{ITERATION_ROWS, LANES, POISON};
use super::thinning::Thinning;

/// Words of the buffer that draws are poisoned from: copies run at the memory's speed, stores of a shader do not on
/// software Vulkan.
const POISON_WORDS: usize = 1 << 18;

/// Ensemble HMC of one model on one device, chains and their random streams included.
#[derive(Debug)]
pub struct FusedHmc {
    chains: Chains,
    bind_group: wgpu::BindGroup,
    iterate: wgpu::ComputePipeline,
    poison: wgpu::Buffer,
    /// In leapfrog steps.
    pace: Pace,
    /// Leapfrog steps that one dispatch may make before its loops would be cut.
    most_steps: u32,
    thinning: Thinning,
}

/// Work in flight, and how many iterations of the block it completes.
struct Flight {
    submission: Submission,
    steps: u32,
    finished: usize,
}

/// Loop trips of a chain in the fused shader.
struct Trips {
    /// Of one leapfrog step.
    step: u64,
    /// Of an iteration besides its steps.
    iteration: u64,
    /// Of a dispatch besides its iterations.
    dispatch: u64,
}

impl Trips {
    fn of(kernel: &DensityKernel, form: Form) -> Self {
        let (dim, levels) = (kernel.dim as u64, kernel.centring.len() as u64);
        // Loops over the coordinates exist where they are not unrolled.
        let over = match form {
            Form::Unrolled => 0,
            Form::Arrays | Form::Buffers => 1,
        };
        Self {
            step: kernel.loop_trips.saturating_add(over * 2 * dim + 1),
            // Momentum in blocks of four, two trips of the check for being whole, nine loops over coordinates.
            iteration: dim.div_ceil(4) + 3 + over * 9 * dim,
            dispatch: 2 + over * (11 * dim + levels),
        }
    }

    /// Steps that fit into `most` trips, however many iterations they are; none if not even one does.
    fn steps_within(&self, most: u64) -> Option<u32> {
        let left = most.checked_sub(self.dispatch)?;
        let steps = left / self.step.saturating_add(self.iteration);
        (steps > 0).then(|| u32::try_from(steps).unwrap_or(u32::MAX))
    }
}

/// What the codes of centring weights choose, if the kernel's text reads that instead of the codes.
fn tuned(kernel: &FusedKernel) -> Option<Tuned> {
    (kernel.form == Form::Unrolled).then(|| Tuned::new(kernel.tuned.clone()))
}

impl FusedHmc {
    /// Compiles `kernel` with the driver's shader and allocates the state of `chains` chains; chain c belongs to
    /// ensemble c / `chains_per_ensemble`. Positions start at 0, the metric at 1, centring weights at the kernel's.
    ///
    /// # Errors
    /// User: sizes beyond the adapter's limits, or a kernel with more loop trips than software Vulkan executes.
    /// Environment: not enough memory, or the driver fails. Bug: the shader does not compile, or the chains do not
    /// divide into ensembles.
    pub async fn new_async(
        gpu: &Gpu,
        kernel: &FusedKernel,
        chains: usize,
        chains_per_ensemble: usize,
        seed: u64,
        replicate: u32,
    ) -> Result<Self> {
        let sources = Sources::shared(&kernel.density, replicate)?;
        Self::over(gpu, kernel, chains, chains_per_ensemble, seed, sources).await
    }

    /// Compiles `kernel`, whose ensembles have data of their own, and allocates the state of `batch`'s ensembles of
    /// `chains_per_ensemble` chains; the rest as [`Self::new_async`].
    ///
    /// # Errors
    /// As there. Bug: a batch that does not fit the kernel.
    pub async fn with_batch_async(
        gpu: &Gpu,
        kernel: &FusedKernel,
        batch: &BatchData,
        chains_per_ensemble: usize,
        seed: u64,
    ) -> Result<Self> {
        let chains = batch.ensembles().saturating_mul(chains_per_ensemble);
        let sources = Sources::of_batch(batch, kernel.density.data, kernel.density.columns.len())?;
        Self::over(gpu, kernel, chains, chains_per_ensemble, seed, sources).await
    }

    async fn over(
        gpu: &Gpu,
        kernel: &FusedKernel,
        chains: usize,
        chains_per_ensemble: usize,
        seed: u64,
        sources: Sources<'_>,
    ) -> Result<Self> {
        let trips = Trips::of(&kernel.density, kernel.form);
        let most_steps = match gpu.adapter().max_loop_trips() {
            None => u32::MAX,
            Some(most) => match trips.steps_within(most) {
                Some(steps) => steps,
                None => {
                    check_trips(gpu, trips.step + trips.iteration + trips.dispatch)?;
                    1
                }
            },
        };
        let density = &kernel.density;
        let known_columns = known_columns(kernel)?;
        let chains = Chains::new(
            gpu,
            density,
            tuned(kernel),
            chains,
            chains_per_ensemble,
            seed,
            sources,
        )
        .await?;
        let module = gpu
            .scoped("the fused shader", |device| {
                device.create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: Some("fused hmc"),
                    source: wgpu::ShaderSource::Wgsl(fused_module(kernel, gpu.has_wide_integers()).into()),
                })
            })
            .await?;
        let (bind_group, [iterate], poison) = gpu
            .scoped("the pipelines of the fused driver", |device| {
                let known = known_columns.as_ref().map(|values| {
                    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
                        label: Some("known columns"),
                        size: 4 * values.len() as u64,
                        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                        mapped_at_creation: false,
                    });
                    gpu.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(values));
                    buffer
                });
                let (layout, bind_group) = chains.buffers.bind(device, known.as_ref());
                let poison = device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("poison"),
                    size: 4 * POISON_WORDS as u64,
                    usage: wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                });
                (
                    bind_group,
                    compile(device, &layout, &module, density.dim, LANES, ["iterate"]),
                    poison,
                )
            })
            .await?;
        let pattern = vec![POISON; POISON_WORDS];
        gpu.queue.write_buffer(&poison, 0, bytemuck::cast_slice(&pattern));
        Ok(Self {
            chains,
            bind_group,
            iterate,
            poison,
            pace: Pace::new(),
            most_steps,
            thinning: Thinning::NONE,
        })
    }

    /// The most ensembles of `chains_per_ensemble` chains that the adapter takes with this kernel, and whose buffers stay
    /// within `memory_bytes` on the device all together (some 270 MB of them hold draws, whatever the number); 0 if not
    /// even one does.
    pub fn most_ensembles(
        gpu: &Gpu,
        kernel: &FusedKernel,
        chains_per_ensemble: usize,
        memory_bytes: u64,
    ) -> usize {
        let one = Chains::shape(
            &kernel.density,
            tuned(kernel).as_ref(),
            chains_per_ensemble,
            chains_per_ensemble,
        );
        most_ensembles(&kernel.density, one, gpu.adapter(), memory_bytes)
    }

    /// Takes up another batch of as many ensembles, without compiling anything anew: positions, metric, centring weights
    /// and thinning are again those of a new driver.
    ///
    /// # Errors
    /// Bug: a driver without a batch, or a batch of another number of ensembles or entries.
    pub fn set_batch(&mut self, batch: &BatchData) -> Result<()> {
        self.thinning = Thinning::NONE;
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

    /// Keeps the last of every `thin` iterations from now on, at least 1: the others stay on the device.
    pub fn set_thin(&mut self, thin: u32) {
        self.thinning = Thinning {
            thin: thin.max(1),
            since_kept: 0,
        };
    }

    /// Takes back results that were read, so that their memory serves for those to come.
    pub fn recycle(&mut self, results: Vec<IterationResult>) {
        self.chains.recycle(results);
    }

    /// Log density `[chain]`, the kernel's constant included, and its gradient `[chain][dim]` at the positions.
    ///
    /// # Errors
    /// Environment: device lost, out of memory, or a driver that did not execute all of the shader.
    pub async fn log_density_grad_async(&mut self) -> Result<(Vec<f64>, Vec<f64>)> {
        self.evaluate().await?;
        self.chains.read_log_density_grad().await
    }

    /// Runs `plans.len()` iterations, as [`super::SteppedHmc::run_async`] does, and with the same draws up to rounding;
    /// returns those that are kept, see [`FusedHmc::set_thin`].
    ///
    /// Ensembles do not wait for each other; after a stop all end at the last iteration that one of them had begun.
    ///
    /// # Errors
    /// As there.
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
        let mut results: Vec<IterationResult> = Vec::with_capacity(self.thinning.kept_of(plans.len()));
        let mut done = 0;
        while done < plans.len() {
            let room = self.chains.room;
            let most = self.thinning.iterations_for(room.draws).min(room.plans);
            let block = &plans[done..plans.len().min(done + most)];
            let mut heard = |in_block: usize| progress(done + in_block);
            // The number fits: check_plans saw the last iteration's.
            let first = first_iteration + done as u32;
            let (of_block, goes_on) = self.run_block(first, block, &mut heard).await?;
            done += block.len();
            results.extend(of_block);
            if !goes_on {
                break;
            }
        }
        Ok(results)
    }

    /// Gradient evaluations so far, summed over chains.
    pub fn gradient_evaluations(&self) -> u64 {
        self.chains.gradient_evaluations
    }

    async fn evaluate(&mut self) -> Result<()> {
        // A budget of no steps asks for the log density where the chains are.
        self.chains.write_params(0, 0, 0, self.thinning);
        let mut encoder = self.chains.encoder();
        let grid = self.chains.grid(self.chains.shape.chains)?;
        record(&mut encoder, &self.bind_group, [&self.iterate], grid);
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
        self.chains.write_plans(plans);
        self.chains.set_limit(plans.len());
        let draw_words = self.thinning.kept_of(plans.len()) * self.chains.shape.draw_words();
        let mut opening = Some(self.open_block(draw_words));
        let mut ledger = Ledger::new(plans);
        let grid = self.chains.grid(self.chains.shape.chains)?;
        let mut pending: Option<Flight> = None;
        let mut since = Instant::now();
        let mut goes_on = true;
        loop {
            let budget = u32::try_from(self.pace.dispatches())
                .unwrap_or(u32::MAX)
                .min(self.most_steps);
            let steps = ledger.dispatch(budget);
            if steps == 0 {
                break;
            }
            self.chains
                .write_params(first_iteration, draw_words, budget, self.thinning);
            let mut encoder = opening.take().unwrap_or_else(|| self.chains.encoder());
            record(&mut encoder, &self.bind_group, [&self.iterate], grid);
            let next = Flight {
                submission: self.chains.gpu.submit(encoder),
                steps,
                finished: ledger.finished(),
            };
            // One submission runs while the next is recorded, so the device does not wait for the host.
            if let Some(previous) = pending.replace(next)
                && !progress(self.complete(previous, &mut since).await?)
            {
                goes_on = false;
                ledger.stop();
                self.chains.set_limit(ledger.limit());
            }
        }
        if let Some(last) = pending {
            self.complete(last, &mut since).await?;
        }
        let finished = ledger.finished();
        self.chains.count(&plans[..finished]);
        let results = self.chains.read_draws(self.thinning.kept_of(finished)).await?;
        self.thinning = self.thinning.after(finished);
        goes_on &= progress(finished);
        Ok((results, goes_on))
    }

    /// Commands that reset the chains' counters and poison the draws.
    fn open_block(&self, draw_words: usize) -> wgpu::CommandEncoder {
        let mut encoder = self.chains.encoder();
        self.chains.clear_counters(&mut encoder, ITERATION_ROWS);
        for at in (0..draw_words).step_by(POISON_WORDS) {
            let words = POISON_WORDS.min(draw_words - at);
            encoder.copy_buffer_to_buffer(
                &self.poison,
                0,
                &self.chains.buffers.draws,
                4 * at as u64,
                4 * words as u64,
            );
        }
        encoder
    }

    /// Waits for `flight`, learns the pace from it, and returns the iterations it completed. `since` is when the
    /// flight before it landed.
    async fn complete(&mut self, flight: Flight, since: &mut Instant) -> Result<usize> {
        self.chains.gpu.finished(flight.submission).await?;
        let now = Instant::now();
        self.pace.record(flight.steps as usize, now - *since);
        *since = now;
        Ok(flight.finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::back::kernel::Data;

    fn kernel(loop_trips: u64) -> DensityKernel {
        DensityKernel {
            wgsl: String::new(),
            columns: Vec::new(),
            indices: Vec::new(),
            data: Data::Shared,
            dim: 50,
            constant: 0.0,
            centring: Vec::new(),
            loop_trips,
        }
    }

    #[test]
    fn trips_bound_the_steps_of_a_dispatch() {
        // 1 for the step, 13 blocks and 3 for the iteration, 2 for the dispatch.
        let unrolled = Trips::of(&kernel(0), Form::Unrolled);
        assert_eq!(unrolled.steps_within(60_000), Some(59_998 / 17));
        let arrays = Trips::of(&kernel(48), Form::Arrays);
        assert_eq!(arrays.steps_within(60_000), Some((60_000 - 552) / (149 + 466)));
        assert_eq!(
            Trips::of(&kernel(59_900), Form::Arrays).steps_within(60_000),
            None
        );
        assert_eq!(
            Trips::of(&kernel(u64::MAX), Form::Arrays).steps_within(60_000),
            None
        );
    }
}
