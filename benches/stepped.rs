//! Gradients per second of the stepped GPU driver on a small multilevel model, by number of chains.
//!
//! `cargo bench --bench stepped`; the first line names the adapter, and whether it is software.

use std::time::Instant;

use tadpool::back::kernel::{Data, DensityKernel};
use tadpool::error::Result;
use tadpool::gpu::{Gpu, Plan, SteppedHmc};

/// Varying intercepts of 48 tanks, 50 coordinates, with made-up counts: only the work matters.
fn tanks() -> DensityKernel {
    let density = |row: usize| [10.0, 25.0, 35.0][row / 16];
    let survived = |row: usize| (density(row) * (0.4 + 0.01 * row as f32)).floor();
    DensityKernel {
        wgsl: include_str!("../tests/wgsl/tanks.wgsl").into(),
        columns: (0..48).map(survived).chain((0..48).map(density)).collect(),
        indices: Vec::new(),
        data: Data::Shared,
        dim: 50,
        constant: 0.0,
        centring: Vec::new(),
        loop_trips: 48,
    }
}

fn main() -> Result<()> {
    let gpu = Gpu::open(None)?;
    println!("adapter: {}", gpu.adapter());
    for chains in [256, 4096, 32_768] {
        let mut hmc = SteppedHmc::new(&gpu, &tanks(), chains, 64, 1, 0)?;
        let plan = Plan {
            step_size: 0.05,
            num_leapfrog_steps: 16,
        };
        let plans = vec![vec![plan; chains / 64]; 10];
        hmc.run(0, &plans, &mut |_| true)?;
        let before = hmc.gradient_evaluations();
        let start = Instant::now();
        let mut accept = 0.0;
        let mut iteration = 10;
        while start.elapsed().as_secs_f64() < 5.0 {
            let results = hmc.run(iteration, &plans, &mut |_| true)?;
            iteration += 10;
            accept = results[9].accept_prob.iter().sum::<f64>() / chains as f64;
        }
        let rate = (hmc.gradient_evaluations() - before) as f64 / start.elapsed().as_secs_f64();
        println!("{chains} chains: {rate:.3e} gradients/s, mean accept_prob {accept:.2}");
    }
    Ok(())
}
