//! What the GPU layer sees of a model whose rows are split over threads: WGSL functions to dispatch one after another.

/// A model's log density and gradient as a sequence of dispatches, for tables too long for a thread per chain.
///
/// For each of `dispatches` `wgsl` defines `fn NAME(chain: u32, item: u32)`, to be called once for every chain and every
/// item, in the order of the list, with all of a dispatch done before the next begins. Last comes
/// `fn rows_log_density(chain: u32) -> vec2<f32>`, which returns the log density as a pair (whole part, remainder), see
/// [`super::kernel::DensityKernel`].
///
/// The functions read `position`, `columns` and `indices`, write `gradient`, and keep what they need of each other in
/// `work` (f32 storage array), all `[number][chain]`. They call `accumulate`, the special functions of
/// `shaders/special.wgsl` and the exact sums of `shaders/exact.wgsl`, and `centring_code` where `centring` is not empty.
#[derive(Debug, Clone)]
pub struct RowsKernel {
    /// The text of the functions.
    pub wgsl: String,
    /// What to dispatch for one evaluation, in order.
    pub dispatches: Vec<Dispatch>,
    /// Data columns, one after another.
    pub columns: Vec<f32>,
    /// Index columns, then the tables of items and segments; the text knows the offsets.
    pub indices: Vec<u32>,
    /// Numbers per chain that the functions keep in `work`.
    pub work: usize,
    /// The initial codes of the centring weights, `[level]`; empty if there are none.
    pub centring: Vec<u32>,
    /// Coordinates of a position.
    pub dim: usize,
    /// Constant to add to the device's log density, in f64.
    pub constant: f64,
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
