//! Learned centring weights: every choice of weights is the same posterior, on every back end.

use tadpool::back::evaluate::{CENTRING_STEPS, Density};
use tadpool::back::simd::LANES;
use tadpool::gpu::{FusedHmc, RowsHmc, SteppedHmc};
use tadpool::model::Model;

use crate::agree::{FORMS, norm};
use crate::dice::Dice;
use crate::gpu;
use crate::points::shipped;

/// Codes that depend on nothing but the seed; the first draw is all 0, the second all 10.
fn codes(levels: usize, seed: u32) -> Vec<u32> {
    let mut dice = Dice::new(seed);
    (0..levels)
        .map(|_| match seed {
            0 => 0,
            1 => CENTRING_STEPS,
            _ => dice.below(CENTRING_STEPS as usize + 1) as u32,
        })
        .collect()
}

fn position(dim: usize, seed: u32) -> Vec<f64> {
    let mut dice = Dice::new(1000 + seed);
    dice.position(dim)
}

/// The position in the coordinates of `new` of what stands at `position` in those of `old`.
fn moved(model: &Model, old: &[u32], new: &[u32], position: &[f64]) -> Vec<f64> {
    let centring = model.centring().expect("an effect");
    let levels = centring.standardise(old, position);
    let mut moved = position.to_vec();
    for (level, &coordinate) in centring.coordinates().iter().enumerate() {
        let weight = f64::from(new[level]) / f64::from(CENTRING_STEPS);
        let power = (weight * levels.ln_scale[level]).exp();
        moved[coordinate] = weight * levels.location[level] + power * levels.effect[level];
    }
    moved
}

/// ln |dη/dξ| at a position in the coordinates of `codes`.
fn volume(model: &Model, codes: &[u32], position: &[f64]) -> f64 {
    let centring = model.centring().expect("an effect");
    let levels = centring.standardise(codes, position);
    let weight = |code: &u32| f64::from(*code) / f64::from(CENTRING_STEPS);
    codes
        .iter()
        .zip(levels.ln_scale)
        .map(|(code, ln_scale)| weight(code) * ln_scale)
        .sum()
}

#[test]
fn weights_change_coordinates_and_nothing_else() {
    for name in ["m12_2", "m12_5", "cafe", "chimps_cross"] {
        let model = shipped(name, None);
        let levels = model.centring().expect("an effect").initial().len();
        for seed in 0..8 {
            let (old, new) = (codes(levels, seed), codes(levels, seed + 1));
            let here = position(model.dim(), seed);
            let there = moved(&model, &old, &new, &here);
            let before = model.evaluate_reference_in(&old, &here).expect("a value");
            let after = model.evaluate_reference_in(&new, &there).expect("a value");
            let densities = [
                before.log_density + volume(&model, &old, &here),
                after.log_density + volume(&model, &new, &there),
            ];
            // A few hundred terms, each rounded to 1e-16 of at most 1e3.
            assert!(
                (densities[0] - densities[1]).abs() < 1e-10,
                "{name}, seed {seed}: {densities:?}"
            );
            let named = [
                model.named_values_in(&old, &here),
                model.named_values_in(&new, &there),
            ];
            for (before, after) in named[0].iter().flatten().zip(named[1].iter().flatten()) {
                assert!(
                    (before - after).abs() < 1e-12 * (1.0 + before.abs()),
                    "{before} {after}"
                );
            }
            let pointwise = [
                model.pointwise_log_likelihood_in(&old, &here),
                model.pointwise_log_likelihood_in(&new, &there),
            ];
            for (before, after) in pointwise[0].iter().flatten().zip(pointwise[1].iter().flatten()) {
                assert!(
                    (before - after).abs() < 1e-10 * (1.0 + before.abs()),
                    "{before} {after}"
                );
            }
        }
    }
}

#[test]
fn the_ends_of_the_grid_are_the_two_classic_forms() {
    let model = shipped("m12_2", None);
    let levels = model.centring().expect("an effect").initial().len();
    for (code, centred) in [(0, false), (CENTRING_STEPS, true)] {
        let classic = shipped("m12_2", Some(centred));
        let position = position(model.dim(), 3);
        let learned = model
            .evaluate_reference_in(&vec![code; levels], &position)
            .expect("a value");
        let classic = classic.evaluate_reference(&position).expect("a value");
        assert!((learned.log_density - classic.log_density).abs() < 1e-10);
        for (a, b) in learned.gradient.iter().zip(&classic.gradient) {
            assert!((a - b).abs() < 1e-10 * (1.0 + a.abs()), "{a} {b}");
        }
    }
}

