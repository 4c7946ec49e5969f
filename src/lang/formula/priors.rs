//! The priors of a vector of coefficients or sds: the default for all, a line of the text for all, lines for single ones.

use super::pieces::elements;
use crate::data::number_label;
use crate::lang::ast::{Call, Expr, ExprKind, Statement, StatementKind, Sub, Targets, UnaryOp, Var};
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;
use crate::lang::spelling;

/// A line of the text that gives a prior to a name of the expansion.
pub(super) struct Line<'m> {
    pub(super) statement: &'m Statement,
    pub(super) var: &'m Var,
    pub(super) call: &'m Call,
    /// Whether the line has other targets too.
    pub(super) shared: bool,
}

/// The lines with `name` on the left of their `~`.
pub(super) fn lines<'m>(statements: &'m [Statement], name: &str) -> Vec<Line<'m>> {
    let mut found = Vec::new();
    for statement in statements {
        let StatementKind::Stochastic(stochastic) = &statement.kind else {
            continue;
        };
        let Targets::Separate(vars) = &stochastic.targets else {
            continue;
        };
        for var in vars.iter().filter(|var| var.name.text == name) {
            found.push(Line {
                statement,
                var,
                call: &stochastic.distribution,
                shared: vars.len() > 1,
            });
        }
    }
    found
}

/// The label that a subscript spells: `x`, `"log(x)"`, `3`, `x:z`.
pub(super) fn label(sub: &Sub) -> String {
    let part = |expr: &Expr| match &expr.kind {
        ExprKind::Name(text) | ExprKind::Text(text) => text.clone(),
        ExprKind::Number(x) => number_label(*x),
        ExprKind::Unary(UnaryOp::Neg, inner) => match inner.kind {
            ExprKind::Number(x) => number_label(-x),
            ExprKind::Text(_)
            | ExprKind::Name(_)
            | ExprKind::Indexed(..)
            | ExprKind::Call(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Vector(_) => expr.to_string(),
        },
        ExprKind::Indexed(..)
        | ExprKind::Call(_)
        | ExprKind::Unary(..)
        | ExprKind::Binary(..)
        | ExprKind::Vector(_) => expr.to_string(),
    };
    match &sub.high {
        Some(high) => format!("{}:{}", part(&sub.low), part(high)),
        None => part(&sub.low),
    }
}

/// One distribution for a vector: that of each place, argument by argument, where they are of one family.
pub(super) fn merged(places: &[(String, Call, Span)], span: Span) -> Result<Call, Box<Report>> {
    let mut calls = Vec::new();
    for (_, call, _) in places {
        calls.push(spelling::canonical(call)?);
    }
    let first = &calls[0];
    for ((label, _, place), call) in places.iter().zip(&calls) {
        if let Some(name) = call.args.iter().find_map(|arg| arg.name.as_ref()) {
            let report = Report::error(
                "arguments by name are not expected here",
                name.span,
                "one of several priors of a vector",
            );
            return Err(Box::new(
                report.with_help("write the arguments in their order, without names"),
            ));
        }
        if call.name.text != first.name.text || call.args.len() != first.args.len() {
            let (ours, own) = (label.as_str(), call.name.text.as_str());
            let (others, other) = (places[0].0.as_str(), first.name.text.as_str());
            // A default has no place in the text.
            let (at, (mine, its), (rest, theirs)) = if *place == span {
                (places[0].2, (others, other), (ours, own))
            } else {
                (*place, (ours, own), (others, other))
            };
            let report = Report::error(
                format!(
                    "the prior of {} is a {its}, that of {} a {theirs}",
                    quoted(mine),
                    quoted(rest)
                ),
                at,
                "the elements of a vector have one distribution, with arguments of their own",
            );
            return Err(Box::new(report.with_help(format!(
                "write all of them as {its}, or this one as {theirs}"
            ))));
        }
    }
    let mut call = first.clone();
    for (place, arg) in call.args.iter_mut().enumerate() {
        let own = calls.iter().map(|call| call.args[place].value.clone());
        arg.value = elements(own.collect(), span);
    }
    Ok(call)
}
