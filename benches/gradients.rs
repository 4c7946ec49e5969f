//! Gradients per core-second of the CPU back end: one number at a time, and in lanes.
//!
//! `cargo bench --bench gradients` evaluates log density and gradient of each model at the positions of 4,096 chains (of 256 with one lane),
//! on one core, with each instruction set that the processor has, all in one run. Rates are medians over rounds; the
//! rounds of all rows take turns, so that a change of the machine's speed meets all of them alike.
//!
//! Rows that say `alone` ask for the gradient without the density, as all steps of a trajectory but the last do.
//!
//! Then the same inside the sampler: trajectories of ten steps, whose rate is compared with that of bare gradients. And
//! one chain on a table of 100,000 rows that do not merge (Bernoulli, 2,000 groups, two covariates), where the vectors
//! run over rows, beside a plain loop written by hand.

use std::time::Instant;

use tadpool::back::evaluate::Density;
use tadpool::back::simd::{InstructionSet, LANES, SimdDensity};
use tadpool::data::Table;
use tadpool::error::Result;
use tadpool::model::Model;
use tadpool::rng::{Purpose, Stream};
use tadpool::sampler::{CpuEngine, Engine, Plan, Sampler, Settings};

const CHAINS: usize = 4096;
/// As many where an evaluation takes long: a round is to be shorter than the time that a busy machine gives at once.
const FEW_CHAINS: usize = 256;
const ROUNDS: usize = 101;
const MODELS: [(&str, &str); 3] = [
    ("reedfrogs/m12_2", "reedfrogs/reedfrogs"),
    ("chimpanzees/m12_5", "chimpanzees/chimpanzees"),
    ("eight_schools/eight_schools", "eight_schools/eight_schools"),
];

struct Row {
    driver: &'static str,
    lanes: usize,
    chains: usize,
    density: SimdDensity,
    /// Whether the gradient is asked for without the density, as in all steps of a trajectory but the last.
    alone: bool,
    seconds: Vec<f64>,
}

/// One evaluation of every chain; the sum of the log densities keeps the work from being optimised away.
fn round(row: &Row, positions: &[f64], dim: usize) -> f64 {
    let mut worker = row.density.evaluator(row.lanes);
    let (mut log_density, mut gradient) = (vec![0.0; row.lanes], vec![0.0; dim * row.lanes]);
    let mut total = 0.0;
    for block in positions[..row.chains * dim].chunks(dim * row.lanes) {
        if row.alone {
            worker.grad(block, &mut gradient);
        } else {
            worker.log_density_grad(block, &mut log_density, &mut gradient);
        }
        total += log_density[0] + gradient[0];
    }
    total
}

