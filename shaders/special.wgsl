// Special functions in f32, and the exact whole part of a sum.
//
// WGSL has no log1p, expm1, lgamma or erfc; its log has an absolute error of 5e-7 between 0.5 and 2, exp a relative one
// of (3 + 2|x|) ulp, exp(-100) may be 0, and shader compilers may reorder sums. So nothing here relies on a rounding
// error that cancels, and nothing loops (software Vulkan counts loop trips). Errors below are against
// tests/num/*.csv, whose arguments are exact in f32.

// Whether x is NaN or infinite, by its bits: `x != x` is compiled away.
fn tp_is_bad(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u;
}

// Adds `term` to a sum kept as (whole number, remainder within one half): below 2^24 the whole part is exact, so that
// differences of large log densities keep their digits.
fn accumulate(sum: vec2<f32>, term: f32) -> vec2<f32> {
    let s = sum.y + term;
    let k = round(s);
    return vec2<f32>(sum.x + k, s - k);
}

// ln(1 + x) for x from -0.5 to 1: 2 atanh(s) with 2 s = x/(1 + x/2), |s| <= 1/3; the first dropped term is 1e-8. It is
// 2 s that is computed, as s itself may be too small for f32 where the result is not.
fn tp_log1p_near(x: f32) -> f32 {
    let t = x / fma(0.5, x, 1.0);
    let w = 0.25 * t * t;
    var p = fma(1.0 / 13.0, w, 1.0 / 11.0);
    p = fma(p, w, 1.0 / 9.0);
    p = fma(p, w, 1.0 / 7.0);
    p = fma(p, w, 1.0 / 5.0);
    p = fma(p, w, 1.0 / 3.0);
    return fma(t * w, p, t);
}

// ln(1 + x), relative error 5e-7; x > -1.
fn tp_log1p(x: f32) -> f32 {
    let near = x >= -0.5 && x <= 1.0;
    return select(log(1.0 + x), tp_log1p_near(select(0.0, x, near)), near);
}

// e^x - 1, relative error 1e-6 below 10: Taylor's series between -1 and 1, whose first dropped term is 3e-8.
fn tp_expm1(x: f32) -> f32 {
    let near = abs(x) <= 1.0;
    let r = select(0.0, x, near);
    var p = 2.7557319e-7;
    p = p * r + 2.7557319e-6;
    p = p * r + 2.4801587e-5;
    p = p * r + 1.9841270e-4;
    p = p * r + 1.3888889e-3;
    p = p * r + 8.3333333e-3;
    p = p * r + 4.1666667e-2;
    p = p * r + 1.6666667e-1;
    p = p * r + 0.5;
    return select(exp(x) - 1.0, r + r * r * p, near);
}

// ln(1 + e^x): relative error 1e-6 above -10, below it that of exp.
fn tp_softplus(x: f32) -> f32 {
    return max(x, 0.0) + tp_log1p_near(exp(-abs(x)));
}

// 1/(1 + e^-x): relative error 1e-6 above -10, below it that of exp.
fn tp_inv_logit(x: f32) -> f32 {
    let t = exp(-abs(x));
    return select(1.0, t, x < 0.0) / (1.0 + t);
}

// ln Gamma(x) for x > 0: x is raised to 4 or more by the recurrence, then Stirling's series (Abramowitz & Stegun
// 6.1.41), whose first dropped term is 2e-9 there. Absolute error 2e-6 below 4, relative 1e-6 above.
fn tp_lgamma(x: f32) -> f32 {
    let f0 = select(1.0, x, x < 4.0);
    let f1 = select(1.0, x + 1.0, x < 3.0);
    let f2 = select(1.0, x + 2.0, x < 2.0);
    let f3 = select(1.0, x + 3.0, x < 1.0);
    let steps = select(0.0, 1.0, x < 4.0) + select(0.0, 1.0, x < 3.0) + select(0.0, 1.0, x < 2.0)
        + select(0.0, 1.0, x < 1.0);
    let z = x + steps;
    let inverse = 1.0 / z;
    let w = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - w * (1.0 / 360.0 - w * (1.0 / 1260.0 - w * (1.0 / 1680.0 - w / 1188.0))));
    let log_z = log(z);
    return z * (log_z - 1.0) + ((0.9189385332 - 0.5 * log_z) + (series - log(f0 * f1 * f2 * f3)));
}

