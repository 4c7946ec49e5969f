//! Joint distributions: correlated effects as a chain of normal ones, and correlation matrices.
//!
//! Effects η ~ MVNormal(μ, diag(s)·R·diag(s)) with R = L·Lᵀ are η = μ + diag(s)·L·ξ, ξ standard normal. So the k-th
//! effect, given those before it, is Normal with location μₖ + sₖ·Σ Lₖⱼ·ξⱼ over j < k and scale sₖ·Lₖₖ, and ξₖ is its
//! standardised value: each component has a slot and a coordinate of its own, as any effect has, and its centring
//! weights are learned by component and level. At weight 1 the effects themselves are sampled, at 0 the ξ.

use std::rc::Rc;
use std::sync::Arc;

use super::axes::Axis;
use super::parameter::{Part, Prior};
use super::value::Value;
use super::{Context, Eval, Lowering, Poison};
use crate::dist::Family;
use crate::ir::{Binary, Event, Expr as Node, IndexId};
use crate::lang::analyse::{Member, Relation};
use crate::lang::ast::{Expr, ExprKind, Name, Sub};
use crate::lang::lowered::Holds;
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;
use crate::transform::{
    Constraint, Coordinate, LARGEST_CORRELATION, correlation_factor, correlations, lkj_shape_offsets,
    pair_place, pairs, partial_correlation,
};

/// The rows of a Cholesky factor, single numbers.
pub(super) type Factor<'b> = Rc<Vec<Vec<Node<'b>>>>;

/// The components of `a[g, k]`: levels of the last axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Levels {
    /// The plate of all subscripts.
    plate: usize,
    /// The plate of the others.
    groups: Context,
    order: usize,
}

impl<'a, 'b> Lowering<'a, 'b> {
    /// Makes the slot of each level, and says over which plate the effects are.
    pub(super) fn declare_levels(&mut self, place: usize) -> Eval<(Node<'b>, Context)> {
        let relation = &self.analysis.relations[place];
        let levels = self.levels(relation)?;
        let axis = self.last_axis(levels.plate);
        let labels = self.axes[axis].labels.clone();
        let groups = levels.groups.map(|groups| self.plates[groups].ir);
        let name = &relation.target.name.text;
        let positions: Vec<Node<'b>> = labels
            .iter()
            .map(|label| {
                let slot = format!("{name}[{label}]");
                self.builder.position(&slot, groups, Event::Scalar)
            })
            .collect();
        let first = positions[0];
        self.level_positions.insert(place, positions);
        Ok((first, Some(levels.plate)))
    }

    /// Makes the slot of a correlation matrix: a share in (0, 1) for each pair.
    pub(super) fn declare_correlation(&mut self, place: usize) -> Eval<(Node<'b>, Context)> {
        let relation = &self.analysis.relations[place];
        let name = relation.target.name.text.as_str();
        let order = self.order(name)?;
        let labels: Vec<String> = pairs(order)
            .map(|(i, j)| format!("{},{}", i + 1, j + 1))
            .collect();
        self.axes.push(Axis {
            name: crate::data::pair_axis(name),
            labels: Arc::from(labels),
            rows: None,
        });
        let axis = self.axes.len() - 1;
        let plate = self.plate(&[axis]).ok_or(Poison)?;
        let ir = self.plates[plate].ir;
        Ok((self.builder.position(name, Some(ir), Event::Scalar), Some(plate)))
    }

    /// The number of effects that a matrix correlates.
    fn order(&mut self, matrix: &str) -> Eval<usize> {
        let analysis = self.analysis;
        // A matrix that nothing uses was reported by the analysis.
        let place = analysis.correlated_by(matrix).ok_or(Poison)?;
        let relation = &analysis.relations[place];
        match relation.member {
            Some(Member::Component { of, .. }) => Ok(of),
            Some(Member::Levels { .. }) => self.levels(relation).map(|levels| levels.order),
            Some(Member::Correlation) | None => Err(Poison),
        }
    }

    fn last_axis(&self, plate: usize) -> usize {
        let axes = &self.plates[plate].axes;
        axes[axes.len() - 1]
    }

