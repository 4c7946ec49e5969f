//! Samplers: NUTS for few chains, ensemble HMC for many, their adaptation, and the loop that runs them.
//!
//! May import `error`, `num`, `rng`, `back::evaluate` and `gpu`. A sampler knows a model only as a
//! [`Density`](crate::back::evaluate::Density), or, on a device, as an [`Engine`] that moves ensembles of chains.
//!
//! A run goes from a [`State`] (where the chains are, and how they are tuned) to [`Samples`], which hold the state
//! after the last draw, so that runs can be continued. [`run`] spreads chains (NUTS) or ensembles (HMC) over threads;
//! [`run_on_engine`] drives one engine that holds all ensembles, a GPU's for instance.
//!
//! Promises:
//! - every random number comes from a [`crate::rng::Stream`] named by seed, replicate, chain, iteration and purpose,
//!   and results are placed by chain: no number depends on the threads;
//! - adaptation ends with warm-up;
//! - a divergent trajectory or a non-finite density is counted and rejected, never an error;
//! - nothing is allocated between two leapfrog steps; there are no clocks and no files: progress goes to an observer,
//!   and a flag stops a run, which then returns what it has.

mod centring;
mod chain;
mod chain_centring;
mod dual_averaging;
mod ensemble;
mod initial;
mod low_rank;
mod metric;
mod nuts;
mod phase_space;
mod progress;
mod run;
mod samples;
mod scale_estimate;
mod settings;
mod step_size;
mod u_turn;
mod vectors;
mod warmup;
mod windows;

#[cfg(test)]
mod centring_tests;
#[cfg(test)]
mod posterior_tests;
#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod targets;

pub use dual_averaging::DualAveraging;
pub use ensemble::{
    Adaptation, CpuEngine, Engine, GpuDriver, GpuEngine, IterationResult, MAX_LEAPFROG_STEPS, Plan,
    run_on_engine,
};
pub use initial::starting_positions;
pub use low_rank::Direction;
pub(crate) use nuts::MAX_DEPTH;
pub use progress::{Phase, Progress, Watch};
pub(crate) use run::{most_draws, share_out};
pub use run::{run, run_unit};
pub use samples::{Samples, State, Tuning};
pub use settings::{CHAINS_PER_ENSEMBLE, Layout, Sampler, Settings};

/// Energy error above which a trajectory counts as divergent (Betancourt 2017; Stan).
pub const DIVERGENCE: f64 = crate::gpu::MAX_ENERGY_ERROR;
