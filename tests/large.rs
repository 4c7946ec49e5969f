//! Long tables on the device that splits rows over threads: against f64 on small models and large, and draw by draw
//! against the driver with a thread per chain. And fits of a million rows, on the CPU and there (`--ignored`, as README says).
//!
//! Every test prints the adapter. Where there is none, a test says that it was not run, or fails if
//! `TADPOOL_REQUIRE_GPU=1` is set.
#![cfg(feature = "gpu")]

use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;

use tadpool::back::evaluate::Density;
use tadpool::data::Table;
use tadpool::error::Result;
use tadpool::fit::{self, Backend, LogLik, Options, Report};
use tadpool::gpu::{Gpu, Plan, RowsHmc, SteppedHmc};
use tadpool::model::Model;
use tadpool::rng::{Purpose, Stream};

/// The device, or none where the machine has no adapter and the environment does not ask for one.
fn gpu() -> Option<Gpu> {
    match Gpu::open(None) {
        Ok(gpu) => {
            println!("adapter: {}", gpu.adapter());
            Some(gpu)
        }
        Err(error) if std::env::var("TADPOOL_REQUIRE_GPU").is_ok_and(|v| v == "1") => {
            panic!("TADPOOL_REQUIRE_GPU=1, but {error}")
        }
        Err(error) => {
            println!("no adapter, not run: {error}");
            None
        }
    }
}

fn stream(chain: u32) -> Stream {
    Stream {
        seed: 17,
        replicate: 0,
        chain,
        iteration: 0,
        purpose: Purpose::Subsample,
    }
}

fn normals(chain: u32, n: usize) -> Vec<f64> {
    let mut z = vec![0.0; n];
    stream(chain).fill_normal(&mut z);
    z
}

/// `rows` rows with a real outcome `y`, a binary one `s`, a count `n`, a covariate `x`, a factor `g` of `groups` levels in no order, a
/// factor `h` of three, and a factor `u` that is nearly one level alone.
fn table(rows: usize, groups: usize) -> Result<Table> {
    let (x, noise, effect) = (normals(0, rows), normals(1, rows), normals(2, groups));
    let mut text = String::from("y,s,n,x,g,h,u\n");
    for row in 0..rows {
        let words = stream(3).block(row as u32);
        let (group, third) = (words[0] as usize % groups, words[1] % 3);
        let mean = 0.4 + 0.5 * effect[group] + 0.7 * x[row];
        let y = mean + 0.8 * noise[row];
        let success = f64::from(words[2]) < 4_294_967_296.0 / (1.0 + (-mean).exp());
        let count = poisson(mean.exp(), (f64::from(words[3]) + 0.5) / 4_294_967_296.0);
        let nearly = if words[3].is_multiple_of(50) {
            words[3] % 7
        } else {
            7
        };
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{y:.6},{},{count},{:.6},{group},{third},{nearly}",
            u8::from(success),
            x[row]
        );
    }
    Table::from_bytes("simulated", text.as_bytes())
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

const NORMAL: &str = "
    y ~ Normal(mu, sigma)
    mu = a + b * x + a_g[g]
    a_g[g] ~ Normal(0, tau)
    a ~ Normal(0, 1)
    b ~ Normal(0, 1)
    tau ~ HalfNormal(1)
    sigma ~ HalfNormal(1)
";
const POISSON: &str = "
    n ~ Poisson(rate)
    log(rate) = a + b * x + a_g[g]
    a_g[g] ~ Normal(0, tau)
    a ~ Normal(0, 1)
    b ~ Normal(0, 1)
    tau ~ HalfNormal(1)
";
const BERNOULLI: &str = "
    s ~ Bernoulli(p)
    logit(p) = a + b * x + a_g[g]
    a_g[g] ~ Normal(0, tau)
    a ~ Normal(0, 1)
    b ~ Normal(0, 1)
    tau ~ HalfNormal(1)
";
/// Three crossed factors, one of them with a level that holds nearly all rows, slopes, and a heavy-tailed outcome.
const CROSSED: &str = "
    y ~ StudentT(5, mu, sigma)
    mu = a + a_g[g] + b_g[g] * x + a_h[h] + a_u[u]
    a_g[g] ~ Normal(0, tau)
    b_g[g] ~ Normal(m, 1)
    a_h[h] ~ Normal(0, 1)
    a_u[u] ~ Normal(0, 2)
    a ~ Normal(0, 1)
    m ~ Normal(0, 1)
    tau ~ HalfNormal(1)
    sigma ~ Exponential(1)