    /// The plates of `a[g, k]`, where the levels can be components.
    fn levels(&mut self, relation: &'a Relation<'a>) -> Eval<Levels> {
        let target = &relation.target;
        let plate = self.target_plate(target)?.ok_or(Poison)?;
        let axis = self.last_axis(plate);
        let axes = self.plates[plate].axes.clone();
        let order = self.axes[axis].labels.len();
        let name = self.axes[axis].name.clone();
        let span = target.subs[target.subs.len() - 1].span();
        if let Some(known) = self.known().and_then(|known| known.levels.get(&name))
            && order > known.len()
        {
            let new: Vec<&str> = self.axes[axis].labels[known.len()..]
                .iter()
                .map(String::as_str)
                .collect();
            let report = Report::error(
                format!(
                    "{} of {} is new: {}",
                    quoted(&name),
                    self.table.name(),
                    new.join(", ")
                ),
                span,
                "nothing is known of its correlations with the levels of the fit",
            );
            return Err(self
                .blame(report.with_help(format!("predict rows whose {} the fit has seen", quoted(&name)))));
        }
        if !(2..=LARGEST_CORRELATION).contains(&order) {
            let report = Report::error(
                format!(
                    "{} has {order} {}, MVNormal would have as many components",
                    quoted(&name),
                    if order == 1 { "level" } else { "levels" }
                ),
                span,
                format!("expected 2 to {LARGEST_CORRELATION}"),
            );
            return Err(self.blame(report.with_help(
                "the last subscript names the components; the groups stand before it: `a[group, treatment]`",
            )));
        }
        Ok(Levels {
            plate,
            groups: self.plate(&axes[..axes.len() - 1]),
            order,
        })
    }

    /// The correlated effects of `a[g, k]`: a part for each level, and all of them over the whole plate.
    pub(super) fn levels_prior(&mut self, place: usize) -> Eval<Prior<'b>> {
        let relation = &self.analysis.relations[place];
        let levels = self.levels(relation)?;
        let Some(positions) = self.level_positions.get(&place).cloned() else {
            return Err(Poison);
        };
        let factor = self.checked_factor(relation, levels.order)?;
        let whole = |lowering: &mut Self, argument: usize| {
            let expr = relation.arguments[argument];
            match lowering.is_vector_argument(expr) {
                true => Ok(None),
                false => lowering.expression(expr, Some(levels.plate)).map(Some),
            }
        };
        let (mean, sd) = (whole(self, 0), whole(self, 1));
        let whole = [mean?, sd?];
        let mut parts: Vec<Part<'b>> = Vec::with_capacity(levels.order);
        let mut value: Option<Node<'b>> = None;
        for (component, position) in positions.into_iter().enumerate() {
            let mut own = Vec::new();
            for (argument, whole) in whole.iter().enumerate() {
                own.push(match whole {
                    Some(value) => self.slice(value, levels, component),
                    None => {
                        let at = (component, levels.order);
                        self.element(relation.arguments[argument], at, levels.groups)?
                    }
                });
            }
            let own: [Value<'b>; 2] = own.try_into().map_err(|_| Poison)?;
            self.check_arguments(relation, &own, levels.groups)?;
            let before: Vec<Node<'b>> = parts.iter().filter_map(|part| part.effect).collect();
            let arguments = conditional(&own[0], &own[1], &factor[component], &before);
            let part = self.component(place, component, (position, levels.groups), (own, arguments))?;
            let spread = part.value.segment_sum(self.level_index(levels, component));
            value = Some(value.map_or(spread, |sum| sum + spread));
            parts.push(Part {
                holds: Holds::Component {
                    place: component,
                    of: levels.order,
                },
                ..part
            });
        }
        Ok(Prior {
            value: value.ok_or(Poison)?,
            parts,
            truncated: false,
            support: "(-∞, ∞)".to_owned(),
        })
    }

