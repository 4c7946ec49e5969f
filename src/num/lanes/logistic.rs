//! softplus and inv_logit: both from one exponential of −|x|, which never overflows. Below −708 both are 0.

use super::exponential::exp_of_negative;
use super::polynomial::{mul_add, polynomial};

/// (2 artanh z − 2z)/z³ as a function of z² for 0 ≤ z ≤ ⅓; error 7e-18 of 2 artanh z (tests/num/coefficients.py).
const ARTANH: [f64; 10] = [
    0.666_666_666_666_666_6,
    0.400_000_000_000_145_85,
    0.285_714_285_671_087_6,
    0.222_222_227_174_278_64,
    0.181_817_894_361_328_59,
    0.153_855_700_649_586_23,
    0.133_141_442_096_549_35,
    0.120_010_728_095_907_13,
    0.088_007_384_861_446_74,
    0.161_640_456_119_435_3,
];

/// (ln(1 + e^x), 1/(1 + e^−x)), with a single division: for t = e^−|x|, ln(1 + t) = 2 artanh(t/(2 + t)), and both
/// quotients come from 1/((1 + t)(2 + t)).
#[inline(always)]
pub(super) fn softplus_inv_logit<const FMA: bool>(x: f64) -> (f64, f64) {
    let t = exp_of_negative::<FMA>(-x.abs());
    let (one_t, two_t) = (1.0 + t, 2.0 + t);
    let reciprocal = 1.0 / (one_t * two_t);
    let z = t * one_t * reciprocal;
    let z2 = z * z;
    let cubic = z * z2 * polynomial::<FMA, { ARTANH.len() }>(z2, &ARTANH);
    let log1p = mul_add::<FMA>(2.0, z, cubic);
    let positive = if x > 0.0 { x } else { 0.0 };
    let numerator = if x < 0.0 { t } else { 1.0 };
    (positive + log1p, numerator * (two_t * reciprocal))
}

/// ln(1 + e^x).
#[inline(always)]
pub(super) fn softplus<const FMA: bool>(x: f64) -> f64 {
    softplus_inv_logit::<FMA>(x).0
}

/// 1/(1 + e^−x).
#[inline(always)]
pub(super) fn inv_logit<const FMA: bool>(x: f64) -> f64 {
    softplus_inv_logit::<FMA>(x).1
}
