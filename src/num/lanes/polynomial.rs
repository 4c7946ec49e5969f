//! Polynomials and bit patterns that the lane kernels share.

/// a·b + c, fused where the target has the instruction: without it `mul_add` would call a slow library function.
#[inline(always)]
pub(super) fn mul_add<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Σ c\[i\]·x^i in four interleaved chains, so that a single vector does not wait for one long chain of additions.
#[inline(always)]
pub(super) fn polynomial<const FMA: bool, const N: usize>(x: f64, c: &[f64; N]) -> f64 {
    let x2 = x * x;
    let x4 = x2 * x2;
    let mut chains = [0.0; 4];
    for i in 0..N {
        // Highest power first; the first coefficient of each chain starts it.
        let power = N - 1 - i;
        let chain = power % 4;
        chains[chain] = if i < 4 {
            c[power]
        } else {
            mul_add::<FMA>(chains[chain], x4, c[power])
        };
    }
    let low = mul_add::<FMA>(chains[1], x, chains[0]);
    let high = mul_add::<FMA>(chains[3], x, chains[2]);
    mul_add::<FMA>(high, x2, low)
}

/// 2^(exponent − 1023) for a biased exponent from 0 to 2046; 0 gives 0.
#[inline(always)]
pub(super) fn power_of_two(biased: u64) -> f64 {
    f64::from_bits(biased << 52)
}
