//! The chains of a run on a device, whichever driver moves them: their buffers, what the host puts there and reads back.

use crate::back::kernel::{Data, DensityKernel};
use crate::error::{Error, Result};

use super::batch::{BatchData, Sources};
use super::buffers::{Buffers, Params, Room, Shape};
use super::device::Gpu;
use super::draws::{by_chain, decode, log_densities};
use super::pipelines::grid;
use super::plan::{IterationResult, Plan};
use super::shader::{CHAIN_ROWS, COUNTER_ROWS, ChainRow, LANES};
use super::thinning::Thinning;

/// Data that the codes of centring weights choose.
#[derive(Debug)]
pub(super) struct Tuned {
    /// Where in the columns the candidates begin, and the weight's level.
    places: Vec<(usize, usize)>,
    /// The columns, of all ensembles or of each.
    columns: Vec<f32>,
    /// How far an ensemble's columns lie from those before: not at all if all share them.
    stride: usize,
}

impl Tuned {
    /// Data of which `places` are chosen, as [`crate::back::kernel::FusedKernel::tuned`] tells.
    pub(super) fn new(places: Vec<(usize, usize)>) -> Self {
        Self {
            places,
            columns: Vec::new(),
            stride: 0,
        }
    }

    /// What `codes` choose in an ensemble, as words.
    fn chosen(&self, ensemble: usize, codes: &[u32]) -> Vec<u32> {
        let base = ensemble * self.stride;
        let places = self.places.iter();
        places
            .map(|&(start, level)| self.columns[base + start + codes[level] as usize].to_bits())
            .collect()
    }
}

/// State on the device, with the streams that it is moved by.
#[derive(Debug)]
pub(super) struct Chains {
    pub(super) gpu: Gpu,
    pub(super) shape: Shape,
    /// What the buffers hold.
    pub(super) room: Room,
    pub(super) buffers: Buffers,
    /// What the codes of centring weights choose in each ensemble, if the text reads that instead of the codes.
    tuned: Option<Tuned>,
    /// The codes of the centring weights that an ensemble starts from.
    centring: Vec<u32>,
    /// Data entries of one data set, and who reads them.
    entries: usize,
    data: Data,
    seed: u64,
    /// The log densities' constants, added in f64, `[chain]`.
    constants: Vec<f64>,
    /// Whether the device's log density and gradient belong to its positions.
    pub(super) is_evaluated: bool,
    pub(super) gradient_evaluations: u64,
    /// Results that were read already.
    spare: Vec<IterationResult>,
}

impl Chains {
    /// Allocates the state of `chains` chains over the data of `sources`; chain c belongs to ensemble
    /// c / `chains_per_ensemble`. Positions start at 0, the metric at 1, the centring weights at the kernel's.
    ///
    /// # Errors
    /// User: sizes beyond the adapter's limits. Environment: not enough memory. Bug: the chains do not divide into
    /// ensembles.
    pub(super) async fn new(
        gpu: &Gpu,
        kernel: &DensityKernel,
        tuned: Option<Tuned>,
        chains: usize,
        chains_per_ensemble: usize,
        seed: u64,
        sources: Sources<'_>,
    ) -> Result<Self> {
        let shape = Self::shape(kernel, tuned.as_ref(), chains, chains_per_ensemble);
        if kernel.dim == 0
            || chains == 0
            || chains_per_ensemble == 0
            || !chains.is_multiple_of(chains_per_ensemble)
        {
            return Err(Error::bug(format!("a GPU driver was asked for {shape:?}")));
        }
        let room = shape.room(kernel, gpu.adapter())?;
        let buffers = Buffers::new(gpu, kernel, shape, room).await?;
        let mut this = Self {
            gpu: gpu.clone(),
            shape,
            room,
            buffers,
            tuned,
            centring: kernel.centring.clone(),
            entries: kernel.columns.len(),
            data: kernel.data,
            seed,
            constants: Vec::new(),
            is_evaluated: false,
            gradient_evaluations: 0,
            spare: Vec::new(),
        };
        this.load(sources)?;
        Ok(this)
    }

    /// The shape of a run.
    pub(super) fn shape(
        kernel: &DensityKernel,
        tuned: Option<&Tuned>,
        chains: usize,
        chains_per_ensemble: usize,
    ) -> Shape {
        Shape {
            dim: kernel.dim,
            chains,
            chains_per_ensemble,
            levels: tuned.map_or(kernel.centring.len(), |tuned| tuned.places.len()),
        }
    }

