//! What the lines of an expansion are written with: names that are free, index sets, priors, and the text at the end.

use std::collections::{BTreeMap, BTreeSet};

use super::family::{Beside, Family};
use super::pieces::{distribution, name, number, text};
use super::scales::Outcome;
use super::terms::Column;
use super::{Expanded, Formula, priors};
use crate::data::three_digits;
use crate::lang::ast::{Call, Link, StatementKind, Targets};
use crate::lang::lowered::Failure;
use crate::lang::nearest;
use crate::lang::report::{Report, quoted};
use crate::lang::span::Span;

/// Where the plain lines begin.
const HEAD: &str =
    "# The formula stands for the lines below. A prior in a line above takes the place of its default.";

/// What an expansion grows into.
pub(super) struct Writer<'f, 'a> {
    pub(super) formula: &'f Formula<'a>,
    pub(super) span: Span,
    pub(super) family: Family,
    pub(super) link: Option<Link>,
    pub(super) intercept: bool,
    pub(super) outcome: Outcome,
    pub(super) taken: BTreeSet<String>,
    /// The columns with a coefficient, and the spread of each.
    pub(super) columns: Vec<(Column, f64)>,
    pub(super) lines: Vec<String>,
    pub(super) prior_lines: Vec<String>,
    pub(super) defaults: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) edits: Vec<(Span, String)>,
    pub(super) reports: Vec<Report>,
}
impl Writer<'_, '_> {
    /// A name for something that lines of the text may give a prior to; `what` says what it is and ends in a verb. A
    /// line about a name that is passed over would be a likelihood where a prior is meant.
    pub(super) fn own(&mut self, wanted: &str, what: &str) -> String {
        let mut name = wanted.to_owned();
        let mut passed = Vec::new();
        while !self.taken.insert(name.clone()) {
            passed.extend(self.target(&name).map(|span| (name.clone(), span)));
            name.push('_');
        }
        for (meant, span) in passed {
            let (kind, other) = match self.formula.table.column(&meant) {
                Some(_) => ("a column", "the column"),
                None => ("an index set", "the index set"),
            };
            let title = format!(
                "{} is {kind}; {what} called {} here",
                quoted(&meant),
                quoted(&name)
            );
            let report = Report::error(title, span, format!("a line about {other}"));
            self.reports
                .push(report.with_help(format!("write `{name} ~ …`, or rename {other}")));
        }
        name
    }

