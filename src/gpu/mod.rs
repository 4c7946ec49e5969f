//! The GPU: adapters and devices, and the drivers that run ensemble HMC on them through WGSL.
//!
//! May import `error`, `num`, `rng` and, of `back`, the contract [`crate::back::kernel`]; the samplers come later and
//! are not known here. The shaders' fixed part lies in `shaders/`; a model's log density arrives as text in a
//! [`crate::back::kernel::DensityKernel`], and the two are joined in `shader`.
//!
//! Promises:
//! - Everything inside is async and blocks only in `blocking`, so that a browser build stays possible.
//! - Device state is f32, `[row][chain]` with the chain as the fastest index; host results are f64, `[chain][dim]`.
//! - The only clock is the one that paces submissions (`pace`).
//! - A draw depends on (seed, replicate, chain, iteration) and on the adapter's arithmetic, never on how the work was
//!   cut into submissions, nor on the replicates beside it. Draws that a driver did not write are found and reported, never returned.
//! - No panic on what an adapter does: a lost device, too little memory and a refused shader are errors with a remedy;
//!   sizes are checked against the adapter's own limits first.
//! - Without the feature `gpu` the same names exist (`absent`) and say that this build has no GPU support.

mod adapter;
mod batch;
mod mapping;
mod plan;
mod texts;

#[cfg(feature = "gpu")]
mod blocking;
#[cfg(feature = "gpu")]
mod buffers;
#[cfg(feature = "gpu")]
mod chains;
#[cfg(feature = "gpu")]
mod device;
#[cfg(feature = "gpu")]
mod draws;
#[cfg(feature = "gpu")]
mod fused;
mod fused_shader;
#[cfg(feature = "gpu")]
mod ledger;
#[cfg(feature = "gpu")]
mod pace;
#[cfg(feature = "gpu")]
mod pipelines;
#[cfg(feature = "gpu")]
mod rows;
#[cfg(feature = "gpu")]
mod schedule;
#[cfg(feature = "gpu")]
mod shader;
#[cfg(feature = "gpu")]
mod signal;
#[cfg(feature = "gpu")]
mod stepped;
#[cfg(feature = "gpu")]
mod thinning;

#[cfg(not(feature = "gpu"))]
mod absent;
#[cfg(not(feature = "gpu"))]
mod absent_rows;

pub use adapter::{Adapter, AdapterLimits, choose};
pub use batch::BatchData;
pub use fused_shader::fused_module;
pub use mapping::{Driver, Mapping};
pub use plan::{IterationResult, MAX_ENERGY_ERROR, Plan};

#[cfg(feature = "gpu")]
pub use blocking::list_adapters;
#[cfg(feature = "gpu")]
pub use device::Gpu;
#[cfg(feature = "gpu")]
pub use fused::FusedHmc;
#[cfg(feature = "gpu")]
pub use rows::RowsHmc;
#[cfg(feature = "gpu")]
pub use stepped::SteppedHmc;

#[cfg(not(feature = "gpu"))]
pub use absent::{FusedHmc, Gpu, SteppedHmc, list_adapters};
#[cfg(not(feature = "gpu"))]
pub use absent_rows::RowsHmc;
