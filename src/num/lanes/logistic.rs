//! softplus and inv_logit: both from one exponential of −|x|, which never overflows. Below −708 both are 0.

use super::exponential::{exp_of_negative, exp_of_normal};
use super::polynomial::polynomial;
use super::vector::{One, Vector};

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

/// (ln(1 + e^x), 1/(1 + e^−x)).
#[inline(always)]
pub(crate) fn softplus_inv_logit<V: Vector>(x: V) -> (V, V) {
    let (log1p, inv_logit) = log1p_inv_logit(x);
    (x.at_least(V::splat(0.0)).add(log1p), inv_logit)
}

/// (ln(1 + e^−|x|), 1/(1 + e^−x)), with a single division: for t = e^−|x|, ln(1 + t) = 2 artanh(t/(2 + t)), and both
/// quotients come from 1/((1 + t)(2 + t)).
#[inline(always)]
pub(crate) fn log1p_inv_logit<V: Vector>(x: V) -> (V, V) {
    let (zero, one) = (V::splat(0.0), V::splat(1.0));
    let t = exp_of_negative(x.abs().neg());
    let (one_t, two_t) = (one.add(t), V::splat(2.0).add(t));
    let reciprocal = one.div(one_t.mul(two_t));
    let z = t.mul(one_t).mul(reciprocal);
    let z2 = z.mul(z);
    let cubic = z.mul(z2).mul(polynomial::<V, { ARTANH.len() }>(z2, &ARTANH));
    let log1p = V::splat(2.0).mul_add(z, cubic);
    let numerator = V::select(x.less(zero), t, one);
    (log1p, numerator.mul(two_t.mul(reciprocal)))
}

/// 1 + e^−|x|, and the number that divided by it is 1/(1 + e^−x). A sum of softplus is Σ max(x, 0) + ln Π (1 + e^−|x|):
/// one logarithm for many x, with an absolute error of 2⁻⁵³ per factor. Beyond ±708 both are those of ±708.
#[inline(always)]
pub(crate) fn logistic_quotient<V: Vector>(x: V) -> (V, V) {
    let one = V::splat(1.0);
    let t = exp_of_normal(x.abs().at_most(V::splat(708.0)).neg());
    (one.add(t), V::select(x.less(V::splat(0.0)), t, one))
}

/// ln(1 + e^x).
#[inline(always)]
pub(super) fn softplus<const FMA: bool>(x: f64) -> f64 {
    softplus_inv_logit(One::<FMA>(x)).0.0
}

/// 1/(1 + e^−x).
#[inline(always)]
pub(super) fn inv_logit<const FMA: bool>(x: f64) -> f64 {
    softplus_inv_logit(One::<FMA>(x)).1.0
}