    /// A name that no line of the text has on its left.
    pub(super) fn fresh(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        while self.formula.defines(&name) || self.is_target(&name) || !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    pub(super) fn is_target(&self, name: &str) -> bool {
        self.target(name).is_some()
    }

    /// Where a line of the text has `name` on the left of its `~`.
    pub(super) fn target(&self, name: &str) -> Option<Span> {
        let statements = &self.formula.model.statements;
        statements.iter().find_map(|statement| match &statement.kind {
            StatementKind::Stochastic(stochastic) => match &stochastic.targets {
                Targets::Separate(vars) => vars.iter().find(|var| var.name.text == name).map(|var| var.span),
                Targets::Joint(joint) => joint
                    .names
                    .iter()
                    .find(|known| known.text == name)
                    .map(|known| known.span),
            },
            StatementKind::Definition(_)
            | StatementKind::Index(_)
            | StatementKind::Table(_)
            | StatementKind::DropMissing(_)
            | StatementKind::Setting(_)
            | StatementKind::Glm(_) => None,
        })
    }

    pub(super) fn spelled(&self, text: &str) -> String {
        name(text, self.span).to_string()
    }

    pub(super) fn index(&mut self, wanted: &str, labels: &[String]) -> String {
        let index = self.fresh(wanted);
        let levels: Vec<String> = labels
            .iter()
            .map(|label| text(label, self.span).to_string())
            .collect();
        self.lines.push(format!(
            "index {} levels({})",
            self.spelled(&index),
            levels.join(", ")
        ));
        index
    }

    pub(super) fn student(&self, location: f64) -> Call {
        let args = [3.0, location, self.outcome.scale].map(|x| number(x, self.span));
        distribution("StudentT", args, self.span)
    }

    pub(super) fn half_student(&self, scale: f64) -> Call {
        let args = [3.0, three_digits(scale)].map(|x| number(x, self.span));
        distribution("HalfStudentT", args, self.span)
    }

    pub(super) fn beside(&self, own: Beside) -> Call {
        let of = |family, args: [f64; 2]| distribution(family, args.map(|x| number(x, self.span)), self.span);
        match own {
            Beside::Scale(_) => self.half_student(self.outcome.residual),
            Beside::Freedom(_) => of("Gamma", [2.0, 0.1]),
            Beside::Dispersion(_) => of("InvGamma", [0.4, 0.3]),
        }
    }

    pub(super) fn default_line(&mut self, line: String) {
        self.defaults.push(line.clone());
        self.prior_lines.push(line);
    }

    /// The prior of a single parameter, unless a line of the text has one or defines it.
    pub(super) fn scalar(&mut self, name: &str, prior: &Call) {
        if !self.is_target(name) && !self.formula.defines(name) {
            self.default_line(format!("{} ~ {prior}", self.spelled(name)));
        }
    }

    /// The prior of a vector over `index`: the default, with what lines of the text say of all or of single elements.
    pub(super) fn vector(&mut self, vector: &str, index: &str, labels: &[String], defaults: &[Call]) {
        let statements = &self.formula.model.statements;
        let found = priors::lines(statements, vector);
        let (mut whole, mut single): (Vec<_>, Vec<(String, _)>) = (Vec::new(), Vec::new());
        for line in found {
            match line.var.subs.as_slice() {
                [] => whole.push(line),
                [only] => {
                    let label = priors::label(only);
                    if !labels.contains(&label) {
                        self.reports
                            .push(unknown_element(vector, &label, only.span(), labels));
                    }
                    single.push((label, line));
                }
                [_, ..] => {
                    let title = format!("{} takes 1 subscript", quoted(vector));
                    let report = Report::error(title, line.var.span, "expected one label");
                    self.reports
                        .push(report.with_help(format!("its elements are {}", labels.join(", "))));
                }
            }
        }
        let mut known: BTreeMap<Option<&str>, Span> = BTreeMap::new();
        let all = whole.iter().map(|line| (None, line.var.span));
        let each = single
            .iter()
            .map(|(label, line)| (Some(label.as_str()), line.var.span));
        for (label, span) in all.chain(each) {
            if let Some(first) = known.get(&label) {
                let given = label.map_or_else(|| vector.to_owned(), |label| format!("{vector}[{label}]"));
                let title = format!("{} is defined twice", quoted(&given));
                let report = Report::error(title, span, "defined again here");
                self.reports.push(
                    report
                        .with_label(*first, "first defined here")
                        .with_help("remove one of them"),
                );
            } else {
                known.insert(label, span);
            }
        }
        if self.is_target(vector) && whole.is_empty() && single.is_empty() {
            let report = Report::error(
                format!("{} has several elements", quoted(vector)),
                self.span,
                "given a prior together with others in one bracket",
            );
            self.reports
                .push(report.with_help(format!("write a line of its own: `{vector} ~ …`")));
            return;
        }
        let target = format!("{}[{}]", self.spelled(vector), self.spelled(index));
        if single.is_empty() {
            for line in &whole {
                let end = line.var.span.end;
                self.edits
                    .push((Span::at(end), format!("[{}]", self.spelled(index))));
            }
            if whole.is_empty() {
                match priors::merged(&places(labels, defaults, self.span), self.span) {
                    Ok(call) => self.default_line(format!("{target} ~ {call}")),
                    Err(report) => self.reports.push(*report),
                }
            }
            return;
        }
        let mut own = places(labels, defaults, self.span);
        for line in &whole {
            for place in &mut own {
                (place.1, place.2) = (line.call.clone(), line.call.span);
            }
        }
        for (label, line) in &single {
            if let Some(place) = own.iter_mut().find(|place| place.0 == *label) {
                (place.1, place.2) = (line.call.clone(), line.call.span);
            }
        }
        let single = single.into_iter().map(|(_, line)| line);
        for line in whole.into_iter().chain(single) {
            if line.shared {
                let report = Report::error(
                    format!("{} stands with other names", quoted(vector)),
                    line.var.span,
                    "elements have priors of their own",
                );
                self.reports.push(report.with_help("write a line of its own"));
            }
            self.edits
                .extend(commented(line.statement.span, self.formula.source.1));
        }
        match priors::merged(&own, self.span) {
            Ok(call) => self.prior_lines.push(format!("{target} ~ {call}")),
            Err(report) => self.reports.push(*report),
        }
    }

    /// The text with its edits, and the lines behind it.
    pub(super) fn finish(mut self) -> Result<Expanded, Failure> {
        if !self.reports.is_empty() {
            return Err(self.formula.failure(self.reports));
        }
        let source = self.formula.source.1;
        self.edits.extend(commented(self.span, source));
        self.edits.sort_by_key(|(span, _)| *span);
        self.edits.dedup();
        let mut text = String::new();
        let mut done = 0;
        for (span, new) in &self.edits {
            text.push_str(&source[done..span.start]);
            text.push_str(new);
            done = span.end;
        }
        text.push_str(&source[done..]);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(HEAD);
        text.push('\n');
        for line in self.lines.iter().chain(&self.prior_lines) {
            text.push_str(line);
            if self.defaults.contains(line) {
                text.push_str("  # default");
            }
            text.push('\n');
        }
        Ok(Expanded {
            text,
            defaults: self.defaults,
            notes: self.notes,
        })
    }
}

/// Each label with its distribution.
fn places(labels: &[String], calls: &[Call], span: Span) -> Vec<(String, Call, Span)> {
    labels
        .iter()
        .zip(calls)
        .map(|(label, call)| (label.clone(), call.clone(), span))
        .collect()
}

/// The edits that make comments of the lines under a span.
fn commented(span: Span, source: &str) -> Vec<(Span, String)> {
    let inside = span.of(source);
    let breaks = inside.match_indices('\n').map(|(at, _)| span.start + at + 1);
    std::iter::once(span.start)
        .chain(breaks)
        .map(|at| (Span::at(at), "# ".to_owned()))
        .collect()
}

fn unknown_element(vector: &str, label: &str, span: Span, labels: &[String]) -> Report {
    let report = Report::error(
        format!("{} has no element {}", quoted(vector), quoted(label)),
        span,
        "not a term of the formula",
    );
    report.with_help(match nearest(label, labels.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{vector}[{near}]`?"),
        None => format!("its elements are {}", labels.join(", ")),
    })
}
