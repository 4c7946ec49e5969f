//! exp and expm1: reduction by ln 2 in two parts, a polynomial on half a binary step, scaling in two steps.

use super::polynomial::{mul_add, polynomial, power_of_two};

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

/// e^x = 2^k (1 + reduced), with k as bits.
struct Reduced {
    /// e^r − 1 for the remainder r.
    reduced: f64,
    /// k + 4096.
    power: u64,
}

#[inline(always)]
fn reduce<const FMA: bool>(x: f64) -> Reduced {
    let x = if x > LARGEST { LARGEST } else { x };
    let x = if x < SMALLEST { SMALLEST } else { x };
    let rounded = mul_add::<FMA>(x, std::f64::consts::LOG2_E, ROUND);
    let k = rounded - ROUND;
    let high = mul_add::<FMA>(-k, LN_2_HIGH, x);
    let r = mul_add::<FMA>(-k, LN_2_LOW, high);
    let tail = r * r * polynomial::<FMA, { EXP.len() }>(r, &EXP);
    Reduced {
        reduced: r + tail,
        power: rounded.to_bits().wrapping_sub(ROUND.to_bits() - 4096),
    }
}

/// value · 2^k, rounded once even where the result is subnormal.
#[inline(always)]
fn scale(value: f64, power: u64) -> f64 {
    let half = power >> 1;
    let first = power_of_two(half.wrapping_sub(2048 - 1023));
    let second = power_of_two(power.wrapping_sub(half).wrapping_sub(2048 - 1023));
    value * first * second
}

/// e^x.
#[inline(always)]
pub(super) fn exp<const FMA: bool>(x: f64) -> f64 {
    let Reduced { reduced, power } = reduce::<FMA>(x);
    scale(1.0 + reduced, power)
}

/// e^x for x ≤ 0, and 0 where that is no normal number (below −708): half the work of scaling.
#[inline(always)]
pub(super) fn exp_of_negative<const FMA: bool>(x: f64) -> f64 {
    let Reduced { reduced, power } = reduce::<FMA>(x);
    let step = power_of_two(power.wrapping_sub(4096 - 1023));
    let result = mul_add::<FMA>(step, reduced, step);
    if x < -708.0 { 0.0 } else { result }
}

/// e^x − 1: 2^k (e^r − 1) + (2^k − 1), and from 40 on e^x itself, of which 1 is no longer a part.
#[inline(always)]
pub(super) fn expm1<const FMA: bool>(x: f64) -> f64 {
    let Reduced { reduced, power } = reduce::<FMA>(x);
    let below = if power > 4096 - 60 { power } else { 4096 - 60 };
    let middle = if below < 4096 + 60 { below } else { 4096 + 60 };
    let step = power_of_two(middle.wrapping_sub(4096 - 1023));
    let small = mul_add::<FMA>(step, reduced, step - 1.0);
    let large = scale(1.0 + reduced, power);
    let result = if x > 40.0 { large } else { small };
    if x < -40.0 { -1.0 } else { result }
}
