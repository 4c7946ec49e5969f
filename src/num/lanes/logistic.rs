//! softplus and inv_logit: both from one exponential of −|x|, which never overflows. Below −708 both are 0.

use super::exponential::exp_of_negative;
use super::logarithm::log1p_unit;

/// (ln(1 + e^x), 1/(1 + e^−x)).
#[inline(always)]
pub(super) fn softplus_inv_logit<const FMA: bool>(x: f64) -> (f64, f64) {
    let t = exp_of_negative::<FMA>(-x.abs());
    let positive = if x > 0.0 { x } else { 0.0 };
    let numerator = if x < 0.0 { t } else { 1.0 };
    (positive + log1p_unit::<FMA>(t), numerator / (1.0 + t))
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
