//! The driver of a fit's chains on a device.

use crate::error::Result;
use crate::gpu::{BatchData, FusedHmc, Gpu, Mapping, RowsHmc, SteppedHmc};
use crate::model::Model;
use crate::sampler::{GpuDriver, Settings};

/// The driver that `mapping` names, the stepped one without any.
///
/// # Errors
///
/// Those of the device, and of models that fit none.
pub fn gpu_driver(
    gpu: &Gpu,
    model: &Model,
    mapping: Option<&Mapping>,
    settings: &Settings,
) -> Result<GpuDriver> {
    let (chains, size, seed) = (
        settings.chains,
        settings.layout().chains_per_ensemble,
        settings.seed,
    );
    Ok(match mapping.and_then(|mapping| mapping.fused) {
        None => {
            let kernel = model.kernel();
            if RowsHmc::suits(kernel.as_ref().ok(), gpu.adapter()) {
                RowsHmc::new(gpu, &model.rows_kernel()?, chains, size, seed, 0)?.into()
            } else {
                SteppedHmc::new(gpu, &kernel?, chains, size, seed, 0)?.into()
            }
        }
        Some((form, memory)) => {
            FusedHmc::new(gpu, &model.fused_kernel(form, memory)?, chains, size, seed, 0)?.into()
        }
    })
}

/// The same for the replicates of `batch` side by side, whose ensembles have `chains_per_ensemble` chains; their data is
/// that of programs with the same text as `model`'s, see [`crate::back::wgsl::has_same_text`].
///
/// # Errors
///
/// As [`gpu_driver`]; a user error for tables so long that their rows are split over threads.
pub fn gpu_batch_driver(
    gpu: &Gpu,
    model: &Model,
    mapping: Option<&Mapping>,
    batch: &BatchData,
    chains_per_ensemble: usize,
    seed: u64,
) -> Result<GpuDriver> {
    let size = chains_per_ensemble;
    Ok(match mapping.and_then(|mapping| mapping.fused) {
        None => {
            let kernel = model.batch_kernel();
            if RowsHmc::suits(kernel.as_ref().ok(), gpu.adapter()) {
                return Err(RowsHmc::no_batch());
            }
            SteppedHmc::with_batch(gpu, &kernel?, batch, size, seed)?.into()
        }
        Some((form, memory)) => {
            let kernel = model.batch_fused_kernel(form, memory)?;
            FusedHmc::with_batch(gpu, &kernel, batch, size, seed)?.into()
        }
    })
}
