//! The three back ends compute the same log density and gradient, and both are right.
//!
//! Every program goes through [`agree::check`]: the reference against finite differences of itself, the CPU's lanes
//! against the reference, the WGSL through naga, and the device against the reference. Tests print the adapter; where
//! there is none (or the build has no GPU support), the device's part is not run and says so, or fails if
//! `TADPOOL_REQUIRE_GPU=1` is set.

mod agree;
mod batch;
mod centring;
mod cholesky;
mod dice;
mod differences;
mod families;
mod generator;
mod joint;
mod points;
mod random;
mod rounding;
mod rows;
mod shader;
mod snapshots;
mod special;
mod tables;

use tadpool::gpu::Gpu;

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