// psi(x) for x > 0: raised to 4 or more, the reciprocals summed as one fraction, then the asymptotic series (Abramowitz
// & Stegun 6.3.18), whose first dropped term is 1e-9 there. Absolute error 1e-6 near the root, relative 1e-6 elsewhere.
fn tp_digamma(x: f32) -> f32 {
    // (x, numerator, denominator) of the partial sum of 1/(x + i).
    var s = vec3<f32>(x, 0.0, 1.0);
    s = tp_digamma_step(s);
    s = tp_digamma_step(s);
    s = tp_digamma_step(s);
    s = tp_digamma_step(s);
    let inverse = 1.0 / s.x;
    let w = inverse * inverse;
    let series = w * (1.0 / 12.0 - w * (1.0 / 120.0 - w * (1.0 / 252.0 - w * (1.0 / 240.0 - w / 132.0))));
    return log(s.x) - 0.5 * inverse - series - s.y / s.z;
}

fn tp_digamma_step(s: vec3<f32>) -> vec3<f32> {
    return select(s, vec3<f32>(s.x + 1.0, s.y * s.x + s.z, s.z * s.x), s.x < 4.0);
}

// Mills' ratio by sqrt(2 pi), Phi(-z) exp(z^2/2) for z >= 0: a polynomial in (z - 4)/(z + 4) over 1 + 2z, fitted by
// tests/num/coefficients.py (MILLS_F32) to 1e-7.
fn tp_mills(z: f32) -> f32 {
    let t = (z - 4.0) / (z + 4.0);
    var p = -0.00013936384;
    p = p * t + (-6.39667023e-05);
    p = p * t + (0.00151811897);
    p = p * t + (-0.00128207138);
    p = p * t + (-0.0104877152);
    p = p * t + (0.0443943892);
    p = p * t + (-0.0952647748);
    p = p * t + (0.128902882);
    p = p * t + (-0.096379773);
    p = p * t + (-0.0230089728);
    p = p * t + (0.849695772);
    return p / (1.0 + 2.0 * z);
}

// Phi(x): relative error 1e-6 above -2, growing as 1e-7 x^2 below (the rounding of x^2).
fn tp_std_normal_cdf(x: f32) -> f32 {
    let z = min(abs(x), 1e6);
    let tail = exp(-0.5 * z * z) * tp_mills(z);
    return select(tail, 1.0 - tail, x > 0.0);
}

// ln Phi(x): relative error 1e-6 for x < 0; above 0 that of the upper tail.
fn tp_log_std_normal_cdf(x: f32) -> f32 {
    let z = min(abs(x), 1e18);
    let m = tp_mills(z);
    let upper = tp_log1p_near(-exp(-0.5 * z * z) * m);
    return select(log(m) - 0.5 * z * z, upper, x > 0.0);
}

// a to the power of b; a whole b takes any a, another b a positive one (else NaN by bit pattern).
fn tp_pow(a: f32, b: f32) -> f32 {
    let half_b = 0.5 * b;
    let is_whole = floor(b) == b;
    let is_odd = is_whole && floor(half_b) != half_b;
    let size = exp(b * log(select(abs(a), 1.0, a == 0.0)));
    let at_zero = select(select(0.0, 1.0, b == 0.0), 3.4e38, b < 0.0);
    let signed = select(size, -size, a < 0.0 && is_odd);
    let defined = select(signed, bitcast<f32>(0x7fc00000u | (bitcast<u32>(a) & 0u)), a < 0.0 && !is_whole);
    return select(defined, at_zero, a == 0.0);
}
