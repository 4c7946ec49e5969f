//! The fused driver: the stepped driver's draws, whatever the form, and its own ways of cutting work.

use std::path::Path;

use tadpool::back::kernel::{DensityKernel, Form, FusedKernel, Memory};
use tadpool::data::Table;
use tadpool::error::{Kind, Result};
use tadpool::gpu::{FusedHmc, IterationResult, Plan, SteppedHmc};
use tadpool::model::Model;

use crate::{REPLICATE, SEED, go_on, gpu, kernel, normal, plan};

const FORMS: [(Form, Memory); 4] = [
    (Form::Arrays, Memory::Held),
    (Form::Arrays, Memory::Buffers),
    (Form::Unrolled, Memory::Held),
    (Form::Unrolled, Memory::Buffers),
];

/// A kernel written for buffers, with its state in private arrays.
fn in_arrays(mut density: DensityKernel) -> FusedKernel {
    for (buffer, array) in [("position", "xs"), ("gradient", "ds")] {
        density.wgsl = density
            .wgsl
            .replace(
                &format!("{buffer}[i * params.chains + chain]"),
                &format!("{array}[i]"),
            )
            .replace(&format!("{buffer}[chain]"), &format!("{array}[0]"));
    }
    density
        .wgsl
        .push_str("\nfn only_grad(chain: u32) -> vec2<f32> { return log_density_grad(chain); }\n");
    FusedKernel {
        density,
        form: Form::Arrays,
        memory: Memory::Held,
        tuned: Vec::new(),
    }
}

pub(crate) fn tadpoles() -> Model {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/reedfrogs");
    let table = Table::from_path(&folder.join("reedfrogs.csv")).expect("a table");
    let text = std::fs::read_to_string(folder.join("m12_2.tad")).expect("a model");
    Model::new("m12_2", &text, &table).expect("a good model")
}

/// Chains whose positions differ by more than rounding does in trajectories this short; and none may have moved less
/// than all.
pub(crate) fn differing(a: &IterationResult, b: &IterationResult, dim: usize) -> usize {
    let chains = a.positions.chunks_exact(dim).zip(b.positions.chunks_exact(dim));
    chains
        .filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| (a - b).abs() > 2e-4))
        .count()
}

#[test]
fn draws_are_those_of_the_stepped_driver() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let model = tadpoles();
    let (dim, chains, size) = (model.dim(), 96, 24);
    let starts: Vec<f64> = (0..dim * chains).map(|i| 0.7 * (i as f64 * 0.37).sin()).collect();
    let metric: Vec<f64> = (0..dim * chains / size)
        .map(|i| 0.5 + 0.1 * (i % 11) as f64)
        .collect();
    // Ensembles of unequal steps, so that they come to be at different iterations.
    let plans: Vec<Vec<Plan>> = (0..3u32)
        .map(|t| {
            (0..4u32)
                .map(|e| plan(0.05 + 0.02 * f64::from(e), 1 + (3 * t + 5 * e) % 9))
                .collect()
        })
        .collect();
    let mut stepped = SteppedHmc::new(&gpu, &model.kernel()?, chains, size, SEED, REPLICATE)?;
    stepped.set_positions(&starts)?;
    stepped.set_inv_mass(&metric)?;
    let expected = stepped.run(7, &plans, &mut go_on)?;
    let moved = differing(&expected[0], &expected[2], dim);
    assert!(moved > chains / 2, "only {moved} chains moved");
    for (form, memory) in FORMS {
        let kernel = model.fused_kernel(form, memory)?;
        let mut fused = FusedHmc::new(&gpu, &kernel, chains, size, SEED, REPLICATE)?;
        fused.set_positions(&starts)?;
        fused.set_inv_mass(&metric)?;
        let results = fused.run(7, &plans, &mut go_on)?;
        assert_eq!(results.len(), 3);
        for (found, wanted) in results.iter().zip(&expected) {
            // A uniform within rounding of the acceptance decides otherwise: about one in 1e4.
            let others = differing(found, wanted, dim);
            assert!(others <= 1, "{form:?} {memory:?}: {others} chains differ");
            assert_eq!(found.is_divergent, wanted.is_divergent);
            if others == 0 {
                for (a, b) in found.log_density.iter().zip(&wanted.log_density) {
                    // Errors of f32 of sd 6e-5 on both sides, and positions that differ by rounding.
                    assert!((a - b).abs() < 2e-3, "{form:?} {memory:?}: {a} {b}");
                }
                for (a, b) in found.accept_prob.iter().zip(&wanted.accept_prob) {
                    assert!((a - b).abs() < 2e-3, "{form:?} {memory:?}: {a} {b}");
                }
            }
        }
        assert_eq!(fused.gradient_evaluations(), stepped.gradient_evaluations());
    }
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_draws_however_it_is_cut() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let kernel = in_arrays(normal());
    let plans: Vec<Vec<Plan>> = (0..40).map(|t| vec![plan(0.5, 1 + t % 13); 4]).collect();
    let run = |seed, replicate, cut: usize| -> Result<Vec<IterationResult>> {
        let mut hmc = FusedHmc::new(&gpu, &kernel, 64, 16, seed, replicate)?;
        let mut results = hmc.run(5, &plans[..cut], &mut go_on)?;
        results.extend(hmc.run(5 + cut as u32, &plans[cut..], &mut go_on)?);
        Ok(results)
    };
    let whole = run(1, 0, 0)?;
    assert_eq!(whole, run(1, 0, 0)?);
    assert_eq!(whole, run(1, 0, 7)?);
    assert_ne!(whole[0].positions, run(2, 0, 0)?[0].positions);
    assert_ne!(whole[0].positions, run(1, 1, 0)?[0].positions);
    // The first dispatches make 4 steps each: trajectories are cut in their middle and taken up again.
    let mut stepped = SteppedHmc::new(&gpu, &normal(), 64, 16, 1, 0)?;
    let expected = stepped.run(5, &plans, &mut go_on)?;
    assert!(differing(&whole[5], &expected[5], 5) <= 1);
    Ok(())
}

