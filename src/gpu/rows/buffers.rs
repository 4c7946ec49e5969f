//! The buffers of the driver that splits rows: sizes checked against the adapter's limits, and the two bind groups.

use crate::back::dispatch::RowsKernel;
use crate::error::{Error, Result};

use super::super::adapter::Adapter;
use super::super::buffers::{DRAW_BUDGET_BYTES, Params, Shape};
use super::super::device::Gpu;
use super::shader::{Kinetic, STATE_ROWS};

/// Iterations whose draws stay on the device together: what the budget holds, at least one.
///
/// # Errors
/// User: some buffer would exceed the adapter's limits; the message names the bytes needed and the bytes there.
pub(super) fn iterations_per_block(shape: Shape, kernel: &RowsKernel, adapter: &Adapter) -> Result<usize> {
    let words = |n: usize| (n as u64).saturating_mul(4);
    let most = adapter
        .limits
        .max_storage_binding_bytes
        .min(adapter.limits.max_buffer_bytes)
        .min(4 * u64::from(u32::MAX));
    let per_chain = |n: usize| words(n).saturating_mul(shape.chains as u64);
    let needs = [
        ("data columns", words(kernel.columns.len())),
        ("index columns and their tables", words(kernel.indices.len())),
        (
            "momenta and starting points",
            per_chain(shape.dim).saturating_mul(3),
        ),
        ("intermediate numbers", per_chain(kernel.work)),
        ("chain states", per_chain(STATE_ROWS)),
        ("draws of one iteration", words(shape.draw_words())),
        (
            "metric and plans",
            words(shape.inv_mass_words().saturating_add(shape.plan_words())),
        ),
    ];
    for (what, bytes) in needs {
        if bytes > most {
            return Err(Error::user(format!(
                "{what} need {bytes} bytes in one buffer for {} chains of {} coordinates; {adapter} allows {most}",
                shape.chains, shape.dim
            ))
            .with_help("use fewer chains, another adapter, or `--backend cpu`"));
        }
    }
    let by_draws = DRAW_BUDGET_BYTES.min(most) / words(shape.draw_words());
    let by_plans = (most - words(shape.inv_mass_words())) / words(shape.plan_words());
    Ok(by_draws.min(by_plans).clamp(1, 1 << 20) as usize)
}

/// The buffers, by their bindings in `shaders/bindings.wgsl` and `shaders/rows.wgsl`, and the one for reading back.
#[derive(Debug)]
pub(super) struct RowsBuffers {
    pub(super) params: wgpu::Buffer,
    columns: wgpu::Buffer,
    indices: wgpu::Buffer,
    /// `[dim][chain]`.
    pub(super) position: wgpu::Buffer,
    /// `[dim][chain]`.
    pub(super) gradient: wgpu::Buffer,
    trajectory: wgpu::Buffer,
    /// `[ensemble][dim]` of the metric, then `[iteration][ensemble][2]` of plans.
    pub(super) settings: wgpu::Buffer,
    /// `[row][chain]`.
    pub(super) chain_state: wgpu::Buffer,
    /// `[iteration][row][chain]`.
    pub(super) draws: wgpu::Buffer,
    work: wgpu::Buffer,
    /// `[ensemble][level]`.
    pub(super) codes: wgpu::Buffer,
    kinetic: wgpu::Buffer,
    /// Mappable; as large as the largest thing that is read back.
    pub(super) staging: wgpu::Buffer,
}

/// A layout with its bind group.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) layout: wgpu::BindGroupLayout,
    pub(super) group: wgpu::BindGroup,
}

