//! ln and log1p: x = 2^k (1 + f) with 1 + f from √½ to √2, and a polynomial in f, without a division.

use super::exponential::{LN_2_HIGH, LN_2_LOW};
use super::polynomial::{mul_add, polynomial, power_of_two};
use super::vector::{One, Vector};

/// (ln(1 + f) − f + f²/2)/f³ for 1 + f from √½ to √2; error 3e-17 of ln(1 + f) (tests/num/coefficients.py).
const LN: [f64; 20] = [
    0.333_333_333_333_333_37,
    -0.249_999_999_999_999_3,
    0.199_999_999_999_932_15,
    -0.166_666_666_666_975_9,
    0.142_857_142_875_940_26,
    -0.124_999_999_970_671_1,
    0.111_111_109_095_987_26,
    -0.099_999_999_990_432_9,
    0.090_909_198_894_323_82,
    -0.083_333_449_650_444_54,
    0.076_919_876_884_554_64,
    -0.071_422_337_157_520_3,
    0.066_719_938_632_637_2,
    -0.062_650_162_439_233_16,
    0.058_369_241_939_780_755,
    -0.053_683_307_262_160_36,
    0.053_724_558_238_950_16,
    -0.061_297_884_154_692_86,
    0.056_649_442_914_950_58,
    -0.025_045_851_032_334_14,
];

/// The bits of √½, rounded down, and of 1.
const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcc;
const ONE_BITS: u64 = 0x3ff0_0000_0000_0000;
const FRACTION: u64 = 0x000f_ffff_ffff_ffff;
/// 2⁵²: its bits with a whole number below 2⁵² added are the number plus 2⁵².
const TWO_52: f64 = 4_503_599_627_370_496.0;

/// k·ln 2 + ln(1 + f).
#[inline(always)]
fn assemble<V: Vector>(k: V, f: V) -> V {
    let f2 = f.mul(f);
    let cubic = f2.mul(f).mul(polynomial::<V, { LN.len() }>(f, &LN));
    let low = k.mul_add(V::splat(LN_2_LOW), cubic);
    let rest = V::splat(-0.5).mul_add(f2, low);
    // The large part first, exact, with what its sum with f rounds away (Dekker; |f| is below ln 2).
    let high = k.mul(V::splat(LN_2_HIGH));
    let sum = high.add(f);
    let lost = f.sub(sum.sub(high));
    sum.add(rest.add(lost))
}

/// For a positive normal x: (k + 1023, the significand from √½ to √2).
#[inline(always)]
fn split<V: Vector>(x: V) -> (V, V) {
    let shifted = x.bits_add(ONE_BITS - SQRT_HALF_BITS);
    // A whole number below 2⁵² with the bits of 2⁵² added is that number plus 2⁵².
    let power = shifted.bits_down_52().bits_add(TWO_52.to_bits());
    (
        power.sub(V::splat(TWO_52)),
        shifted.bits_and(FRACTION).bits_add(SQRT_HALF_BITS),
    )
}

/// The logarithm's values at and beyond the ends of its domain; `result` elsewhere.
#[inline(always)]
fn at_the_ends(x: f64, result: f64) -> f64 {
    let result = if x < f64::INFINITY { result } else { x };
    let outside = if x == 0.0 { f64::NEG_INFINITY } else { f64::NAN };
    if x > 0.0 { result } else { outside }
}

/// ln x for a positive normal x.
#[inline(always)]
pub(crate) fn ln_of_normal<V: Vector>(x: V) -> V {
    let (power, significand) = split(x);
    assemble(power.sub(V::splat(1023.0)), significand.sub(V::splat(1.0)))
}

/// ln x; −∞ at 0, NaN below.
#[inline(always)]
pub(super) fn ln<const FMA: bool>(x: f64) -> f64 {
    let subnormal = x < f64::MIN_POSITIVE;
    let scaled = if subnormal { x * (4.0 * TWO_52) } else { x };
    let bias = if subnormal { 1023.0 + 54.0 } else { 1023.0 };
    let (power, significand) = split(One::<FMA>(scaled));
    let result = assemble(One::<FMA>(power.0 - bias), One(significand.0 - 1.0));
    at_the_ends(x, result.0)
}

/// ln(1 + x); −∞ at −1, NaN below. The part of x that 1 + x rounds away is added to f.
#[inline(always)]
pub(super) fn log1p<const FMA: bool>(x: f64) -> f64 {
    let u = 1.0 + x;
    // Two-sum (Knuth): u + lost is 1 + x exactly.
    let virtual_x = u - 1.0;
    let lost = (1.0 - (u - virtual_x)) + (x - virtual_x);
    let (power, significand) = split(One::<FMA>(u));
    // Half of 2^(1 − k), since 2^−k itself is out of range for the largest k; the power's bits are those of 2⁵² + k.
    let biased = (power.0 + TWO_52).to_bits() & FRACTION;
    let f = mul_add::<FMA>(
        0.5 * lost,
        power_of_two(2047_u64.wrapping_sub(biased)),
        significand.0 - 1.0,
    );
    let result = assemble(One::<FMA>(power.0 - 1023.0), One(f));
    at_the_ends(u, result.0)
}
