//! What a fit is asked for, and what that comes to on this machine.

use std::time::Instant;

use super::footprint::{Footprint, available_bytes};
use crate::diag::{Interval, Prob};
use crate::error::{Error, Result};
use crate::gpu::{self, Adapter, Driver, Mapping};
use crate::model::Model;
use crate::pass::schedule::schedule;
use crate::sampler::Layout;

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

/// What is kept of the draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Every draw.
    #[default]
    All,
    /// Moments and errors over all draws, and every 2ᵏth draw: memory that does not depend on how many there are.
    Summary,
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
    /// How a GPU is driven.
    pub driver: Driver,
    /// How.
    pub sampler: Sampler,
    /// Chains: NUTS 4; HMC 64 on a CPU, 1024 on a GPU.
    pub chains: Option<usize>,
    /// Warm-up iterations: NUTS 1000, HMC 400.
    pub warmup: Option<u32>,
    /// Draws kept per chain: NUTS 1000; HMC 250 on a CPU, 100 on a GPU.
    pub draws: Option<usize>,
    /// Stops once the Monte Carlo standard error of every parameter's mean is below this many posterior sds, and R-hat
    /// is fine; `draws` is then the most that are made, by default as many as [`Plan::draws`] says.
    pub mcse: Option<f64>,
    /// Ends the run this many seconds after `started`, with the draws that it has.
    pub max_seconds: Option<f64>,
    /// What is kept of the draws.
    pub keep: Keep,
    /// Iterations per kept draw.
    pub thin: u32,
    /// Seed of every random stream.
    pub seed: u64,
    /// Acceptance that the step size is adapted to: NUTS 0.9, HMC 0.8. At 0.8 NUTS is half as dear for easy models, but
    /// the one size of step of a chain diverges where sds of few groups are large or near 0 (m12_5, the eight schools).
    pub target_accept: Option<f64>,
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
            driver: Driver::default(),
            sampler: Sampler::default(),
            chains: None,
            warmup: None,
            draws: None,
            mcse: None,
            max_seconds: None,
            keep: Keep::default(),
            thin: 1,
            seed: 1,
            target_accept: None,
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
    /// How its chains are moved, if the GPU is taken.
    pub mapping: Option<Mapping>,
    /// The algorithm.
    pub sampler: crate::sampler::Sampler,
    /// Number of chains.
    pub chains: usize,
    /// Warm-up iterations.
    pub warmup: u32,
    /// Acceptance that the step size is adapted to.
    pub target_accept: f64,
    /// Draws per chain; with a precision to stop by, the most that are made.
    pub draws: usize,
    /// The back end taken and the reason, for people.
    pub why: String,
    /// What a person should know of these numbers before the run.
    pub notes: Vec<String>,
}

/// Settles what the options leave open.
///
/// # Errors
///
/// A user error for options that contradict each other; an environment error if a GPU is demanded and there is none,
/// or if the draws would take more memory than is available.
pub fn plan(model: &Model, options: &Options) -> Result<Plan> {
    use crate::sampler::Sampler as Algorithm;
    if options.backend == Backend::Cpu && options.driver != Driver::Auto {
        return Err(
            Error::user("a driver of the GPU is asked for, and the CPU as the back end")
                .with_help("leave out `--driver`, or use `--backend gpu`"),
        );
    }
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
    let (chains, warmup, draws, target_accept) = match (sampler, &adapter) {
        (Algorithm::Nuts, _) => (4, 1000, 1000, 0.9),
        (Algorithm::Hmc, None) => (64, 400, 250, 0.8),
        (Algorithm::Hmc, Some(_)) => (1024, 400, 100, 0.8),
    };
    if options.keep == Keep::Summary && options.log_lik == LogLik::All {
        return Err(
            Error::user("the log likelihood of every draw cannot be kept where the draws are not")
                .with_help("use `--keep all`, or leave out `--log-lik all`"),
        );
    }
    let mapping = match &adapter {
        Some(adapter) => Some(Mapping::choose(&model.kernel_size()?, adapter, options.driver)),
        None => None,
    };
    let mut plan = Plan {
        adapter,
        mapping,
        sampler,
        chains: options.chains.unwrap_or(chains),
        warmup: options.warmup.unwrap_or(warmup),
        target_accept: options.target_accept.unwrap_or(target_accept),
        draws: options.draws.unwrap_or(draws),
        why,
        notes: Vec::new(),
    };
    plan.notes = plan_notes(&plan);
    let footprint = Footprint::of(model, options, &plan);
    let available = available_bytes();
    if options.mcse.is_some() && options.draws.is_none() {
        // Iterations are counted in 32 bits.
        let countable = (u32::MAX - 1).saturating_sub(plan.warmup) / options.thin.max(1);
        plan.draws = footprint
            .most_draws(plan.draws, available)
            .min(countable as usize);
    }
    footprint.fits(plan.draws, available)?;
    Ok(plan)
}