";

/// Positions, `[chain][dim]`, that f32 holds exactly: normals of standard deviation `scale`.
fn positions(chains: usize, dim: usize, scale: f64) -> Vec<f64> {
    let all = (0..chains as u32).flat_map(|chain| normals(10 + chain, dim));
    all.map(|z| f64::from((scale * z) as f32)).collect()
}

fn norm(x: impl IntoIterator<Item = f64>) -> f64 {
    x.into_iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn driver(gpu: &Gpu, model: &Model, chains: usize, seed: u64) -> Result<RowsHmc> {
    RowsHmc::new(gpu, &model.rows_kernel()?, chains, chains, seed, 0)
}

/// Value and gradient of the model as written, in f64.
fn check_against_reference(gpu: &Gpu, model: &Model) -> Result<()> {
    let (chains, dim) = (5, model.dim());
    let positions = positions(chains, dim, 0.5);
    let mut device = driver(gpu, model, chains, 1)?;
    device.set_positions(&positions)?;
    let (values, gradients) = device.log_density_grad()?;
    for chain in 0..chains {
        let wanted = model.evaluate_reference(&positions[chain * dim..][..dim])?;
        let off = (values[chain] - wanted.log_density).abs();
        // As the other device kernels are held to: terms are off by some ten roundings of f32 each.
        let bound = 2e-4_f64.max(4e-7 * wanted.log_density.abs());
        assert!(
            off <= bound,
            "{}: {} {}",
            model.name(),
            values[chain],
            wanted.log_density
        );
        let found = &gradients[chain * dim..][..dim];
        let distance = norm(found.iter().zip(&wanted.gradient).map(|(a, b)| a - b));
        let size = norm(wanted.gradient.iter().copied());
        assert!(
            distance <= 1e-5 * size,
            "{}: gradient off by {distance:e} of {size:e}\n{found:?}\n{:?}",
            model.name(),
            wanted.gradient
        );
    }
    Ok(())
}

#[test]
fn small_models_agree_with_the_reference() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data");
    for (model, data) in [
        ("reedfrogs/m12_2", "reedfrogs/reedfrogs"),
        ("chimpanzees/m12_5", "chimpanzees/chimpanzees"),
        ("eight_schools/eight_schools", "eight_schools/eight_schools"),
    ] {
        let table = Table::from_path(format!("{folder}/{data}.csv").as_ref())?;
        let text = std::fs::read_to_string(format!("{folder}/{model}.tad"))
            .map_err(|error| tadpool::Error::environment(error.to_string()))?;
        check_against_reference(&gpu, &Model::new(model, &text, &table)?)?;
    }
    let table = table(5000, 70)?;
    for (name, text) in [("normal", NORMAL), ("bernoulli", BERNOULLI), ("crossed", CROSSED)] {
        check_against_reference(&gpu, &Model::new(name, text, &table)?)?;
    }
    Ok(())
}

#[test]
fn draws_are_those_of_the_stepped_driver() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let model = Model::new("bernoulli", BERNOULLI, &table(300, 20)?)?;
    let (chains, size, dim) = (24, 8, model.dim());
    let plan = |step_size, num_leapfrog_steps| Plan {
        step_size,
        num_leapfrog_steps,
    };
    let plans = vec![
        vec![plan(0.02, 5), plan(0.05, 3), plan(0.03, 1)],
        vec![plan(0.03, 2), plan(0.02, 6), plan(0.01, 6)],
        vec![plan(0.9, 4), plan(0.03, 2), plan(0.02, 7)],
    ];
    let metric: Vec<f64> = (0..3 * dim).map(|i| 0.5 + (i % 7) as f64 / 4.0).collect();
    let start = positions(chains, dim, 0.3);
    let mut stepped = SteppedHmc::new(&gpu, &model.kernel()?, chains, size, 9, 2)?;
    let mut split = RowsHmc::new(&gpu, &model.rows_kernel()?, chains, size, 9, 2)?;
    stepped.set_positions(&start)?;
    split.set_positions(&start)?;
    stepped.set_inv_mass(&metric)?;
    split.set_inv_mass(&metric)?;
    let expected = stepped.run(4, &plans, &mut |_| true)?;
    let found = split.run(4, &plans, &mut |_| true)?;
    let mut moved = 0;
    for (found, expected) in found.iter().zip(&expected) {
        for chain in 0..chains {
            let (a, b) = (found.energy_error[chain], expected.energy_error[chain]);
            assert!(
                a == b || (a - b).abs() <= 1e-3 * (1.0 + b.abs()),
                "chain {chain}: {a} {b}"
            );
            assert_eq!(found.is_divergent[chain], expected.is_divergent[chain]);
            let of_chain = chain * dim..(chain + 1) * dim;
            let off = norm(
                found.positions[of_chain.clone()]
                    .iter()
                    .zip(&expected.positions[of_chain.clone()])
                    .map(|(a, b)| a - b),
            );
            // A chain that accepts in one and refuses in the other would be off by whole units.
            assert!(off < 1e-3, "chain {chain}: positions off by {off}");
            moved += usize::from(found.accept_prob[chain] > 0.5);
        }
    }
    assert!(moved > chains, "hardly a proposal was taken: {moved}");
    assert_eq!(split.gradient_evaluations(), stepped.gradient_evaluations());
    // Cut into blocks the run is the same, to the last bit.
    split.set_positions(&start)?;
    let mut cut = split.run(4, &plans[..1], &mut |_| true)?;
    cut.extend(split.run(5, &plans[1..], &mut |_| true)?);
    assert_eq!(cut, found);
    Ok(())
}

