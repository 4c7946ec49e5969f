//! The drivers' buffers: their sizes, checked against the adapter's limits before anything is allocated.

use crate::back::kernel::{Data, DensityKernel};
use crate::error::{Error, Result};

use super::adapter::Adapter;
use super::device::Gpu;
use super::shader::{CHAIN_ROWS, draw_rows};

/// Device memory for the draws of one block of iterations, and as much again to read them back, bytes.
pub(super) const DRAW_BUDGET_BYTES: u64 = 128 << 20;

/// Device memory for the plans of a block whose draws are thinned, bytes.
const PLAN_BUDGET_BYTES: u64 = 16 << 20;
/// More iterations between two looks of the host gain nothing.
const MOST_PLANS: u64 = 4096;

/// What the buffers hold of a block of iterations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Draws that are kept, at least one.
    pub(super) draws: usize,
    /// Iterations, at least as many.
    pub(super) plans: usize,
}

/// Shape of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Coordinates of a position.
    pub(super) dim: usize,
    /// Chains, at least 1.
    pub(super) chains: usize,
    /// Chains that share metric and plan; divides `chains`.
    pub(super) chains_per_ensemble: usize,
    /// Words of an ensemble's centring: the codes of its weights, or the data that they choose.
    pub(super) levels: usize,
}

impl Shape {
    pub(super) fn ensembles(&self) -> usize {
        self.chains / self.chains_per_ensemble
    }

    /// Words of one iteration's draws.
    pub(super) fn draw_words(&self) -> usize {
        draw_rows(self.dim).saturating_mul(self.chains)
    }

    /// Words of the metrics, which come first in the settings.
    pub(super) fn inv_mass_words(&self) -> usize {
        self.ensembles().saturating_mul(self.dim)
    }

    /// Words of the ensembles' centring, which come second.
    pub(super) fn code_words(&self) -> usize {
        self.ensembles().saturating_mul(self.levels)
    }

    /// Where the ensembles' limits begin in the settings, words.
    pub(super) fn limits_at(&self) -> usize {
        self.inv_mass_words().saturating_add(self.code_words())
    }

    /// Where the names of the ensembles' random streams begin in the settings, words.
    pub(super) fn streams_at(&self) -> usize {
        self.limits_at().saturating_add(self.ensembles())
    }

    /// Where the plans begin in the settings, words.
    pub(super) fn plans_at(&self) -> usize {
        self.streams_at()
            .saturating_add(self.ensembles().saturating_mul(2))
    }

    /// Words of the data columns.
    fn column_words(&self, kernel: &DensityKernel) -> usize {
        match kernel.data {
            Data::Shared => kernel.columns.len(),
            Data::PerEnsemble => kernel.columns.len().saturating_mul(self.ensembles()),
        }
    }

    /// Words of one iteration's plans: step size and number of steps per ensemble.
    pub(super) fn plan_words(&self) -> usize {
        self.ensembles().saturating_mul(2)
    }

    /// What the device holds of a block of iterations: as much as the budget allows, one at least.
    ///
    /// # Errors
    /// User: some buffer would exceed the adapter's limits; the message names the bytes needed and the bytes there.
    pub(super) fn room(&self, kernel: &DensityKernel, adapter: &Adapter) -> Result<Room> {
        // Saturates, so that absurd numbers are refused like large ones; the limits themselves stay far below.
        let words = |n: usize| (n as u64).saturating_mul(4);
        let most = most_bytes(adapter);
        let state = words(self.dim).saturating_mul(self.chains as u64);
        let needs = [
            ("data columns", words(self.column_words(kernel))),
            ("index columns", words(kernel.indices.len())),
            ("momenta and starting points", state.saturating_mul(3)),
            ("chain states", words(CHAIN_ROWS.saturating_mul(self.chains))),
            ("draws of one iteration", words(self.draw_words())),
            (
                "metric and plans",
                words(self.plans_at().saturating_add(self.plan_words())),
            ),
        ];
        for (what, bytes) in needs {
            if bytes > most {
                return Err(Error::user(format!(
                    "{what} need {bytes} bytes in one buffer for {} chains of {} coordinates in {} ensembles; {adapter} \
                     allows {most}",
                    self.chains,
                    self.dim,
                    self.ensembles()
                ))
                .with_help("use fewer chains, another adapter, or `--backend cpu`"));
            }
        }
        let by_draws = DRAW_BUDGET_BYTES.min(most) / words(self.draw_words());
        let by_plans = (most - words(self.plans_at())) / words(self.plan_words());
        // The status word keeps 20 bits for the count of draws.
        let draws = by_draws.min(by_plans).clamp(1, (1 << 20) - 1);
        let plans = (PLAN_BUDGET_BYTES / words(self.plan_words()))
            .clamp(draws, by_plans.max(draws))
            .min(draws.max(MOST_PLANS));
        Ok(Room {
            draws: draws as usize,
            plans: plans as usize,
        })
    }
}

/// The most bytes that one buffer may have: shaders count words in 32 bits.
pub(super) fn most_bytes(adapter: &Adapter) -> u64 {
    adapter
        .limits
        .max_storage_binding_bytes
        .min(adapter.limits.max_buffer_bytes)
        .min(4 * u64::from(u32::MAX))
}

