//! The shader parts that every driver's module begins with.

pub(super) const BINDINGS: &str = include_str!("../../shaders/bindings.wgsl");
pub(super) const SPECIAL: &str = include_str!("../../shaders/special.wgsl");
pub(super) const PHILOX: &str = include_str!("../../shaders/philox.wgsl");
pub(super) const SETTINGS: &str = include_str!("../../shaders/hmc_settings.wgsl");

/// `philox_high`, for devices with 64-bit integers in shaders and for others.
pub(super) fn product(has_wide_integers: bool) -> &'static str {
    if has_wide_integers {
        include_str!("../../shaders/product_wide.wgsl")
    } else {
        include_str!("../../shaders/product_narrow.wgsl")
    }
}
