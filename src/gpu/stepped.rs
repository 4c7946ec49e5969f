//! The stepped driver: the host records leapfrog steps, one dispatch each, many per submission, and reads back draws
//! only when a block of iterations is complete.
//!
//! It serves every size of model and is the yardstick for other drivers. A thread is a chain (`shaders/hmc_step.wgsl`).

use std::time::Instant;

use crate::back::kernel::DensityKernel;
use crate::error::{Error, Result};

use super::buffers::{Buffers, Params, Shape};
use super::device::{Gpu, Submission};
use super::draws::{by_chain, decode, log_densities};
use super::pace::Pace;
use super::pipelines::{Pipelines, grid, record};
use super::plan::{IterationResult, Plan};
use super::schedule::Schedule;
use super::shader::{CHAIN_ROWS, ChainRow, LANES, assemble, loop_trips};

/// Ensemble HMC of one model on one device, chains and their random streams included.
#[derive(Debug)]
pub struct SteppedHmc {
    gpu: Gpu,
    shape: Shape,
    iterations_per_block: usize,
    seed: u64,
    replicate: u32,
    /// The kernel's constant, added in f64.
    constant: f64,
    buffers: Buffers,
    bind_group: wgpu::BindGroup,
    pipelines: Pipelines,
    pace: Pace,
    /// Whether the device's log density and gradient belong to its positions.
    is_evaluated: bool,
    gradient_evaluations: u64,
}

