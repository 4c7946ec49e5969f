//! Gradients per second of the GPU drivers on m12_2, stepped and fused in each form, against the CPU's code, by number of
//! chains, all in one run; centred as written, and with learned centring weights. Rows of batches give each ensemble data
//! of its own.
//!
//! `cargo bench --bench fused [CHAINS …] [steps=N] [thin=N] [only=WORDS]`: of every `thin` iterations (1) the fused driver
//! returns the last, the others stay on the device; `only` takes the rows with these words. The first line names the adapter, and whether it is software. Rows take turns,
//! so that a change of the machine's speed meets all of them alike; rates are medians over rounds, per second and, for
//! software adapters and the CPU, per core-second of this process.

use std::time::Instant;

use tadpool::back::evaluate::{Density, Evaluator};
use tadpool::back::kernel::{Form, Memory};
use tadpool::back::simd::{InstructionSet, LANES};
use tadpool::back::wgsl::data_of;
use tadpool::data::Table;
use tadpool::error::{Error, Result};
use tadpool::gpu::{BatchData, FusedHmc, Gpu, IterationResult, Plan, SteppedHmc};
use tadpool::lang::LowerOptions;
use tadpool::model::Model;
use tadpool::rng::{Purpose, Stream};

const ROUNDS: usize = 5;
/// Leapfrog steps of a row's rounds, whatever the length of a trajectory, unless `steps=N` tells.
const STEPS: u32 = 512;
/// Lengths of trajectories: momentum, acceptance and draws cost as much as some steps.
const LENGTHS: [u32; 2] = [16, 64];
const ENSEMBLE: usize = 16;

/// Seconds that this process has spent on all cores, where the system tells (Linux); else those that have passed.
fn core_seconds(since: Instant) -> f64 {
    let ticks = |text: String| -> Option<f64> {
        // Fields 14 and 15, user and system time in hundredths of a second, counted after the name in brackets.
        let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
        let user: f64 = fields.next()?.parse().ok()?;
        let system: f64 = fields.next()?.parse().ok()?;
        Some((user + system) / 100.0)
    };
    std::fs::read_to_string("/proc/self/stat")
        .ok()
        .and_then(ticks)
        .unwrap_or_else(|| since.elapsed().as_secs_f64())
}

enum Work<'a> {
    Stepped(SteppedHmc),
    Fused(FusedHmc),
    Cpu(Box<dyn Evaluator + 'a>),
}

struct Row<'a> {
    name: &'static str,
    work: Work<'a>,
    /// Per second, per core-second.
    rates: Vec<(f64, f64)>,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Row<'_> {
    /// Runs a round; returns its gradients.
    fn round(&mut self, round: usize, plans: &[Vec<Plan>], positions: &[f64], dim: usize) -> Result<u64> {
        let first = (round * plans.len()) as u32;
        let steps: u64 = plans
            .iter()
            .flatten()
            .map(|plan| u64::from(plan.num_leapfrog_steps) * ENSEMBLE as u64)
            .sum();
        let check = |results: &[IterationResult]| {
            let last = &results[results.len() - 1].accept_prob;
            let accept = last.iter().sum::<f64>() / last.len() as f64;
            assert!(accept > 0.5, "a mean acceptance of {accept} is no sampling");
        };
        match &mut self.work {
            Work::Stepped(hmc) => check(&hmc.run(first, plans, &mut |_| true)?),
            Work::Fused(hmc) => check(&hmc.run(first, plans, &mut |_| true)?),
            Work::Cpu(worker) => {
                let lanes = worker.lanes();
                let (mut log_density, mut gradient) = (vec![0.0; lanes], vec![0.0; dim * lanes]);
                let mut total = 0.0;
                let sweeps = (300_000 * lanes / positions.len() * dim).max(1) as u64;
                for _ in 0..sweeps {
                    for block in positions.chunks_exact(dim * lanes) {
                        worker.log_density_grad(block, &mut log_density, &mut gradient);
                        total += log_density[0] + gradient[0];
                    }
                }
                assert!(total.is_finite());
                return Ok(sweeps * (positions.len() / dim) as u64);
            }
        }
        Ok(steps)
    }
}

/// What is asked for on the command line.
struct Asked {
    sizes: Vec<usize>,
    steps: u32,
    thin: u32,
    only: String,
}

impl Asked {
    fn wants(&self, row: &str) -> bool {
        row.contains(&self.only)
    }
}

impl Asked {
    fn read() -> Self {
        let mut asked = Self {
            sizes: Vec::new(),
            steps: STEPS,
            thin: 1,
            only: String::new(),
        };
        for arg in std::env::args() {
            if let Ok(chains) = arg.parse() {
                asked.sizes.push(chains);
            } else if let Some(Ok(steps)) = arg.strip_prefix("steps=").map(str::parse) {
                asked.steps = steps;
            } else if let Some(Ok(thin)) = arg.strip_prefix("thin=").map(str::parse) {
                asked.thin = thin;
            } else if let Some(only) = arg.strip_prefix("only=") {
                asked.only = only.into();
            }
        }
        if asked.sizes.is_empty() {
            asked.sizes.push(4096);
        }
        asked
    }
}

