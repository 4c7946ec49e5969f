//! Effective draws per gradient of ensemble HMC, and what each part of it buys.
//!
//! `cargo bench --bench ess` fits every model with five seeds under every setting and prints a markdown table: the bulk
//! ESS of the parameter that has least, per gradient of the sampling phase and per gradient of the whole run (medians
//! over the seeds, with their range), leapfrog steps per trajectory, the share of divergent draws (mean over the seeds)
//! and the largest nested R-hat (maximum over parameters and seeds). `-- NAME…` takes only the models named.
//!
//! The last row of a model is not a setting of tadpool's: it is what a dense metric would buy if it were known. A run
//! without directions gives the centring and the covariance of its first ensemble's draws; the next samples coordinates in
//! which they are fixed and this covariance is the identity.
//!
//! `-- --time NAME…` measures time instead: effective draws per second of one thread without and with directions, in turns.

mod simulated;

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use simulated::Simulated;

use tadpool::back::evaluate::{Density, Evaluator};
use tadpool::data::Table;
use tadpool::diag::{Chains, ess_bulk, rhat_nested};
use tadpool::error::Result;
use tadpool::lang::{LowerOptions, QuantityKind};
use tadpool::model::Model;
use tadpool::sampler::{self, Sampler, Samples, Settings, State, Watch};

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
const CHAINS: usize = 64;
const WARMUP: u32 = 400;
const DRAWS: usize = 400;
/// Seeds that are timed.
const TURNS: u64 = 9;

/// What is switched on, each with all before it.
struct Setting {
    name: &'static str,
    options: LowerOptions,
    directions: bool,
}

const fn setting(name: &'static str, centring: Option<bool>, ridges: bool, directions: bool) -> Setting {
    Setting {
        name,
        options: LowerOptions {
            centring,
            ridges,
            alike: false,
        },
        directions,
    }
}

const SETTINGS: [Setting; 4] = [
    setting("non-centred", Some(false), false, false),
    setting("+ learned λ", None, false, false),
    setting("+ ridge shift", None, true, false),
    setting("+ directions", None, true, true),
];

struct Case {
    name: &'static str,
    text: String,
    table: Table,
}

