//! A formula read: its outcome, its terms and its groups, checked against the table, and their numbers.

use std::collections::BTreeSet;

use super::family::Family;
use super::groups::{Block, blocks};
use super::pieces::{name, sum};
use super::scales::Outcome;
use super::terms::{Column, Terms};
use super::writer::Writer;
use super::{Expanded, Formula, data_definitions, in_term, only_argument};
use crate::lang::analyse::visit_names;
use crate::lang::ast::{
    BinaryOp, Definition, Expr, ExprKind, Model, Statement, StatementKind, Term, TermKind, Var,
};
use crate::lang::lower::probe;
use crate::lang::lowered::Failure;
use crate::lang::nearest;
use crate::lang::report::{Report, Reports, quoted};
use crate::lang::span::Span;

/// The outcome, and what is added to it on the left of the `~`.
pub(super) struct Response {
    /// None where a design has no such column yet.
    pub(super) value: Option<Expr>,
    pub(super) name: Option<String>,
    pub(super) trials: Option<Expr>,
    pub(super) weight: Option<Expr>,
}

impl Formula<'_> {
    pub(super) fn expand(&self) -> Result<Expanded, Failure> {
        let mut reports = Vec::new();
        let mut take = |found: Result<_, Box<Report>>| found.map_err(|report| reports.push(*report)).ok();
        let family = Family::of(self.glm.family.as_ref());
        let link = match &family {
            Ok(family) => take(family.link(self.glm.link.as_ref())),
            Err(_) => None,
        };
        let family = family.map_err(|report| reports.push(*report)).ok();
        let response = self.response(family, &mut reports);
        let mut terms = Terms::new(self.table, self.model);
        let design = terms.design(&self.glm.terms, true);
        let columns = terms.columns(&design);
        let blocks = blocks(&mut terms, &self.glm.terms);
        for block in &blocks {
            self.check_groups(block, &mut terms.reports);
        }
        if let Some(outcome) = response.as_ref().and_then(|response| response.name.as_deref()) {
            reports.extend(circular(outcome, &self.glm.terms));
        }
        reports.append(&mut terms.reports);
        let (Some(family), Some(link), Some(response), true) = (family, link, response, reports.is_empty())
        else {
            return Err(self.failure(reports));
        };
        let numbers = self.numbers(&response, &terms.offsets, &columns, &blocks)?;
        if let Some(report) = self.without_trials(family, &response, numbers.response.as_deref()) {
            return Err(self.failure(vec![report]));
        }
        let outcome = match &numbers.response {
            Some(y) => Outcome::of(family, link, y, numbers.offset.as_deref(), design.intercept),
            None => Outcome::UNKNOWN,
        };
        let single_levels = terms.single_levels(&design).into_iter();
        let single_levels = single_levels
            .map(|factor| {
                format!(
                    "formula: {} has one level, so it has no coefficient",
                    quoted(factor)
                )
            })
            .collect();
        let writer = Writer {
            formula: self,
            span: self.statement.span,
            family,
            link,
            intercept: design.intercept,
            outcome,
            taken: self.taken(),
            columns: Vec::new(),
            lines: Vec::new(),
            prior_lines: Vec::new(),
            defaults: Vec::new(),
            notes: single_levels,
            edits: Vec::new(),
            reports: Vec::new(),
        };
        writer.write(&response, &terms.offsets, columns, &blocks, &numbers)
    }

    pub(super) fn failure(&self, reports: Vec<Report>) -> Failure {
        let (name, text) = self.source;
        Failure::Reports(Reports::new(name, text, reports))
    }

    pub(super) fn defines(&self, wanted: &str) -> bool {
        self.model.statements.iter().any(|statement| {
            matches!(&statement.kind, StatementKind::Definition(definition) if definition.target.name.text == wanted)
        })
    }

    fn response(&self, family: Option<Family>, reports: &mut Vec<Report>) -> Option<Response> {
        let glm = self.glm;
        let mut response = Response {
            value: Some(glm.response.clone()),
            name: None,
            trials: None,
            weight: None,
        };
        let before = reports.len();
        if let ExprKind::Call(cbind) = &glm.response.kind
            && cbind.name.text == "cbind"
            && let [successes, failures] = cbind.args.as_slice()
        {
            response.value = Some(successes.value.clone());
            response.trials = trials(&successes.value, &failures.value);
        }
        for addition in &glm.additions {
            let (slot, usage) = match addition.name.text.as_str() {
                "trials" => (&mut response.trials, "trials(n)"),
                "weights" => (&mut response.weight, "weights(w)"),
                other => {
                    let title = format!("{} is not in this release yet", quoted(&format!("{other}( … )")));
                    let report = Report::error(title, addition.span, "cannot be added to an outcome yet");
                    reports.push(report.with_help("the additions are `trials(n)` and `weights(w)`"));
                    continue;
                }
            };
            match only_argument(addition, usage) {
                Ok(value) => *slot = Some(value.clone()),
                Err(report) => reports.push(*report),
            }
        }
        if let Some(trials) = &response.trials
            && family.is_some_and(|family| !matches!(family, Family::Binomial | Family::Bernoulli))
        {
            let family = family.map_or("", Family::name);
            let report = Report::error(format!("{family} has no trials"), trials.span, "not expected");
            reports.push(report.with_help("write `family binomial`"));
        }
        let value = response.value.as_ref()?;
        if let Some(known) = value.bare_name() {
            let is_data = self.table.column(known).is_some() || self.defines(known);
            response.name = Some(known.to_owned());
            if !is_data {
                if self.design {
                    response.value = None;
                } else {
                    reports.push(self.unknown_column(known, value.span));
                }
            }
        }
        (reports.len() == before).then_some(response)
    }

    /// The error of counts above 1 that have no number of trials.
    fn without_trials(&self, family: Family, response: &Response, y: Option<&[f64]>) -> Option<Report> {
        let counts = y.is_some_and(|y| y.iter().any(|y| *y > 1.0));
        if family != Family::Binomial || response.trials.is_some() || !counts {
            return None;
        }
        let outcome = &self.glm.response;
        let title = format!(
            "{} exceeds 1 and has no number of trials",
            quoted(&outcome.to_string())
        );
        let report = Report::error(title, outcome.span, "without trials each outcome is 0 or 1");
        Some(report.with_help(format!(
            "write `{outcome} | trials(n) ~ …` with the column of the trials, or their number, for `n`"
        )))
    }

    fn unknown_column(&self, unknown: &str, span: Span) -> Report {
        let columns: Vec<&str> = self.table.names().collect();
        let label = format!("no column of {}", self.table.name());
        let report = Report::error(format!("unknown column {}", quoted(unknown)), span, label);
        report.with_help(match nearest(unknown, columns.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the columns are {}", columns.join(", ")),
        })
    }

    fn is_index(&self, wanted: &str) -> bool {
        wanted == "row"
            || self.model.statements.iter().any(
                |statement| matches!(&statement.kind, StatementKind::Index(index) if index.name.text == wanted),
            )
    }

    fn check_groups(&self, block: &Block, reports: &mut Vec<Report>) {
        for factor in &block.factors {
            let known = self.table.column(&factor.text).is_some()
                || self.is_index(&factor.text)
                || self.defines(&factor.text);
            if !known {
                reports.push(self.unknown_column(&factor.text, factor.span));
            }
        }
    }

    /// The names that an expansion cannot give to something new.
    fn taken(&self) -> BTreeSet<String> {
        let columns = self.table.names().map(str::to_owned);
        let indices = self
            .model
            .statements
            .iter()
            .filter_map(|statement| match &statement.kind {
                StatementKind::Index(index) => Some(index.name.text.clone()),
                StatementKind::Stochastic(_)
                | StatementKind::Definition(_)
                | StatementKind::Table(_)
                | StatementKind::DropMissing(_)
                | StatementKind::Setting(_)
                | StatementKind::Glm(_) => None,
            });
        columns.chain(indices).chain(["row".to_owned()]).collect()
    }

    /// The numbers of everything that the formula is made of.
    fn numbers(
        &self,
        response: &Response,
        offsets: &[Expr],
        columns: &[Column],
        blocks: &[Block],
    ) -> Result<Numbers, Failure> {
        let mut statements: Vec<Statement> = data_definitions(self.model, self.table)
            .into_iter()
            .cloned()
            .collect();
        let from = statements.len();
        let mut probe_of = |value: &Expr| {
            // No name of a text has a blank at its beginning.
            let target = Var {
                name: name(&format!(" {}", statements.len()), value.span),
                subs: Vec::new(),
                span: value.span,
            };
            statements.push(Statement {
                kind: StatementKind::Definition(Definition {
                    link: None,
                    target,
                    value: value.clone(),
                }),
                span: value.span,
            });
        };
        let offset = sum(offsets.iter().cloned());
        let effects = || {
            let all = blocks.iter().flat_map(|block| &block.effects);
            all.filter_map(|effect| effect.column.as_ref())
        };
        response.value.iter().for_each(&mut probe_of);
        offset.iter().for_each(&mut probe_of);
        columns.iter().for_each(|column| probe_of(&column.value));
        effects().for_each(|column| probe_of(&column.value));
        response.trials.iter().for_each(&mut probe_of);
        response.weight.iter().for_each(&mut probe_of);
        let mut probed = probe(&Model { statements }, self.source, self.table, from)?.into_iter();
        Ok(Numbers {
            response: response.value.as_ref().and_then(|_| probed.next()),
            offset: offset.and_then(|_| probed.next()),
            columns: columns.iter().filter_map(|_| probed.next()).collect(),
            effects: effects().filter_map(|_| probed.next()).collect(),
        })
    }
}

