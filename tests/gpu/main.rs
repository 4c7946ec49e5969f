//! The GPU drivers on a real adapter, software included.
//!
//! Every test prints the adapter. Where there is none, a test says that it was not run, or fails if
//! `TADPOOL_REQUIRE_GPU=1` is set.
#![cfg(feature = "gpu")]

mod batch;
mod fused;
mod moments;
mod refusals;
mod runs;
mod streams;
mod trajectories;

use tadpool::back::kernel::{Data, DensityKernel};
use tadpool::gpu::{Gpu, Plan};
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
        data: Data::Shared,
        dim,
        constant: 0.0,
        centring: Vec::new(),
        loop_trips: 64,
    }
}

fn normal() -> DensityKernel {
    kernel(include_str!("../wgsl/normal.wgsl"), 5)
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