fn file(name: &'static str, folder: &str, table: &str) -> Result<Case> {
    let folder = format!("{}/data/{folder}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(format!("{folder}/{name}.tad"))
        .map_err(|error| tadpool::Error::environment(error.to_string()))?;
    Ok(Case {
        name,
        text,
        table: Table::from_path(format!("{folder}/{table}.csv").as_ref())?,
    })
}

/// A simulated one.
fn simulated(name: &'static str, case: Simulated) -> Result<Case> {
    Ok(Case {
        name,
        text: case.text.into(),
        table: Table::from_bytes(&format!("{name}.csv"), case.csv.as_bytes())?,
    })
}

fn cases() -> Result<Vec<Case>> {
    Ok(vec![
        file("m12_1", "reedfrogs", "reedfrogs")?,
        file("m12_2", "reedfrogs", "reedfrogs")?,
        file("m12_3", "ponds", "ponds")?,
        file("m12_4", "chimpanzees", "chimpanzees")?,
        file("m12_5", "chimpanzees", "chimpanzees")?,
        file("eight_schools", "eight_schools", "eight_schools")?,
        file("radon_slopes", "radon_slopes", "radon_slopes")?,
        simulated("informed", simulated::informed())?,
        simulated("crossed", simulated::crossed())?,
        simulated("collinear", simulated::collinear())?,
    ])
}

struct Outcome {
    /// Least bulk ESS.
    least: f64,
    /// Of the sampling phase.
    gradients: f64,
    /// Least bulk ESS per gradient of the sampling phase.
    sampling: f64,
    /// Least bulk ESS per gradient, warm-up included.
    total: f64,
    /// Of the draws.
    divergent: f64,
    nested_rhat: f64,
    steps: f64,
    /// The parameter with least.
    worst: String,
}

fn settings(seed: u64, directions: bool) -> Settings {
    Settings {
        sampler: Sampler::Hmc,
        chains: CHAINS,
        warmup: WARMUP,
        draws: DRAWS,
        thin: 1,
        seed,
        replicate: 0,
        target_accept: 0.8,
        directions,
        threads: 1,
    }
}

fn sample_from(density: &dyn Density, settings: &Settings, state: &State) -> Result<Samples> {
    let watch = Watch {
        observer: &|_| {},
        stop: &AtomicBool::new(false),
    };
    sampler::run(density, settings, state, watch)
}

fn sample(density: &dyn Density, seed: u64, directions: bool) -> Result<Samples> {
    let settings = settings(seed, directions);
    sample_from(density, &settings, &State::dispersed(density, &settings)?)
}

/// The codes of an ensemble's centring.
fn codes(samples: &Samples, ensemble: usize) -> &[u32] {
    let all = samples
        .state
        .tuning
        .as_ref()
        .map_or(&[][..], |tuning| &tuning.centring);
    let levels = all.len() / samples.ensembles;
    &all[ensemble * levels..(ensemble + 1) * levels]
}

fn run(model: &Model, seed: u64, directions: bool) -> Result<Outcome> {
    judge(model, &sample(model, seed, directions)?)
}

/// What the draws of a run of `model` are worth.
fn judge(model: &Model, samples: &Samples) -> Result<Outcome> {
    let mut named = vec![Vec::new(); model.lowered().quantities.len()];
    let ensemble = samples.positions.len() / samples.ensembles;
    for (e, positions) in samples.positions.chunks_exact(ensemble).enumerate() {
        let values = model.named_values_in(codes(samples, e), positions);
        for (all, part) in named.iter_mut().zip(values) {
            all.extend(part);
        }
    }
    outcome(model, samples, &named)
}

/// A model in coordinates z, x = mean + L z, with its centring fixed.
struct Whitened<'m> {
    model: &'m Model,
    codes: Vec<u32>,
    mean: Vec<f64>,
    /// L, lower triangular, `[dim][dim]`.
    factor: Vec<f64>,
}

impl<'m> Whitened<'m> {
    /// By the first ensemble of a run: its codes, and mean and covariance of its draws.
    fn by(model: &'m Model, samples: &Samples) -> Self {
        let dim = samples.dim;
        let draws = &samples.positions[..samples.positions.len() / samples.ensembles];
        let count = (draws.len() / dim) as f64;
        let mut mean = vec![0.0; dim];
        for draw in draws.chunks_exact(dim) {
            mean.iter_mut().zip(draw).for_each(|(m, x)| *m += x / count);
        }
        let mut factor = vec![0.0; dim * dim];
        for draw in draws.chunks_exact(dim) {
            for i in 0..dim {
                for j in 0..=i {
                    factor[i * dim + j] += (draw[i] - mean[i]) * (draw[j] - mean[j]) / count;
                }
            }
        }
        // Cholesky in place.
        for i in 0..dim {
            for j in 0..=i {
                let inner: f64 = (0..j).map(|k| factor[i * dim + k] * factor[j * dim + k]).sum();
                let rest = factor[i * dim + j] - inner;
                factor[i * dim + j] = if i == j {
                    rest.sqrt()
                } else {
                    rest / factor[j * dim + j]
                };
            }
        }
        Self {
            model,
            codes: codes(samples, 0).to_vec(),
            mean,
            factor,
        }
    }

    /// x from z: `[dim][lane]` both.
    fn unwhiten(&self, z: &[f64], x: &mut [f64]) {
        let dim = self.mean.len();
        let lanes = z.len() / dim;
        for i in 0..dim {
            for lane in 0..lanes {
                let moved: f64 = (0..=i)
                    .map(|j| self.factor[i * dim + j] * z[j * lanes + lane])
                    .sum();
                x[i * lanes + lane] = self.mean[i] + moved;
            }
        }
    }
}

