//! The stepped driver on a real adapter, software included.
//!
//! Every test prints the adapter. Where there is none, a test says that it was not run, or fails if
//! `TADPOOL_REQUIRE_GPU=1` is set.
#![cfg(feature = "gpu")]

use tadpool::back::kernel::DensityKernel;
use tadpool::error::{Kind, Result};
use tadpool::gpu::{Gpu, IterationResult, Plan, SteppedHmc};
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

fn kernel(wgsl: &str, dim: usize) -> DensityKernel {
    DensityKernel {
        wgsl: wgsl.into(),
        columns: Vec::new(),
        indices: Vec::new(),
        dim,
        constant: 0.0,
        loop_trips: 64,
    }
}

fn normal() -> DensityKernel {
    kernel(include_str!("wgsl/normal.wgsl"), 5)
}

const SEED: u64 = 0x1234_5678_9abc_def0;
const REPLICATE: u32 = 3;

fn plan(step_size: f64, num_leapfrog_steps: u32) -> Plan {
    Plan {
        step_size,
        num_leapfrog_steps,
    }
}

/// Standard normals of the CPU for the momentum of a chain.
fn normals(chain: u32, iteration: u32, dim: usize) -> Vec<f64> {
    let stream = Stream {
        seed: SEED,
        replicate: REPLICATE,
        chain,
        iteration,
        purpose: Purpose::Momentum,
    };
    let mut z = vec![0.0; dim];
    stream.fill_normal(&mut z);
    z
}

fn go_on(_done: usize) -> bool {
    true
}

#[test]
fn philox_words_and_normals_are_the_cpu_s() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let (chains, dim) = (300, 13);
    let mut kernel = kernel(include_str!("wgsl/streams.wgsl"), dim);
    kernel.indices = (0..chains as u32).map(|c| c * c).collect();
    let mut hmc = SteppedHmc::new(&gpu, &kernel, chains, chains, SEED, REPLICATE)?;
    let (_, gradient) = hmc.log_density_grad()?;
    for (chain, row) in gradient.chunks_exact(dim).enumerate() {
        let block = (chain * chain) as u32;
        let stream = Stream {
            seed: SEED,
            replicate: REPLICATE,
            chain: chain as u32,
            iteration: 7,
            purpose: Purpose::Momentum,
        };
        let words = stream.block(block);
        for (k, word) in words.iter().enumerate() {
            let on_device = (row[2 * k] as u32) << 16 | row[2 * k + 1] as u32;
            assert_eq!(on_device, *word, "chain {chain}, word {k}");
        }
        let mut z = vec![0.0; 4 * block as usize + 4];
        // Long streams are costly and show nothing new.
        if block < 4096 {
            stream.fill_normal(&mut z);
            for (k, expected) in z[4 * block as usize..].iter().enumerate() {
                // Radius up to 6.7; logarithm, root, polynomial and product err by a few of f32's 6e-8 each.
                let bound = 8.0 * 6e-8 * 6.7;
                assert!(
                    (row[8 + k] - expected).abs() < bound,
                    "chain {chain}: {} {expected}",
                    row[8 + k]
                );
            }
        }
        let u = (f64::from(words[0]) + 0.5) / 4_294_967_296.0;
        assert!(
            (row[12] + u.ln()).abs() < 6e-7 * -u.ln() + 1e-12,
            "{} {}",
            row[12],
            -u.ln()
        );
    }
    Ok(())
}

/// The words where rounding, signs and quadrants change, and the patterns that are not numbers.
#[test]
fn edges_of_the_uniforms_and_bad_numbers() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let mut words = vec![0, 1, 2, u32::MAX, u32::MAX - 1];
    for eighth in 1..8u32 {
        let edge = eighth << 29;
        words.extend([edge - 1, edge, edge + 1]);
    }
    let numbers = [0.0, -1.5, 3e38, 1e-45, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let chains = words.len();
    let mut kernel = kernel(include_str!("wgsl/edges.wgsl"), 4);
    kernel.indices = words.clone();
    let mut hmc = SteppedHmc::new(&gpu, &kernel, chains, 1, SEED, 0)?;
    let mut positions = vec![0.0; 4 * chains];
    for chain in 0..chains {
        positions[4 * chain] = numbers[chain % numbers.len()];
    }
    hmc.set_positions(&positions)?;
    let (_, gradient) = hmc.log_density_grad()?;
    for (chain, row) in gradient.chunks_exact(4).enumerate() {
        let u = (f64::from(words[chain]) + 0.5) / 4_294_967_296.0;
        let (sin, cos) = (std::f64::consts::TAU * u).sin_cos();
        // Absolute error of a few roundings at 1.
        assert!(
            (row[0] - cos).abs() < 3e-7 && (row[1] - sin).abs() < 3e-7,
            "{u}: {row:?} {cos} {sin}"
        );
        let exponent = -u.ln();
        assert!(
            (row[2] - exponent).abs() < 6e-7 * exponent,
            "{u}: {} {exponent}",
            row[2]
        );
        assert_eq!(row[3] == 1.0, !numbers[chain % numbers.len()].is_finite());
    }
    Ok(())
}

