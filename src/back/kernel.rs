//! What the GPU layer sees of a model: the generated WGSL of the log density and the tables that it reads.

/// A model's log density in WGSL, with its read-only tables.
///
/// `wgsl` defines one function,
/// `fn log_density_grad(chain: u32) -> vec2<f32>`,
/// which reads coordinate i of the position at `position[i * params.chains + chain]` (f32 storage array), writes the
/// gradient to `gradient[i * params.chains + chain]`, reads `columns[…]` (f32) and `indices[…]` (u32), and returns the
/// log density as a pair (whole part, remainder) whose sum is the value: differences are taken per component, so that
/// large tables lose no accuracy. Where `centring` is not empty it calls `fn centring_code(chain: u32, level: u32) -> u32`,
/// which the driver defines: the code of the centring weight (see `back::evaluate::Centring`) of the chain's ensemble.
/// It may call `accumulate(sum: vec2<f32>, term: f32) -> vec2<f32>` and the special
/// functions of `shaders/special.wgsl`.
///
/// With [`Data::PerEnsemble`] it reads `columns[column_base + …]` instead.
#[derive(Debug, Clone)]
pub struct DensityKernel {
    /// The text of `log_density_grad` and of what it needs of its own.
    pub wgsl: String,
    /// Data columns, one after another; the generated text knows the offsets. With [`Data::PerEnsemble`] those of the
    /// program that the text was made from: a batch brings as many for each ensemble.
    pub columns: Vec<f32>,
    /// Whether all ensembles read the same columns.
    pub data: Data,
    /// Index columns, one after another.
    pub indices: Vec<u32>,
    /// The initial codes of the centring weights, `[level]`; empty if there are none.
    pub centring: Vec<u32>,
    /// Coordinates of a position.
    pub dim: usize,
    /// Constant to add to the device's log density, in f64 (normalising constants that depend on data alone).
    pub constant: f64,
    /// The largest number of loop trips that one call of `log_density_grad` makes (software Vulkan stops at 65,535).
    pub loop_trips: u64,
}

/// Where a kernel's text finds the position and puts the gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `position[i * params.chains + chain]` and `gradient[…]`, in storage buffers: what [`DensityKernel`] says.
    Buffers,
    /// `xs[i]` and `ds[i]`, private arrays of the module; plates are looped over.
    Arrays,
    /// `x7` and `d7`, private scalars of the module, one for each coordinate; no loops, and index codes are baked in.
    Unrolled,
}

/// Where a thread of a fused driver keeps what it reads but does not change within an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// In its own memory: best where a CPU plays the GPU, whose loads from buffers go lane by lane inside of loops.
    Held,
    /// In the buffers, so that registers suffice: best on hardware.
    Buffers,
}

/// Whose data columns a kernel's text reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// All ensembles the same ones.
    Shared,
    /// Each ensemble its own, `[ensemble][entry]`: replicates of a study side by side. Index columns, and whatever the
    /// text has baked in, are shared all the same. The text adds `column_base`, entries of a set of columns times the
    /// number of the chain's ensemble: in [`Form::Buffers`] a name of its own, in the other forms a private variable
    /// that the driver sets.
    PerEnsemble,
}

/// What a model's text comes to in its forms, for choosing among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelSize {
    /// Coordinates of a position.
    pub dim: usize,
    /// Statements of [`Form::Unrolled`].
    pub unrolled_statements: u64,
    /// Loop trips of one call in the other forms.
    pub loop_trips: u64,
    /// Intermediate numbers of a chain in their arrays.
    pub private_numbers: usize,
}

/// A log density over a thread's own memory, for drivers that keep a chain's state there over many steps.
///
/// Besides `log_density_grad` its text has `fn only_grad(chain: u32) -> vec2<f32>`, which computes the gradient alone and
/// returns 0: for all steps of a trajectory but the last, after which no one asks for the value.
#[derive(Debug, Clone)]
pub struct FusedKernel {
    /// As for the other drivers, but for where its text keeps position, gradient and data.
    pub density: DensityKernel,
    /// Where position and gradient are: [`Form::Arrays`] or [`Form::Unrolled`].
    pub form: Form,
    /// With [`Memory::Held`] an unrolled text names entry 9 of the data columns `k9`, a private scalar that the driver
    /// loads; otherwise `known_columns[2u].y`, of a uniform array of vectors, or where each ensemble has its own,
    /// `columns[column_base + 9u]`.
    pub memory: Memory,
    /// What an unrolled text reads by the codes of centring weights: where in the columns the candidates begin, and the
    /// weight's level. It names number 3 of this list, the entry at (start + code of the level), `c3` where held, a
    /// private scalar that the driver loads, else `hmc_tuned(3u)`. Empty for other texts, which call `centring_code`.
    pub tuned: Vec<(usize, usize)>,
}

/// A log density as a sequence of dispatches, for tables too long for a thread per chain.
///
/// For each of `dispatches` the text defines `fn NAME(chain: u32, item: u32)`, to be called once for every chain and
/// item, in the order of the list, with all of a dispatch done before the next begins. Last comes
/// `fn rows_log_density(chain: u32) -> vec2<f32>`, which returns the log density as [`DensityKernel`]'s function does.
///
/// Buffers are those of [`DensityKernel`]; what the functions need of each other they keep in `work` (f32 storage
/// array), `[number][chain]`. They may also call the exact sums of `shaders/exact.wgsl`.
#[derive(Debug, Clone)]
pub struct RowsKernel {
    /// Text and tables; `indices` holds the index columns, then tables of the rows' order.
    pub density: DensityKernel,
    /// What to dispatch for one evaluation, in order.
    pub dispatches: Vec<Dispatch>,
    /// Numbers per chain in `work`.
    pub work: usize,
}

/// One function over all items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// The function's name.
    pub function: String,
    /// Items per chain, at least 1.
    pub items: usize,
    /// The largest number of loop trips of one call.
    pub loop_trips: u64,
}
