//! Generated text put together as the device sees it, and checked without one.

use naga::valid::{Capabilities, ValidationFlags, Validator};

const PARTS: [&str; 4] = [
    include_str!("../../shaders/bindings.wgsl"),
    include_str!("../../shaders/special.wgsl"),
    include_str!("../../shaders/philox.wgsl"),
    include_str!("../../shaders/hmc_step.wgsl"),
];

/// Parses and validates the whole module around a kernel's text.
pub(crate) fn validate(kernel: &str) -> Result<(), String> {
    let codes = "fn centring_code(chain: u32, level: u32) -> u32 { return indices[chain + level]; }";
    let text = format!("{}\n{codes}\n{kernel}", PARTS.join("\n"));
    let module = naga::front::wgsl::parse_str(&text).map_err(|error| error.emit_to_string(&text))?;
    Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .map_err(|error| error.emit_to_string(&text))?;
    Ok(())
}
