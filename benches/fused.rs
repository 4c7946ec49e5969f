//! Gradients per second of the GPU drivers on m12_2, stepped and fused in each form, against the CPU's code with one
//! lane and with eight, by number of chains, all in one run.
//!
//! `cargo bench --bench fused [CHAINS …]`; the first line names the adapter, and whether it is software. Rows take turns,
//! so that a change of the machine's speed meets all of them alike; rates are medians over rounds, per second and, for
//! software adapters and the CPU, per core-second of this process.

use std::time::Instant;

use tadpool::back::evaluate::Density;
use tadpool::back::kernel::{Form, Memory};
use tadpool::back::simd::{LANES, SimdDensity};
use tadpool::data::Table;
use tadpool::error::{Error, Result};
use tadpool::gpu::{FusedHmc, Gpu, IterationResult, Plan, SteppedHmc};
use tadpool::model::Model;
use tadpool::rng::{Purpose, Stream};

const ROUNDS: usize = 7;
const ITERATIONS: u32 = 32;
const STEPS: u32 = 16;
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
    Cpu(&'a SimdDensity, usize),
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
    fn round(&mut self, round: usize, plans: &[Vec<Plan>], positions: &[f64]) -> Result<u64> {
        let first = round as u32 * ITERATIONS;
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
            Work::Cpu(density, lanes) => {
                let dim = density.dim();
                let mut worker = density.evaluator(*lanes);
                let (mut log_density, mut gradient) = (vec![0.0; *lanes], vec![0.0; dim * *lanes]);
                let mut total = 0.0;
                let sweeps = (400_000 * *lanes / positions.len() * dim).max(1) as u64;
                for _ in 0..sweeps {
                    for block in positions.chunks_exact(dim * *lanes) {
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

fn bench(gpu: &Gpu, model: &Model, chains: usize) -> Result<()> {
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
    let fused = |form| {
        FusedHmc::new(
            gpu,
            &model.fused_kernel(form, Memory::Held)?,
            chains,
            ENSEMBLE,
            1,
            0,
        )
    };
    let mut rows = Vec::new();
    for (name, form) in [
        ("stepped", None),
        ("fused, arrays", Some(Form::Arrays)),
        ("fused, unrolled", Some(Form::Unrolled)),
    ] {
        let start = Instant::now();
        let work = match form {
            None => Work::Stepped(SteppedHmc::new(gpu, &model.kernel()?, chains, ENSEMBLE, 1, 0)?),
            Some(form) => Work::Fused(fused(form)?),
        };
        println!("{name}: made in {:.2} s", start.elapsed().as_secs_f64());
        rows.push(Row {
            name,
            work,
            rates: Vec::new(),
        });
    }
    for (name, lanes) in [("CPU f64, 1 lane", 1), ("CPU f64, 8 lanes", LANES)] {
        rows.push(Row {
            name,
            work: Work::Cpu(model.density(), lanes),
            rates: Vec::new(),
        });
    }
    let plan = Plan {
        step_size: 0.1,
        num_leapfrog_steps: STEPS,
    };
    let plans = vec![vec![plan; chains / ENSEMBLE]; ITERATIONS as usize];
    let origin = Instant::now();
    for round in 0..=ROUNDS {
        for row in &mut rows {
            let (start, cores) = (Instant::now(), core_seconds(origin));
            let gradients = row.round(round, &plans, &positions)? as f64;
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
    println!("\n{chains} chains | per second | per core-second | × stepped | × CPU, 1 lane");
    for (row, (rate, by_core)) in rows.iter().zip(&medians) {
        println!(
            "{} | {rate:.3e} | {by_core:.3e} | {:.2} | {:.2}",
            row.name,
            by_core / medians[0].1,
            by_core / medians[3].1
        );
    }
    Ok(())
}

fn main() -> Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data/reedfrogs");
    let table = Table::from_path(format!("{folder}/reedfrogs.csv").as_ref())?;
    let text = std::fs::read_to_string(format!("{folder}/m12_2.tad"))
        .map_err(|error| Error::environment(error.to_string()))?;
    let model = Model::new("m12_2", &text, &table)?;
    let gpu = Gpu::open(None)?;
    println!("adapter: {}", gpu.adapter());
    let given: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let sizes = if given.is_empty() { vec![4096] } else { given };
    for chains in sizes {
        bench(&gpu, &model, chains)?;
    }
    Ok(())
}
