//! Polynomials and bit patterns that the lane kernels share.

use super::vector::Vector;

/// a·b + c, fused where the target has the instruction: without it `mul_add` would call a slow library function.
#[inline(always)]
pub(super) fn mul_add<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Σ c\[i\]·x^i in four interleaved chains, so that a single vector does not wait for one long chain of additions.
#[inline(always)]
pub(super) fn polynomial<V: Vector, const N: usize>(x: V, c: &[f64; N]) -> V {
    let x2 = x.mul(x);
    let x4 = x2.mul(x2);
    let mut chains = [V::splat(0.0); 4];
    for i in 0..N {
        // Highest power first; the first coefficient of each chain starts it.
        let power = N - 1 - i;
        let coefficient = V::splat(c[power]);
        let chain = &mut chains[power % 4];
        *chain = if i < 4 {
            coefficient
        } else {
            chain.mul_add(x4, coefficient)
        };
    }
    let low = chains[1].mul_add(x, chains[0]);
    let high = chains[3].mul_add(x, chains[2]);
    high.mul_add(x2, low)
}

/// 2^(exponent − 1023) for a biased exponent from 0 to 2046; 0 gives 0.
#[inline(always)]
pub(super) fn power_of_two(biased: u64) -> f64 {
    f64::from_bits(biased << 52)
}
