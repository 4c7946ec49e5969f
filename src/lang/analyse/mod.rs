//! Analysis: the syntax tree as relations, definitions and indices whose names are all resolved.
//!
//! Looks at the table's column names only, never at a value. What it returns is sound: every name is known, nothing is
//! defined twice or in a circle, every distribution has its arguments, so that lowering has only data to complain of.

mod arguments;
mod collect;
mod cycles;
mod joint;
mod names;
mod roles;
mod subscripts;
mod targets;
mod visit;

use std::collections::{BTreeMap, BTreeSet};

use super::ast::{self, Expr, Hint, Link, Name, Sub};
use super::report::Report;
use super::span::Span;
use crate::dist::{Family, Role};

pub(super) use joint::{LKJ, MV_NORMAL, Member};
pub(super) use subscripts::{Subscript, subscript};
pub(super) use visit::visit_indices;
pub(crate) use visit::visit_names;

/// What stands left of `~` or `=`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) name: &'a Name,
    pub(super) subs: &'a [Sub],
    pub(super) span: Span,
}

/// One target with its distribution: a likelihood where the target is data, else the prior of a parameter.
#[derive(Debug)]
pub(super) struct Relation<'a> {
    pub(super) target: Target<'a>,
    pub(super) family: Family,
    /// The distribution's name in the text.
    pub(super) family_span: Span,
    /// One expression for each of [`Family::arguments`].
    pub(super) arguments: Vec<&'a Expr>,
    pub(super) hint: Option<(Hint, Span)>,
    /// What multiplies each row's log likelihood.
    pub(super) weight: Option<&'a Expr>,
    /// The statement's place in the text's order.
    pub(super) statement: usize,
    /// Whether the target is data.
    pub(super) observed: bool,
    /// What it is to a joint distribution.
    pub(super) member: Option<Member<'a>>,
}

/// `target = value` or `link(target) = value`.
#[derive(Debug)]
pub(super) struct Definition<'a> {
    pub(super) target: Target<'a>,
    pub(super) link: Option<Link>,
    pub(super) value: &'a Expr,
    pub(super) statement: usize,
    /// Whether it is made of data alone.
    pub(super) data: bool,
    /// Whether a relation needs it, directly or through other definitions.
    pub(super) used: bool,
}

/// What a name that is not a column stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    /// A place in [`Analysis::definitions`].
    Definition(usize),
    /// A place in [`Analysis::relations`].
    Parameter(usize),
}

/// A place where a parameter is itself an argument of a distribution.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoleUse {
    pub(super) role: Role,
    /// The argument's name.
    pub(super) argument: &'static str,
    /// The distribution's name.
    pub(super) family: &'static str,
    pub(super) span: Span,
}

/// A model whose names are resolved.
#[derive(Debug, Default)]
pub(super) struct Analysis<'a> {
    /// In the order of the text, several targets of a line in theirs.
    pub(super) relations: Vec<Relation<'a>>,
    pub(super) definitions: Vec<Definition<'a>>,
    /// Declared indices by name.
    pub(super) indices: BTreeMap<&'a str, &'a ast::Index>,
    /// The columns of `drop_missing` in the order of the text, none for all that are used, and its place.
    pub(super) dropped: Option<(Vec<&'a Name>, Span)>,
    /// Definitions and parameters by name.
    pub(super) symbols: BTreeMap<&'a str, Symbol>,
    /// Columns used as numbers, with the place of their first use.
    pub(super) numbers: BTreeMap<&'a str, Span>,
    /// Columns used as indices, with the place of their first use.
    pub(super) labels: BTreeMap<&'a str, Span>,
    /// Where parameters stand as arguments that are not simply real.
    pub(super) roles: BTreeMap<&'a str, Vec<RoleUse>>,
    /// Errors, warnings and notes.
    pub(super) reports: Vec<Report>,
    /// Definitions and parameters, each after what it is made from.
    pub(super) order: Vec<Symbol>,
    columns: BTreeSet<&'a str>,
    /// Names with an LKJ distribution.
    correlations: BTreeSet<&'a str>,
    /// Targets of a faulty line (its distribution could not be read, or it is a second one): reported once, then passed over.
    failed: BTreeSet<&'a str>,
    /// Names that stand for values on the right of a line.
    mentioned: BTreeSet<&'a str>,
    /// The table's name as it is shown.
    table: &'a str,
}

/// Analyses `model` against the columns of the table called `table`.
pub(super) fn analyse<'a>(model: &'a ast::Model, table: &'a str, columns: &[&'a str]) -> Analysis<'a> {
    let mut analysis = Analysis {
        columns: columns.iter().copied().collect(),
        table,
        ..Analysis::default()
    };
    analysis.collect(model);
    analysis.note_shared_sds();
    let ordered = analysis.find_order();
    if ordered {
        analysis.find_data();
    }
    analysis.resolve_names(ordered);
    // What follows recurses through definitions, which ends only where there is no circle.
    if ordered {
        analysis.find_used();
        analysis.find_roles();
        analysis.check_targets();
    }
    analysis
}

impl<'a> Analysis<'a> {
    pub(super) fn is_column(&self, name: &str) -> bool {
        self.columns.contains(name)
    }

    /// Whether the name is data: a column or a definition of data alone.
    pub(super) fn is_data(&self, name: &str) -> bool {
        match self.symbols.get(name) {
            Some(Symbol::Definition(place)) => self.definitions[*place].data,
            Some(Symbol::Parameter(_)) => false,
            None => self.is_column(name),
        }
    }

    /// Whether the expression is made of data alone.
    pub(super) fn is_data_expression(&self, expr: &Expr) -> bool {
        let mut data = true;
        visit_names(expr, &mut |name, _| data &= self.is_data(name));
        data
    }

    /// Whether the expression mentions a parameter, directly or through definitions; unknown names do not count.
    pub(super) fn needs_parameters(&self, expr: &Expr) -> bool {
        let mut found = false;
        visit_names(expr, &mut |name, _| {
            found |= self.symbols.contains_key(name) && !self.is_data(name);
        });
        found
    }

    /// The definition of this name.
    pub(super) fn definition(&self, name: &str) -> Option<&Definition<'a>> {
        match self.symbols.get(name) {
            Some(Symbol::Definition(place)) => Some(&self.definitions[*place]),
            Some(Symbol::Parameter(_)) | None => None,
        }
    }

    /// Whether `expr` reaches the parameter, the relation at `parameter`, through definitions but not through priors.
    pub(super) fn reaches(&self, expr: &Expr, parameter: usize) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![expr];
        let mut reached = false;
        while let Some(expr) = open.pop() {
            let mut next = Vec::new();
            visit_names(expr, &mut |name, _| match self.symbols.get(name) {
                Some(Symbol::Parameter(place)) => reached |= *place == parameter,
                Some(Symbol::Definition(place)) if seen.insert(*place) => next.push(*place),
                Some(Symbol::Definition(_)) | None => {}
            });
            open.extend(next.into_iter().map(|place| self.definitions[place].value));
        }
        reached
    }
}
