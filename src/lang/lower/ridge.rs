//! Ridges: intercepts that are added to a group effect wherever it acts.
//!
//! With η = a + θ[g] and θ ~ Normal(0, τ) the data know the totals a + θ[g], while a and the mean of θ trade against
//! each other: a ridge that samplers cross slowly. Where such a pair is found, the effect's coordinate is the total to
//! the degree of its centring weight (Gelfand, Sahu, Carlin 1995, "Efficient parametrisations for normal linear mixed
//! models", call it hierarchical centring). Names and meaning stay as they are. The same holds of b·x + θ[g]·x.

use std::collections::BTreeSet;

use super::Lowering;
use super::likelihood::location_argument;
use crate::dist::Support;
use crate::lang::analyse::Symbol;
use crate::lang::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::transform::standard_arguments;

/// The most products that a linear predictor is expanded into; beyond, no ridge is looked for.
const MOST_TERMS: usize = 256;

/// A product of a linear predictor.
#[derive(Debug, Clone, Default)]
pub(super) struct Term<'a> {
    negative: bool,
    pub(super) factors: Vec<&'a Expr>,
}

impl<'a> Term<'a> {
    /// The factors but one, as sorted text.
    fn others(&self, but: usize) -> Vec<String> {
        let mut others: Vec<String> = self
            .factors
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != but)
            .map(|(_, factor)| factor.to_string())
            .collect();
        others.sort();
        others
    }

    /// The place of the only factor that names `parameter`.
    fn place_of(&self, name: &str, indexed: bool) -> Option<usize> {
        let is = |expr: &&Expr| match &expr.kind {
            ExprKind::Name(known) => !indexed && known == name,
            ExprKind::Indexed(known, _) => indexed && known.text == name,
            ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Call(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Vector(_) => false,
        };
        let mut places = self.factors.iter().enumerate().filter(|(_, factor)| is(factor));
        let first = places.next()?.0;
        places.next().is_none().then_some(first)
    }
}

impl<'a, 'b> Lowering<'a, 'b> {
    /// The parameter, a single number with a prior of its own, that is added to the effect at `place`: its place among
    /// the relations.
    ///
    /// Of several effects beside one such parameter only one can take it in: the one whose groups differ most, or where
    /// outcomes are not to decide, the first one.
    pub(super) fn ridge(&mut self, place: usize) -> Option<usize> {
        let partner = self.partner(place)?;
        let rivals: Vec<usize> = (0..self.analysis.relations.len())
            .filter(|&other| self.partner(other) == Some(partner))
            .collect();
        let mut best: Option<(usize, f64)> = None;
        for rival in rivals {
            let ratio = match self.options.alike {
                true => 0.0,
                false => self.variation(rival).0.unwrap_or(0.0),
            };
            if best.is_none_or(|(_, most)| ratio > most) {
                best = Some((rival, ratio));
            }
        }
        best.filter(|(winner, _)| *winner == place).map(|_| partner)
    }

    /// The first parameter that stands beside the effect in a linear predictor, with the same multipliers.
    fn partner(&self, place: usize) -> Option<usize> {
        let analysis = self.analysis;
        let relation = &analysis.relations[place];
        let (location, scale) = standard_arguments(relation.family)?;
        if relation.observed
            || relation.target.subs.is_empty()
            || !analysis.is_data_expression(relation.arguments[location])
            || analysis.is_data_expression(relation.arguments[scale])
        {
            return None;
        }
        let name = relation.target.name.text.as_str();
        for likelihood in analysis.relations.iter().filter(|relation| relation.observed) {
            let Some(argument) = location_argument(likelihood.family) else {
                continue;
            };
            let Some(mut terms) = self.terms(likelihood.arguments[argument], true, &mut BTreeSet::new())
            else {
                continue;
            };
            let Some(effect) = terms.iter().position(|term| term.place_of(name, true).is_some()) else {
                continue;
            };
            let effect = terms.swap_remove(effect);
            let Some(place) = effect.place_of(name, true) else {
                continue;
            };
            let multipliers = effect.others(place);
            let partner = analysis.relations.iter().position(|candidate| {
                let candidate_name = candidate.target.name.text.as_str();
                !candidate.observed
                    && candidate.target.subs.is_empty()
                    && candidate.family.support() == Support::Real
                    && !analysis.roles.contains_key(candidate_name)
                    && candidate
                        .arguments
                        .iter()
                        .all(|argument| analysis.is_data_expression(argument))
                    && terms.iter().any(|term| {
                        term.negative == effect.negative
                            && term
                                .place_of(candidate_name, false)
                                .is_some_and(|factor| term.others(factor) == multipliers)
                    })
            });
            if partner.is_some() {
                return partner;
            }
        }
        None
    }

    /// A linear predictor as a sum of products, definitions without a link put in, sums of data left whole; `outermost` looks through one with
    /// a link. None if it has too many.
    pub(super) fn terms(
        &self,
        expr: &'a Expr,
        outermost: bool,
        open: &mut BTreeSet<usize>,
    ) -> Option<Vec<Term<'a>>> {
        let whole = |expr| {
            Some(vec![Term {
                negative: false,
                factors: vec![expr],
            }])
        };
        let terms = match &expr.kind {
            // A sum of data is one multiplier: `b*(1 - x)`.
            ExprKind::Binary(BinaryOp::Add | BinaryOp::Sub, ..) if self.analysis.is_data_expression(expr) => {
                return whole(expr);
            }
            ExprKind::Name(name) => {
                let Some(Symbol::Definition(place)) = self.analysis.symbols.get(name.as_str()) else {
                    return whole(expr);
                };
                let definition = &self.analysis.definitions[*place];
                if definition.data
                    || !definition.target.subs.is_empty()
                    || (definition.link.is_some() && !outermost)
                    || !open.insert(*place)
                {
                    return whole(expr);
                }
                let terms = self.terms(definition.value, false, open);
                open.remove(place);
                terms?
            }
            ExprKind::Unary(UnaryOp::Neg, operand) => negated(self.terms(operand, false, open)?),
            ExprKind::Binary(BinaryOp::Add, left, right) => {
                let mut terms = self.terms(left, false, open)?;
                terms.extend(self.terms(right, false, open)?);
                terms
            }
            ExprKind::Binary(BinaryOp::Sub, left, right) => {
                let mut terms = self.terms(left, false, open)?;
                terms.extend(negated(self.terms(right, false, open)?));
                terms
            }
            ExprKind::Binary(BinaryOp::Mul, left, right) => {
                let (left, right) = (self.terms(left, false, open)?, self.terms(right, false, open)?);
                if left.len() * right.len() > MOST_TERMS {
                    return None;
                }
                let product = |a: &Term<'a>, b: &Term<'a>| Term {
                    negative: a.negative != b.negative,
                    factors: a.factors.iter().chain(&b.factors).copied().collect(),
                };
                left.iter()
                    .flat_map(|a| right.iter().map(move |b| product(a, b)))
                    .collect()
            }
            ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Indexed(..)
            | ExprKind::Call(_)
            | ExprKind::Unary(UnaryOp::Not, _)
            | ExprKind::Binary(..)
            | ExprKind::Vector(_) => return whole(expr),
        };
        (terms.len() <= MOST_TERMS).then_some(terms)
    }
}

fn negated(mut terms: Vec<Term<'_>>) -> Vec<Term<'_>> {
    for term in &mut terms {
        term.negative = !term.negative;
    }
    terms
}
