//! lgamma and digamma for x > 0: the recurrence up to 8 by selects, then Stirling's series (Abramowitz & Stegun 6.1.41,
//! 6.3.18).

use super::logarithm::ln;
use super::polynomial::{mul_add, polynomial};
use super::vector::One;

/// Where the series starts: its first dropped term is below 2e-16 there.
const START: f64 = 8.0;
const HALF_LN_2PI: f64 = 0.918_938_533_204_672_7;

/// B_2k / (2k (2k − 1)), k = 1 to 8: the coefficients of x^(1 − 2k) in ln Γ.
const STIRLING: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3617.0 / 122_400.0,
];

/// −B_2k / 2k, k = 1 to 8: the coefficients of x^(−2k) in ψ.
const STIRLING_SLOPE: [f64; 8] = [
    -1.0 / 12.0,
    1.0 / 120.0,
    -1.0 / 252.0,
    1.0 / 240.0,
    -1.0 / 132.0,
    691.0 / 32_760.0,
    -1.0 / 12.0,
    3617.0 / 8160.0,
];

/// ln Γ(x); ∞ at 0, NaN below. The error is absolute near the roots at 1 and 2.
#[inline(always)]
pub(super) fn lgamma<const FMA: bool>(x: f64) -> f64 {
    let mut shifted = x;
    let mut product = 1.0;
    for _ in 0..8 {
        let low = shifted < START;
        product = if low { product * shifted } else { product };
        shifted = if low { shifted + 1.0 } else { shifted };
    }
    let inverse = 1.0 / shifted;
    let series = inverse * polynomial(One::<FMA>(inverse * inverse), &STIRLING).0;
    // (z − ½) ln z − z with the small parts of it first.
    let log = ln::<FMA>(shifted);
    let main = mul_add::<FMA>(shifted, log - 1.0, HALF_LN_2PI - 0.5 * log);
    let result = main + (series - ln::<FMA>(product));
    let result = if x < f64::INFINITY { result } else { x };
    if x < 0.0 { f64::NAN } else { result }
}

/// ψ(x); −∞ at 0, NaN below. The error is absolute near the root at 1.46.
#[inline(always)]
pub(super) fn digamma<const FMA: bool>(x: f64) -> f64 {
    let mut shifted = x;
    // Σ 1/(x + i) as one fraction.
    let mut numerator = 0.0;
    let mut denominator = 1.0;
    for _ in 0..8 {
        let low = shifted < START;
        let raised = mul_add::<FMA>(numerator, shifted, denominator);
        numerator = if low { raised } else { numerator };
        denominator = if low { denominator * shifted } else { denominator };
        shifted = if low { shifted + 1.0 } else { shifted };
    }
    let inverse = 1.0 / shifted;
    let w = inverse * inverse;
    let series = mul_add::<FMA>(w, polynomial(One::<FMA>(w), &STIRLING_SLOPE).0, -0.5 * inverse);
    let result = ln::<FMA>(shifted) + (series - numerator / denominator);
    if x < 0.0 { f64::NAN } else { result }
}
