//! What a fit is asked for, and what that comes to on this machine.

use std::time::Instant;

use crate::diag::{Interval, Prob};
use crate::error::{Error, Result};
use crate::gpu::{self, Adapter};
use crate::model::Model;
use crate::pass::schedule::schedule;

/// Where the log density is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// A hardware GPU where there is one and the work is large enough to pay, else the CPU.
    #[default]
    Auto,
    /// The CPU's lanes, f64.
    Cpu,
    /// A GPU, f32; never falls back.
    Gpu,
}

/// The algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sampler {
    /// NUTS for few chains on a CPU, ensemble HMC else.
    #[default]
    Auto,
    /// Multinomial NUTS.
    Nuts,
    /// Ensemble HMC.
    Hmc,
}

/// Whether the pointwise log likelihood is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLik {
    /// If it takes at most [`LOG_LIK_BYTES`].
    #[default]
    Auto,
    /// Always.
    All,
    /// Never.
    None,
}

/// Pointwise log likelihoods up to this size are stored by default.
pub const LOG_LIK_BYTES: usize = 64 << 20;

/// Chains up to which `Sampler::Auto` takes NUTS on a CPU.
const FEW_CHAINS: usize = 16;

/// Loop trips over all chains from which a GPU is expected to pay: below, submitting costs more than the work. An
/// estimate until a recorded run replaces it.
const GPU_PAYS_FROM: u64 = 1 << 16;

/// The settings of a fit; `None` takes the default of the sampler and back end.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Where.
    pub backend: Backend,
    /// Part of the name of the GPU to take, in any case.
    pub adapter: Option<String>,
    /// How.
    pub sampler: Sampler,
    /// Chains: NUTS 4; HMC 64 on a CPU, 1024 on a GPU.
    pub chains: Option<usize>,
    /// Warm-up iterations: NUTS 1000, HMC 400.
    pub warmup: Option<u32>,
    /// Draws kept per chain: NUTS 1000; HMC 250 on a CPU, 100 on a GPU.
    pub draws: Option<usize>,
    /// Iterations per kept draw.
    pub thin: u32,
    /// Seed of every random stream.
    pub seed: u64,
    /// Acceptance that the step size is adapted to.
    pub target_accept: f64,
    /// Probability of the intervals.
    pub prob: Prob,
    /// Kind of the intervals.
    pub interval: Interval,
    /// Whether to store the pointwise log likelihood.
    pub log_lik: LogLik,
    /// Threads; all cores by default. No number depends on it.
    pub threads: Option<usize>,
    /// How the fit was asked for, kept in the fit file.
    pub command: String,
    /// When work on the fit began: the time from here is part of the total.
    pub started: Instant,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            backend: Backend::default(),
            adapter: None,
            sampler: Sampler::default(),
            chains: None,
            warmup: None,
            draws: None,
            thin: 1,
            seed: 1,
            target_accept: 0.8,
            prob: Prob::default(),
            interval: Interval::default(),
            log_lik: LogLik::default(),
            threads: None,
            command: String::new(),
            started: Instant::now(),
        }
    }
}

/// What the options come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The adapter, if the GPU is taken.
    pub adapter: Option<Adapter>,
    /// The algorithm.
    pub sampler: crate::sampler::Sampler,
    /// Number of chains.
    pub chains: usize,
    /// Warm-up iterations.
    pub warmup: u32,
    /// Draws kept per chain.
    pub draws: usize,
    /// The back end taken and the reason, for people.
    pub why: String,
}

/// Settles what the options leave open.
///
/// # Errors
///
/// A user error for options that contradict each other; an environment error if a GPU is demanded and there is none.
pub fn plan(model: &Model, options: &Options) -> Result<Plan> {
    use crate::sampler::Sampler as Algorithm;
    if options.backend == Backend::Gpu && options.sampler == Sampler::Nuts {
        return Err(
            Error::user("NUTS runs on the CPU: its chains take trajectories of their own lengths")
                .with_help("use `--sampler hmc` on the GPU, or `--backend cpu`"),
        );
    }
    let (adapter, why) = choose_adapter(model, options)?;
    let few = options.chains.is_none_or(|chains| chains <= FEW_CHAINS);
    let sampler = match options.sampler {
        Sampler::Nuts => Algorithm::Nuts,
        Sampler::Hmc => Algorithm::Hmc,
        Sampler::Auto if adapter.is_none() && few => Algorithm::Nuts,
        Sampler::Auto => Algorithm::Hmc,
    };
    let (chains, warmup, draws) = match (sampler, &adapter) {
        (Algorithm::Nuts, _) => (4, 1000, 1000),
        (Algorithm::Hmc, None) => (64, 400, 250),
        (Algorithm::Hmc, Some(_)) => (1024, 400, 100),
    };
    Ok(Plan {
        adapter,
        sampler,
        chains: options.chains.unwrap_or(chains),
        warmup: options.warmup.unwrap_or(warmup),
        draws: options.draws.unwrap_or(draws),
        why,
    })
}

/// The adapter to run on, `None` for the CPU, and why.
fn choose_adapter(model: &Model, options: &Options) -> Result<(Option<Adapter>, String)> {
    let cpu = |why: String| Ok((None, format!("cpu: {why}")));
    match options.backend {
        Backend::Cpu => return cpu("as asked".into()),
        Backend::Gpu => {
            let mut adapters = gpu::list_adapters()?;
            let adapter = adapters.swap_remove(gpu::choose(&adapters, options.adapter.as_deref())?);
            let why = format!("gpu: {}, as asked", adapter.name);
            return Ok((Some(adapter), why));
        }
        Backend::Auto => {}
    }
    if options.sampler == Sampler::Nuts {
        return cpu("NUTS runs there".into());
    }
    let Some(chains) = options.chains else {
        return cpu("few chains".into());
    };
    let trips = schedule(model.density_program().clone())?.trips();
    let work = chains as u64 * trips;
    if chains <= FEW_CHAINS || work < GPU_PAYS_FROM {
        return cpu(format!(
            "{chains} chains of {trips} loop trips each are too little work for a GPU (from {GPU_PAYS_FROM} on)"
        ));
    }
    let mut adapters = hardware();
    match gpu::choose(&adapters, options.adapter.as_deref()) {
        Ok(best) => {
            let adapter = adapters.swap_remove(best);
            let why = format!(
                "gpu: {}, for {chains} chains of {trips} loop trips each",
                adapter.name
            );
            Ok((Some(adapter), why))
        }
        Err(_) => cpu("no such hardware GPU is there (a software adapter is never taken by auto)".into()),
    }
}

/// The adapters that `auto` may take; none in a build without GPU support.
pub fn hardware() -> Vec<Adapter> {
    let mut adapters = gpu::list_adapters().unwrap_or_default();
    adapters.retain(|adapter| !adapter.is_software);
    adapters
}
