// High word of the 64-bit product, where the device has 64-bit integers: one instruction instead of a dozen.
fn philox_high(a: u32, b: u32) -> u32 {
    return u32((u64(a) * u64(b)) >> 32u);
}
