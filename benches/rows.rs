//! Cost of a gradient on long tables, and the error of the device's log density, by number of rows.
//!
//! `cargo bench --bench rows` simulates tables of 10⁴ to 10⁶ rows with a hundredth as many groups and one continuous
//! covariate, and prints Markdown: time per gradient on one core of the CPU (1 lane and 8 lanes) and on the best GPU
//! adapter with rows split over threads, each also per row, and the standard deviation of the device's error against f64
//! over 32 positions. Times are medians over rounds; drivers take turns in each round. Numbers of rows and names of
//! models as arguments run those alone; `csv ROWS` prints the simulated table instead, for `tadpool fit`.

use std::fmt::Write as _;
use std::time::Instant;

use tadpool::back::evaluate::{Density, Evaluator};
use tadpool::back::simd::LANES;
use tadpool::data::Table;
use tadpool::error::Result;
use tadpool::gpu::{Gpu, Plan, RowsHmc};
use tadpool::model::Model;
use tadpool::rng::{Purpose, Stream};

const ROWS: [usize; 5] = [10_000, 30_000, 100_000, 300_000, 1_000_000];
/// Chains on the device, as few as such tables are run with.
const CHAINS: usize = 16;
/// Positions whose log density is compared with f64.
const COMPARED: usize = 32;
const ROUNDS: usize = 5;
/// Row evaluations of a timed stretch on the CPU, so that short tables are measured as long as others.
const WORK: usize = 3_000_000;
const MODELS: [(&str, &str); 3] = [
    (
        "Normal",
        "y ~ Normal(mu, sigma)
        mu = a + b * x + a_g[g]
        a_g[g] ~ Normal(0, tau)
        a ~ Normal(0, 1)
        b ~ Normal(0, 1)
        tau ~ HalfNormal(1)
        sigma ~ HalfNormal(1)",
    ),
    (
        "Bernoulli",
        "s ~ Bernoulli(p)
        logit(p) = a + b * x + a_g[g]
        a_g[g] ~ Normal(0, tau)
        a ~ Normal(0, 1)
        b ~ Normal(0, 1)
        tau ~ HalfNormal(1)",
    ),
    (
        "Poisson",
        "n ~ Poisson(rate)
        log(rate) = a + b * x + a_g[g]
        a_g[g] ~ Normal(0, tau)
        a ~ Normal(0, 1)
        b ~ Normal(0, 1)
        tau ~ HalfNormal(1)",
    ),
];

fn stream(chain: usize) -> Stream {
    Stream {
        seed: 17,
        replicate: 0,
        chain: chain as u32,
        iteration: 0,
        purpose: Purpose::Subsample,
    }
}

fn normals(chain: usize, n: usize) -> Vec<f64> {
    let mut z = vec![0.0; n];
    stream(chain).fill_normal(&mut z);
    z
}

/// A simulated table as CSV.
fn table(rows: usize) -> String {
    let groups = rows / 100;
    let (x, noise, effect) = (normals(0, rows), normals(1, rows), normals(2, groups));
    let mut text = String::from("y,s,n,x,g\n");
    for row in 0..rows {
        let words = stream(3).block(row as u32);
        let group = words[0] as usize % groups;
        let mean = 0.4 + 0.5 * effect[group] + 0.7 * x[row];
        let y = mean + 0.8 * noise[row];
        let success = f64::from(words[2]) < 4_294_967_296.0 / (1.0 + (-mean).exp());
        let count = poisson(mean.exp(), (f64::from(words[3]) + 0.5) / 4_294_967_296.0);
        // Writing to a string does not fail.
        let _ = writeln!(text, "{y:.6},{},{count},{:.6},{group}", u8::from(success), x[row]);
    }
    text
}

/// The smallest count whose distribution function reaches `u`.
fn poisson(rate: f64, u: f64) -> u32 {
    let (mut count, mut prob) = (0, (-rate).exp());
    let mut below = prob;
    while below < u && prob > 0.0 {
        count += 1;
        prob *= rate / f64::from(count);
        below += prob;
    }
    count
}

fn median(seconds: &mut [f64]) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Seconds per gradient of one chain.
fn on_cpu(worker: &mut dyn Evaluator, position: &[f64], rows: usize) -> f64 {
    let lanes = worker.lanes();
    let dim = position.len();
    let block: Vec<f64> = position.iter().flat_map(|&x| vec![x; lanes]).collect();
    let (mut log_density, mut gradient) = (vec![0.0; lanes], vec![0.0; dim * lanes]);
    let times = (WORK / (rows * lanes)).max(1);
    let start = Instant::now();
    for _ in 0..times {
        worker.log_density_grad(std::hint::black_box(&block), &mut log_density, &mut gradient);
        std::hint::black_box(&gradient);
    }
    start.elapsed().as_secs_f64() / (times * lanes) as f64
}

/// Seconds per gradient of one chain, in whole iterations of 16 leapfrog steps.
fn on_device(hmc: &mut RowsHmc, iteration: u32) -> Result<f64> {
    let plan = Plan {
        step_size: 1e-4,
        num_leapfrog_steps: 16,
    };
    let before = hmc.gradient_evaluations();
    let start = Instant::now();
    hmc.run(iteration, &[vec![plan]], &mut |_| true)?;
    Ok(start.elapsed().as_secs_f64() / (hmc.gradient_evaluations() - before) as f64)
}