/// How many trials `cbind(successes, failures)` has. In `cbind(k, n - k)` that is `n`, which is known before `k` is.
fn trials(successes: &Expr, failures: &Expr) -> Option<Expr> {
    if let ExprKind::Binary(BinaryOp::Sub, all, taken) = &failures.kind
        && taken.to_string() == successes.to_string()
    {
        return Some((**all).clone());
    }
    sum([successes.clone(), failures.clone()])
}

/// Errors of terms that the outcome stands in.
fn circular(outcome: &str, terms: &[Term]) -> Vec<Report> {
    let mut reports = Vec::new();
    for term in terms.iter().filter(|term| !term.minus) {
        let mut exprs = Vec::new();
        in_term(term, &mut exprs);
        let mut places: Vec<Span> = Vec::new();
        for expr in exprs {
            visit_names(expr, &mut |name, span| {
                if name == outcome {
                    places.push(span);
                }
            });
        }
        if let TermKind::Group { factors, .. } = &term.kind {
            let named = factors.iter().filter(|factor| factor.text == outcome);
            places.extend(named.map(|factor| factor.span));
        }
        reports.extend(places.into_iter().map(|span| {
            let title = format!(
                "{} is the outcome and stands among its own predictors",
                quoted(outcome)
            );
            Report::error(title, span, "an outcome cannot predict itself").with_help("leave the term out")
        }));
    }
    reports
}

/// Data by row.
pub(super) struct Numbers {
    pub(super) response: Option<Vec<f64>>,
    pub(super) offset: Option<Vec<f64>>,
    /// `[column][row]`.
    pub(super) columns: Vec<Vec<f64>>,
    /// The same of the columns that vary between groups, block after block.
    pub(super) effects: Vec<Vec<f64>>,
}
