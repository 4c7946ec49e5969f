//! Values: nodes of the IR, together with their numbers where they are data.

use std::rc::Rc;

use crate::ir::{Binary, Builder, Expr, IndexId, Unary};
use crate::num::Real;

/// A value in some context. Data keeps its numbers, so that constants can be learned and outcomes checked.
#[derive(Debug, Clone)]
pub(super) struct Value<'b> {
    pub(super) expr: Expr<'b>,
    /// One number for each element of the node's plate, or a single one; none where it depends on parameters.
    pub(super) numbers: Option<Rc<[f64]>>,
}

impl<'b> Value<'b> {
    pub(super) fn constant(builder: &'b Builder, x: f64) -> Self {
        Self {
            expr: builder.constant(x),
            numbers: Some(Rc::from([x])),
        }
    }

    pub(super) fn parameter(expr: Expr<'b>) -> Self {
        Self { expr, numbers: None }
    }

    /// The number where the value is a single one and data.
    pub(super) fn single(&self) -> Option<f64> {
        match self.numbers.as_deref() {
            Some([x]) => Some(*x),
            Some(_) | None => None,
        }
    }

    /// A constant beside this value.
    pub(super) fn lit(&self, x: f64) -> Self {
        Self {
            expr: self.expr.lit(x),
            numbers: Some(Rc::from([x])),
        }
    }

    pub(super) fn unary(&self, op: Unary) -> Self {
        Self {
            expr: self.expr.unary(op),
            numbers: self
                .numbers
                .as_ref()
                .map(|numbers| numbers.iter().map(|x| op.apply(*x)).collect()),
        }
    }

    pub(super) fn binary(&self, op: Binary, other: &Self) -> Self {
        let numbers = match (&self.numbers, &other.numbers) {
            (Some(a), Some(b)) => Some(zip(&[a, b], |x| op.apply(x[0], x[1]))),
            (Some(_) | None, _) => None,
        };
        Self {
            expr: self.expr.binary(op, other.expr),
            numbers,
        }
    }

    /// `then` where this value is not 0, else `otherwise`.
    pub(super) fn select(&self, then: &Self, otherwise: &Self) -> Self {
        let numbers = match (&self.numbers, &then.numbers, &otherwise.numbers) {
            (Some(a), Some(b), Some(c)) => Some(zip(&[a, b, c], |x| if x[0] != 0.0 { x[1] } else { x[2] })),
            (Some(_) | None, _, _) => None,
        };
        Self {
            expr: self.expr.select(&then.expr, &otherwise.expr),
            numbers,
        }
    }

    /// The value carried through an index, whose codes are `codes`.
    pub(super) fn gather(&self, index: IndexId, codes: &[u32]) -> Self {
        Self {
            expr: self.expr.gather(index),
            numbers: self
                .numbers
                .as_ref()
                .map(|numbers| codes.iter().map(|&code| numbers[code as usize]).collect()),
        }
    }
}

/// Elementwise; operands of one number are broadcast.
fn zip(operands: &[&Rc<[f64]>], f: impl Fn(&[f64]) -> f64) -> Rc<[f64]> {
    let len = operands
        .iter()
        .map(|numbers| numbers.len())
        .find(|&len| len != 1)
        .unwrap_or(1);
    let mut at = vec![0.0; operands.len()];
    (0..len)
        .map(|i| {
            for (x, numbers) in at.iter_mut().zip(operands) {
                *x = if numbers.len() == 1 {
                    numbers[0]
                } else {
                    numbers[i]
                };
            }
            f(&at)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_nodes() {
        let builder = Builder::new();
        let rows = builder.plate("row", 3);
        let x = Value {
            expr: builder.column("x", Some(rows), vec![1.0, 0.0, 3.0]),
            numbers: Some(Rc::from([1.0, 0.0, 3.0])),
        };
        let two = Value::constant(&builder, 2.0);
        let product = x.binary(Binary::Mul, &two);
        assert_eq!(product.numbers.as_deref(), Some(&[2.0, 0.0, 6.0][..]));
        let chosen = x.select(&two, &product.unary(Unary::Neg));
        assert_eq!(chosen.numbers.as_deref(), Some(&[2.0, 0.0, 2.0][..]));
        let free = Value::parameter(builder.position("a", None, crate::ir::Event::Scalar));
        assert!(x.binary(Binary::Add, &free).numbers.is_none());
    }
}