impl Density for Whitened<'_> {
    fn dim(&self) -> usize {
        self.mean.len()
    }

    fn evaluator(&self, lanes: usize) -> Box<dyn Evaluator + '_> {
        let mut inner = self.model.evaluator(lanes);
        inner.set_centring(&self.codes);
        Box::new(WhitenedEvaluator {
            of: self,
            inner,
            position: vec![0.0; self.mean.len() * lanes],
            gradient: vec![0.0; self.mean.len() * lanes],
        })
    }
}

struct WhitenedEvaluator<'w> {
    of: &'w Whitened<'w>,
    inner: Box<dyn Evaluator + 'w>,
    position: Vec<f64>,
    gradient: Vec<f64>,
}

impl Evaluator for WhitenedEvaluator<'_> {
    fn lanes(&self) -> usize {
        self.inner.lanes()
    }

    fn log_density_grad(&mut self, position: &[f64], log_density: &mut [f64], gradient: &mut [f64]) {
        self.of.unwhiten(position, &mut self.position);
        self.inner
            .log_density_grad(&self.position, log_density, &mut self.gradient);
        let (dim, lanes) = (self.of.mean.len(), self.inner.lanes());
        for j in 0..dim {
            for lane in 0..lanes {
                gradient[j * lanes + lane] = (j..dim)
                    .map(|i| self.of.factor[i * dim + j] * self.gradient[i * lanes + lane])
                    .sum();
            }
        }
    }
}

/// A run with a dense metric.
fn run_dense(model: &Model, seed: u64) -> Result<Outcome> {
    let whitened = Whitened::by(model, &sample(model, seed + 1000, false)?);
    let samples = sample(&whitened, seed, false)?;
    let mut positions = samples.positions.clone();
    for (z, x) in samples
        .positions
        .chunks_exact(samples.dim)
        .zip(positions.chunks_exact_mut(samples.dim))
    {
        whitened.unwhiten(z, x);
    }
    let named = model.named_values_in(&whitened.codes, &positions);
    outcome(model, &samples, &named)
}

/// What the draws of a run, `named` in its quantities' order, are worth.
fn outcome(model: &Model, samples: &Samples, named: &[Vec<f64>]) -> Result<Outcome> {
    let (mut least, mut nested_rhat, mut worst) = (f64::INFINITY, 0.0f64, String::new());
    for (quantity, values) in model.lowered().quantities.iter().zip(named) {
        if quantity.kind == QuantityKind::Derived {
            continue;
        }
        let len = values.len() / (samples.chains * samples.draws);
        for element in 0..len {
            let draws: Vec<f64> = values.iter().skip(element).step_by(len).copied().collect();
            let chains = Chains::new(&draws, samples.chains)?;
            nested_rhat = nested_rhat.max(rhat_nested(chains, samples.chains / samples.ensembles));
            let ess = ess_bulk(chains);
            if ess < least {
                least = ess;
                worst = match len {
                    1 => quantity.name.clone(),
                    _ => format!("{}[{}]", quantity.name, element + 1),
                };
            }
        }
    }
    let gradients = samples.gradient_evaluations as f64;
    let sampling = gradients - samples.warmup_gradient_evaluations as f64;
    let cells = (samples.chains * samples.draws) as f64;
    Ok(Outcome {
        least,
        gradients: sampling,
        sampling: least / sampling,
        total: least / gradients,
        divergent: samples.is_divergent.iter().filter(|d| **d).count() as f64 / cells,
        nested_rhat,
        steps: sampling / cells,
        worst,
    })
}

/// Least, median and greatest of a number of the outcomes.
fn range(outcomes: &[Outcome], of: impl Fn(&Outcome) -> f64) -> [f64; 3] {
    let mut values: Vec<f64> = outcomes.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    [values[0], values[values.len() / 2], values[values.len() - 1]]
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wanted: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let is_wanted = |case: &Case| wanted.is_empty() || wanted.iter().any(|name| *name == case.name);
    if arguments.iter().any(|argument| argument == "--time") {
        return times(cases()?.iter().filter(|case| is_wanted(case)));
    }
    println!("{CHAINS} chains, {WARMUP} iterations of warm-up, {DRAWS} draws, seeds {SEEDS:?}\n");
    println!(
        "| model | d | setting | ESS per gradient | range | with warm-up | steps | divergent | nested R-hat | least: |"
    );
    println!("| --- | --: | --- | --: | --- | --: | --: | --: | --: | --- |");
    for case in cases()? {
        if !is_wanted(&case) {
            continue;
        }
        for (place, setting) in SETTINGS.iter().enumerate() {
            let model = Model::with_options(case.name, &case.text, &case.table, &setting.options)?;
            row(&case, setting.name, &model, |model, seed| {
                run(model, seed, setting.directions)
            })?;
            if place + 1 == SETTINGS.len() {
                row(&case, "(known covariance)", &model, run_dense)?;
            }
        }
    }
    Ok(())
}

