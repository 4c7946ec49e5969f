//! What is refused, and how the error reads; the list of adapters.

use tadpool::error::{Kind, Result};
use tadpool::gpu::{Gpu, SteppedHmc};

use crate::{SEED, go_on, gpu, kernel, normal, plan};

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

/// A driver that ends loops early must be found out even where the count of trips was wrong.
#[test]
fn loops_that_the_driver_cuts_are_noticed() -> Result<()> {
    let Some(gpu) = gpu() else { return Ok(()) };
    let cuts = gpu.adapter().max_loop_trips().is_some();
    for (dim, trips, is_cut) in [(1, 1000, false), (1, 70_000, cuts), (50, 70_000, cuts)] {
        let mut kernel = kernel(include_str!("../wgsl/long.wgsl"), dim);
        kernel.columns = vec![0.0; 4];
        kernel.loop_trips = 1; // a lie
        kernel.indices = vec![trips];
        let mut hmc = SteppedHmc::new(&gpu, &kernel, 8, 8, SEED, 0)?;
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
