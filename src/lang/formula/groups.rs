//! The groups of a formula: `(1 + x | g)`, `(x || g)`, `(1 | a/b)`, as blocks of effects.

use super::terms::{Column, Design, Terms, tell_apart};
use crate::lang::ast::{GroupJoin, Name, Term, TermKind};
use crate::lang::report::Report;

/// What the effect of the intercept is called.
pub(super) const INTERCEPT: &str = "Intercept";

/// An effect that varies between groups: the intercept, or what multiplies a column.
#[derive(Debug, Clone)]
pub(super) struct Effect {
    pub(super) label: String,
    /// None for the intercept.
    pub(super) column: Option<Column>,
}

impl Effect {
    /// Whether both multiply the same column.
    fn is(&self, other: &Self) -> bool {
        let value = |effect: &Self| effect.column.as_ref().map(|column| column.value.to_string());
        value(self) == value(other)
    }
}

/// Effects that vary over the same groups.
#[derive(Debug)]
pub(super) struct Block {
    /// The columns whose combinations are the groups.
    pub(super) factors: Vec<Name>,
    pub(super) effects: Vec<Effect>,
    pub(super) correlated: bool,
}

impl Block {
    /// Whether it is `(1 | g)`, whose sd needs no label.
    pub(super) fn is_intercept(&self) -> bool {
        self.effects.len() == 1 && self.effects[0].column.is_none()
    }
}

/// The blocks of a formula, those of the same groups that have no correlations joined.
pub(super) fn blocks(terms: &mut Terms<'_>, all: &[Term]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for term in all {
        let TermKind::Group {
            terms: inner,
            correlated,
            factors,
            joins,
        } = &term.kind
        else {
            continue;
        };
        if term.minus {
            let report = Report::error("a group cannot be taken out", term.span, "stands after a `-`")
                .with_help("leave the term out");
            terms.reports.push(report);
            continue;
        }
        let design = terms.design(inner, false);
        let effects = effects(terms, &design);
        if effects.is_empty() {
            let report = Report::error("nothing varies between these groups", term.span, "has no effect")
                .with_help("write `(1 | g)` for intercepts, `(1 + x | g)` for slopes too");
            terms.reports.push(report);
            continue;
        }
        for factors in grouped(factors, joins) {
            let block = Block {
                correlated: *correlated && effects.len() > 1,
                factors,
                effects: effects.clone(),
            };
            let same = |known: &&mut Block| {
                let names = |block: &Block| -> Vec<String> {
                    block.factors.iter().map(|name| name.text.clone()).collect()
                };
                !known.correlated && !block.correlated && names(known) == names(&block)
            };
            match blocks.iter_mut().find(same) {
                Some(known) => {
                    for effect in block.effects {
                        if !known.effects.iter().any(|own| own.is(&effect)) {
                            known.effects.push(effect);
                        }
                    }
                }
                None => blocks.push(block),
            }
        }
    }
    for block in &mut blocks {
        tell_apart(block.effects.iter_mut().map(|effect| &mut effect.label).collect());
    }
    blocks
}

fn effects(terms: &Terms<'_>, design: &Design) -> Vec<Effect> {
    let intercept = design.intercept.then(|| Effect {
        label: INTERCEPT.to_owned(),
        column: None,
    });
    let columns = terms.columns(design).into_iter().map(|column| Effect {
        label: column.label.clone(),
        column: Some(column),
    });
    intercept.into_iter().chain(columns).collect()
}

/// The combinations of columns that `a/b` (a, and b within a) and `a:b` (those of a and b) stand for.
fn grouped(factors: &[Name], joins: &[GroupJoin]) -> Vec<Vec<Name>> {
    let mut groups: Vec<Vec<Name>> = vec![vec![factors[0].clone()]];
    for (factor, join) in factors[1..].iter().zip(joins) {
        let last = groups.len() - 1;
        match join {
            GroupJoin::Cross => groups[last].push(factor.clone()),
            GroupJoin::Nest => {
                let mut within = groups[last].clone();
                within.push(factor.clone());
                groups.push(within);
            }
        }
    }
    groups
}