    /// Takes up the data and streams of another batch, and puts the chains back to where those of a new driver are.
    ///
    /// # Errors
    /// Bug: a batch of another number of ensembles or of entries, or a kernel whose ensembles share their data.
    pub(super) fn set_batch(&mut self, batch: &BatchData) -> Result<()> {
        expect_length("ensembles of a batch", batch.ensembles(), self.shape.ensembles())?;
        self.load(Sources::of_batch(batch, self.data, self.entries)?)
    }

    fn load(&mut self, sources: Sources<'_>) -> Result<()> {
        let shape = self.shape;
        let (ensembles, size) = (shape.ensembles(), shape.chains_per_ensemble);
        let streams = sources.streams(ensembles, size)?;
        self.write_settings(shape.streams_at(), streams.as_flattened());
        let columns = bytemuck::cast_slice(sources.columns());
        self.gpu.queue.write_buffer(&self.buffers.columns, 0, columns);
        self.constants = sources.constants(ensembles, size);
        if let Some(tuned) = &mut self.tuned {
            tuned.columns = sources.columns().to_vec();
            tuned.stride = match self.data {
                Data::Shared => 0,
                Data::PerEnsemble => self.entries,
            };
        }
        let counters = vec![0u32; COUNTER_ROWS * shape.chains];
        self.gpu
            .queue
            .write_buffer(&self.buffers.chain_state, 0, bytemuck::cast_slice(&counters));
        self.set_positions(&vec![0.0; shape.chains * shape.dim])?;
        self.set_inv_mass(&vec![1.0; shape.inv_mass_words()])?;
        self.set_centring(&self.centring.repeat(shape.ensembles()))
    }

