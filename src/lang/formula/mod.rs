//! Formulae: a `glm` line as the plain lines that it stands for, so that everything after sees plain lines only.
//!
//! - [`reading`]: the formula checked against the table, with the numbers of all that it is made of;
//! - [`terms`]: what stands right of the `~` as columns; [`groups`]: what varies between groups;
//! - [`family`]: the distribution of the outcome, with its links;
//! - [`scales`]: default priors, scaled to the data; [`priors`]: the lines of the text that take their place;
//! - [`lines`]: the expansion, put together from [`pieces`] with a [`writer`].
//!
//! The plain lines stand behind the text, whose own lines keep their places: the formula becomes a comment, a prior of
//! a vector (`b ~ Normal(0, 1)`) gets its subscript. Default priors are numbers in the text. They are chosen once: a
//! refit over other rows of the same text has the same priors.

mod family;
mod groups;
mod lines;
mod pieces;
mod priors;
mod reading;
mod scales;
mod terms;
mod writer;

use std::collections::BTreeSet;

use super::analyse::{visit_indices, visit_names};
use super::ast::{self, Expr, Glm, Model, Statement, StatementKind, Targets, TermKind};
use super::lowered::Failure;
use super::report::{Report, Reports, quoted};
use super::span::Span;
use crate::data::Table;

/// A text whose formula is expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// The text: a model of plain lines.
    pub text: String,
    /// The lines of default priors, in their order.
    pub defaults: Vec<String>,
    /// What a person should know, each one sentence.
    pub notes: Vec<String>,
}

/// Expands the formula of `model`, whose text is `source` (its name and the text itself); none if it has none.
///
/// Over a `design`, whose outcomes are still to come, the outcome need not be a column; the scales of default priors
/// are those of an outcome of about one unit then.
///
/// # Errors
///
/// [`Failure::Reports`] with the findings about the formula, and about the data that it uses.
pub fn expand(
    model: &Model,
    source: (&str, &str),
    table: &Table,
    design: bool,
) -> std::result::Result<Option<Expanded>, Failure> {
    let (name, text) = source;
    let fail = |reports| Err(Failure::Reports(Reports::new(name, text, reports)));
    let mut formulae = model
        .statements
        .iter()
        .filter_map(|statement| match &statement.kind {
            StatementKind::Glm(glm) => Some((glm, statement)),
            StatementKind::Stochastic(_)
            | StatementKind::Definition(_)
            | StatementKind::Index(_)
            | StatementKind::Table(_)
            | StatementKind::DropMissing(_)
            | StatementKind::Setting(_) => None,
        });
    let Some((glm, statement)) = formulae.next() else {
        return Ok(None);
    };
    if let Some((_, second)) = formulae.next() {
        return fail(vec![
            Report::error("a model has one formula", second.span, "a second one")
                .with_label(statement.span, "the first one")
                .with_help("write the other outcome in plain lines; `tadpool check --emit expanded` prints what a formula stands for"),
        ]);
    }
    let kept = match complete_rows(model, table) {
        Ok(kept) => kept,
        Err((error, span)) => {
            let mut report = Report::error(error.message(), span, "drops rows");
            if let Some(help) = error.help() {
                report = report.with_help(help);
            }
            return fail(vec![report]);
        }
    };
    let formula = Formula {
        glm,
        statement,
        model,
        source,
        table: &kept,
        design,
    };
    formula.expand().map(Some)
}

/// A formula in its text, over the rows that the model is about.
struct Formula<'a> {
    glm: &'a Glm,
    statement: &'a Statement,
    model: &'a Model,
    source: (&'a str, &'a str),
    table: &'a Table,
    design: bool,
}

