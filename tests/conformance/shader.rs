//! Generated text put together as the device sees it, and checked without one.

use naga::valid::{Capabilities, ValidationFlags, Validator};
use tadpool::back::kernel::FusedKernel;
use tadpool::gpu::fused_module;

const PARTS: [&str; 6] = [
    include_str!("../../shaders/bindings.wgsl"),
    include_str!("../../shaders/special.wgsl"),
    include_str!("../../shaders/product_narrow.wgsl"),
    include_str!("../../shaders/philox.wgsl"),
    include_str!("../../shaders/hmc_settings.wgsl"),
    include_str!("../../shaders/hmc_step.wgsl"),
];

/// Parses and validates the whole module around a kernel's text.
pub(crate) fn validate(kernel: &str) -> Result<(), String> {
    parse(&format!("{}\n{kernel}", PARTS.join("\n")))
}

/// The same of the fused driver's module, for devices with 64-bit integers; without them one function differs, which
/// [`validate`] sees.
pub(crate) fn validate_fused(kernel: &FusedKernel) -> Result<(), String> {
    parse(&fused_module(kernel, true))
}

fn parse(text: &str) -> Result<(), String> {
    let module = naga::front::wgsl::parse_str(text).map_err(|error| error.emit_to_string(text))?;
    Validator::new(ValidationFlags::all(), Capabilities::SHADER_INT64)
        .validate(&module)
        .map_err(|error| error.emit_to_string(text))?;
    Ok(())
}