fn bench(gpu: &Gpu, model: &Model, chains: usize, length: u32, asked: &Asked) -> Result<()> {
    let dim = model.dim();
    let mut positions = vec![0.0; dim * chains];
    Stream {
        seed: 1,
        replicate: 0,
        chain: 0,
        iteration: 0,
        purpose: Purpose::Initial,
    }
    .fill_normal(&mut positions);
    let fused = |form, memory| FusedHmc::new(gpu, &model.fused_kernel(form, memory)?, chains, ENSEMBLE, 1, 0);
    let scalar = model
        .density()
        .clone()
        .with_instruction_set(InstructionSet::Scalar)?;
    let mut batch = BatchData::default();
    let (columns, constant) = data_of(model.density_program());
    for replicate in 0..(chains / ENSEMBLE) as u32 {
        batch.push(replicate, 1, &columns, constant);
    }
    let mut rows = Vec::new();
    let unrolled = |memory| Some((Form::Unrolled, memory));
    let arrays = Some((Form::Arrays, Memory::Held));
    for (name, form, is_batch) in [
        ("stepped", None, false),
        ("stepped, a batch", None, true),
        ("fused, arrays", arrays, false),
        ("fused, arrays, a batch", arrays, true),
        ("fused, unrolled", unrolled(Memory::Held), false),
        ("fused, unrolled, a batch", unrolled(Memory::Held), true),
        (
            "fused, unrolled, start in buffers",
            unrolled(Memory::Buffers),
            false,
        ),
        (
            "fused, unrolled, start in buffers, a batch",
            unrolled(Memory::Buffers),
            true,
        ),
    ]
    .into_iter()
    .filter(|(name, ..)| asked.wants(name))
    {
        let start = Instant::now();
        let work = match form {
            None => Work::Stepped(match is_batch {
                false => SteppedHmc::new(gpu, &model.kernel()?, chains, ENSEMBLE, 1, 0)?,
                true => SteppedHmc::with_batch(gpu, &model.batch_kernel()?, &batch, ENSEMBLE, 1)?,
            }),
            Some((form, memory)) => {
                let mut hmc = match is_batch {
                    false => fused(form, memory)?,
                    true => {
                        let kernel = model.batch_fused_kernel(form, memory)?;
                        FusedHmc::with_batch(gpu, &kernel, &batch, ENSEMBLE, 1)?
                    }
                };
                hmc.set_thin(asked.thin);
                Work::Fused(hmc)
            }
        };
        println!("{name}: made in {:.2} s", start.elapsed().as_secs_f64());
        rows.push(Row {
            name,
            work,
            rates: Vec::new(),
        });
    }
    for (name, density, lanes) in [
        ("CPU f64, one number at a time", &scalar, 1),
        ("CPU f64, rows in lanes", model.density(), 1),
        ("CPU f64, chains in lanes", model.density(), LANES),
    ]
    .into_iter()
    .filter(|(name, ..)| asked.wants(name))
    {
        rows.push(Row {
            name,
            work: Work::Cpu(density.evaluator(lanes)),
            rates: Vec::new(),
        });
    }
    let plan = Plan {
        step_size: 1.6 / f64::from(length),
        num_leapfrog_steps: length,
    };
    let plans = vec![vec![plan; chains / ENSEMBLE]; (asked.steps / length) as usize];
    let origin = Instant::now();
    for round in 0..=ROUNDS {
        for row in &mut rows {
            let (start, cores) = (Instant::now(), core_seconds(origin));
            let gradients = row.round(round, &plans, &positions, dim)? as f64;
            let seconds = start.elapsed().as_secs_f64();
            let cores = core_seconds(origin) - cores;
            // The first round compiles and finds the pace.
            if round > 0 {
                row.rates.push((gradients / seconds, gradients / cores));
            }
        }
    }
    let medians: Vec<(f64, f64)> = rows
        .iter()
        .map(|row| {
            (
                median(row.rates.iter().map(|rate| rate.0).collect()),
                median(row.rates.iter().map(|rate| rate.1).collect()),
            )
        })
        .collect();
    println!(
        "\n{}, {chains} chains | per second | per core-second | × stepped | × CPU, one number at a time",
        model.name()
    );
    let times = |yardstick: &str, by_core: f64| match rows.iter().position(|row| row.name == yardstick) {
        Some(row) => format!("{:.2}", by_core / medians[row].1),
        None => "-".into(),
    };
    for (row, &(rate, by_core)) in rows.iter().zip(&medians) {
        println!(
            "{} | {rate:.3e} | {by_core:.3e} | {} | {}",
            row.name,
            times("stepped", by_core),
            times("CPU f64, one number at a time", by_core)
        );
    }
    Ok(())
}

fn main() -> Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data/reedfrogs");
    let table = Table::from_path(format!("{folder}/reedfrogs.csv").as_ref())?;
    let text = std::fs::read_to_string(format!("{folder}/m12_2.tad"))
        .map_err(|error| Error::environment(error.to_string()))?;
    let gpu = Gpu::open(None)?;
    println!("adapter: {}", gpu.adapter());
    let asked = Asked::read();
    println!("fused rows return one of {} iterations", asked.thin);
    for (name, centring) in [("m12_2, centred", Some(true)), ("m12_2, weights as data", None)] {
        let options = LowerOptions {
            centring,
            ..LowerOptions::default()
        };
        let model = Model::with_options(name, &text, &table, &options)?;
        for &chains in &asked.sizes {
            for length in LENGTHS {
                bench(&gpu, &model, chains, length, &asked)?;
            }
        }
    }
    Ok(())
}
