//! Products: a parameter times data, as linear predictors are sums of.

use super::super::ridge::Term;
use super::super::{Context, Lowering};
use crate::lang::analyse::{Member, Relation, Symbol, visit_names};
use crate::lang::ast::{Expr, ExprKind, Sub};
use crate::lang::span::Span;
use crate::transform::standard_arguments;

/// One parameter times data.
#[derive(Debug, Clone)]
pub(super) struct Product<'a> {
    /// The parameter's place among the relations.
    pub(super) parameter: usize,
    /// The parameter as it stands there, subscripts and all.
    pub(super) factor: &'a Expr,
    /// What it is multiplied with.
    pub(super) data: Vec<&'a Expr>,
    /// Whether that mentions a column, and is not numbers alone.
    pub(super) has_column: bool,
    /// The plate of the groups that it is an effect of, and the group of each element of the outcome.
    pub(super) groups: Option<(usize, Vec<u32>)>,
    /// The element of the parameter's plate for each element of the outcome; none for a single number.
    elements: Option<Vec<u32>>,
}

/// A prior of data alone: of a location-scale family.
#[derive(Debug, Clone, Copy)]
pub(super) struct Width {
    pub(super) location: f64,
    pub(super) scale: f64,
}

impl<'a> Product<'a> {
    /// What it is multiplied with, as written.
    pub(super) fn column(&self, text: &'a str) -> String {
        joined(&self.data, text)
    }

    /// The place of what it is multiplied with; that of the parameter where that is nothing.
    pub(super) fn column_span(&self) -> Span {
        let mut spans = self.data.iter().map(|expr| expr.span);
        let first = spans.next().unwrap_or(self.factor.span);
        spans.fold(first, Span::to)
    }

    /// The product as one writes it.
    pub(super) fn written(&self, text: &'a str) -> String {
        let parts = [self.factor].into_iter().chain(self.data.iter().copied());
        let parts: Vec<&str> = parts.map(|expr| expr.span.of(text)).collect();
        parts.join("*")
    }
}

impl<'a> Lowering<'a, '_> {
    /// The term as one parameter times data; none if it is something else.
    pub(super) fn product(&mut self, term: &Term<'a>, plate: Context) -> Option<Product<'a>> {
        let mut parameter: Option<(usize, &'a Expr, &'a [Sub])> = None;
        let mut data = Vec::new();
        let mut has_column = false;
        for factor in &term.factors {
            if self.analysis.is_data_expression(factor) {
                visit_names(factor, &mut |_, _| has_column = true);
                data.push(*factor);
                continue;
            }
            let (name, subs): (&'a str, &'a [Sub]) = match &factor.kind {
                ExprKind::Name(name) => (name, &[]),
                ExprKind::Indexed(name, subs) => (&name.text, subs),
                ExprKind::Number(_)
                | ExprKind::Text(_)
                | ExprKind::Call(_)
                | ExprKind::Unary(..)
                | ExprKind::Binary(..)
                | ExprKind::Vector(_) => return None,
            };
            match self.analysis.symbols.get(name) {
                Some(Symbol::Parameter(place)) if parameter.is_none() => {
                    parameter = Some((*place, factor, subs));
                }
                Some(Symbol::Parameter(_) | Symbol::Definition(_)) | None => return None,
            }
        }
        let (parameter, factor, subs) = parameter?;
        let target = self.parameter_plate(parameter).ok()?;
        let elements = match target {
            Some(target) if !subs.is_empty() => {
                let name = self.analysis.relations[parameter].target.name.text.as_str();
                Some(match self.access(target, subs, plate, name).ok()? {
                    Some((_, codes)) => codes,
                    // A plate has fewer elements than a u32 can tell apart.
                    None => (0..self.plates[target].len as u32).collect(),
                })
            }
            Some(_) | None => None,
        };
        let groups = match (target, &elements) {
            (Some(target), Some(elements)) => self.groups_of(parameter, target).map(|(groups, levels)| {
                let codes = elements.iter().map(|element| element / levels).collect();
                (groups, codes)
            }),
            (_, _) => None,
        };
        Some(Product {
            parameter,
            factor,
            data,
            has_column,
            groups,
            elements,
        })
    }

    /// The plate of the groups that the parameter over `plate` is an effect of, and how many correlated effects each
    /// group has; none for the places of a vector.
    pub(super) fn groups_of(&mut self, parameter: usize, plate: usize) -> Option<(usize, u32)> {
        let mut axes = self.plates[plate].axes.clone();
        let mut levels = 1;
        if let Some(Member::Levels { .. }) = self.analysis.relations[parameter].member {
            levels = self.axes[axes.pop()?].labels.len() as u32;
        }
        let groups = self.plate(&axes)?;
        axes.iter()
            .all(|axis| self.axes[*axis].rows.is_some())
            .then_some((groups, levels))
    }

    /// What the parameter of a product is multiplied with, one number for each element of the outcome.
    pub(super) fn multiplier(&mut self, data: &[&'a Expr], plate: Context, len: usize) -> Option<Vec<f64>> {
        let mut x = vec![1.0; len];
        for factor in data {
            let numbers = self.expression(factor, plate).ok()?.numbers?;
            match &*numbers {
                [one] => x.iter_mut().for_each(|x| *x *= one),
                several => x.iter_mut().zip(several).for_each(|(x, y)| *x *= y),
            }
        }
        Some(x)
    }

    /// Location and scale of the parameter's prior, where they are numbers, the same for all elements that occur.
    pub(super) fn width(&mut self, product: &Product<'a>) -> Option<Width> {
        let relation: &'a Relation<'a> = &self.analysis.relations[product.parameter];
        let plate = self.parameter_plate(product.parameter).ok()?;
        let (location, scale) = standard_arguments(relation.family)?;
        let mut number = |argument: usize| -> Option<f64> {
            let expr = relation.arguments[argument];
            if !self.analysis.is_data_expression(expr) {
                return None;
            }
            let numbers = self.expression(expr, plate).ok()?.numbers?;
            if let [one] = &*numbers {
                return Some(*one);
            }
            let mut used = product
                .elements
                .iter()
                .flatten()
                .map(|element| numbers[*element as usize]);
            let first = used.next()?;
            used.all(|x| x == first).then_some(first)
        };
        Some(Width {
            location: number(location)?,
            scale: number(scale)?,
        })
    }
}

/// Factors as written.
pub(super) fn joined(factors: &[&Expr], text: &str) -> String {
    match factors {
        // Brackets around the whole are part of its place.
        [one] => one.to_string(),
        several => {
            let parts: Vec<&str> = several.iter().map(|expr| expr.span.of(text)).collect();
            parts.join(" * ")
        }
    }
}