#[test]
fn long_sums_keep_their_digits() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let mut kernel = kernel(include_str!("wgsl/sum.wgsl"), 1);
    let mut terms = Stream {
        seed: 1,
        replicate: 0,
        chain: 0,
        iteration: 0,
        purpose: Purpose::Subsample,
    };
    kernel.columns = (0..50_000)
        .map(|i| {
            terms.chain = i;
            (-20.0 * terms.uniform()) as f32
        })
        .collect();
    kernel.loop_trips = 50_000;
    let expected: f64 = kernel.columns.iter().map(|&x| f64::from(x)).sum();
    let mut hmc = SteppedHmc::new(&gpu, &kernel, 4, 4, SEED, 0)?;
    let (sums, _) = hmc.log_density_grad()?;
    // Each addition rounds at up to 2⁴, error sd about 2⁻²⁰/√12; 50,000 of them 6e-5; five of those. Plain f32 sums
    // near 5e5 err by whole units.
    for sum in sums {
        assert!((sum - expected).abs() < 3e-4, "{sum} {expected}");
    }
    Ok(())
}

/// Leapfrog in f64, for the funnel: the final position and the energy error.
fn funnel_trajectory(start: [f64; 3], z: &[f64], inv_mass: [f64; 3], plan: Plan) -> ([f64; 3], f64) {
    let log_density =
        |q: &[f64; 3]| -0.5 * q[0] * q[0] - q[0] - 0.5 * (-q[0]).exp() * (q[1] * q[1] + q[2] * q[2]);
    let slope = |q: &[f64; 3]| {
        let weight = (-q[0]).exp();
        [
            -q[0] - 1.0 + 0.5 * weight * (q[1] * q[1] + q[2] * q[2]),
            -weight * q[1],
            -weight * q[2],
        ]
    };
    let mut q = start;
    let mut p: Vec<f64> = z.iter().zip(inv_mass).map(|(z, m)| z / m.sqrt()).collect();
    let kinetic = |p: &[f64]| p.iter().zip(inv_mass).map(|(p, m)| 0.5 * p * p * m).sum::<f64>();
    let before = kinetic(&p) - log_density(&q);
    for _ in 0..plan.num_leapfrog_steps {
        for i in 0..3 {
            p[i] += 0.5 * plan.step_size * slope(&q)[i];
        }
        for i in 0..3 {
            q[i] += plan.step_size * inv_mass[i] * p[i];
        }
        for i in 0..3 {
            p[i] += 0.5 * plan.step_size * slope(&q)[i];
        }
    }
    (q, kinetic(&p) - log_density(&q) - before)
}

#[test]
fn trajectories_agree_with_f64() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let (chains, per_ensemble) = (96, 32);
    let kernel = kernel(include_str!("wgsl/funnel.wgsl"), 3);
    let mut hmc = SteppedHmc::new(&gpu, &kernel, chains, per_ensemble, SEED, REPLICATE)?;
    let metrics = [[1.0, 1.0, 1.0], [0.5, 2.0, 0.7], [1.5, 0.3, 1.1]];
    let plans = vec![plan(0.05, 32), plan(0.1, 7), plan(0.02, 1)];
    hmc.set_inv_mass(&metrics.concat())?;
    let starts: Vec<f64> = (0..3 * chains).map(|i| 0.8 * (i as f64 * 0.37).sin()).collect();
    hmc.set_positions(&starts)?;
    let first_iteration = 11;
    let results = hmc.run(first_iteration, std::slice::from_ref(&plans), &mut go_on)?;
    let mut accepted = 0;
    for chain in 0..chains {
        let ensemble = chain / per_ensemble;
        // The device starts at the rounded position.
        let start: [f64; 3] = std::array::from_fn(|i| f64::from(starts[3 * chain + i] as f32));
        let z = normals(chain as u32, first_iteration, 3);
        let (end, error) = funnel_trajectory(start, &z, metrics[ensemble], plans[ensemble]);
        let result = &results[0];
        assert!(!result.is_divergent[chain]);
        // Some tens of operations of relative error 6e-8 per step on values up to about 5.
        assert!(
            (result.energy_error[chain] - error).abs() < 1e-4,
            "{} {error}",
            result.energy_error[chain]
        );
        let accept_prob = (-error.max(0.0)).exp();
        assert!((result.accept_prob[chain] - accept_prob).abs() < 1e-4);
        let uniform = Stream {
            seed: SEED,
            replicate: REPLICATE,
            chain: chain as u32,
            iteration: first_iteration,
            purpose: Purpose::Accept,
        }
        .uniform();
        if (uniform - accept_prob).abs() < 1e-3 {
            continue; // too close to say for f32
        }
        let expected = if uniform < accept_prob { end } else { start };
        accepted += u32::from(uniform < accept_prob);
        for i in 0..3 {
            let got = result.positions[3 * chain + i];
            assert!(
                (got - expected[i]).abs() < 5e-5,
                "chain {chain}: {got} {}",
                expected[i]
            );
        }
    }
    assert!(accepted > 60, "{accepted} of {chains} accepted");
    // 32 chains each: 32 + 7 + 1 steps, and the gradients at the start.
    assert_eq!(hmc.gradient_evaluations(), 32 * 40 + 96);
    Ok(())
}