/// Runs all seeds and prints their row.
fn row(
    case: &Case,
    setting: &str,
    model: &Model,
    run: impl Fn(&Model, u64) -> Result<Outcome>,
) -> Result<()> {
    let outcomes: Vec<Outcome> = SEEDS
        .iter()
        .map(|&seed| run(model, seed))
        .collect::<Result<_>>()?;
    let [low, median, high] = range(&outcomes, |o| o.sampling);
    println!(
        "| {} | {} | {setting} | {median:.4} | {low:.4} to {high:.4} | {:.4} | {:.1} | {:.1e} | {:.4} | {} |",
        case.name,
        model.dim(),
        range(&outcomes, |o| o.total)[1],
        range(&outcomes, |o| o.steps)[1],
        outcomes.iter().map(|o| o.divergent).sum::<f64>() / SEEDS.len() as f64,
        range(&outcomes, |o| o.nested_rhat)[2],
        outcomes[0].worst,
    );
    Ok(())
}

/// Prints the effective draws per second of every case.
fn times<'c>(cases: impl Iterator<Item = &'c Case>) -> Result<()> {
    println!(
        "{CHAINS} chains, {WARMUP} iterations of warm-up, {DRAWS} draws, one thread; medians of {TURNS} seeds in turns\n"
    );
    println!(
        "| model | d | work | directions | ESS/s | with warm-up | gradients/s | warm-up, ms | draws, ms |"
    );
    println!("| --- | --: | --: | --- | --: | --: | --: | --: | --: |");
    for case in cases {
        let model = Model::new(case.name, &case.text, &case.table)?;
        let mut measured: [Vec<[f64; 5]>; 2] = Default::default();
        for seed in 1..=TURNS {
            for directions in [false, true] {
                measured[usize::from(directions)].push(time(&model, seed, directions)?);
            }
        }
        for (rows, name) in measured.iter().zip(["without", "with"]) {
            let median = |of: usize| {
                let mut values: Vec<f64> = rows.iter().map(|row| row[of]).collect();
                values.sort_by(f64::total_cmp);
                values[values.len() / 2]
            };
            println!(
                "| {} | {} | {:.0} | {name} | {:.0} | {:.0} | {:.3e} | {:.1} | {:.1} |",
                case.name,
                model.dim(),
                model.work(),
                median(0),
                median(1),
                median(2),
                median(3),
                median(4),
            );
        }
    }
    Ok(())
}

/// ESS per second without and with warm-up, gradients per second, milliseconds of warm-up and of the draws.
fn time(model: &Model, seed: u64, directions: bool) -> Result<[f64; 5]> {
    let settings = settings(seed, directions);
    let start = State::dispersed(model, &settings)?;
    let warm = Settings {
        draws: 1,
        ..settings.clone()
    };
    let begun = Instant::now();
    let ready = sample_from(model, &warm, &start)?;
    let warmup = begun.elapsed().as_secs_f64();
    let tuned = Settings {
        warmup: 0,
        ..settings
    };
    let begun = Instant::now();
    let samples = sample_from(model, &tuned, &ready.state)?;
    let draws = begun.elapsed().as_secs_f64();
    let outcome = judge(model, &samples)?;
    Ok([
        outcome.least / draws,
        outcome.least / (warmup + draws),
        outcome.gradients / draws,
        1e3 * warmup,
        1e3 * draws,
    ])
}
