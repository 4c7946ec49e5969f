//! Stationary moments in Monte Carlo standard errors, seeds fixed and not searched.

use tadpool::back::kernel::DensityKernel;
use tadpool::error::Result;
use tadpool::gpu::{Gpu, IterationResult, Plan, SteppedHmc};

use crate::{SEED, go_on, gpu, kernel, normal, plan};

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
    let mut kernel = kernel(include_str!("../wgsl/correlated.wgsl"), 2);
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
