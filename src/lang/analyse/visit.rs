//! The names that an expression mentions, by what they stand for.

use super::{Subscript, subscript};
use crate::lang::ast::{Expr, ExprKind};
use crate::lang::span::Span;

/// Calls `f` with each name that stands for a value, subscripted or not; names of indices inside subscripts are none.
pub(crate) fn visit_names<'e>(expr: &'e Expr, f: &mut dyn FnMut(&'e str, Span)) {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) => {}
        ExprKind::Name(name) => f(name, expr.span),
        ExprKind::Indexed(name, _) => f(&name.text, name.span),
        ExprKind::Call(call) => call.args.iter().for_each(|arg| visit_names(&arg.value, f)),
        ExprKind::Unary(_, operand) => visit_names(operand, f),
        ExprKind::Binary(_, left, right) => {
            visit_names(left, f);
            visit_names(right, f);
        }
        ExprKind::Vector(parts) => parts.iter().for_each(|part| visit_names(part, f)),
    }
}

/// Calls `f` with each name that stands for an index between brackets.
pub(in crate::lang) fn visit_indices<'e>(expr: &'e Expr, f: &mut dyn FnMut(&'e str, Span)) {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Name(_) => {}
        ExprKind::Indexed(_, subs) => {
            for sub in subs {
                if let Ok(Subscript::Index(name)) = subscript(sub) {
                    f(name, sub.span());
                }
            }
        }
        ExprKind::Call(call) => call.args.iter().for_each(|arg| visit_indices(&arg.value, f)),
        ExprKind::Unary(_, operand) => visit_indices(operand, f),
        ExprKind::Binary(_, left, right) => {
            visit_indices(left, f);
            visit_indices(right, f);
        }
        ExprKind::Vector(parts) => parts.iter().for_each(|part| visit_indices(part, f)),
    }
}