/// Pooled over chains: mean and mean square of each coordinate, with the batch-means standard errors over chains.
fn moments(results: &[IterationResult], chains: usize, dim: usize) -> Vec<[(f64, f64); 2]> {
    (0..dim)
        .map(|i| {
            [1, 2].map(|power| {
                let of_chain: Vec<f64> = (0..chains)
                    .map(|c| {
                        let sum: f64 = results.iter().map(|r| r.positions[c * dim + i].powi(power)).sum();
                        sum / results.len() as f64
                    })
                    .collect();
                let n = chains as f64;
                let mean = of_chain.iter().sum::<f64>() / n;
                let variance = of_chain.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (n - 1.0);
                (mean, (variance / n).sqrt())
            })
        })
        .collect()
}

/// Runs `iterations` after a fifth as many that are dropped, with jittered numbers of steps, in two ensembles.
fn sample(
    gpu: &Gpu,
    kernel: &DensityKernel,
    chains: usize,
    iterations: usize,
    step_size: f64,
    most: u32,
) -> Result<Vec<IterationResult>> {
    let mut hmc = SteppedHmc::new(gpu, kernel, chains, chains / 2, SEED, 0)?;
    let plans: Vec<Vec<Plan>> = (0..iterations as u32 + iterations as u32 / 5)
        .map(|t| {
            vec![
                plan(step_size, 1 + t % most),
                plan(0.8 * step_size, 1 + (t + 3) % most),
            ]
        })
        .collect();
    let mut results = hmc.run(0, &plans, &mut go_on)?;
    Ok(results.split_off(iterations / 5))
}

#[test]
fn moments_of_the_standard_normal() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let (chains, dim) = (512, 5);
    let results = sample(&gpu, &normal(), chains, 200, 0.9, 4)?;
    for [(mean, se), (square, square_se)] in moments(&results, chains, dim) {
        assert!(mean.abs() < 4.5 * se, "mean {mean} ± {se}");
        assert!(
            (square - 1.0).abs() < 4.5 * square_se,
            "square {square} ± {square_se}"
        );
        assert!(
            se < 0.01 && square_se < 0.02,
            "the chains did not move: {se} {square_se}"
        );
    }
    // E of acceptance is below 1 with steps this long, and an energy has d/2 from each half on average.
    let n = (results.len() * chains) as f64;
    let mean = |f: fn(&IterationResult) -> &Vec<f64>| results.iter().flat_map(f).sum::<f64>() / n;
    let accept = mean(|r| &r.accept_prob);
    assert!(accept > 0.6 && accept < 0.99, "{accept}");
    // Energy is Gamma(5, 1): sd √5; iterations are correlated, so an effective tenth of them is counted on.
    let energy = mean(|r| &r.energy);
    assert!(
        (energy - 5.0).abs() < 4.5 * (5.0f64 / (n / 10.0)).sqrt(),
        "{energy}"
    );
    assert!(results.iter().all(|r| r.is_divergent.iter().all(|d| !d)));
    Ok(())
}

