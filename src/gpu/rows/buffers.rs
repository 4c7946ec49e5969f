//! The buffers that the driver for long tables adds to those of the chains, and its two bind groups.

use crate::back::kernel::RowsKernel;
use crate::error::{Error, Result};

use super::super::chains::Chains;
use super::shader::{Kinetic, PROGRESS_ROWS};

/// By their bindings in `shaders/rows.wgsl`.
#[derive(Debug)]
pub(super) struct RowsBuffers {
    work: wgpu::Buffer,
    kinetic: wgpu::Buffer,
    /// `[ProgressRow][chain]`.
    pub(super) progress: wgpu::Buffer,
}

/// A layout with its bind group.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) layout: wgpu::BindGroupLayout,
    pub(super) group: wgpu::BindGroup,
}

/// How a binding is declared.
#[derive(Clone, Copy)]
enum Kind {
    Uniform,
    Read,
    Write,
}

impl RowsBuffers {
    /// Allocates them.
    ///
    /// # Errors
    /// User: the intermediate numbers of all chains exceed the adapter's limits. Environment: not enough memory.
    pub(super) async fn new(chains: &Chains, kernel: &RowsKernel) -> Result<Self> {
        use wgpu::BufferUsages as Usage;
        let (gpu, count) = (&chains.gpu, chains.shape.chains);
        let limits = gpu.adapter().limits;
        let most = limits
            .max_storage_binding_bytes
            .min(limits.max_buffer_bytes)
            .min(4 * u64::from(u32::MAX));
        let bytes = (kernel.work as u64)
            .saturating_mul(4)
            .saturating_mul(count as u64);
        if bytes > most {
            return Err(Error::user(format!(
                "the model's intermediate numbers need {bytes} bytes in one buffer for {count} chains; {} allows {most}",
                gpu.adapter()
            ))
            .with_help("use fewer chains, another adapter, or `--backend cpu`"));
        }
        gpu.scoped("allocating the buffers of a long table", |device| {
            let make = |label: &str, words: usize| {
                device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some(label),
                    size: 4 * (words * count).max(4) as u64,
                    usage: Usage::STORAGE | Usage::COPY_DST,
                    mapped_at_creation: false,
                })
            };
            Self {
                work: make("work", kernel.work),
                kinetic: make("kinetic energies", Kinetic::of(chains.shape.dim).words()),
                progress: make("progress", PROGRESS_ROWS),
            }
        })
        .await
    }

    /// What the model's functions see: eight storage buffers, the least number that WebGPU promises.
    pub(super) fn bind_model(&self, device: &wgpu::Device, chains: &Chains) -> Bound {
        let shared = &chains.buffers;
        bind(
            device,
            &[
                (0, Kind::Uniform, &shared.params),
                (1, Kind::Read, &shared.columns),
                (2, Kind::Read, &shared.indices),
                (3, Kind::Write, &shared.position),
                (4, Kind::Write, &shared.gradient),
                (6, Kind::Read, &shared.settings),
                (7, Kind::Write, &shared.chain_state),
                (9, Kind::Write, &self.work),
                (11, Kind::Write, &self.progress),
            ],
        )
    }

    /// What the integrator sees: eight again.
    pub(super) fn bind_hmc(&self, device: &wgpu::Device, chains: &Chains) -> Bound {
        let shared = &chains.buffers;
        bind(
            device,
            &[
                (0, Kind::Uniform, &shared.params),
                (3, Kind::Write, &shared.position),
                (4, Kind::Write, &shared.gradient),
                (5, Kind::Write, &shared.trajectory),
                (6, Kind::Read, &shared.settings),
                (7, Kind::Write, &shared.chain_state),
                (8, Kind::Write, &shared.draws),
                (10, Kind::Write, &self.kinetic),
                (11, Kind::Write, &self.progress),
            ],
        )
    }
}

fn bind(device: &wgpu::Device, bound: &[(u32, Kind, &wgpu::Buffer)]) -> Bound {
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
        label: Some("rows"),
        entries: &kinds,
    });
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("rows"),
        layout: &layout,
        entries: &entries,
    });
    Bound { layout, group }
}
