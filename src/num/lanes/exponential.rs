//! exp and expm1: reduction by ln 2 in two parts, a polynomial on half a binary step, scaling in two steps.

use super::polynomial::polynomial;
use super::vector::{One, Vector};

/// (e^r − 1 − r)/r² for |r| ≤ ½ ln 2; error 3e-17 of e^r (tests/num/coefficients.py).
const EXP: [f64; 10] = [
    0.500_000_000_000_000_1,
    0.166_666_666_666_666_69,
    0.041_666_666_666_624_16,
    0.008_333_333_333_330_063,
    0.001_388_888_891_719_986_3,
    0.000_198_412_698_630_429_63,
    2.480_152_131_748_408_3e-05,
    2.755_726_847_655_369_5e-06,
    2.762_007_820_380_639_4e-07,
    2.510_037_761_960_637_2e-08,
];

/// ln 2 with its last 21 bits zero, so that its product with a whole number below 2²⁰ is exact, and the rest.
pub(super) const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
pub(super) const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// 1.5 · 2⁵²: adding it leaves the nearest whole number in the low bits of the sum.
pub(super) const ROUND: f64 = 6_755_399_441_055_744.0;

/// Above it e^x is infinite, below the other it is 0.
const LARGEST: f64 = 710.0;
const SMALLEST: f64 = -746.0;

/// e^x = 2^k (1 + reduced).
struct Reduced<V> {
    /// e^r − 1 for the remainder r.
    reduced: V,
    /// k + 1.5·2⁵²: k stands in its low bits.
    rounded: V,
}

/// For x from −746 to 710.
#[inline(always)]
fn reduce<V: Vector>(x: V) -> Reduced<V> {
    let rounded = x.mul_add(V::splat(std::f64::consts::LOG2_E), V::splat(ROUND));
    let minus_k = V::splat(ROUND).sub(rounded);
    let high = minus_k.mul_add(V::splat(LN_2_HIGH), x);
    let r = minus_k.mul_add(V::splat(LN_2_LOW), high);
    let square = r.mul(r);
    Reduced {
        reduced: square.mul_add(polynomial::<V, { EXP.len() }>(r, &EXP), r),
        rounded,
    }
}

/// e^x for any x; the scaling is in two steps, so that a subnormal result is rounded once.
#[inline(always)]
pub(crate) fn exp_of_any<V: Vector>(x: V) -> V {
    let inside = x.at_most(V::splat(LARGEST)).at_least(V::splat(SMALLEST));
    let Reduced { reduced, rounded } = reduce(inside);
    let round = V::splat(ROUND);
    let k = rounded.sub(round);
    let half = k.mul_add(V::splat(0.5), round);
    let rest = k.sub(half.sub(round)).add(round);
    let first = half.bits_add(1023).bits_up_52();
    let second = rest.bits_add(1023).bits_up_52();
    V::splat(1.0).add(reduced).mul(first).mul(second)
}

/// e^x.
#[inline(always)]
pub(super) fn exp<const FMA: bool>(x: f64) -> f64 {
    exp_of_any(One::<FMA>(x)).0
}

/// e^x where that is a normal number: x from −708 to 709.
#[inline(always)]
pub(crate) fn exp_of_normal<V: Vector>(x: V) -> V {
    let Reduced { reduced, rounded } = reduce(x);
    let step = rounded.bits_add(1023).bits_up_52();
    step.mul_add(reduced, step)
}

/// e^x for x ≤ 0, and 0 where that is no normal number (below −708): half the work of scaling.
#[inline(always)]
pub(super) fn exp_of_negative<V: Vector>(x: V) -> V {
    let least = V::splat(-708.0);
    V::select(x.less(least), V::splat(0.0), exp_of_normal(x.at_least(least)))
}

/// e^x − 1: 2^k (e^r − 1) + (2^k − 1), and from 40 on e^x itself, of which 1 is no longer a part.
#[inline(always)]
pub(super) fn expm1<const FMA: bool>(x: f64) -> f64 {
    let inside = One::<FMA>(x).at_most(One(40.0)).at_least(One(-40.0));
    let Reduced { reduced, rounded } = reduce(inside);
    let step = rounded.bits_add(1023).bits_up_52();
    let small = step.mul_add(reduced, One(step.0 - 1.0)).0;
    let result = if x > 40.0 { exp::<FMA>(x) } else { small };
    if x < -40.0 { -1.0 } else { result }
}