    /// One of the correlated effects `[a, b][g]`.
    pub(super) fn component_prior(&mut self, place: usize) -> Eval<Prior<'b>> {
        let relation = &self.analysis.relations[place];
        let Some(Member::Component {
            first, component, of, ..
        }) = relation.member
        else {
            return Err(Poison);
        };
        let (position, plate) = self.position(place)?;
        let factor = self.checked_factor(relation, of)?;
        let mut before = Vec::with_capacity(component);
        for other in first..place {
            before.extend(self.prior(other)?.parts[0].effect);
        }
        let mean = self.element(relation.arguments[0], (component, of), plate);
        let sd = self.element(relation.arguments[1], (component, of), plate);
        let own = [mean?, sd?];
        self.check_arguments(relation, &own, plate)?;
        let arguments = conditional(&own[0], &own[1], &factor[component], &before);
        let part = self.component(place, 0, (position, plate), (own, arguments))?;
        Ok(Prior {
            value: part.value,
            parts: vec![part],
            truncated: false,
            support: "(-∞, ∞)".to_owned(),
        })
    }

    /// A correlation matrix, whose shares are independent under LKJ.
    pub(super) fn correlation_prior(&mut self, place: usize) -> Eval<Prior<'b>> {
        let relation = &self.analysis.relations[place];
        let name = relation.target.name.text.as_str();
        let (position, plate) = self.position(place)?;
        let plate = plate.ok_or(Poison)?;
        let order = self.order(name)?;
        let eta = self.expression(relation.arguments[0], None)?;
        if let Some(number) = eta.single().filter(|eta| !(*eta > 0.0 && eta.is_finite())) {
            let report = Report::error(
                format!(
                    "the argument `eta` of LKJ is {}",
                    super::expression::shown(number)
                ),
                relation.arguments[0].span,
                "expected a number above 0",
            );
            return Err(self.blame(report.with_help(
                "eta = 1 is uniform over correlation matrices, above 1 favours weak correlations",
            )));
        }
        let offsets = lkj_shape_offsets(order);
        let offsets = Value {
            expr: self.builder.column(
                &format!("shapes of {name}"),
                Some(self.plates[plate].ir),
                offsets.clone(),
            ),
            numbers: Some(offsets.into()),
        };
        let shape = offsets.binary(Binary::Add, &eta);
        let arguments = vec![shape.clone(), shape];
        let coordinate = Coordinate::Constrained(match self.view {
            None => Constraint::Unit,
            Some(_) => Constraint::Real,
        });
        let factor = self.cholesky(name, (position, plate), &coordinate, order);
        let mut value: Option<Node<'b>> = None;
        for (pair, correlation) in correlations(&factor).into_iter().enumerate() {
            let spread = correlation.segment_sum(self.literal(plate, pair));
            value = Some(value.map_or(spread, |sum| sum + spread));
        }
        let term = match self.view {
            None => {
                let nodes = [arguments[0].expr, arguments[1].expr];
                coordinate.log_density(Family::Beta, &position, &nodes)
            }
            Some(_) => position,
        };
        Ok(Prior {
            value: value.ok_or(Poison)?,
            parts: vec![Part {
                arguments,
                value: coordinate.value(&position),
                coordinate,
                term,
                effect: None,
                alone: None,
                holds: Holds::Correlation { order },
            }],
            truncated: false,
            support: "(-1, 1)".to_owned(),
        })
    }

    /// The factor of a correlation matrix, made once.
    fn cholesky(
        &mut self,
        name: &str,
        (position, plate): (Node<'b>, usize),
        coordinate: &Coordinate<Node<'b>>,
        order: usize,
    ) -> Factor<'b> {
        if let Some(known) = self.factors.get(name) {
            return known.clone();
        }
        // Single coordinates from the start: their slopes then go to the position one by one, where those of elements
        // of a computed vector would each fill a vector, and all of these be added.
        let partials: Vec<(Node<'b>, Node<'b>)> = (0..order * (order - 1) / 2)
            .map(|pair| partial_correlation(&coordinate.value(&position.gather(self.literal(plate, pair)))))
            .collect();
        let one = self.builder.constant(1.0);
        let factor = Rc::new(correlation_factor(&one, &partials, order));
        self.factors.insert(name.to_owned(), factor.clone());
        factor
    }

    /// The factor of the relation's matrix, which must be of its order.
    fn checked_factor(&mut self, relation: &'a Relation<'a>, order: usize) -> Eval<Factor<'b>> {
        let matrix = relation.member.and_then(Member::correlation).ok_or(Poison)?;
        let place = self.analysis.correlation(matrix).ok_or(Poison)?;
        let own = self.order(matrix)?;
        if own != order {
            // Said of the first of them.
            if matches!(relation.member, Some(Member::Component { component: 1.., .. })) {
                return Err(Poison);
            }
            let first = self.analysis.correlated_by(matrix).ok_or(Poison)?;
            let report = Report::error(
                format!(
                    "{} correlates {own} effects elsewhere, {order} here",
                    quoted(matrix)
                ),
                relation.target.span,
                format!("{order} effects"),
            )
            .with_label(
                self.analysis.relations[first].target.span,
                format!("{own} effects"),
            );
            return Err(self.blame(report.with_help("give each line a correlation matrix of its own")));
        }
        self.prior(place)?;
        self.factors.get(matrix).cloned().ok_or(Poison)
    }

    /// `Rho[1, 2]` of a correlation matrix.
    pub(super) fn correlation_element(
        &mut self,
        place: usize,
        name: &'a Name,
        subs: &'a [Sub],
        span: Span,
    ) -> Eval<Value<'b>> {
        let order = self.order(&name.text)?;
        let index = |sub: &Sub| match sub.low.kind {
            ExprKind::Number(x)
                if sub.high.is_none() && x.fract() == 0.0 && x >= 1.0 && x <= order as f64 =>
            {
                Some(x as usize - 1)
            }
            _ => None,
        };
        let (Some(i), Some(j)) = (subs.first().and_then(index), subs.get(1).and_then(index)) else {
            let report = Report::error(
                format!("{} has no such element", quoted(&name.text)),
                span,
                format!("expected two whole numbers from 1 to {order}"),
            );
            return Err(self.blame(report.with_help(format!("write `{name}[1, 2]`"))));
        };
        if i == j {
            return Ok(Value::constant(self.builder, 1.0));
        }
        let value = self.prior(place)?.value;
        let plate = self.parameter_plate(place)?.ok_or(Poison)?;
        let pair = pair_place(order, i.min(j), i.max(j));
        Ok(Value::parameter(value.gather(self.literal(plate, pair))))
    }

    /// Whether an argument has one element for each component.
    fn is_vector_argument(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Vector(_) => true,
            ExprKind::Name(name) => self.analysis.is_vector(name),
            _ => false,
        }
    }

    /// The value of a mean or an sd for one component `(place, of)`.
    fn element(
        &mut self,
        expr: &'a Expr,
        (component, of): (usize, usize),
        context: Context,
    ) -> Eval<Value<'b>> {
        let wrong = |lowering: &mut Self, len: usize| {
            let report = Report::error(
                format!("{of} components, and {len} elements"),
                expr.span,
                format!("expected {of} elements"),
            );
            lowering.blame(report.with_help("give each component its own, in their order"))
        };
        match &expr.kind {
            ExprKind::Vector(elements) if elements.len() == of => {
                self.expression(&elements[component], context)
            }
            ExprKind::Vector(elements) => Err(wrong(self, elements.len())),
            ExprKind::Name(name) if self.analysis.is_vector(name) => {
                let plate = self.vector_plate(name)?;
                if self.plates[plate].len != of {
                    let len = self.plates[plate].len;
                    return Err(wrong(self, len));
                }
                let value = self.vector_value(name, plate, expr.span)?;
                if value.expr.ty().plate.is_none() {
                    return Ok(value);
                }
                let index = self.literal(plate, component);
                Ok(value.gather(index, &[component as u32]))
            }
            _ => self.expression(expr, context),
        }
    }

    fn vector_plate(&mut self, name: &'a str) -> Eval<usize> {
        let plate = match self.analysis.symbols.get(name) {
            Some(super::Symbol::Parameter(place)) => self.parameter_plate(*place)?,
            Some(super::Symbol::Definition(_)) => self.definition_plate(name)?,
            None => None,
        };
        plate.ok_or(Poison)
    }

    fn vector_value(&mut self, name: &'a str, plate: usize, span: Span) -> Eval<Value<'b>> {
        match self.analysis.symbols.get(name) {
            Some(super::Symbol::Parameter(place)) => self.parameter_value(*place),
            Some(super::Symbol::Definition(_)) => self.definition(name, Some(plate), span),
            None => Err(Poison),
        }
    }

    /// A value over the whole plate at one level of the last axis.
    fn slice(&mut self, value: &Value<'b>, levels: Levels, component: usize) -> Value<'b> {
        if value.expr.ty().plate.is_none() {
            return value.clone();
        }
        let index = self.level_index(levels, component);
        value.gather(index, &self.level_codes(levels, component))
    }

    /// From the groups to their elements of one level.
    fn level_index(&mut self, levels: Levels, component: usize) -> IndexId {
        let codes = self.level_codes(levels, component);
        self.index_to(levels.groups, levels.plate, codes)
    }

    fn level_codes(&self, levels: Levels, component: usize) -> Vec<u32> {
        let len = levels.groups.map_or(1, |groups| self.plates[groups].len);
        (0..len)
            .map(|group| (group * levels.order + component) as u32)
            .collect()
    }

    /// One element of a plate.
    fn literal(&mut self, plate: usize, element: usize) -> IndexId {
        self.index_to(None, plate, vec![element as u32])
    }

    fn index_to(&mut self, domain: Context, plate: usize, codes: Vec<u32>) -> IndexId {
        let key = (domain, plate, codes.clone());
        if let Some(known) = self.index_ids.get(&key) {
            return *known;
        }
        let ir = domain.map(|domain| self.plates[domain].ir);
        let name = format!("element of {}", self.plates[plate].name);
        let id = self.builder.index(&name, ir, self.plates[plate].ir, codes);
        self.index_ids.insert(key, id);
        id
    }
}

/// Location and scale of a component, given the standardised effects before it.
fn conditional<'b>(
    mean: &Value<'b>,
    sd: &Value<'b>,
    row: &[Node<'b>],
    before: &[Node<'b>],
) -> Vec<Value<'b>> {
    let products = row.iter().zip(before).map(|(entry, effect)| *entry * *effect);
    match products.reduce(|sum, product| sum + product) {
        None => vec![mean.clone(), sd.clone()],
        Some(sum) => vec![
            Value::parameter(mean.expr + sd.expr * sum),
            Value::parameter(sd.expr * row[before.len()]),
        ],
    }
}