/// What the numbers of a plan lead to that nobody may expect.
fn plan_notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    let is_hmc = plan.sampler == crate::sampler::Sampler::Hmc;
    if is_hmc && Layout::of(plan.chains).ensembles == 1 {
        notes.push(format!(
            "--chains {} makes a single ensemble: nested R-hat needs two, and one ensemble uses one core; a multiple \
             of 16 from 32 on spreads over all cores",
            plan.chains
        ));
    }
    if plan.warmup == 0 {
        notes.push(
            "--warmup 0: nothing is adapted, neither step size nor scales, and the first draws are near the random \
             starting points"
                .to_owned(),
        );
    }
    notes
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
    if let Some(name) = &options.adapter {
        gpu::choose(&gpu::list_adapters()?, Some(name))?;
    }
    if options.sampler == Sampler::Nuts {
        return cpu("NUTS runs there".into());
    }
    let Some(chains) = options.chains else {
        return cpu(match options.sampler {
            Sampler::Hmc => "no number of chains was asked for".into(),
            Sampler::Auto | Sampler::Nuts => "few chains, so NUTS, which runs there".into(),
        });
    };
    if chains <= FEW_CHAINS {
        return cpu(match options.sampler {
            Sampler::Hmc => "few chains".into(),
            Sampler::Auto | Sampler::Nuts => "few chains, so NUTS, which runs there".into(),
        });
    }
    let trips = schedule(model.density_program().clone())?.trips();
    if (chains as u64).saturating_mul(trips) < GPU_PAYS_FROM {
        return cpu(format!(
            "{chains} chains of a model this small are too little work for a GPU"
        ));
    }
    let mut adapters = hardware();
    match gpu::choose(&adapters, options.adapter.as_deref()) {
        Ok(best) => {
            let adapter = adapters.swap_remove(best);
            let why = format!("gpu: {}, as there are many chains", adapter.name);
            Ok((Some(adapter), why))
        }
        Err(_) => cpu(match &options.adapter {
            Some(name) => format!("the adapter `{name}` is software, which is only taken with --backend gpu"),
            None => "no hardware GPU".into(),
        }),
    }
}

/// The adapters that `auto` may take; none in a build without GPU support.
pub fn hardware() -> Vec<Adapter> {
    let mut adapters = gpu::list_adapters().unwrap_or_default();
    adapters.retain(|adapter| !adapter.is_software);
    adapters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_ensembles_and_no_warmup_are_told() {
        let told = |chains, warmup| {
            let plan = Plan {
                adapter: None,
                mapping: None,
                sampler: crate::sampler::Sampler::Hmc,
                chains,
                warmup,
                target_accept: 0.8,
                draws: 10,
                why: String::new(),
                notes: Vec::new(),
            };
            plan_notes(&plan)
        };
        assert!(told(64, 100).is_empty() && told(32, 100).is_empty());
        assert!(told(37, 100)[0].contains("single ensemble"));
        assert!(told(64, 0)[0].contains("nothing is adapted"));
        assert_eq!(told(4, 0).len(), 2);
    }
}