#[test]
fn moments_of_a_correlated_normal() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let mut kernel = kernel(include_str!("wgsl/correlated.wgsl"), 2);
    kernel.columns = vec![0.8, 1.0, 3.0];
    let chains = 512;
    let results = sample(&gpu, &kernel, chains, 200, 0.6, 6)?;
    let moments = moments(&results, chains, 2);
    for ([(mean, se), (square, square_se)], variance) in moments.into_iter().zip([1.0, 9.0]) {
        assert!(mean.abs() < 4.5 * se, "mean {mean} ± {se}");
        assert!(
            (square - variance).abs() < 4.5 * square_se,
            "square {square} ± {square_se}"
        );
    }
    let products: Vec<f64> = (0..chains)
        .map(|c| {
            let sum: f64 = results
                .iter()
                .map(|r| r.positions[2 * c] * r.positions[2 * c + 1])
                .sum();
            sum / results.len() as f64
        })
        .collect();
    let mean = products.iter().sum::<f64>() / chains as f64;
    let variance = products.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / (chains as f64 - 1.0);
    let se = (variance / chains as f64).sqrt();
    assert!((mean - 0.8 * 3.0).abs() < 4.5 * se, "covariance {mean} ± {se}");
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_draws_however_it_is_cut() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let plans: Vec<Vec<Plan>> = (0..12).map(|t| vec![plan(0.5, 1 + t % 3); 4]).collect();
    let run = |seed, replicate, cut: usize| -> Result<Vec<IterationResult>> {
        let mut hmc = SteppedHmc::new(&gpu, &normal(), 64, 16, seed, replicate)?;
        let mut results = hmc.run(5, &plans[..cut], &mut go_on)?;
        results.extend(hmc.run(5 + cut as u32, &plans[cut..], &mut go_on)?);
        Ok(results)
    };
    let whole = run(1, 0, 0)?;
    assert_eq!(whole, run(1, 0, 0)?);
    assert_eq!(whole, run(1, 0, 7)?);
    assert_ne!(whole[0].positions, run(2, 0, 0)?[0].positions);
    assert_ne!(whole[0].positions, run(1, 1, 0)?[0].positions);
    Ok(())
}

#[test]
fn bad_densities_are_rejected_and_flagged() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    for pattern in [0x7fc0_0000, 0x7f80_0000, 0xff80_0000u32, 0xffc0_0001] {
        let mut kernel = kernel(include_str!("wgsl/hole.wgsl"), 1);
        kernel.indices = vec![pattern];
        let chains = 256;
        let mut hmc = SteppedHmc::new(&gpu, &kernel, chains, chains, SEED, 0)?;
        let results = hmc.run(0, &vec![vec![plan(0.7, 2)]; 20], &mut go_on)?;
        let mut flagged = 0;
        for result in &results {
            for chain in 0..chains {
                assert!(
                    result.positions[chain] <= 0.5,
                    "{pattern:x}: a bad proposal was accepted"
                );
                assert!(result.log_density[chain].is_finite() && result.energy[chain].is_finite());
                if result.is_divergent[chain] {
                    flagged += 1;
                    assert_eq!(result.accept_prob[chain], 0.0);
                    assert_eq!(result.energy_error[chain], f64::INFINITY);
                }
            }
        }
        // About P(z > 0.5) of the moves end in the hole.
        assert!(flagged > 20 * chains / 10, "{pattern:x}: {flagged} flagged");
    }
    Ok(())
}

#[test]
fn a_stable_but_wild_trajectory_is_divergent() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    // Leapfrog on a unit normal is unstable beyond a step of 2.
    let mut hmc = SteppedHmc::new(&gpu, &normal(), 32, 32, SEED, 0)?;
    let start = vec![1.0; 160];
    hmc.set_positions(&start)?;
    let results = hmc.run(0, &[vec![plan(5.0, 3)]], &mut go_on)?;
    assert!(results[0].is_divergent.iter().all(|d| *d));
    assert!(
        results[0]
            .energy_error
            .iter()
            .all(|e| *e > 1000.0 && e.is_finite())
    );
    assert_eq!(results[0].positions, start);
    Ok(())
}

#[test]
fn the_log_density_includes_the_constant() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let mut kernel = normal();
    kernel.constant = -1e6 - 0.125;
    let mut hmc = SteppedHmc::new(&gpu, &kernel, 3, 1, SEED, 0)?;
    let positions: Vec<f64> = (0..15).map(|i| f64::from(i) * 0.25).collect();
    hmc.set_positions(&positions)?;
    let (log_density, gradient) = hmc.log_density_grad()?;
    for chain in 0..3 {
        let expected = -1e6 - 0.125 - 0.5 * positions[5 * chain..][..5].iter().map(|x| x * x).sum::<f64>();
        // Quarters and their squares are exact in f32.
        assert_eq!(log_density[chain], expected);
    }
    assert!(gradient.iter().zip(&positions).all(|(g, x)| *g == -x));
    Ok(())
}

