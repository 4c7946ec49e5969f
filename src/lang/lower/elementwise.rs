//! Operators and functions, element by element.

use super::value::Value;
use crate::ir::{Binary, Unary};
use crate::lang::ast::BinaryOp;
use crate::lang::function::Function;

pub(super) fn not<'b>(x: &Value<'b>) -> Value<'b> {
    x.binary(Binary::Eq, &x.lit(0.0))
}

pub(super) fn binary<'b>(op: BinaryOp, a: &Value<'b>, b: &Value<'b>) -> Value<'b> {
    match op {
        BinaryOp::Add => a.binary(Binary::Add, b),
        BinaryOp::Sub => a.binary(Binary::Sub, b),
        BinaryOp::Mul => a.binary(Binary::Mul, b),
        BinaryOp::Div => a.binary(Binary::Div, b),
        // As in R: the remainder has the sign of the divisor.
        BinaryOp::Rem => {
            let whole = a.binary(Binary::Div, b).unary(Unary::Floor);
            a.binary(Binary::Sub, &b.binary(Binary::Mul, &whole))
        }
        BinaryOp::Pow => power(a, b),
        BinaryOp::Eq => a.binary(Binary::Eq, b),
        BinaryOp::Ne => not(&a.binary(Binary::Eq, b)),
        BinaryOp::Lt => a.binary(Binary::Lt, b),
        BinaryOp::Le => a.binary(Binary::Le, b),
        BinaryOp::Gt => b.binary(Binary::Lt, a),
        BinaryOp::Ge => b.binary(Binary::Le, a),
        BinaryOp::And => {
            let truth = b.select(&a.lit(1.0), &a.lit(0.0));
            a.select(&truth, &a.lit(0.0))
        }
        BinaryOp::Or => {
            let truth = b.select(&a.lit(1.0), &a.lit(0.0));
            a.select(&a.lit(1.0), &truth)
        }
    }
}

fn power<'b>(base: &Value<'b>, exponent: &Value<'b>) -> Value<'b> {
    match exponent.single() {
        Some(1.0) => base.clone(),
        Some(2.0) => base.unary(Unary::Square),
        Some(0.5) => base.unary(Unary::Sqrt),
        Some(-1.0) => base.unary(Unary::Recip),
        Some(_) | None => base.binary(Binary::Pow, exponent),
    }
}

/// A function of its arguments' elements; none for calls that look at all values at once.
pub(super) fn apply<'b>(function: Function, x: &[Value<'b>]) -> Option<Value<'b>> {
    let first = &x[0];
    Some(match function {
        Function::Exp => first.unary(Unary::Exp),
        Function::Log => first.unary(Unary::Ln),
        Function::Log1p => first.unary(Unary::Log1p),
        Function::Expm1 => first.unary(Unary::Expm1),
        Function::Sqrt => first.unary(Unary::Sqrt),
        Function::Abs => first.unary(Unary::Abs),
        Function::Square => first.unary(Unary::Square),
        Function::Floor => first.unary(Unary::Floor),
        Function::Step => first.lit(0.0).binary(Binary::Le, first),
        Function::Logit => {
            let rest = first.unary(Unary::Neg).unary(Unary::Log1p);
            first.unary(Unary::Ln).binary(Binary::Sub, &rest)
        }
        Function::InvLogit => first.unary(Unary::InvLogit),
        Function::InvCloglog => inverse_cloglog(first),
        Function::Phi => first.unary(Unary::StdNormalCdf),
        Function::Lgamma => first.unary(Unary::Lgamma),
        Function::Pow => power(first, &x[1]),
        Function::Min => first.binary(Binary::Min, &x[1]),
        Function::Max => first.binary(Binary::Max, &x[1]),
        Function::Ifelse => first.select(&x[1], &x[2]),
        Function::Standardize | Function::Center | Function::Mean | Function::Sd | Function::Sum => {
            return None;
        }
    })
}

/// 1 − exp(−exp(x)).
pub(super) fn inverse_cloglog<'b>(x: &Value<'b>) -> Value<'b> {
    x.unary(Unary::Exp)
        .unary(Unary::Neg)
        .unary(Unary::Expm1)
        .unary(Unary::Neg)
}