/// Places as far from each other as draws of the posterior: the simulated truth, moved by about the posterior's standard
/// deviations; `[position][dim]`.
fn near_the_truth(model: &Model, rows: usize, count: usize) -> Result<Vec<f64>> {
    let groups = rows / 100;
    let (effect, root) = (normals(2, groups), (rows as f64).sqrt());
    let mut all = Vec::new();
    // Counts grow faster with an effect than they fall: the mean of e to the power of the deviations below is e to this.
    let excess = if model.name() == "Poisson" {
        0.5 * 0.1 * 0.1
    } else {
        0.0
    };
    for place in 0..count {
        let z = normals(20 + place, groups + 4);
        // An intercept is known as well as the mean of the effects beside it.
        let shift = 0.5 * z[groups] / (groups as f64).sqrt();
        let a_g = effect
            .iter()
            .zip(&z)
            .map(|(e, z)| 0.5 * e + 0.1 * z - shift - excess);
        let named = [
            ("a_g", a_g.collect()),
            ("a", vec![0.4 + shift]),
            ("b", vec![0.7 + z[groups + 1] / root]),
            ("tau", vec![0.5 + 0.02 * z[groups + 2]]),
            ("sigma", vec![0.8 + 0.6 * z[groups + 3] / root]),
        ];
        let has_sigma = model.name() == "Normal";
        let position = model.position(&named[..named.len() - usize::from(!has_sigma)])?;
        all.extend(position.iter().map(|&x| f64::from(x as f32)));
    }
    Ok(all)
}

/// Mean and standard deviation of the device's log density less that of f64.
fn error(model: &Model, rows: usize, gpu: &Gpu) -> Result<(f64, f64)> {
    let dim = model.dim();
    let positions = near_the_truth(model, rows, COMPARED)?;
    let mut hmc = RowsHmc::new(gpu, &model.rows_kernel()?, COMPARED, COMPARED, 1, 0)?;
    hmc.set_positions(&positions)?;
    let (values, _) = hmc.log_density_grad()?;
    let mut worker = model.evaluator(1);
    let mut gradient = vec![0.0; dim];
    let mut errors = Vec::new();
    for (value, position) in values.iter().zip(positions.chunks(dim)) {
        let mut exact = [0.0];
        worker.log_density_grad(position, &mut exact, &mut gradient);
        errors.push(value - exact[0]);
    }
    let mean = errors.iter().sum::<f64>() / COMPARED as f64;
    let squares: f64 = errors.iter().map(|error| (error - mean).powi(2)).sum();
    Ok((mean, (squares / (COMPARED as f64 - 1.0)).sqrt()))
}

fn bench(name: &str, text: &str, rows: usize, gpu: &Gpu) -> Result<()> {
    let table = Table::from_bytes("simulated", table(rows).as_bytes())?;
    let start = Instant::now();
    let model = Model::new(name, text, &table)?;
    let compiled = start.elapsed().as_secs_f64();
    let dim = model.dim();
    let position = near_the_truth(&model, rows, 1)?;
    let (mean, sd) = error(&model, rows, gpu)?;
    let mut hmc = RowsHmc::new(gpu, &model.rows_kernel()?, CHAINS, CHAINS, 1, 0)?;
    hmc.set_positions(&position.repeat(CHAINS))?;
    let (mut one, mut eight) = (model.evaluator(1), model.evaluator(LANES));
    let mut seconds = [const { Vec::new() }; 3];
    for round in 0..=ROUNDS {
        let found = [
            on_cpu(&mut *one, &position, rows),
            on_cpu(&mut *eight, &position, rows),
            on_device(&mut hmc, round as u32)?,
        ];
        // The first round warms caches and learns the pace of submissions.
        if round > 0 {
            seconds.iter_mut().zip(found).for_each(|(all, s)| all.push(s));
        }
    }
    let cells: Vec<String> = seconds
        .iter_mut()
        .map(|seconds| {
            let seconds = median(seconds);
            format!("{:.3} | {:.2}", seconds * 1e3, seconds / rows as f64 * 1e9)
        })
        .collect();
    println!(
        "| {name} | {rows} | {dim} | {compiled:.2} | {} | {mean:.1e} | {sd:.1e} |",
        cells.join(" | ")
    );
    Ok(())
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let asked: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    if args.first().is_some_and(|arg| arg == "csv") {
        asked.iter().for_each(|rows| print!("{}", table(*rows)));
        return Ok(());
    }
    let is_asked = |name: &str, rows: usize| {
        let named = |other: &str| MODELS.iter().any(|(known, _)| *known == other);
        (asked.is_empty() || asked.contains(&rows))
            && (!args.iter().any(|arg| named(arg)) || args.iter().any(|arg| arg == name))
    };
    let gpu = Gpu::open(None)?;
    println!(
        "Adapter: {}; {CHAINS} chains; median of {ROUNDS} rounds.\n",
        gpu.adapter()
    );
    println!(
        "| model | rows | d | compile s | 1 lane ms | ns/row | 8 lanes ms | ns/row | device ms | ns/row | error mean | error sd |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (name, text) in MODELS {
        for rows in ROWS {
            if is_asked(name, rows) {
                bench(name, text, rows, &gpu)?;
            }
        }
    }
    Ok(())
}