fn median(seconds: &[f64]) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Gradients per second within trajectories of ten steps: momenta, kicks, drifts, energies, decisions included.
fn in_sampler(model: &Model, positions: &[f64]) -> Result<f64> {
    const STEPS: u32 = 10;
    let density = model.density();
    let settings = Settings {
        sampler: Sampler::Hmc,
        chains: FEW_CHAINS,
        warmup: 0,
        draws: 1,
        thin: 1,
        seed: 1,
        replicate: 0,
        target_accept: 0.8,
        directions: true,
        threads: 1,
    };
    let mut engine = CpuEngine::new(density, &settings, 0, FEW_CHAINS);
    engine.set_positions(&positions[..FEW_CHAINS * model.dim()])?;
    let plan = Plan {
        step_size: 0.01,
        num_leapfrog_steps: STEPS,
    };
    let mut seconds = Vec::new();
    for round in 0..ROUNDS as u32 {
        let start = Instant::now();
        engine.run(round, &[vec![plan]], &mut |_| true)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    Ok((FEW_CHAINS as u32 * STEPS) as f64 / median(&seconds))
}

/// The log density and gradient of the rows, as one would write them down: η, softplus and inv_logit by the library's
/// exponential and logarithm, sums by factor in memory.
fn plain_rows(rows: &Rows, levels: &[f64], slopes: [f64; 2], gradient: &mut [f64]) -> f64 {
    gradient.fill(0.0);
    let groups = levels.len();
    let mut log_density = 0.0;
    for i in 0..rows.y.len() {
        let group = rows.group[i];
        let eta = levels[group] + slopes[0] * rows.x[0][i] + slopes[1] * rows.x[1][i];
        let t = (-eta.abs()).exp();
        log_density += rows.y[i] * eta - (eta.max(0.0) + t.ln_1p());
        let p = if eta < 0.0 { t } else { 1.0 } / (1.0 + t);
        let residual = rows.y[i] - p;
        gradient[group] += residual;
        gradient[groups] += residual * rows.x[0][i];
        gradient[groups + 1] += residual * rows.x[1][i];
    }
    log_density
}

struct Rows {
    y: Vec<f64>,
    group: Vec<usize>,
    x: [Vec<f64>; 2],
}

fn rows() -> Result<()> {
    const COUNT: usize = 100_000;
    const GROUPS: usize = 2000;
    let stream = |chain| Stream {
        seed: 2,
        replicate: 0,
        chain,
        iteration: 0,
        purpose: Purpose::Initial,
    };
    let normals = |chain, count| {
        let mut normals = vec![0.0; count];
        stream(chain).fill_normal(&mut normals);
        normals
    };
    let x = [normals(0, COUNT), normals(1, COUNT)];
    let (levels, noise) = (normals(2, GROUPS), normals(3, COUNT));
    let group: Vec<usize> = (0..COUNT).map(|i| i * GROUPS / COUNT).collect();
    let eta = |i: usize| levels[group[i]] + 0.5 * x[0][i] - 0.4 * x[1][i] + noise[i];
    let y: Vec<f64> = (0..COUNT).map(|i| f64::from(u8::from(eta(i) > 0.0))).collect();
    let mut text = String::from("y,g,x1,x2\n");
    for i in 0..COUNT {
        text += &format!("{},g{:04},{},{}\n", y[i], group[i], x[0][i], x[1][i]);
    }
    let table = Table::from_bytes("rows.csv", text.as_bytes())?;
    let text = "y ~ Bernoulli(p)\nlogit(p) = a_g[g] + b1*x1 + b2*x2\na_g[g] ~ Normal(a, s)\n\
                a, b1, b2 ~ Normal(0, 1)\ns ~ HalfCauchy(1)\n";
    let model = Model::new("rows", text, &table)?;
    let dim = model.dim();
    let position = normals(4, dim);
    let sets = [
        (InstructionSet::Scalar, "scalar"),
        (InstructionSet::Baseline, "baseline"),
        (InstructionSet::Avx2, "AVX2"),
        (InstructionSet::Avx512, "AVX-512"),
    ];
    let mut densities = Vec::new();
    for (set, name) in sets.into_iter().filter(|(set, _)| set.is_available()) {
        let density = SimdDensity::new(model.density_program().clone())?.with_instruction_set(set)?;
        densities.push((name, density, Vec::new()));
    }
    let data = Rows { y, group, x };
    let (mut plain, mut plain_gradient) = (Vec::new(), vec![0.0; GROUPS + 2]);
    let (mut log_density, mut gradient) = ([0.0], vec![0.0; dim]);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        std::hint::black_box(plain_rows(&data, &levels, [0.5, -0.4], &mut plain_gradient));
        plain.push(start.elapsed().as_secs_f64());
        for (_, density, seconds) in &mut densities {
            let mut worker = density.evaluator(1);
            worker.log_density_grad(&position, &mut log_density, &mut gradient);
            let start = Instant::now();
            worker.log_density_grad(&position, &mut log_density, &mut gradient);
            std::hint::black_box(&mut gradient);
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    println!(
        "Bernoulli rows, {COUNT} rows, {GROUPS} groups, two covariates, one chain, median of {ROUNDS} rounds"
    );
    let plain = median(&plain);
    let report = |name: &str, seconds: f64| {
        println!(
            "  {name:16} {:7.1} million rows per core-second  {:5.2} × plain loop",
            COUNT as f64 / seconds * 1e-6,
            plain / seconds,
        );
    };
    report("plain loop", plain);
    for (name, _, seconds) in &densities {
        report(name, median(seconds));
    }
    Ok(())
}

fn bench(model: &str, table: &str) -> Result<()> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data");
    let table = Table::from_path(format!("{folder}/{table}.csv").as_ref())?;
    let text = std::fs::read_to_string(format!("{folder}/{model}.tad"))
        .map_err(|error| tadpool::Error::environment(error.to_string()))?;
    let model = Model::new(model, &text, &table)?;
    let dim = model.dim();
    let mut positions = vec![0.0; dim * CHAINS];
    Stream {
        seed: 1,
        replicate: 0,
        chain: 0,
        iteration: 0,
        purpose: Purpose::Initial,
    }
    .fill_normal(&mut positions);
    let mut rows = Vec::new();
    for (set, lanes, driver) in [
        (InstructionSet::Scalar, 1, "scalar"),
        (InstructionSet::Baseline, 1, "rows, baseline"),
        (InstructionSet::Baseline, LANES, "lanes, baseline"),
        (InstructionSet::Avx2, 1, "rows, AVX2"),
        (InstructionSet::Avx2, LANES, "lanes, AVX2"),
        (InstructionSet::Avx512, 1, "rows, AVX-512"),
        (InstructionSet::Avx512, LANES, "lanes, AVX-512"),
    ] {
        if set.is_available() {
            let density = model.density().clone().with_instruction_set(set)?;
            let row = |alone| Row {
                driver,
                lanes,
                chains: if lanes == 1 { FEW_CHAINS } else { CHAINS },
                density: density.clone(),
                alone,
                seconds: Vec::new(),
            };
            rows.push(row(false));
            if lanes == LANES {
                rows.push(row(true));
            }
        }
    }
    for _ in 0..ROUNDS {
        for row in &mut rows {
            let start = Instant::now();
            std::hint::black_box(round(row, std::hint::black_box(&positions), dim));
            row.seconds.push(start.elapsed().as_secs_f64());
        }
    }
    println!(
        "{} (d = {dim}), {CHAINS} chains ({FEW_CHAINS} for rows and the sampler), one core, median of {ROUNDS} rounds",
        model.name()
    );
    let scalar = median(&rows[0].seconds) / rows[0].chains as f64;
    for row in &rows {
        let seconds = median(&row.seconds) / row.chains as f64;
        let what = if row.alone { ", alone" } else { "" };
        println!(
            "  {:22} {:2} lanes  {:7.3} million gradients per core-second  {:5.2} × scalar",
            format!("{}{what}", row.driver),
            row.lanes,
            1e-6 / seconds,
            scalar / seconds,
        );
    }
    let bare = rows
        .iter()
        .rfind(|row| !row.alone)
        .map_or(f64::NAN, |row| CHAINS as f64 / median(&row.seconds));
    let inside = in_sampler(&model, &positions)?;
    println!(
        "  {:22} {LANES:2} lanes  {:7.3} million gradients per core-second  {:5.2} × bare",
        "in the sampler",
        inside * 1e-6,
        inside / bare,
    );
    Ok(())
}

fn main() -> Result<()> {
    for (model, table) in MODELS {
        bench(model, table)?;
    }
    rows()
}