/// Places as far from each other as draws of the posterior: the simulated truth, moved by about the posterior's standard
/// deviations. Far from there a rounded scale moves all rows the same way, and errors are larger.
fn near_the_truth(model: &Model, rows: usize, groups: usize, chains: usize) -> Result<Vec<f64>> {
    let (effect, root) = (normals(2, groups), (rows as f64).sqrt());
    let mut all = Vec::new();
    // Counts grow faster with an effect than they fall: the mean of e to the power of the deviations below is e to this.
    let excess = if model.name() == "poisson" {
        0.5 * 0.1 * 0.1
    } else {
        0.0
    };
    for chain in 0..chains as u32 {
        let z = normals(20 + chain, groups + 4);
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
        let position = model.position(&named[..named.len() - usize::from(model.name() != "normal")])?;
        all.extend(position.iter().map(|&x| f64::from(x as f32)));
    }
    Ok(all)
}

/// The standard deviation, over places near the truth, of the device's log density less that of f64.
fn error_sd(gpu: &Gpu, name: &str, text: &str, rows: usize) -> Result<f64> {
    let groups = rows / 100;
    let model = Model::new(name, text, &table(rows, groups)?)?;
    let dim = model.dim();
    let positions = near_the_truth(&model, rows, groups, PLACES)?;
    let mut device = driver(gpu, &model, PLACES, 1)?;
    device.set_positions(&positions)?;
    let (values, _) = device.log_density_grad()?;
    let mut worker = model.density().evaluator(1);
    let mut gradient = vec![0.0; dim];
    let errors: Vec<f64> = values
        .iter()
        .zip(positions.chunks(dim))
        .map(|(value, position)| {
            let mut exact = [0.0];
            worker.log_density_grad(position, &mut exact, &mut gradient);
            value - exact[0]
        })
        .collect();
    let mean = errors.iter().sum::<f64>() / PLACES as f64;
    let sd = norm(errors.iter().map(|e| e - mean)) / (PLACES as f64 - 1.0).sqrt();
    println!("{name}, {rows} rows: log density off by {mean:.2e} ± {sd:.2e}");
    Ok(sd)
}

/// Places at which the error is taken.
const PLACES: usize = 32;

/// A million rows may be off by 1e-3. Errors of single rows add up like the root of their number, which leaves 1e-3/√10 to
/// 100,000; errors that rows share, of an intercept's low bits or of a scale, add up like the number itself, and would
/// spoil the larger table unnoticed. So the growth from a tenth of the rows is held to the root law as well.
#[test]
fn long_tables_keep_the_digits_of_the_log_density() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    for (name, text) in [("normal", NORMAL), ("bernoulli", BERNOULLI), ("poisson", POISSON)] {
        let (tenth, whole) = (
            error_sd(&gpu, name, text, 10_000)?,
            error_sd(&gpu, name, text, 100_000)?,
        );
        let root = 10.0_f64.sqrt();
        assert!(whole <= 1e-3 / root, "{name}: {whole}");
        // The relative standard error of the ratio of two standard deviations; 4 of them keep clear of 10.
        let noise = (1.0 / (PLACES as f64 - 1.0)).sqrt();
        assert!(
            whole <= root * (1.0 + 4.0 * noise) * tenth,
            "{name}: {tenth} grows to {whole}"
        );
    }
    Ok(())
}