#[test]
fn lanes_follow_the_codes() {
    for name in ["m12_2", "m12_5"] {
        let model = shipped(name, None);
        let dim = model.dim();
        let levels = model.centring().expect("an effect").initial().len();
        for lanes in [1, LANES] {
            let mut evaluator = Density::evaluator(&model, lanes);
            for seed in 0..6 {
                let codes = codes(levels, seed);
                evaluator.set_centring(&codes);
                let positions: Vec<Vec<f64>> = (0..lanes as u32)
                    .map(|lane| position(dim, 10 * seed + lane))
                    .collect();
                let block: Vec<f64> = (0..dim * lanes)
                    .map(|k| positions[k % lanes][k / lanes])
                    .collect();
                let (mut values, mut gradients) = (vec![0.0; lanes], vec![0.0; dim * lanes]);
                evaluator.log_density_grad(&block, &mut values, &mut gradients);
                for (lane, position) in positions.iter().enumerate() {
                    let wanted = model.evaluate_reference_in(&codes, position).expect("a value");
                    let off = (values[lane] - wanted.log_density).abs();
                    assert!(off < 1e-10 * wanted.log_density.abs(), "{name}: off by {off}");
                    let bound = 1e-10 * norm(&wanted.gradient);
                    for (i, slope) in wanted.gradient.iter().enumerate() {
                        let off = (gradients[i * lanes + lane] - slope).abs();
                        assert!(off < bound, "{name}, coordinate {i}: off by {off}");
                    }
                }
            }
        }
    }
}

/// Every ensemble has weights of its own, in every driver.
#[test]
fn devices_follow_the_codes_of_each_ensemble() {
    let Some(gpu) = gpu() else { return };
    for name in ["m12_2", "m12_5"] {
        let model = shipped(name, None);
        let dim = model.dim();
        let levels = model.centring().expect("an effect").initial().len();
        let (ensembles, size) = (4u32, 3usize);
        let chosen: Vec<Vec<u32>> = (0..ensembles).map(|seed| codes(levels, seed)).collect();
        let positions: Vec<Vec<f64>> = (0..ensembles * size as u32)
            .map(|chain| position(dim, chain))
            .collect();
        let compare = |what: &str, (values, gradients): (Vec<f64>, Vec<f64>)| {
            for (chain, position) in positions.iter().enumerate() {
                let wanted = model
                    .evaluate_reference_in(&chosen[chain / size], position)
                    .expect("a value");
                let off = (values[chain] - wanted.log_density).abs();
                // Some hundred terms, each the end of some ten f32 operations.
                assert!(
                    off < 2e-4_f64.max(1e-6 * wanted.log_density.abs()),
                    "{name}, {what}, chain {chain}: off by {off}"
                );
                let difference: Vec<f64> = gradients[chain * dim..][..dim]
                    .iter()
                    .zip(&wanted.gradient)
                    .map(|(a, b)| a - b)
                    .collect();
                assert!(
                    norm(&difference) <= 1e-5 * norm(&wanted.gradient),
                    "{name}, {what}, chain {chain}"
                );
            }
        };
        let kernel = model.kernel().expect("a kernel");
        let mut device = SteppedHmc::new(&gpu, &kernel, positions.len(), size, 0, 0).expect("a driver");
        device.set_positions(&positions.concat()).expect("positions");
        device.set_centring(&chosen.concat()).expect("codes");
        compare("stepped", device.log_density_grad().expect("values"));
        let kernel = model.rows_kernel().expect("a kernel");
        let mut rows = RowsHmc::new(&gpu, &kernel, positions.len(), size, 0, 0).expect("a driver");
        rows.set_positions(&positions.concat()).expect("positions");
        rows.set_centring(&chosen.concat()).expect("codes");
        compare("rows", rows.log_density_grad().expect("values"));
        // Compiling is slow on software Vulkan: all forms for one model, two for the other.
        let forms = if name == "m12_2" { &FORMS[..] } else { &FORMS[1..3] };
        for &(form, memory) in forms {
            let kernel = model.fused_kernel(form, memory).expect("a kernel");
            let mut device = FusedHmc::new(&gpu, &kernel, positions.len(), size, 0, 0).expect("a driver");
            device.set_positions(&positions.concat()).expect("positions");
            device.set_centring(&chosen.concat()).expect("codes");
            let found = device.log_density_grad().expect("values");
            compare(&format!("fused {form:?} {memory:?}"), found);
        }
        assert!(device.set_centring(&chosen[0]).is_err(), "too few codes");
    }
}
