//! Fits of the book's models and of the eight schools against their known posteriors, on every engine.
//!
//! Tolerances are Monte Carlo standard errors; the seeds, 1, 2, 3, were not chosen. Every test prints its table of fits:
//! `cargo test --release --test posteriors -- --nocapture`. Where there is no adapter, a test of the GPU says that it
//! was not run, or fails if `TADPOOL_REQUIRE_GPU=1` is set.

mod exact;
mod judge;
mod precision;
mod promises;
mod reference;
mod summary;

use std::sync::atomic::AtomicBool;

use tadpool::data::Table;
use tadpool::fit::{Backend, Fit, LogLik, Options, Sampler, fit};
use tadpool::model::Model;

use judge::{Judgement, LARGEST_RMS, Limits, is_below, judge, rms};
use reference::{CASES, Case};

const SEEDS: [u64; 3] = [1, 2, 3];

/// Where and how a fit runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Nuts,
    Hmc,
    Gpu,
}

impl Engine {
    fn name(self) -> &'static str {
        match self {
            Self::Nuts => "nuts",
            Self::Hmc => "hmc",
            Self::Gpu => "gpu",
        }
    }

    /// The settings under which the engine must meet the tolerances.
    fn options(self, seed: u64) -> Options {
        let (backend, sampler, chains, warmup, draws) = match self {
            Self::Nuts => (Backend::Cpu, Sampler::Nuts, 4, 1000, 1000),
            Self::Hmc => (Backend::Cpu, Sampler::Hmc, 256, 400, 250),
            Self::Gpu => (Backend::Gpu, Sampler::Hmc, 1024, 400, 100),
        };
        Options {
            backend,
            sampler,
            chains: Some(chains),
            warmup: Some(warmup),
            draws: Some(draws),
            seed,
            log_lik: LogLik::None,
            ..Options::default()
        }
    }

    fn limits(self, case: &Case) -> Limits {
        match self {
            Self::Nuts => Limits {
                rhat: case.nuts_rhat,
                divergent: case.nuts_divergent,
            },
            Self::Hmc | Self::Gpu => Limits {
                rhat: 1.01,
                divergent: 0.001,
            },
        }
    }
}

fn compile(name: &str, text: &str, table: &str) -> Model {
    let table = Table::from_bytes(name, table.as_bytes()).expect("a table");
    Model::new(name, text, &table).unwrap_or_else(|error| panic!("{error}"))
}

fn sample(model: &Model, options: &Options) -> Fit {
    fit(model, options, &|_| {}, &AtomicBool::new(false)).unwrap_or_else(|error| panic!("{error}"))
}

/// Whether there is an adapter; if not, says so, or fails where the environment asks for one.
fn has_gpu() -> bool {
    match tadpool::gpu::list_adapters().and_then(|adapters| {
        let best = tadpool::gpu::choose(&adapters, None)?;
        Ok(adapters[best].to_string())
    }) {
        Ok(adapter) => {
            println!("adapter: {adapter}");
            true
        }
        Err(error) if std::env::var("TADPOOL_REQUIRE_GPU").is_ok_and(|v| v == "1") => {
            panic!("TADPOOL_REQUIRE_GPU=1, but {error}")
        }
        Err(error) => {
            println!("no adapter, not run: {error}");
            false
        }
    }
}

/// Fits every case with every seed and fails with all that is not as it must be.
fn judge_all(engine: Engine) {
    println!("{}", Judgement::HEADING);
    let mut violations = Vec::new();
    let mut errors = Vec::new();
    for case in CASES {
        let model = compile(case.name, case.text, case.table);
        let expected = case.expected();
        let fits = SEEDS.map(|seed| sample(&model, &engine.options(seed)));
        let judgements = judge(&fits, &expected, engine.limits(&case));
        for (seed, judgement) in SEEDS.into_iter().zip(judgements) {
            println!("{}", judgement.line(engine.name(), case.name, seed));
            errors.extend(judgement.mean_errors());
            let found = judgement.violations.into_iter();
            violations.extend(found.map(|what| format!("{} seed {seed}: {what}", case.name)));
        }
    }
    // The numbers of one fit share their error; over all fits together a root mean square near 1 is due.
    let overall = rms(errors.iter().copied());
    println!("{}: rms of {} means {overall:.3}", engine.name(), errors.len());
    if !is_below(overall, LARGEST_RMS) {
        violations.push(format!("root mean square of all means' errors {overall:.3}"));
    }
    assert!(
        violations.is_empty(),
        "{}:\n{}",
        engine.name(),
        violations.join("\n")
    );
}

#[test]
fn nuts_meets_every_reference() {
    judge_all(Engine::Nuts);
}

#[test]
fn ensembles_on_the_cpu_meet_every_reference() {
    judge_all(Engine::Hmc);
}

#[test]
fn ensembles_on_the_gpu_meet_every_reference() {
    if has_gpu() {
        judge_all(Engine::Gpu);
    }
}