/// Words of the buffers.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    columns: usize,
    indices: usize,
    /// Of position, of gradient; momenta and starting points have three times as many.
    state: usize,
    settings: usize,
    chain_state: usize,
    draws: usize,
    staging: usize,
}

impl Sizes {
    fn of(kernel: &DensityKernel, shape: Shape, room: Room) -> Self {
        let chain_state = CHAIN_ROWS * shape.chains;
        let draws = room.draws * shape.draw_words();
        Self {
            columns: shape.column_words(kernel),
            indices: kernel.indices.len(),
            state: shape.dim * shape.chains,
            settings: shape.plans_at() + room.plans * shape.plan_words(),
            chain_state,
            draws,
            staging: draws.max(chain_state),
        }
    }

    fn bytes(&self) -> u64 {
        let words = self.columns
            + self.indices
            + 5 * self.state
            + self.settings
            + self.chain_state
            + self.draws
            + self.staging;
        4 * words as u64
    }
}

/// The most ensembles of a run like `one`, which has a single one, that `adapter` takes and whose buffers stay within
/// `memory` bytes all together; none if not even one does.
pub(super) fn most_ensembles(kernel: &DensityKernel, one: Shape, adapter: &Adapter, memory: u64) -> usize {
    let fits = |ensembles: usize| {
        let shape = Shape {
            chains: one.chains.saturating_mul(ensembles),
            ..one
        };
        let room = shape.room(kernel, adapter);
        room.is_ok_and(|room| Sizes::of(kernel, shape, room).bytes() <= memory)
    };
    let words = one.chains.saturating_mul(one.dim).max(1) as u64;
    // `low` fits, or is none.
    let (mut low, mut high) = (0, (most_bytes(adapter) / 4 / words) as usize);
    while low < high {
        let middle = high - (high - low) / 2;
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

/// The buffers, in the order of their bindings (`shaders/bindings.wgsl`), and the one for reading back.
#[derive(Debug)]
pub(super) struct Buffers {
    pub(super) params: wgpu::Buffer,
    pub(super) columns: wgpu::Buffer,
    pub(super) indices: wgpu::Buffer,
    /// `[dim][chain]`.
    pub(super) position: wgpu::Buffer,
    /// `[dim][chain]`.
    pub(super) gradient: wgpu::Buffer,
    pub(super) trajectory: wgpu::Buffer,
    /// `[ensemble][dim]` of the metric, `[ensemble][level]` of codes, `[ensemble]` limits, `[ensemble][2]` of stream names,
    /// then `[iteration][ensemble][2]` of plans.
    pub(super) settings: wgpu::Buffer,
    /// `[ChainRow][chain]`.
    pub(super) chain_state: wgpu::Buffer,
    /// `[iteration][row][chain]`.
    pub(super) draws: wgpu::Buffer,
    /// Mappable; as large as the largest thing that is read back.
    pub(super) staging: wgpu::Buffer,
}

impl Buffers {
    /// Allocates everything for blocks within `room`, and uploads the index columns.
    ///
    /// # Errors
    /// Environment: not enough memory.
    pub(super) async fn new(gpu: &Gpu, kernel: &DensityKernel, shape: Shape, room: Room) -> Result<Self> {
        use wgpu::BufferUsages as Usage;
        let sizes = Sizes::of(kernel, shape, room);
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
                    params: make("params", PARAMS_WORDS, Usage::UNIFORM | Usage::COPY_DST),
                    columns: make("columns", sizes.columns, storage),
                    indices: make("indices", sizes.indices, storage),
                    position: make("position", sizes.state, storage),
                    gradient: make("gradient", sizes.state, storage),
                    trajectory: make("trajectory", 3 * sizes.state, storage),
                    settings: make("settings", sizes.settings, storage),
                    chain_state: make("chain state", sizes.chain_state, storage),
                    draws: make("draws", sizes.draws, storage),
                    staging: make("staging", sizes.staging, Usage::MAP_READ | Usage::COPY_DST),
                }
            })
            .await?;
        gpu.queue
            .write_buffer(&buffers.indices, 0, bytemuck::cast_slice(&kernel.indices));
        Ok(buffers)
    }

    /// The bind group and its layout, which all pipelines share, `known_columns` as the last binding where a text reads it.
    pub(super) fn bind(
        &self,
        device: &wgpu::Device,
        known_columns: Option<&wgpu::Buffer>,
    ) -> (wgpu::BindGroupLayout, wgpu::BindGroup) {
        use wgpu::BufferBindingType as Type;
        let read = Type::Storage { read_only: true };
        let write = Type::Storage { read_only: false };
        let bound = [
            (Type::Uniform, &self.params),
            (read, &self.columns),
            (read, &self.indices),
            (write, &self.position),
            (write, &self.gradient),
            (write, &self.trajectory),
            (read, &self.settings),
            (write, &self.chain_state),
            (write, &self.draws),
        ];
        let known_columns = known_columns.map(|buffer| (Type::Uniform, buffer));
        let bound: Vec<_> = bound.into_iter().chain(known_columns).collect();
        let kinds: Vec<wgpu::BindGroupLayoutEntry> = (0u32..)
            .zip(&bound)
            .map(|(binding, (ty, _))| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: *ty,
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let entries: Vec<wgpu::BindGroupEntry> = (0u32..)
            .zip(&bound)
            .map(|(binding, (_, buffer))| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("hmc"),
            entries: &kinds,
        });
        let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("hmc"),
            layout: &layout,
            entries: &entries,
        });
        (layout, group)
    }
}

