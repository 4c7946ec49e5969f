//! Single trajectories against f64, divergences, and the log density itself.

use tadpool::error::Result;
use tadpool::gpu::{Plan, SteppedHmc};
use tadpool::rng::{Purpose, Stream};

use crate::{REPLICATE, SEED, go_on, gpu, kernel, normal, normals, plan};

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
    let kernel = kernel(include_str!("../wgsl/funnel.wgsl"), 3);
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

#[test]
fn bad_densities_are_rejected_and_flagged() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    for pattern in [0x7fc0_0000, 0x7f80_0000, 0xff80_0000u32, 0xffc0_0001] {
        let mut kernel = kernel(include_str!("../wgsl/hole.wgsl"), 1);
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
