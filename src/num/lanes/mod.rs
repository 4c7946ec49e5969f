//! Special functions over W lanes at once, for the SIMD back end.
//!
//! Every kernel is straight-line code on one lane (selects, no branches, no calls), inlined into a loop over the
//! lanes: inside a function with `#[target_feature]` the compiler turns the loop into vector instructions. `FMA` says
//! whether that target has fused multiply–add; set it without the feature and each one becomes a library call.

pub(crate) mod exponential;
mod gamma;
pub(crate) mod logarithm;
pub(crate) mod logistic;
mod normal;
mod polynomial;
mod power;
pub(crate) mod vector;
#[cfg(target_arch = "x86_64")]
pub(crate) mod x86;

/// Lifts a kernel of one lane to W lanes.
macro_rules! lanewise {
    ($(#[doc = $doc:literal] $name:ident in $module:ident;)*) => {$(
        #[doc = $doc]
        #[inline(always)]
        pub fn $name<const FMA: bool, const W: usize>(x: [f64; W]) -> [f64; W] {
            let mut out = [0.0; W];
            for lane in 0..W {
                out[lane] = $module::$name::<FMA>(x[lane]);
            }
            out
        }
    )*};
}

lanewise! {
    /// e^x: at most 2 ulp; 0 below −745.2, infinite above 709.8.
    exp in exponential;
    /// e^x − 1, accurate near 0: 1e-15 relative.
    expm1 in exponential;
    /// ln x: at most 2 ulp; −∞ at 0, NaN below.
    ln in logarithm;
    /// ln(1 + x), accurate near 0: at most 2 ulp; −∞ at −1, NaN below.
    log1p in logarithm;
    /// ln(1 + e^x) without overflow: at most 10 ulp; 0 below −708.
    softplus in logistic;
    /// 1/(1 + e^−x): at most 10 ulp; 0 below −708.
    inv_logit in logistic;
    /// ln Γ(x) for x > 0: 1e-13 relative, absolute near the roots at 1 and 2; ∞ at 0, NaN below.
    lgamma in gamma;
    /// ψ(x) for x > 0: 1e-13 relative, absolute near the root at 1.46; −∞ at 0, NaN below.
    digamma in gamma;
    /// Φ(x): 1e-13 relative; 0 below −37.6.
    std_normal_cdf in normal;
    /// ln Φ(x): 1e-13 relative.
    log_std_normal_cdf in normal;
}

/// (softplus, inv_logit) from one exponential: at most 10 ulp; 0 below −708.
#[inline(always)]
pub fn softplus_inv_logit<const FMA: bool, const W: usize>(x: [f64; W]) -> ([f64; W], [f64; W]) {
    let mut softplus = [0.0; W];
    let mut inv_logit = [0.0; W];
    for lane in 0..W {
        let (s, p) = logistic::softplus_inv_logit(vector::One::<FMA>(x[lane]));
        (softplus[lane], inv_logit[lane]) = (s.0, p.0);
    }
    (softplus, inv_logit)
}

/// x^y with the special values of `f64::powf`: at most 2 + |y ln x| ulp; x < 0 takes whole y only.
#[inline(always)]
pub fn pow<const FMA: bool, const W: usize>(x: [f64; W], y: [f64; W]) -> [f64; W] {
    let mut out = [0.0; W];
    for lane in 0..W {
        out[lane] = power::pow::<FMA>(x[lane], y[lane]);
    }
    out
}

#[cfg(test)]
mod tests;
