//! The normal distribution function and its logarithm: Φ(−z) = exp(−z²/2)·m(z) with a smooth m (half of erfcx), as in
//! Shepherd & Laframboise (1981), Chebyshev approximation of (1 + 2x)exp(x²)erfc x.

use super::exponential::exp_of_negative;
use super::logarithm::log1p;
use super::polynomial::polynomial;
use super::vector::One;

/// (1 + 2z)·m(z) in powers of (z − 4)/(z + 4); relative error 2e-16 (tests/num/coefficients.py).
const MILLS: [f64; 25] = [
    0.849_695_771_717_720_5,
    -0.023_009_233_104_596_755,
    -0.096_379_985_890_414_42,
    0.128_908_135_444_895_66,
    -0.095_260_478_962_377_83,
    0.044_364_290_439_753_72,
    -0.010_512_319_259_804_087,
    -0.001_210_060_024_206_498_8,
    0.001_576_978_511_118_485_4,
    -0.000_143_305_791_687_157_8,
    -0.000_204_354_940_714_016_17,
    3.786_936_082_185_221e-05,
    3.155_829_943_771_44e-05,
    -6.037_389_241_642_664_5e-06,
    -5.890_181_056_562_439e-06,
    6.075_108_284_129_359e-07,
    1.203_535_752_199_821_5e-06,
    5.026_102_003_810_603e-08,
    -2.378_729_848_328_476_8e-07,
    -4.771_265_268_284_424e-08,
    3.995_161_855_637_594_4e-08,
    1.293_923_875_442_269_5e-08,
    -4.799_634_918_647_885e-09,
    -1.532_741_041_438_164e-09,
    2.927_719_570_331_928e-10,
];

/// Beyond it Φ(−z) is 0, and in ln Φ(−z) the part ln m(z) is lost beside −z²/2.
const FAR: f64 = 1e10;
/// Leaves 26 bits of a significand, so that its square is exact.
const HIGH_BITS: u64 = 0xffff_ffff_f800_0000;

/// m(z) = Φ(−z)·exp(z²/2) for z ≥ 0.
#[inline(always)]
fn mills<const FMA: bool>(z: f64) -> f64 {
    let z = if z > FAR { FAR } else { z };
    let t = (z - 4.0) / (z + 4.0);
    polynomial(One::<FMA>(t), &MILLS).0 / (1.0 + 2.0 * z)
}

/// exp(−z²/2), with the rounding error of z² made good.
#[inline(always)]
fn exp_half_square<const FMA: bool>(z: f64) -> f64 {
    let z = if z > 38.0 { 38.0 } else { z };
    let high = f64::from_bits(z.to_bits() & HIGH_BITS);
    // Below 38²·2⁻²⁶: three terms of its exponential are exact.
    let low = 0.5 * (z - high) * (z + high);
    exp_of_negative(One::<FMA>(-0.5 * high * high)).0 * (1.0 - low + 0.5 * low * low)
}

/// Φ(x).
#[inline(always)]
pub(super) fn std_normal_cdf<const FMA: bool>(x: f64) -> f64 {
    let z = x.abs();
    let tail = exp_half_square::<FMA>(z) * mills::<FMA>(z);
    if x > 0.0 { 1.0 - tail } else { tail }
}

/// ln Φ(x): −x²/2 + ln m(−x) below 0, ln(1 − Φ(−x)) above, through one log1p.
#[inline(always)]
pub(super) fn log_std_normal_cdf<const FMA: bool>(x: f64) -> f64 {
    let z = x.abs();
    let m = mills::<FMA>(z);
    let tail = exp_half_square::<FMA>(z) * m;
    let exponent = if x < 0.0 { -0.5 * x * x } else { 0.0 };
    exponent + log1p::<FMA>(if x > 0.0 { -tail } else { m - 1.0 })
}