/// What is left out stays on the device, wherever the run is cut; its divergences are told of.
#[test]
fn thinned_draws_are_the_last_of_every_few() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let model = tadpoles();
    let (dim, chains, size) = (model.dim(), 64, 16);
    let starts: Vec<f64> = (0..dim * chains).map(|i| 0.7 * (i as f64 * 0.37).sin()).collect();
    // Every fifth trajectory is far too coarse.
    let plans: Vec<Vec<Plan>> = (0..24u32)
        .map(|t| vec![plan(if t % 5 == 0 { 4.0 } else { 0.1 }, 1 + t % 7); chains / size])
        .collect();
    for (form, memory) in FORMS {
        let kernel = model.fused_kernel(form, memory)?;
        let run = |thin: u32, cuts: &[usize]| -> Result<Vec<IterationResult>> {
            let mut fused = FusedHmc::new(&gpu, &kernel, chains, size, SEED, REPLICATE)?;
            fused.set_positions(&starts)?;
            fused.set_thin(thin);
            let mut results = Vec::new();
            for pair in cuts.windows(2) {
                results.extend(fused.run(pair[0] as u32, &plans[pair[0]..pair[1]], &mut go_on)?);
            }
            Ok(results)
        };
        let all = run(1, &[0, 24])?;
        let divergences: u64 = all.iter().map(|result| result.divergences).sum();
        assert!(divergences > 10, "{form:?} {memory:?}: {divergences}");
        let kept = run(4, &[0, 3, 5, 17, 24])?;
        assert_eq!(kept.len(), 6);
        for (kept, group) in kept.iter().zip(all.chunks(4)) {
            let last = &group[3];
            assert_eq!((&kept.positions, &kept.energy), (&last.positions, &last.energy));
            assert_eq!(kept.accept_prob, last.accept_prob);
            assert_eq!(
                kept.divergences,
                group.iter().map(|result| result.divergences).sum::<u64>()
            );
            for chain in 0..chains {
                let any = group.iter().any(|result| result.is_divergent[chain]);
                assert_eq!(
                    kept.is_divergent[chain], any,
                    "{form:?} {memory:?}: chain {chain}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn progress_counts_and_stops_where_all_ensembles_can() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let kernel = in_arrays(normal());
    let mut hmc = FusedHmc::new(&gpu, &kernel, 64, 16, SEED, 0)?;
    // The second ensemble is far ahead of the others when the run is stopped.
    let of_iteration = [plan(0.1, 40), plan(0.5, 1), plan(0.2, 8), plan(0.1, 39)];
    let plans = vec![of_iteration.to_vec(); 400];
    let mut heard = Vec::new();
    let some = hmc.run(0, &plans, &mut |done| {
        heard.push(done);
        false
    })?;
    assert!(!some.is_empty() && some.len() < 400, "{}", some.len());
    let rest = hmc.run(some.len() as u32, &plans[some.len()..], &mut |done| {
        heard.push(done);
        true
    })?;
    assert_eq!(some.len() + rest.len(), 400);
    assert_eq!(heard.last(), Some(&rest.len()));
    let mut whole = FusedHmc::new(&gpu, &kernel, 64, 16, SEED, 0)?;
    assert_eq!([some, rest].concat(), whole.run(0, &plans, &mut go_on)?);
    Ok(())
}

#[test]
fn bad_densities_are_rejected_and_flagged() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    for pattern in [0x7fc0_0000, 0x7f80_0000, 0xff80_0000u32, 0xffc0_0001] {
        let mut density = kernel(include_str!("../wgsl/hole.wgsl"), 1);
        density.indices = vec![pattern];
        let chains = 256;
        let mut hmc = FusedHmc::new(&gpu, &in_arrays(density), chains, chains, SEED, 0)?;
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

/// A driver that ends loops early must be found out even where the count of trips was wrong.
#[test]
fn loops_that_the_driver_cuts_are_noticed() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let cuts = gpu.adapter().max_loop_trips().is_some();
    for (dim, trips, is_cut) in [(1, 1000, false), (1, 70_000, cuts), (50, 70_000, cuts)] {
        let mut density = kernel(include_str!("../wgsl/long.wgsl"), dim);
        density.columns = vec![0.0; 4];
        density.loop_trips = 1; // a lie
        density.indices = vec![trips];
        let mut hmc = FusedHmc::new(&gpu, &in_arrays(density), 8, 8, SEED, 0)?;
        let run = hmc.run(0, &[vec![plan(0.5, 2)]], &mut go_on);
        let evaluation = hmc.log_density_grad();
        assert_eq!(run.is_err(), is_cut, "{trips} trips in a run");
        assert_eq!(evaluation.is_err(), is_cut, "{trips} trips in an evaluation");
        for error in [run.err(), evaluation.err()].into_iter().flatten() {
            assert_eq!(error.kind(), Kind::Environment);
            assert!(error.message().contains("did not execute all"), "{error}");
        }
    }
    Ok(())
}

/// The budget of a dispatch follows the count of trips, so that long loops are never cut.
#[test]
fn trips_bound_a_dispatch() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let mut density = kernel(include_str!("../wgsl/long.wgsl"), 1);
    density.columns = vec![0.0; 4];
    density.indices = vec![20_000];
    density.loop_trips = 20_001;
    let mut hmc = FusedHmc::new(&gpu, &in_arrays(density.clone()), 8, 8, SEED, 0)?;
    let plans = vec![vec![plan(0.5, 9)]; 3];
    let results = hmc.run(0, &plans, &mut go_on)?;
    assert_eq!(results.len(), 3);
    density.loop_trips = 70_000;
    let made = FusedHmc::new(&gpu, &in_arrays(density), 8, 8, SEED, 0);
    if gpu.adapter().max_loop_trips().is_some() {
        let error = made.unwrap_err();
        assert_eq!(error.kind(), Kind::User);
        assert!(error.message().contains("software Vulkan"), "{error}");
    } else {
        assert!(made.is_ok());
    }
    Ok(())
}

/// More chains than one dimension of workgroups of one thread would hold, with draws in several blocks.
#[test]
fn many_chains_run() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let chains = 65_536 + 16;
    let mut hmc = FusedHmc::new(&gpu, &in_arrays(normal()), chains, 16, SEED, 0)?;
    let plans = vec![vec![plan(0.8, 2); chains / 16]; 50];
    let mut count = 0.0;
    let mut square = 0.0;
    // Unit variance is reached from 0 within a few of these iterations.
    for result in &hmc.run(0, &plans, &mut go_on)?[10..] {
        count += result.positions.len() as f64;
        square += result.positions.iter().map(|x| x * x).sum::<f64>();
    }
    // 65,552 chains of 5 coordinates are independent: sd of the mean square √(2/3e5) = 0.0026 even if iterations were
    // copies; five of those.
    assert!((square / count - 1.0).abs() < 0.013, "{}", square / count);
    Ok(())
}