/// The table without the rows that `drop_missing` drops.
fn complete_rows(model: &Model, table: &Table) -> Result<Table, (crate::Error, Span)> {
    let mut named: Vec<&str> = Vec::new();
    let mut place = None;
    for statement in &model.statements {
        if let StatementKind::DropMissing(drop) = &statement.kind {
            place.get_or_insert(statement.span);
            named.extend(drop.columns.iter().map(|column| column.text.as_str()));
        }
    }
    let Some(place) = place else {
        return Ok(table.clone());
    };
    if named.is_empty() {
        let used = mentioned(model);
        named = table.names().filter(|name| used.contains(name)).collect();
    }
    // A name that is no column is reported with the plain lines.
    named.retain(|name| table.column(name).is_some());
    table.drop_missing(&named).map_err(|error| (error, place))
}

/// Every name of the text.
fn mentioned(model: &Model) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut exprs: Vec<&Expr> = Vec::new();
    for statement in &model.statements {
        match &statement.kind {
            StatementKind::Stochastic(stochastic) => {
                exprs.extend(stochastic.distribution.args.iter().map(|arg| &arg.value));
                match &stochastic.targets {
                    Targets::Separate(vars) => names.extend(vars.iter().map(|var| var.name.text.as_str())),
                    Targets::Joint(joint) => {
                        names.extend(joint.names.iter().map(|name| name.text.as_str()));
                    }
                }
                for modifier in &stochastic.modifiers {
                    if let ast::ModifierKind::Weight(weight) = &modifier.kind {
                        exprs.push(weight);
                    }
                }
            }
            StatementKind::Definition(definition) => exprs.push(&definition.value),
            StatementKind::Index(index) => {
                names.insert(&index.name.text);
                names.extend(index.factors.iter().map(|factor| factor.text.as_str()));
            }
            StatementKind::Glm(glm) => {
                exprs.push(&glm.response);
                let additions = glm.additions.iter().flat_map(|call| &call.args);
                exprs.extend(additions.map(|arg| &arg.value));
                for term in &glm.terms {
                    in_term(term, &mut exprs);
                    if let TermKind::Group { factors, .. } = &term.kind {
                        names.extend(factors.iter().map(|factor| factor.text.as_str()));
                    }
                }
            }
            StatementKind::Table(_) | StatementKind::DropMissing(_) | StatementKind::Setting(_) => {}
        }
    }
    for expr in exprs {
        visit_names(expr, &mut |name, _| {
            names.insert(name);
        });
        visit_indices(expr, &mut |name, _| {
            names.insert(name);
        });
    }
    names
}

fn in_term<'m>(term: &'m ast::Term, exprs: &mut Vec<&'m Expr>) {
    match &term.kind {
        TermKind::Population(factors) => exprs.extend(factors),
        TermKind::Group { terms, .. } => terms.iter().for_each(|term| in_term(term, exprs)),
    }
}

/// The definitions of the text that are made of data alone, in the order of the text.
fn data_definitions<'m>(model: &'m Model, table: &Table) -> Vec<&'m Statement> {
    let mut data: Vec<&Statement> = Vec::new();
    let mut known: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = known.len();
        for statement in &model.statements {
            let StatementKind::Definition(definition) = &statement.kind else {
                continue;
            };
            let mut sound = true;
            visit_names(&definition.value, &mut |name, _| {
                sound &= known.contains(name) || table.column(name).is_some();
            });
            let target = &definition.target;
            if sound && target.subs.is_empty() && known.insert(&target.name.text) {
                data.push(statement);
            }
        }
        if known.len() == before {
            return data;
        }
    }
}

/// The one argument of a call; an error that says how it is written.
fn only_argument<'m>(call: &'m ast::Call, usage: &str) -> Result<&'m Expr, Box<Report>> {
    match call.args.as_slice() {
        [only] => Ok(&only.value),
        several => Err(Box::new(
            Report::error(
                format!(
                    "{} takes 1 argument, found {}",
                    quoted(&call.name.text),
                    several.len()
                ),
                call.span,
                "expected 1 argument",
            )
            .with_help(format!("write `{usage}`")),
        )),
    }
}
