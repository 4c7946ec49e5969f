//! The driver of a fit's chains on a device.

use crate::error::Result;
use crate::gpu::{FusedHmc, Gpu, Mapping, RowsHmc, SteppedHmc};
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
