//! x to the power of y as exp(y ln|x|), with the sign and the special values of powf.

use super::exponential::{ROUND, exp};
use super::logarithm::ln;

/// x^y. The relative error is (2 + |y ln x|) ulp; a negative x has powers at whole numbers y only (those beyond 2⁵¹ count as even).
#[inline(always)]
pub(super) fn pow<const FMA: bool>(x: f64, y: f64) -> f64 {
    let magnitude = exp::<FMA>(y * ln::<FMA>(x.abs()));
    let shifted = y + ROUND;
    let small = y.abs() < 2_251_799_813_685_248.0;
    let whole = !small | (shifted - ROUND == y);
    let odd = small & (shifted.to_bits() & 1 == 1);
    let signed = if odd { -magnitude } else { magnitude };
    let of_negative = if whole { signed } else { f64::NAN };
    let result = if x < 0.0 { of_negative } else { magnitude };
    // 1^±∞ and NaN⁰ are 1 by IEEE 754, where y ln x is NaN.
    let one = (y == 0.0) | (x == 1.0);
    if one { 1.0 } else { result }
}
