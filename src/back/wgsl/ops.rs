//! How constants and elementwise operations are spelled in WGSL.

use crate::ir::{Binary, Unary};

/// A constant in f32, exact to the last bit; one that is not finite must not be folded by the shader compiler.
pub(super) fn literal(x: f64) -> String {
    let x = x as f32;
    if x.is_finite() {
        format!("({x:?}f)")
    } else {
        format!("bitcast<f32>({:#x}u | (chain & 0u))", x.to_bits())
    }
}

pub(super) fn unary(op: Unary, x: &str) -> String {
    let call = match op {
        Unary::Neg => return format!("-({x})"),
        Unary::Recip => return format!("1.0 / {x}"),
        Unary::Square => return format!("{x} * {x}"),
        Unary::Exp => "exp",
        Unary::Ln => "log",
        Unary::Log1p => "tp_log1p",
        Unary::Expm1 => "tp_expm1",
        Unary::Sqrt => "sqrt",
        Unary::Abs => "abs",
        Unary::Floor => "floor",
        Unary::InvLogit => "tp_inv_logit",
        Unary::Softplus => "tp_softplus",
        Unary::Lgamma => "tp_lgamma",
        Unary::Digamma => "tp_digamma",
        Unary::StdNormalCdf => "tp_std_normal_cdf",
        Unary::LogStdNormalCdf => "tp_log_std_normal_cdf",
    };
    format!("{call}({x})")
}

pub(super) fn binary(op: Binary, a: &str, b: &str) -> String {
    match op {
        Binary::Add => format!("{a} + {b}"),
        Binary::Sub => format!("{a} - {b}"),
        Binary::Mul => format!("{a} * {b}"),
        Binary::Div => format!("{a} / {b}"),
        Binary::Pow => format!("tp_pow({a}, {b})"),
        Binary::Min => format!("min({a}, {b})"),
        Binary::Max => format!("max({a}, {b})"),
        Binary::Lt => format!("select(0.0, 1.0, {a} < {b})"),
        Binary::Le => format!("select(0.0, 1.0, {a} <= {b})"),
        Binary::Eq => format!("select(0.0, 1.0, {a} == {b})"),
    }
}