    /// See [`super::SteppedHmc::set_positions`].
    pub(super) fn set_positions(&mut self, positions: &[f64]) -> Result<()> {
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

    /// See [`super::SteppedHmc::set_inv_mass`].
    pub(super) fn set_inv_mass(&mut self, inv_mass: &[f64]) -> Result<()> {
        expect_length("inv_mass_diag", inv_mass.len(), self.shape.inv_mass_words())?;
        let rounded: Vec<f32> = inv_mass.iter().map(|&m| m as f32).collect();
        if let Some(at) = rounded.iter().position(|m| !(m.is_normal() && *m > 0.0)) {
            return Err(Error::bug(format!(
                "inv_mass_diag[{at}] = {} is not a positive number of f32's range",
                inv_mass[at]
            )));
        }
        self.write_settings(0, bytemuck::cast_slice(&rounded));
        Ok(())
    }

    /// See [`super::SteppedHmc::set_centring`].
    pub(super) fn set_centring(&mut self, codes: &[u32]) -> Result<()> {
        let levels = self.centring.len();
        expect_length(
            "codes of centring weights",
            codes.len(),
            levels * self.shape.ensembles(),
        )?;
        let at = self.shape.inv_mass_words();
        match &self.tuned {
            None => self.write_settings(at, codes),
            Some(tuned) if levels > 0 => {
                let by_ensemble = codes.chunks_exact(levels).enumerate();
                let words: Vec<u32> = by_ensemble
                    .flat_map(|(ensemble, codes)| tuned.chosen(ensemble, codes))
                    .collect();
                self.write_settings(at, &words);
            }
            Some(_) => {}
        }
        self.is_evaluated = false;
        Ok(())
    }

    fn write_settings(&self, at: usize, words: &[u32]) {
        let bytes = bytemuck::cast_slice(words);
        self.gpu
            .queue
            .write_buffer(&self.buffers.settings, 4 * at as u64, bytes);
    }

    /// Lets every ensemble finish `iterations` of the block.
    pub(super) fn set_limit(&self, iterations: usize) {
        let limits = vec![iterations as u32; self.shape.ensembles()];
        self.write_settings(self.shape.limits_at(), &limits);
    }

    /// Uploads a block's plans, `[iteration][ensemble]`.
    pub(super) fn write_plans(&self, plans: &[Vec<Plan>]) {
        let words: Vec<u32> = plans
            .iter()
            .flatten()
            .flat_map(|plan| [(plan.step_size as f32).to_bits(), plan.num_leapfrog_steps])
            .collect();
        self.write_settings(self.shape.plans_at(), &words);
    }

    /// Writes the parameters of the next submissions; `budget` is a dispatch's leapfrog steps, `thinning` tells which
    /// iterations are kept.
    pub(super) fn write_params(
        &self,
        first_iteration: u32,
        draw_words: usize,
        budget: u32,
        thinning: Thinning,
    ) {
        let params = Params {
            chains: self.shape.chains as u32,
            chains_per_ensemble: self.shape.chains_per_ensemble as u32,
            ensembles: self.shape.ensembles() as u32,
            first_iteration,
            seed_low: self.seed as u32,
            seed_high: (self.seed >> 32) as u32,
            draw_words: draw_words as u32,
            levels: self.shape.levels as u32,
            budget,
            thin: thinning.thin,
            since_kept: thinning.since_kept,
        };
        self.gpu
            .queue
            .write_buffer(&self.buffers.params, 0, bytemuck::bytes_of(&params));
    }

    /// Records that the first `rows` of the chains' states, their counters, start at 0.
    pub(super) fn clear_counters(&self, encoder: &mut wgpu::CommandEncoder, rows: usize) {
        let bytes = 4 * (rows * self.shape.chains) as u64;
        encoder.clear_buffer(&self.buffers.chain_state, 0, Some(bytes));
    }

    /// Fails unless plans are `[iteration][ensemble]`, each a trajectory, and iterations stay within 32 bits.
    pub(super) fn check_plans(&self, first_iteration: u32, plans: &[Vec<Plan>]) -> Result<()> {
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

    /// Counts the gradients of iterations that were done.
    pub(super) fn count(&mut self, done: &[Vec<Plan>]) {
        let steps: u64 = done
            .iter()
            .flatten()
            .map(|plan| u64::from(plan.num_leapfrog_steps))
            .sum();
        self.gradient_evaluations += steps * self.shape.chains_per_ensemble as u64;
    }

    /// Log density `[chain]` and gradient `[chain][dim]` that the device has evaluated.
    pub(super) async fn read_log_density_grad(&self) -> Result<(Vec<f64>, Vec<f64>)> {
        let Shape { dim, chains, .. } = self.shape;
        let log_density = self
            .fetch(&self.buffers.chain_state, CHAIN_ROWS * chains, |state| {
                let row = |row: ChainRow| &state[row as usize * chains..][..chains];
                log_densities(
                    row(ChainRow::NowWhole),
                    row(ChainRow::NowRest),
                    &self.constants,
                    self.gpu.adapter(),
                )
            })
            .await??;
        // The staging buffer holds at least one draw, which has more rows than the gradient.
        let gradient = self
            .fetch(&self.buffers.gradient, dim * chains, |by_row| {
                by_chain(by_row, dim, chains)
            })
            .await?;
        Ok((log_density, gradient))
    }

    /// The first `iterations` draws of the block.
    pub(super) async fn read_draws(&mut self, iterations: usize) -> Result<Vec<IterationResult>> {
        let Shape { dim, chains, .. } = self.shape;
        if iterations == 0 {
            return Ok(Vec::new());
        }
        let mut results = std::mem::take(&mut self.spare);
        results.resize_with(iterations, || IterationResult::zeros(chains, dim));
        self.fetch(
            &self.buffers.draws,
            iterations * self.shape.draw_words(),
            |words| decode(words, dim, &self.constants, self.gpu.adapter(), &mut results),
        )
        .await??;
        Ok(results)
    }

    /// Takes back results that were read: pages that a process has already cost less than new ones.
    pub(super) fn recycle(&mut self, results: Vec<IterationResult>) {
        self.spare = results;
    }

    /// What `decode` makes of the first `words` words of `buffer`, at least one, read back to the host.
    async fn fetch<T>(
        &self,
        buffer: &wgpu::Buffer,
        words: usize,
        decode: impl FnOnce(&[u32]) -> T,
    ) -> Result<T> {
        let mut encoder = self.encoder();
        encoder.copy_buffer_to_buffer(buffer, 0, &self.buffers.staging, 0, 4 * words as u64);
        let submission = self.gpu.submit(encoder);
        self.gpu.finished(submission).await?;
        self.gpu.read(&self.buffers.staging, words, decode).await
    }

    pub(super) fn encoder(&self) -> wgpu::CommandEncoder {
        self.gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    /// Workgroups of `LANES` for `threads` threads.
    pub(super) fn grid(&self, threads: usize) -> Result<(u32, u32)> {
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

/// Fails where one invocation would make more loop trips than software Vulkan executes.
pub(super) fn check_trips(gpu: &Gpu, trips: u64) -> Result<()> {
    let Some(most) = gpu.adapter().max_loop_trips().filter(|&most| trips > most) else {
        return Ok(());
    };
    Err(Error::user(format!(
        "the model makes {trips} loop trips per gradient; software Vulkan ({}) silently ends loops beyond about {most}",
        gpu.adapter().name
    ))
    .with_help("use a hardware GPU, or `--backend cpu`, which is as fast as a GPU in software"))
}
