// Sums and tests that survive shader compilers.

// Adds `term` to (whole part, rest): the whole part is an integer and stays exact up to 2²⁴.
fn accumulate(sum: vec2<f32>, term: f32) -> vec2<f32> {
    let rest = sum.y + term;
    let carry = round(rest);
    return vec2<f32>(sum.x + carry, rest - carry);
}

// True for NaN and ±infinity, by bit pattern: compilers remove `x != x`.
fn tp_is_bad(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) >= 0x7f800000u;
}