/// Words of [`Params`].
const PARAMS_WORDS: usize = size_of::<Params>() / 4;

/// `Params` of `shaders/bindings.wgsl`, field by field.
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct Params {
    pub(super) chains: u32,
    pub(super) chains_per_ensemble: u32,
    pub(super) ensembles: u32,
    pub(super) first_iteration: u32,
    pub(super) seed_low: u32,
    pub(super) seed_high: u32,
    pub(super) draw_words: u32,
    pub(super) levels: u32,
    pub(super) budget: u32,
    pub(super) thin: u32,
    pub(super) since_kept: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::adapter::AdapterLimits;

    fn adapter(bytes: u64) -> Adapter {
        Adapter {
            name: "small".into(),
            backend: "vulkan".into(),
            device_type: "other".into(),
            driver: String::new(),
            is_software: false,
            limits: AdapterLimits {
                max_buffer_bytes: bytes,
                max_storage_binding_bytes: bytes,
                max_storage_buffers: 8,
                max_workgroups_per_dimension: 65_535,
                max_workgroup_threads: 256,
                max_workgroup_bytes: 16_384,
            },
            features: Vec::new(),
        }
    }

    fn kernel() -> DensityKernel {
        DensityKernel {
            wgsl: String::new(),
            columns: Vec::new(),
            indices: Vec::new(),
            data: Data::Shared,
            dim: 50,
            constant: 0.0,
            centring: Vec::new(),
            loop_trips: 0,
        }
    }

    const SHAPE: Shape = Shape {
        dim: 50,
        chains: 4096,
        chains_per_ensemble: 64,
        levels: 0,
    };

    #[test]
    fn a_block_is_what_the_budget_holds() {
        // 56 rows of 4,096 words are 917,504 bytes; 128 MiB hold 146 of them.
        let draws = |bytes| SHAPE.room(&kernel(), &adapter(bytes)).map(|room| room.draws);
        assert_eq!(draws(1 << 30), Ok(146));
        // The limit may be the smaller bound: 4 MiB hold 4.
        assert_eq!(draws(4 << 20), Ok(4));
        // Plans of 64 ensembles take 512 bytes an iteration.
        let room = SHAPE.room(&kernel(), &adapter(1 << 30)).expect("room");
        assert_eq!(room.plans, 4096);
    }

    #[test]
    fn too_much_is_refused_with_both_numbers() {
        let error = SHAPE.room(&kernel(), &adapter(2_000_000)).unwrap_err();
        let absurd = Shape {
            dim: 50,
            chains: usize::MAX / 64,
            chains_per_ensemble: 1,
            levels: 3,
        };
        assert!(absurd.room(&kernel(), &adapter(u64::MAX)).is_err());
        // 3 · 50 · 4,096 words.
        assert!(
            error.message().contains("2457600") && error.message().contains("2000000"),
            "{error}"
        );
    }

    #[test]
    fn a_batch_is_cut_where_the_adapter_or_the_memory_ends() {
        let kernel = DensityKernel {
            columns: vec![0.0; 6000],
            data: Data::PerEnsemble,
            ..kernel()
        };
        let one = Shape {
            chains: 16,
            chains_per_ensemble: 16,
            ..SHAPE
        };
        let of = |ensembles: usize| Shape {
            chains: 16 * ensembles,
            ..one
        };
        let adapter = adapter(128 << 20);
        // 24,000 bytes of data an ensemble are its largest part: 134,217,728 / 24,000.
        let most = most_ensembles(&kernel, one, &adapter, u64::MAX);
        assert_eq!(most, 5592);
        assert!(of(most).room(&kernel, &adapter).is_ok());
        let error = of(most + 1).room(&kernel, &adapter).unwrap_err();
        assert!(
            error.message().contains("data columns need 134232000 bytes")
                && error.message().contains("134217728"),
            "{error}"
        );
        // Twice 128 MiB of draws, and what each ensemble adds: 24,000 bytes of data, 5 · 50 · 16 + 8 · 16 words of state.
        let within = |memory| most_ensembles(&kernel, one, &adapter, memory);
        let some = within(300_000_000);
        let bytes = |ensembles: usize| {
            let room = of(ensembles).room(&kernel, &adapter).expect("room");
            Sizes::of(&kernel, of(ensembles), room).bytes()
        };
        assert!((300..800).contains(&some), "{some}");
        assert!(bytes(some) <= 300_000_000 && bytes(some + 1) > 300_000_000);
        assert_eq!(within(1 << 20), 0);
    }
}
