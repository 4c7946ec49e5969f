//! Definitions: each evaluated once over its own plate, with its link undone.

use super::axes::ROWS;
use super::elementwise::inverse_cloglog;
use super::value::Value;
use super::{Context, Defined, Eval, Lowering, Poison};
use crate::ir::Unary;
use crate::lang::analyse::{Subscript, Symbol, Target, subscript};
use crate::lang::ast::{Expr, ExprKind, Link, Sub};
use crate::lang::function::Function;
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;

/// The most elements of a plate; beyond, the labels alone would fill gigabytes.
const MOST_ELEMENTS: usize = 1 << 24;

impl<'a, 'b> Lowering<'a, 'b> {
    /// The value of a definition where `context` is wanted.
    pub(super) fn definition(&mut self, name: &'a str, context: Context, span: Span) -> Eval<Value<'b>> {
        let own = self.own_plate(name)?;
        let value = self.defined(name)?.value;
        if own.is_none() || own == context {
            return Ok(value);
        }
        let data = self.analysis.is_data(name);
        Err(self.varies_by_row(name, context, span, data))
    }

    /// A definition's value over its own plate.
    pub(super) fn defined(&mut self, name: &'a str) -> Eval<Defined<'b>> {
        let Some(Symbol::Definition(place)) = self.analysis.symbols.get(name) else {
            return Err(Poison);
        };
        if let Some(known) = &self.definitions[*place] {
            return known.clone();
        }
        let made = self.evaluate(*place);
        self.definitions[*place] = Some(made.clone());
        made
    }

    fn evaluate(&mut self, place: usize) -> Eval<Defined<'b>> {
        let definition = &self.analysis.definitions[place];
        let name = definition.target.name.text.as_str();
        let plate = self.own_plate(name)?;
        let linear = self.expression(definition.value, plate)?;
        let value = match definition.link {
            None => linear.clone(),
            Some(Link::Logit) => linear.unary(Unary::InvLogit),
            Some(Link::Log) => linear.unary(Unary::Exp),
            Some(Link::Probit) => linear.unary(Unary::StdNormalCdf),
            Some(Link::Cloglog) => inverse_cloglog(&linear),
            Some(Link::Sqrt) => linear.unary(Unary::Square),
        };
        if let Some(numbers) = &value.numbers
            && let Some(element) = numbers
                .iter()
                .position(|x| !x.is_finite() && !self.may_be_unknown(*x))
        {
            return Err(self.not_finite(name, numbers[element], element, plate, definition.value.span));
        }
        Ok(Defined {
            value,
            linear: definition.link.map(|_| linear),
        })
    }

    /// The plate of a definition's subscripts; none where it has none.
    pub(super) fn definition_plate(&mut self, name: &str) -> Eval<Context> {
        let Some(Symbol::Definition(place)) = self.analysis.symbols.get(name) else {
            return Err(Poison);
        };
        if let Some(known) = self.definition_plates[*place] {
            return known;
        }
        let made = self.target_plate(&self.analysis.definitions[*place].target);
        self.definition_plates[*place] = Some(made);
        made
    }

    /// The plate that a definition's value varies over: its subscripts, else the rows if it mentions them.
    pub(super) fn own_plate(&mut self, name: &str) -> Eval<Context> {
        let plate = self.definition_plate(name)?;
        let Some(Symbol::Definition(place)) = self.analysis.symbols.get(name) else {
            return Err(Poison);
        };
        if plate.is_some() || !self.is_row_level(*place) {
            return Ok(plate);
        }
        Ok(Some(ROWS))
    }

    fn is_row_level(&mut self, place: usize) -> bool {
        if let Some(known) = self.row_level[place] {
            return known;
        }
        let definition = &self.analysis.definitions[place];
        let found = definition.target.subs.is_empty() && self.needs_rows(definition.value);
        self.row_level[place] = Some(found);
        found
    }

    /// Whether the expression mentions rows: a column, a definition by row, or a subscript that varies.
    pub(super) fn needs_rows(&mut self, expr: &'a Expr) -> bool {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::Text(_) => false,
            ExprKind::Name(name) => match self.analysis.symbols.get(name.as_str()) {
                Some(Symbol::Definition(place)) => self.is_row_level(*place),
                Some(Symbol::Parameter(_)) => false,
                None => true,
            },
            ExprKind::Indexed(_, subs) => subs
                .iter()
                .any(|sub: &Sub| matches!(subscript(sub), Ok(Subscript::Index(_)))),
            ExprKind::Call(call) => {
                let summary = Function::from_name(&call.name.text).is_some_and(Function::summarises);
                !summary && call.args.iter().any(|arg| self.needs_rows(&arg.value))
            }
            ExprKind::Unary(_, operand) => self.needs_rows(operand),
            ExprKind::Binary(_, left, right) => self.needs_rows(left) || self.needs_rows(right),
            ExprKind::Vector(parts) => parts.iter().any(|part| self.needs_rows(part)),
        }
    }

    /// The plate of the subscripts left of `~` or `=`; a bare number is a length.
    pub(super) fn target_plate(&mut self, target: &Target<'a>) -> Eval<Context> {
        let mut axes = Vec::new();
        let mut sound = true;
        for sub in target.subs {
            match (subscript(sub), &sub.low.kind) {
                (Ok(Subscript::Index(index)), _) => match self.axis(index, sub.span()) {
                    Ok(axis) => axes.push(axis),
                    Err(Poison) => sound = false,
                },
                // The analysis has seen to it that a length is a whole number from 1 to a million.
                (Ok(Subscript::Label(_)), ExprKind::Number(len)) => {
                    axes.push(self.fixed_axis(&target.name.text, *len as usize));
                }
                (Ok(Subscript::Label(_)) | Err(_), _) => sound = false,
            }
        }
        if !sound {
            return Err(Poison);
        }
        let len = axes.iter().fold(1_usize, |len, axis| {
            len.saturating_mul(self.axes[*axis].labels.len())
        });
        if len > MOST_ELEMENTS {
            let report = Report::error(
                format!("{} would have {len} elements", quoted(&target.name.text)),
                target.span,
                format!("expected at most {MOST_ELEMENTS}"),
            )
            .with_help(
                "a crossing has every combination of its levels; `index t = a*b` keeps those that occur",
            );
            return Err(self.blame(report));
        }
        Ok(self.plate(&axes))
    }
}
