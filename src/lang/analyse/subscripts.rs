//! Subscripts: an index by name, or one label.

use crate::data::number_label;
use crate::lang::ast::{Expr, ExprKind, Sub, UnaryOp};
use crate::lang::span::Span;

/// What stands between the brackets of `a[…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subscript<'a> {
    /// The name of an index, a column or `row`.
    Index(&'a str),
    /// A level by its label: `a["bob smith"]`, `b[2]`.
    Label(String),
}

/// The subscript, or where it is neither a name nor a literal, its place.
pub(crate) fn subscript(sub: &Sub) -> Result<Subscript<'_>, Span> {
    if sub.high.is_some() {
        return Err(sub.span());
    }
    match &sub.low.kind {
        ExprKind::Name(name) => Ok(Subscript::Index(name)),
        ExprKind::Number(x) => Ok(Subscript::Label(number_label(*x))),
        ExprKind::Text(text) => Ok(Subscript::Label(text.clone())),
        ExprKind::Unary(UnaryOp::Neg, inner) => match inner.kind {
            ExprKind::Number(x) => Ok(Subscript::Label(number_label(-x))),
            ExprKind::Text(_)
            | ExprKind::Name(_)
            | ExprKind::Indexed(..)
            | ExprKind::Call(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Vector(_) => Err(sub.low.span),
        },
        ExprKind::Unary(UnaryOp::Not, _)
        | ExprKind::Indexed(..)
        | ExprKind::Call(_)
        | ExprKind::Binary(..)
        | ExprKind::Vector(_) => Err(sub.low.span),
    }
}

/// The length that a bare whole number on the left of `~` declares.
pub(crate) fn length(expr: &Expr) -> Option<f64> {
    match expr.kind {
        ExprKind::Number(x) => Some(x),
        ExprKind::Text(_)
        | ExprKind::Name(_)
        | ExprKind::Indexed(..)
        | ExprKind::Call(_)
        | ExprKind::Unary(..)
        | ExprKind::Binary(..)
        | ExprKind::Vector(_) => None,
    }
}