impl RowsBuffers {
    /// Allocates everything for blocks of `iterations`, and uploads the model's tables.
    ///
    /// # Errors
    /// Environment: not enough memory.
    pub(super) async fn new(gpu: &Gpu, kernel: &RowsKernel, shape: Shape, iterations: usize) -> Result<Self> {
        use wgpu::BufferUsages as Usage;
        let state = shape.dim * shape.chains;
        let draws = iterations * shape.draw_words();
        let settings = shape.inv_mass_words() + iterations * shape.plan_words();
        let chain_state = STATE_ROWS * shape.chains;
        let buffers = gpu
            .scoped("allocating the chains' buffers", |device| {
                // An empty table is bound as well, so it gets the four words that a binding needs at least.
                let make = |label: &str, words: usize, usage: Usage| {
                    device.create_buffer(&wgpu::BufferDescriptor {
                        label: Some(label),
                        size: 4 * words.max(4) as u64,
                        usage,
                        mapped_at_creation: false,
                    })
                };
                let storage = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
                Self {
                    params: make(
                        "params",
                        size_of::<Params>() / 4,
                        Usage::UNIFORM | Usage::COPY_DST,
                    ),
                    columns: make("columns", kernel.columns.len(), storage),
                    indices: make("indices", kernel.indices.len(), storage),
                    position: make("position", state, storage),
                    gradient: make("gradient", state, storage),
                    trajectory: make("trajectory", 3 * state, storage),
                    settings: make("settings", settings, storage),
                    chain_state: make("chain state", chain_state, storage),
                    draws: make("draws", draws, storage),
                    work: make("work", kernel.work * shape.chains, storage),
                    codes: make("codes", kernel.centring.len() * shape.ensembles(), storage),
                    kinetic: make(
                        "kinetic energies",
                        Kinetic::of(shape.dim).words() * shape.chains,
                        storage,
                    ),
                    staging: make(
                        "staging",
                        draws.max(chain_state).max(state),
                        Usage::MAP_READ | Usage::COPY_DST,
                    ),
                }
            })
            .await?;
        let write = |buffer: &wgpu::Buffer, bytes: &[u8]| gpu.queue.write_buffer(buffer, 0, bytes);
        write(&buffers.columns, bytemuck::cast_slice(&kernel.columns));
        write(&buffers.indices, bytemuck::cast_slice(&kernel.indices));
        let codes: Vec<u32> = (0..shape.ensembles())
            .flat_map(|_| kernel.centring.iter().copied())
            .collect();
        write(&buffers.codes, bytemuck::cast_slice(&codes));
        Ok(buffers)
    }

    /// What the model's functions see: seven storage buffers.
    pub(super) fn bind_model(&self, device: &wgpu::Device) -> Bound {
        bind(
            device,
            "model",
            &[
                (0, Kind::Uniform, &self.params),
                (1, Kind::Read, &self.columns),
                (2, Kind::Read, &self.indices),
                (3, Kind::Write, &self.position),
                (4, Kind::Write, &self.gradient),
                (7, Kind::Write, &self.chain_state),
                (9, Kind::Write, &self.work),
                (10, Kind::Read, &self.codes),
            ],
        )
    }

    /// What the integrator sees: seven storage buffers.
    pub(super) fn bind_hmc(&self, device: &wgpu::Device) -> Bound {
        bind(
            device,
            "hmc",
            &[
                (0, Kind::Uniform, &self.params),
                (3, Kind::Write, &self.position),
                (4, Kind::Write, &self.gradient),
                (5, Kind::Write, &self.trajectory),
                (6, Kind::Read, &self.settings),
                (7, Kind::Write, &self.chain_state),
                (8, Kind::Write, &self.draws),
                (11, Kind::Write, &self.kinetic),
            ],
        )
    }
}

/// How a binding is declared.
#[derive(Clone, Copy)]
enum Kind {
    Uniform,
    Read,
    Write,
}

fn bind(device: &wgpu::Device, label: &str, bound: &[(u32, Kind, &wgpu::Buffer)]) -> Bound {
    use wgpu::BufferBindingType as Type;
    let kinds: Vec<wgpu::BindGroupLayoutEntry> = bound
        .iter()
        .map(|(binding, kind, _)| wgpu::BindGroupLayoutEntry {
            binding: *binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: match kind {
                    Kind::Uniform => Type::Uniform,
                    Kind::Read => Type::Storage { read_only: true },
                    Kind::Write => Type::Storage { read_only: false },
                },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    let entries: Vec<wgpu::BindGroupEntry> = bound
        .iter()
        .map(|(binding, _, buffer)| wgpu::BindGroupEntry {
            binding: *binding,
            resource: buffer.as_entire_binding(),
        })
        .collect();
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(label),
        entries: &kinds,
    });
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(label),
        layout: &layout,
        entries: &entries,
    });
    Bound { layout, group }
}
