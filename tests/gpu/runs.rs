//! Runs as a whole: seeds, cuts, progress, many chains.

use tadpool::error::Result;
use tadpool::gpu::{IterationResult, Plan, SteppedHmc};

use crate::{SEED, go_on, gpu, kernel, normal, plan};

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
    let mut kernel = kernel(include_str!("../wgsl/hole.wgsl"), 1);
    kernel.indices = vec![0x7fc0_0000];
    let mut hmc = SteppedHmc::new(&gpu, &kernel, chains, chains, SEED, 0)?;
    let positions: Vec<f64> = (0..chains).map(|c| -((c % 1000) as f64)).collect();
    hmc.set_positions(&positions)?;
    let (_, gradient) = hmc.log_density_grad()?;
    assert!(gradient.iter().zip(&positions).all(|(g, x)| *g == -x));
    Ok(())
}