#[test]
fn progress_counts_and_stops() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let mut hmc = SteppedHmc::new(&gpu, &normal(), 64, 64, SEED, 0)?;
    // More dispatches than ever go into one submission.
    let plans = vec![vec![plan(0.5, 3)]; 3000];
    let mut heard = Vec::new();
    let results = hmc.run(0, &plans, &mut |done| {
        heard.push(done);
        true
    })?;
    assert_eq!(results.len(), 3000);
    assert!(heard.is_sorted() && heard.last() == Some(&3000), "{heard:?}");
    let some = hmc.run(3000, &plans, &mut |done| done < 2)?;
    assert!(some.len() >= 2 && some.len() < 3000, "{}", some.len());
    // What was cut short goes on where it ended.
    let rest = hmc.run(3000 + some.len() as u32, &plans[some.len()..], &mut go_on)?;
    let mut whole = SteppedHmc::new(&gpu, &normal(), 64, 64, SEED, 0)?;
    whole.set_positions(&results[2999].positions)?;
    let expected = whole.run(3000, &plans, &mut go_on)?;
    assert_eq!([some, rest].concat(), expected);
    Ok(())
}

/// More workgroups than one dimension of the grid holds.
#[test]
fn many_chains_use_both_dimensions() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let chains = 65_535 * 64 + 3;
    let mut kernel = kernel(include_str!("wgsl/hole.wgsl"), 1);
    kernel.indices = vec![0x7fc0_0000];
    let mut hmc = SteppedHmc::new(&gpu, &kernel, chains, chains, SEED, 0)?;
    let positions: Vec<f64> = (0..chains).map(|c| -((c % 1000) as f64)).collect();
    hmc.set_positions(&positions)?;
    let (_, gradient) = hmc.log_density_grad()?;
    assert!(gradient.iter().zip(&positions).all(|(g, x)| *g == -x));
    Ok(())
}

#[test]
fn broken_wgsl_is_our_bug_and_no_panic() {
    let Some(gpu) = gpu() else { return };
    let text = "fn log_density_grad(chain: u32) -> vec2<f32> { return nonsense; }";
    let error = SteppedHmc::new(&gpu, &kernel(text, 1), 4, 4, SEED, 0).unwrap_err();
    assert_eq!(error.kind(), Kind::Bug);
    assert!(error.message().contains("nonsense"), "{error}");
    // The device is still good.
    assert!(SteppedHmc::new(&gpu, &normal(), 4, 4, SEED, 0).is_ok());
}

#[test]
fn what_does_not_fit_is_refused() {
    let Some(gpu) = gpu() else { return };
    let error = SteppedHmc::new(&gpu, &normal(), 1 << 33, 1, SEED, 0).unwrap_err();
    assert_eq!(error.kind(), Kind::User);
    assert!(error.message().contains("bytes"), "{error}");
    let mut long = normal();
    long.loop_trips = 70_000;
    let made = SteppedHmc::new(&gpu, &long, 4, 4, SEED, 0);
    if gpu.adapter().max_loop_trips().is_some() {
        let error = made.unwrap_err();
        assert!(
            error.message().contains("software Vulkan") && error.message().contains("70010"),
            "{error}"
        );
    } else {
        assert!(made.is_ok());
    }
}

#[test]
fn wrong_shapes_and_plans_are_refused() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    assert!(SteppedHmc::new(&gpu, &normal(), 10, 3, SEED, 0).is_err());
    let mut hmc = SteppedHmc::new(&gpu, &normal(), 4, 2, SEED, 0)?;
    assert!(hmc.set_positions(&[0.0; 19]).is_err());
    assert!(hmc.set_inv_mass(&[1.0; 20]).is_err());
    assert!(hmc.set_inv_mass(&[0.0; 10]).is_err());
    for bad in [plan(f64::NAN, 1), plan(-0.1, 1), plan(0.1, 0), plan(1e300, 1)] {
        assert!(
            hmc.run(0, &[vec![plan(0.1, 1), bad]], &mut go_on).is_err(),
            "{bad:?}"
        );
    }
    assert!(hmc.run(0, &[vec![plan(0.1, 1)]], &mut go_on).is_err());
    Ok(())
}

#[test]
fn adapters_are_listed_and_chosen_by_name() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let all = tadpool::gpu::list_adapters()?;
    for adapter in &all {
        println!("{adapter} {:?}", adapter.limits);
    }
    assert!(all.contains(gpu.adapter()));
    let upper = gpu.adapter().name.to_uppercase();
    assert_eq!(Gpu::open(Some(&upper))?.adapter().name, gpu.adapter().name);
    let error = Gpu::open(Some("no such card")).unwrap_err();
    assert!(error.message().contains(&gpu.adapter().name), "{error}");
    Ok(())
}
