//! The derivative of each elementwise operation with respect to each operand.

use crate::error::{Error, Result};
use crate::ir::{Binary, Expr, Unary};
use crate::num::Real;

const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_7;
const HALF_LN_2PI: f64 = 0.918_938_533_204_672_7;

/// d op(x)/dx given x and y = op(x); `None` where the derivative is 0.
pub(super) fn unary<'b>(op: Unary, x: Expr<'b>, y: Expr<'b>) -> Result<Option<Expr<'b>>> {
    let one = x.lit(1.0);
    Ok(Some(match op {
        Unary::Neg => x.lit(-1.0),
        Unary::Recip => -y.square(),
        Unary::Exp => y,
        Unary::Ln => x.unary(Unary::Recip),
        Unary::Log1p => (one + x).unary(Unary::Recip),
        Unary::Expm1 => one + y,
        Unary::Sqrt => x.lit(0.5) / y,
        Unary::Square => x.lit(2.0) * x,
        Unary::Abs => x.lt(&x.lit(0.0)).select(&x.lit(-1.0), &one),
        Unary::Floor => return Ok(None),
        Unary::InvLogit => y * (one - y),
        Unary::Softplus => x.inv_logit(),
        Unary::Lgamma => x.digamma(),
        Unary::Digamma => return Err(Error::bug("the second derivative of ln Γ is not part of the IR")),
        Unary::StdNormalCdf => (-(x.square() * x.lit(0.5))).exp() * x.lit(INV_SQRT_2PI),
        // φ(x)/Φ(x) through logarithms: both under- and overflow safely.
        Unary::LogStdNormalCdf => (-(x.square() * x.lit(0.5)) - x.lit(HALF_LN_2PI) - y).exp(),
    }))
}

/// The derivatives of op(a, b) with respect to a and b given y = op(a, b); `None` where one is 0.
pub(super) fn binary<'b>(
    op: Binary,
    a: Expr<'b>,
    b: Expr<'b>,
    y: Expr<'b>,
) -> (Option<Expr<'b>>, Option<Expr<'b>>) {
    let one = a.lit(1.0);
    let zero = a.lit(0.0);
    match op {
        Binary::Add => (Some(one), Some(one)),
        Binary::Sub => (Some(one), Some(a.lit(-1.0))),
        Binary::Mul => (Some(b), Some(a)),
        Binary::Div => (Some(b.unary(Unary::Recip)), Some(-(y / b))),
        Binary::Pow => (Some(b * a.pow(&(b - one))), Some(y * a.ln())),
        Binary::Min => (
            Some(b.lt(&a).select(&zero, &one)),
            Some(b.lt(&a).select(&one, &zero)),
        ),
        Binary::Max => (
            Some(a.lt(&b).select(&zero, &one)),
            Some(a.lt(&b).select(&one, &zero)),
        ),
        Binary::Lt | Binary::Le | Binary::Eq => (None, None),
    }
}
