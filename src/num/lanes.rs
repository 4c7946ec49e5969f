use super::Real;
macro_rules! f { ($($n:ident)*) => {$( #[inline(always)] pub fn $n<const W: usize, const FMA: bool>(x: [f64; W]) -> [f64; W] { x.map(|x| Real::$n(&x)) } )*} }
f! {exp ln log1p expm1 lgamma digamma std_normal_cdf log_std_normal_cdf}
#[inline(always)]
pub fn softplus_inv_logit<const W: usize, const FMA: bool>(x: [f64; W]) -> ([f64; W], [f64; W]) {
    (x.map(|x| x.softplus()), x.map(|x| x.inv_logit()))
}
#[inline(always)]
pub fn pow<const W: usize, const FMA: bool>(x: [f64; W], y: [f64; W]) -> [f64; W] {
    let mut z = x;
    for i in 0..W {
        z[i] = Real::pow(&x[i], &y[i]);
    }
    z
}
