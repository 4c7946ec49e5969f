//! The device's random words, normals and sums against the CPU's.

use tadpool::error::Result;
use tadpool::gpu::SteppedHmc;
use tadpool::rng::{Purpose, Stream};

use crate::{REPLICATE, SEED, gpu, kernel};

#[test]
fn philox_words_and_normals_are_the_cpu_s() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let (chains, dim) = (300, 13);
    let mut kernel = kernel(include_str!("../wgsl/streams.wgsl"), dim);
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
    let mut kernel = kernel(include_str!("../wgsl/edges.wgsl"), 4);
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
    let mut kernel = kernel(include_str!("../wgsl/sum.wgsl"), 1);
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