/// `centring_code` for codes that stay as they are.
fn fixed_centring(codes: &[u32]) -> String {
    let codes: Vec<String> = codes.iter().map(|code| format!("{code}u")).collect();
    if codes.is_empty() {
        return String::new();
    }
    format!(
        "fn centring_code(chain: u32, level: u32) -> u32 {{ var codes = array<u32, {}>({}); return codes[level]; }}",
        codes.len(),
        codes.join(", ")
    )
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
            return Err(Error::bug(format!("the stepped driver was asked for {shape:?}")));
        }
        let trips = loop_trips(kernel.loop_trips, kernel.dim);
        if let Some(most) = gpu.adapter().max_loop_trips()
            && trips > most
        {
            return Err(Error::user(format!(
                "the model makes {trips} loop trips per gradient; software Vulkan ({}) silently ends loops beyond about \
                 {most}",
                gpu.adapter().name
            ))
            .with_help("use a hardware GPU, or `--backend cpu`, which is as fast as a GPU in software"));
        }
        let iterations_per_block = shape.iterations_per_block(kernel, gpu.adapter())?;
        let buffers = Buffers::new(gpu, kernel, shape, iterations_per_block).await?;
        let module = gpu
            .scoped("the shader of the log density", |device| {
                device.create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: Some("hmc"),
                    source: wgpu::ShaderSource::Wgsl(
                        format!("{}\n{}", assemble(&kernel.wgsl), fixed_centring(&kernel.centring)).into(),
                    ),
                })
            })
            .await?;
        let (bind_group, pipelines) = gpu
            .scoped("the pipelines of the stepped driver", |device| {
                let (layout, bind_group) = buffers.bind(device);
                (
                    bind_group,
                    Pipelines::new(device, &layout, &module, kernel.dim, LANES),
                )
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
            bind_group,
            pipelines,
            pace: Pace::new(),
            is_evaluated: false,
            gradient_evaluations: 0,
        };
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
        self.gpu
            .queue
            .write_buffer(&self.buffers.position, 0, bytemuck::cast_slice(&by_row));
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
        self.gpu
            .queue
            .write_buffer(&self.buffers.settings, 0, bytemuck::cast_slice(&rounded));
        Ok(())
    }

    /// Log density `[chain]`, the kernel's constant included, and its gradient `[chain][dim]` at the positions.
    ///
    /// # Errors
    /// Environment: device lost, out of memory, or a driver that did not execute all of the shader.
    pub async fn log_density_grad_async(&mut self) -> Result<(Vec<f64>, Vec<f64>)> {
        self.evaluate().await?;
        let Shape { dim, chains, .. } = self.shape;
        let state = self.fetch(&self.buffers.chain_state, CHAIN_ROWS * chains).await?;
        let row = |row: ChainRow| &state[row as usize * chains..][..chains];
        let log_density = log_densities(
            row(ChainRow::NowWhole),
            row(ChainRow::NowRest),
            self.constant,
            self.gpu.adapter(),
        )?;
        // The staging buffer holds at least one draw, which has more rows than the gradient.
        let by_row = self.fetch(&self.buffers.gradient, dim * chains).await?;
        Ok((log_density, by_chain(&by_row, dim, chains)))
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
        self.check_plans(first_iteration, plans)?;
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

    fn check_plans(&self, first_iteration: u32, plans: &[Vec<Plan>]) -> Result<()> {
        if u32::try_from(plans.len())
            .ok()
            .and_then(|n| first_iteration.checked_add(n))
            .is_none()
        {
            return Err(Error::bug("iterations are counted in 32 bits"));
        }
        for of_iteration in plans {
            expect_length(
                "plans of an iteration",
                of_iteration.len(),
                self.shape.ensembles(),
            )?;
            let is_wrong = |plan: &&Plan| {
                !((plan.step_size as f32).is_normal() && plan.step_size > 0.0) || plan.num_leapfrog_steps == 0
            };
            if let Some(plan) = of_iteration.iter().find(is_wrong) {
                return Err(Error::bug(format!("{plan:?} is no trajectory")));
            }
        }
        Ok(())
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
        self.gpu
            .queue
            .write_buffer(&self.buffers.params, 0, bytemuck::bytes_of(&params));
    }

    async fn evaluate(&mut self) -> Result<()> {
        self.write_params(0, 0);
        let mut encoder = self.encoder();
        let grid = self.grid(self.shape.chains)?;
        record(&mut encoder, &self.bind_group, [&self.pipelines.evaluate], grid);
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
        let grid = self.grid(self.shape.chains)?;
        let mut since = Instant::now();
        let mut goes_on = true;
        loop {
            let parts = schedule.slice(self.pace.dispatches());
            if parts.is_empty() {
                break;
            }
            let mut encoder = self.encoder();
            let pipelines = parts.iter().map(|&part| self.pipelines.of(part));
            record(&mut encoder, &self.bind_group, pipelines, grid);
            let next = Flight {
                submission: self.gpu.submit(encoder),
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
        self.gpu
            .queue
            .write_buffer(&self.buffers.settings, after_metric, bytemuck::cast_slice(&words));
        let mut encoder = self.encoder();
        let counters = 4 * (ChainRow::StartWhole as usize * self.shape.chains) as u64;
        encoder.clear_buffer(&self.buffers.chain_state, 0, Some(counters));
        let grid = self.grid(draw_words)?;
        record(&mut encoder, &self.bind_group, [&self.pipelines.poison], grid);
        Ok(Flight {
            submission: self.gpu.submit(encoder),
            dispatches: 0,
            finished: 0,
        })
    }

    /// Waits for `flight`, learns the pace from it, and returns the iterations it completed. `since` is when the
    /// flight before it landed.
    async fn complete(&mut self, flight: Flight, since: &mut Instant) -> Result<usize> {
        self.gpu.finished(flight.submission).await?;
        let now = Instant::now();
        if flight.dispatches > 0 {
            self.pace.record(flight.dispatches, now - *since);
        }
        *since = now;
        Ok(flight.finished)
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

    fn grid(&self, threads: usize) -> Result<(u32, u32)> {
        let most = self.gpu.adapter().limits.max_workgroups_per_dimension;
        grid(threads, LANES, most).ok_or_else(|| {
            Error::user(format!(
                "{threads} threads are more than {} starts in one dispatch",
                self.gpu.adapter()
            ))
            .with_help("use fewer chains")
        })
    }
}

fn expect_length(what: &str, got: usize, expected: usize) -> Result<()> {
    if got == expected {
        return Ok(());
    }
    Err(Error::bug(format!(
        "{what}: {got} values where {expected} were expected"
    )))
}
