//! Pieces of expressions, as the lines of an expansion are put together from them.

use crate::lang::ast::{Arg, BinaryOp, Call, Expr, ExprKind, Name, Sub};
use crate::lang::span::Span;

pub(super) fn expr(kind: ExprKind, span: Span) -> Expr {
    Expr { kind, span }
}

pub(super) fn name(text: &str, span: Span) -> Name {
    Name {
        text: text.to_owned(),
        span,
    }
}

pub(super) fn variable(text: &str, span: Span) -> Expr {
    expr(ExprKind::Name(text.to_owned()), span)
}

pub(super) fn number(x: f64, span: Span) -> Expr {
    let size = expr(ExprKind::Number(x.abs()), span);
    if x < 0.0 {
        expr(
            ExprKind::Unary(crate::lang::ast::UnaryOp::Neg, Box::new(size)),
            span,
        )
    } else {
        size
    }
}

pub(super) fn text(label: &str, span: Span) -> Expr {
    expr(ExprKind::Text(label.to_owned()), span)
}

pub(super) fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    expr(ExprKind::Binary(op, Box::new(left), Box::new(right)), span)
}

pub(super) fn sum(terms: impl IntoIterator<Item = Expr>) -> Option<Expr> {
    terms
        .into_iter()
        .reduce(|sum, term| binary(BinaryOp::Add, sum, term))
}

pub(super) fn call(function: &str, args: impl IntoIterator<Item = Expr>, span: Span) -> Expr {
    expr(ExprKind::Call(distribution(function, args, span)), span)
}

pub(super) fn distribution(function: &str, args: impl IntoIterator<Item = Expr>, span: Span) -> Call {
    let args = args.into_iter().map(|value| Arg { name: None, value });
    Call {
        name: name(function, span),
        args: args.collect(),
        span,
    }
}

/// `base[subs]`.
pub(super) fn indexed(base: &str, subs: impl IntoIterator<Item = Expr>, span: Span) -> Expr {
    let subs = subs.into_iter().map(|low| Sub { low, high: None });
    expr(ExprKind::Indexed(name(base, span), subs.collect()), span)
}

/// The elements as one argument: a single expression where all are alike.
pub(super) fn elements(mut elements: Vec<Expr>, span: Span) -> Expr {
    let alike = elements
        .windows(2)
        .all(|pair| pair[0].to_string() == pair[1].to_string());
    match elements.pop() {
        Some(only) if alike => only,
        last => {
            elements.extend(last);
            expr(ExprKind::Vector(elements), span)
        }
    }
}