const MILLION: usize = 1_000_000;

/// The report on ensemble HMC of a million rows and 10,000 groups.
fn fit_million(model: &Model, backend: Backend, chains: usize, warmup: u32, draws: usize) -> Result<Report> {
    let options = Options {
        backend,
        sampler: fit::Sampler::Hmc,
        chains: Some(chains),
        warmup: Some(warmup),
        draws: Some(draws),
        log_lik: LogLik::None,
        ..Options::default()
    };
    let plan = fit::plan(model, &options)?;
    let (fit, report) = fit::fit_as_planned(model, &options, &plan, &|_| {}, &AtomicBool::new(false))?;
    println!(
        "{} on {}: {} s, {:?}",
        model.name(),
        plan.why,
        fit.run.timing["total_seconds"],
        report.verdict
    );
    Ok(report)
}

/// The most memory that this process has had, bytes; none where the system does not say.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim()
        .strip_suffix(" kB")?
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

/// Fits pass their diagnostics in less than 2 GB, and find the groups that were simulated: among 10,000 intervals that hold
/// with 89 %, the share that hold errs by 0.3 %.
#[test]
#[ignore = "takes minutes; tests/run runs it"]
fn a_million_rows_are_fitted_on_the_cpu() -> Result<()> {
    let groups = MILLION / 100;
    let (effects, table) = (normals(2, groups), table(MILLION, groups)?);
    for (name, text, warmup, draws) in [("normal", NORMAL, 200, 150), ("bernoulli", BERNOULLI, 160, 100)] {
        let model = Model::new(name, text, &table)?;
        let report = fit_million(&model, Backend::Cpu, 64, warmup, draws)?;
        let verdict = &report.verdict;
        assert!(verdict.ok, "{name}: {:?}", verdict.messages);
        assert!(verdict.nested_rhat.is_some_and(|rhat| rhat < 1.01));
        let of_groups: Vec<_> = report.rows.iter().filter(|row| row.quantity == "a_g").collect();
        assert_eq!(of_groups.len(), groups);
        let held = of_groups.iter().filter(|row| {
            let label = row.name.trim_start_matches("a_g[").trim_end_matches(']');
            let truth = label
                .parse::<usize>()
                .map_or(f64::NAN, |group| 0.5 * effects[group]);
            (row.summary.lower..=row.summary.upper).contains(&truth)
        });
        let share = held.count() as f64 / groups as f64;
        // The simulated effects' own mean, some 0.005, is part of the intercept to the model: a twentieth of an effect's sd.
        assert!(
            (share - 0.89).abs() < 0.015,
            "{name}: {share} of the intervals hold"
        );
    }
    let peak = peak_bytes();
    println!("peak memory {peak:?}");
    assert!(peak.is_none_or(|bytes| bytes < 2_000_000_000), "{peak:?}");
    Ok(())
}

/// A few hundred iterations on the device, with the posterior means of the CPU.
#[test]
#[ignore = "takes a quarter of an hour on a software adapter; tests/run runs it"]
fn a_million_rows_are_fitted_on_the_device() -> Result<()> {
    if gpu().is_none() {
        return Ok(());
    }
    let table = table(MILLION, MILLION / 100)?;
    let model = Model::new("normal", NORMAL, &table)?;
    let on_cpu = fit_million(&model, Backend::Cpu, 64, 200, 150)?;
    let on_device = fit_million(&model, Backend::Gpu, 16, 80, 100)?;
    assert_eq!(on_device.verdict.divergences, 0);
    let errors: Vec<f64> = on_cpu
        .rows
        .iter()
        .zip(&on_device.rows)
        .map(|(cpu, device)| {
            let (cpu, device) = (&cpu.summary, &device.summary);
            (cpu.mean - device.mean) / cpu.mcse_mean.hypot(device.mcse_mean)
        })
        .collect();
    let rms = norm(errors.iter().copied()) / (errors.len() as f64).sqrt();
    let largest = errors.iter().fold(0.0f64, |most, error| most.max(error.abs()));
    println!("means differ by {rms:.3} standard errors (root mean square), at most {largest:.2}");
    // Standard errors of 1,600 draws are themselves known to some percent, and 16 chains of 100 draws are no more than that.
    // Of 10,000 normals one in 30 runs has one beyond 4.7.
    assert!(rms < 1.15, "{rms}");
    assert!(largest < 6.0, "{largest}");
    Ok(())
}
