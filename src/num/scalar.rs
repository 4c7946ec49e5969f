//! `Real` for `f64`: the reference values of the special functions.

use std::f64::consts::FRAC_1_SQRT_2;

use super::Real;

const HALF_LN_2PI: f64 = 0.918_938_533_204_672_7;

impl Real for f64 {
    fn lit(&self, x: f64) -> Self {
        x
    }

    fn exp(&self) -> Self {
        f64::exp(*self)
    }

    fn ln(&self) -> Self {
        f64::ln(*self)
    }

    fn log1p(&self) -> Self {
        f64::ln_1p(*self)
    }

    fn expm1(&self) -> Self {
        f64::exp_m1(*self)
    }

    fn sqrt(&self) -> Self {
        f64::sqrt(*self)
    }

    fn square(&self) -> Self {
        self * self
    }

    fn abs(&self) -> Self {
        f64::abs(*self)
    }

    fn inv_logit(&self) -> Self {
        // exp(−|x|) never overflows, and the lower tail keeps its digits.
        let e = (-f64::abs(*self)).exp();
        if *self < 0.0 {
            e / (1.0 + e)
        } else {
            1.0 / (1.0 + e)
        }
    }

    fn softplus(&self) -> Self {
        let tail = (-f64::abs(*self)).exp().ln_1p();
        if *self > 0.0 { self + tail } else { tail }
    }

    fn lgamma(&self) -> Self {
        if *self < 0.0 {
            f64::NAN
        } else {
            libm::lgamma(*self)
        }
    }

    fn digamma(&self) -> Self {
        digamma(*self)
    }

    fn std_normal_cdf(&self) -> Self {
        0.5 * libm::erfc(-self * FRAC_1_SQRT_2)
    }

    fn log_std_normal_cdf(&self) -> Self {
        log_std_normal_cdf(*self)
    }

    fn pow(&self, exponent: &Self) -> Self {
        f64::powf(*self, *exponent)
    }

    fn lt(&self, other: &Self) -> Self {
        f64::from(u8::from(self < other))
    }

    fn select(&self, then: &Self, otherwise: &Self) -> Self {
        if *self != 0.0 { *then } else { *otherwise }
    }
}

/// ψ(x) for x > 0: the recurrence ψ(x) = ψ(x + 1) − 1/x up to 10, then the asymptotic series (Abramowitz & Stegun
/// 6.3.5, 6.3.18). −∞ at 0, NaN below.
fn digamma(x: f64) -> f64 {
    if x < 0.0 || x.is_nan() {
        return f64::NAN;
    }
    let mut shifted = x;
    let mut below = 0.0;
    while shifted < 10.0 {
        below += 1.0 / shifted;
        shifted += 1.0;
    }
    let w = 1.0 / (shifted * shifted);
    // B_2k / (2k) for k = 1 to 8; the next term is below 1e-17 at 10.
    let coefficients = [
        1.0 / 12.0,
        -1.0 / 120.0,
        1.0 / 252.0,
        -1.0 / 240.0,
        1.0 / 132.0,
        -691.0 / 32_760.0,
        1.0 / 12.0,
        -3617.0 / 8160.0,
    ];
    let series = coefficients.iter().rev().fold(0.0, |sum, c| (sum + c) * w);
    shifted.ln() - 0.5 / shifted - series - below
}

/// ln Φ(x): through erfc where that keeps its digits, below −30 by the asymptotic series of Mills' ratio (Abramowitz &
/// Stegun 26.2.12), whose first dropped term is below 1e-15 of the sum there.
fn log_std_normal_cdf(x: f64) -> f64 {
    if x > 0.0 {
        (-0.5 * libm::erfc(x * FRAC_1_SQRT_2)).ln_1p()
    } else if x > -30.0 || x.is_nan() {
        (0.5 * libm::erfc(-x * FRAC_1_SQRT_2)).ln()
    } else {
        let w = 1.0 / (x * x);
        let series = [11.0, 9.0, 7.0, 5.0, 3.0, 1.0]
            .iter()
            .fold(1.0, |sum, odd| 1.0 - odd * w * sum);
        -0.5 * x * x - (-x).ln() - HALF_LN_2PI + series.ln()
    }
}
